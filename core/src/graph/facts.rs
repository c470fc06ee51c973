//! What follows from the graph, as rules and views ask for it.

use std::net::SocketAddr;

use super::contact::Caller;
use super::{Container, Edge, Graph, Node, Process, Relation};
use crate::event::{Attempt, ContainerId, Event, FileId, Namespaces, Payload, ProcessKey, Text, UdpStage};

impl Graph {
    /// The container that a process belongs to.
    pub fn container_of(&self, key: ProcessKey) -> Option<&Container> {
        self.container(self.process(key)?.task.context.container.as_ref()?)
    }

    /// The namespaces of the host of a process's container: those in which its runtime lives. `None` for a process in
    /// no container, or when the runtime is not known.
    pub fn host_namespaces(&self, key: ProcessKey) -> Option<Namespaces> {
        self.container_of(key)?.host
    }

    /// Whether the host's root directory is a process's own: that of its container's runtime, or outside of containers that
    /// of the machine's first process. `None`: one of them is not known.
    pub fn has_host_root(&self, key: ProcessKey) -> Option<bool> {
        let own = self.process(key)?.task.context.root;
        let host = match self.container_of(key) {
            Some(container) => container.host_root?,
            None => self.by_pid(1)?.task.context.root,
        };
        (own.is_known() && host.is_known()).then_some(own == host)
    }

    /// Whether this event began the first program of its process's container.
    pub fn begins_container(&self, event: &Event) -> bool {
        matches!(event.payload, Payload::Exec(_))
            && self.container_of(event.header.process).is_some_and(|c| c.began == Some(event.header.seq))
    }

    /// Whether with this event a process came into a running container from outside (`kubectl exec`, `docker exec`).
    pub fn enters_container(&self, event: &Event) -> bool {
        self.process(event.header.process).is_some_and(|p| p.entered == Some(event.header.seq))
    }

    /// The container whose mount namespace a process from outside of it came into with this event (`nsenter`, a debugger):
    /// its control group stayed where it was. A runtime that starts a program in a container changes that first.
    pub fn reaches_into(&self, event: &Event) -> Option<&Container> {
        let Payload::Namespace(change) = &event.payload else { return None };
        if change.now.mnt == 0 || change.now.mnt == change.before.mnt {
            return None;
        }
        let own = self.process(event.header.process).and_then(|p| p.task.context.container.as_ref());
        self.at_home_in(&change.now).filter(|container| Some(&container.id) != own)
    }

    /// The container that has this mount namespace. The kernel gives the number of one that is gone to another: the container
    /// that lives is meant, or else the latest.
    fn at_home_in(&self, namespaces: &Namespaces) -> Option<&Container> {
        let known = self.at_home.of(&namespaces.mnt).iter().filter_map(|id| self.container(id));
        let candidates = known.filter_map(|container| Some((container, self.process(container.root)?)));
        let at_home = candidates.filter(|(container, root)| {
            root.task.context.namespaces.mnt == namespaces.mnt
                && root.task.context.container.as_ref() == Some(&container.id)
                && !container.is_on_host(namespaces)
        });
        at_home.max_by_key(|(container, root)| (root.is_alive(), container.since)).map(|(container, _)| container)
    }

    /// The container whose mount namespace a process of outside is in: it came there by itself, not by the runtime.
    pub fn stays_in(&self, key: ProcessKey) -> Option<&Container> {
        let task = &self.process(key)?.task;
        if task.context.namespaces.mnt == 0 || task.context.container.is_some() {
            return None;
        }
        self.at_home_in(&task.context.namespaces)
    }

    /// The path of the file that made an orchestrator start this container.
    pub fn container_cause(&self, id: &ContainerId) -> Option<&Text> {
        self.container(id)?.cause.as_ref().map(|c| &c.path)
    }

    /// Whether with this connection attempt the calls of its process (or container) to the peer show to be regular:
    /// true once for each caller and peer.
    pub fn beacon(&self, event: &Event) -> bool {
        match &event.payload {
            Payload::Connect(connect) if connect.attempt == Attempt::Started || connect.asked => {
                let caller = self.caller(event.header.process);
                self.contacts.beacon_since(caller, connect.flow.remote) == Some(event.header.seq)
            }
            Payload::Udp(udp) if udp.stage == UdpStage::Started && udp.outgoing => {
                let caller = self.caller(event.header.process);
                self.contacts.beacon_since(caller, udp.flow.remote) == Some(event.header.seq)
            }
            _ => false,
        }
    }

    pub(super) fn caller(&self, key: ProcessKey) -> Caller {
        match self.process(key).and_then(|p| p.task.context.container.clone()) {
            Some(container) => Caller::Container(container),
            None => Caller::Process(key),
        }
    }

    /// The last file that a process read which another had written: what it may be carrying elsewhere.
    pub fn carried(&self, key: ProcessKey) -> Option<&Text> {
        self.carried_from(key).and_then(|(file, _)| self.file(file)).map(|f| &f.path)
    }

    /// As [`Graph::carried`]: the file, and the event that shows the read.
    pub fn carried_from(&self, key: ProcessKey) -> Option<(FileId, u64)> {
        self.latest_of(&Node::Process(key)).find_map(|(node, edge)| match node {
            Node::File(id) if edge.relation == Relation::Read => {
                self.writer_of(id).filter(|w| w.key != key).map(|_| (id, edge.last_seq))
            }
            _ => None,
        })
    }

    /// Whether this event told of a container what was not known.
    pub fn is_news(&self, event: &Event) -> bool {
        matches!(event.payload, Payload::Container(_)) && self.news == Some(event.header.seq)
    }

    /// The process at the writing end of the pipe with this inode, other than `reader`.
    pub fn pipe_writer(&self, ino: u64, reader: ProcessKey) -> Option<&Process> {
        self.pipes.get(&ino).filter(|key| **key != reader).and_then(|key| self.process(*key))
    }

    /// The process at the reading end of the pipe with this inode, other than `writer`.
    pub fn pipe_reader(&self, ino: u64, writer: ProcessKey) -> Option<&Process> {
        self.pipe_readers.get(&ino).filter(|key| **key != writer).and_then(|key| self.process(*key))
    }

    /// Who last reached into this process, and the event (`header.seq`) that shows it.
    pub fn tracer_of(&self, key: ProcessKey) -> Option<(ProcessKey, u64)> {
        self.reaches.tracer_of(key)
    }

    /// Into whom this process last reached, and the event (`header.seq`) that shows it.
    pub fn traced_by(&self, key: ProcessKey) -> Option<(ProcessKey, u64)> {
        self.reaches.traced_by(key)
    }

    /// Who wrote a file last.
    pub fn writer_of(&self, file: FileId) -> Option<&Process> {
        self.last_write(file).and_then(|(key, _)| self.process(key))
    }

    /// The remote ends that a process opened connections to, by first time.
    pub fn peers_of(&self, key: ProcessKey) -> Vec<SocketAddr> {
        self.did(&Node::Process(key)).into_iter().filter_map(called).collect()
    }

    /// The files that a process wrote, by first time.
    pub fn written_by(&self, key: ProcessKey) -> Vec<FileId> {
        self.did(&Node::Process(key)).into_iter().filter_map(wrote).collect()
    }

    /// As [`Graph::written_by`], with what it gave a name, and [`Graph::peers_of`]; of a process that did very much, what it
    /// did last. What it did on its way into a container, as its runtime, is none of its doings.
    pub(crate) fn made_and_called(&self, key: ProcessKey) -> (Vec<FileId>, Vec<SocketAddr>) {
        let inside_since = self.inside_since(key);
        let is_asked = |r| matches!(r, Relation::Wrote | Relation::Named | Relation::Connected);
        let mut did = self.did_lately(&Node::Process(key), is_asked);
        did.retain(|(_, edge)| edge.last_seq >= inside_since);
        let made = |(node, edge): &(Node, &Edge)| match node {
            Node::File(file) if matches!(edge.relation, Relation::Wrote | Relation::Named) => Some(*file),
            _ => None,
        };
        (did.iter().filter_map(made).collect(), did.into_iter().filter_map(called).collect())
    }

    /// The event (`header.seq`) with which a process began what its container is for, or what it was sent in for: what it did
    /// before, it did as the runtime. 0 for all others.
    pub fn inside_since(&self, key: ProcessKey) -> u64 {
        let began = self.container_of(key).filter(|container| container.root == key).and_then(|c| c.began);
        began.or_else(|| self.process(key)?.entered).unwrap_or(0)
    }
}

fn called((node, edge): (Node, &Edge)) -> Option<SocketAddr> {
    match node {
        Node::Peer(peer) if edge.relation == Relation::Connected => Some(peer),
        _ => None,
    }
}

fn wrote((node, edge): (Node, &Edge)) -> Option<FileId> {
    match node {
        Node::File(file) if edge.relation == Relation::Wrote => Some(file),
        _ => None,
    }
}
