//! Containers into the graph: when one begins, why, and what those who run it tell.

use super::container::pod_of;
use super::retain::of_container;
use super::take::Take;
use super::{Cause, Container, Graph, Node, Process, Relation};
use crate::event::{BootTime, ContainerId, ContainerInfo, Header, Origin, ProcessKey, Task};

/// Containers that are kept; those that have ended go first.
const MAX_CONTAINERS: usize = 8_192;

/// Programs that have the kubelet in them: what they read as a manifest they start as a static pod.
const KUBELETS: &[&[u8]] = &[b"kubelet", b"hyperkube", b"kubelite", b"k3s", b"k0s", b"rke2"];
/// Runtime clients: what they start from a definition they start themselves, at once.
const RUNTIME_CLIENTS: &[&[u8]] = &[b"ctr", b"runc", b"crun", b"docker", b"podman", b"nerdctl", b"crictl"];

impl Graph {
    pub(super) fn note_container(&mut self, header: &Header, task: &Task, is_exec: bool) {
        let Some(id) = task.context.container.clone() else { return };
        if !self.containers.contains_key(&id) {
            if self.containers.len() >= MAX_CONTAINERS {
                self.forget_containers();
            }
            let mut container = self.new_container(&id, header, task);
            if let Some(info) = self.told.get(&id) {
                container.learn(info);
            }
            if let Some(pod) = container.pod.clone() {
                self.of_pod.join(pod, &id);
            }
            self.containers.insert(id.clone(), container);
            self.relate(header, Relation::RunsIn, Node::Container(id.clone()));
        }
        let Some(container) = self.containers.get(&id) else { return };
        if container.began.is_none() && !container.is_on_host(&task.context.namespaces) {
            let begins = is_exec && header.origin == Origin::Live;
            let cause = if begins { self.cause(container, header.time) } else { None };
            let asked = if begins && cause.is_none() { self.ask_before(container, header.time) } else { None };
            // A container that was found running has begun before: its first program is the eldest process there.
            let began = match (is_exec, header.origin) {
                (true, Origin::Live) => Some(header.seq),
                (_, Origin::Backfill) => Some(0),
                _ => None,
            };
            if let Some(container) = self.containers.get_mut(&id).filter(|_| began.is_some()) {
                container.root = header.process;
                container.began = began;
                self.takes.explains(cause.as_ref());
                container.cause = cause;
                container.asked = asked;
            }
        }
    }

    /// The mount namespace of a container's first program is the container's home.
    pub(super) fn note_home(&mut self, key: ProcessKey) {
        let Some(process) = self.process(key) else { return };
        let mnt = process.task.context.namespaces.mnt;
        let Some(container) = process.task.context.container.as_ref().and_then(|id| self.container(id)) else { return };
        if container.root != key || container.home == mnt {
            return;
        }
        let (id, before) = (container.id.clone(), container.home);
        self.at_home.leave(&before, &id);
        if mnt != 0 {
            self.at_home.join(mnt, &id);
        }
        if let Some(container) = self.containers.get_mut(&id) {
            container.home = mnt;
        }
    }

    /// Who knows a container is believed, even when a later one does not know it any more.
    pub(super) fn name_container(&mut self, header: &Header, info: &ContainerInfo) {
        if !info.is_known() && self.container_info(&info.id).is_some_and(ContainerInfo::is_known) {
            return;
        }
        // The same may come again, from another who knows it.
        let same = |known: &ContainerInfo| *info == ContainerInfo { told_by: info.told_by, ..known.clone() };
        if !self.container_info(&info.id).is_some_and(same) {
            self.news = Some(header.seq);
        }
        while self.told.len() >= MAX_CONTAINERS || self.told_bytes > self.memory / 8 {
            let Some((_, oldest)) = self.told.pop_first() else { break };
            self.told_bytes -= of_container(&oldest);
        }
        self.told_bytes += of_container(info);
        match self.told.get_mut(&info.id) {
            Some(known) => {
                let before = std::mem::replace(known, info.clone());
                self.told_bytes -= of_container(&before);
            }
            None => drop(self.told.insert(info.id.clone(), info.clone())),
        }
        if let Some(container) = self.containers.get_mut(&info.id) {
            container.learn(info);
            if let Some(pod) = container.pod.clone() {
                self.of_pod.join(pod, &info.id);
            }
        }
    }

    /// Forgets the containers known longest of those whose first program has ended; without any, those known longest.
    fn forget_containers(&mut self) {
        let ended = |c: &&Container| self.process(c.root).is_none_or(|root| !root.is_alive());
        let mut goes: Vec<ContainerId> =
            self.containers.values().filter(ended).take(MAX_CONTAINERS / 16).map(|c| c.id.clone()).collect();
        if goes.is_empty() {
            goes = self.containers.keys().take(MAX_CONTAINERS / 16).cloned().collect();
        }
        for id in goes {
            let Some(container) = self.containers.remove(&id) else { continue };
            if let Some(pod) = &container.pod {
                self.of_pod.leave(pod, &id);
            }
            self.at_home.leave(&container.home, &id);
            if let Some(spot) = self.nodes.spot(&Node::Container(id))
                && self.edges.clear(&mut self.nodes, spot)
            {
                self.nodes.remove_object(spot);
            }
        }
    }

    fn new_container(&self, id: &ContainerId, header: &Header, task: &Task) -> Container {
        let outside = |p: &&Process| p.task.context.container.as_ref() != Some(id);
        let runtime = task.parent.and_then(|key| {
            std::iter::once(key).filter_map(|k| self.process(k)).chain(self.ancestors(key)).find(outside)
        });
        let pod = pod_of(task.context.cgroup.as_bytes());
        Container {
            id: id.clone(),
            static_pod: pod.as_ref().is_some_and(|(_, is_static)| *is_static),
            pod: pod.map(|(uid, _)| uid),
            root: header.process,
            began: None,
            runtime: runtime.map(|p| p.key),
            host: runtime.map(|p| p.task.context.namespaces),
            host_root: runtime.map(|p| p.task.context.root).filter(|root| root.is_known()),
            since: header.time,
            cause: None,
            asked: None,
            home: 0,
        }
    }

    /// Why a container starts now: the manifest that its orchestrator took up last. Containers of one pod share it.
    fn cause(&self, container: &Container, time: BootTime) -> Option<Cause> {
        let of_pod = container.pod.as_deref().map(|pod| self.of_pod.of(pod)).unwrap_or_default();
        let causes = of_pod.iter().filter_map(|id| self.container(id)?.cause.as_ref());
        let sibling = causes.max_by_key(|cause| cause.read);
        // The same manifest gives its pod the same uid again: who wrote it anew is the cause of what starts after that.
        let anew = |take: &Take, before: &Cause| take.path == before.path && take.written > before.written;
        let mut takes = self.takes.before(time).filter(|take| self.may_have_started(take, container));
        let take = match sibling {
            None => takes.next()?,
            Some(before) => match takes.find(|take| anew(take, before)) {
                Some(take) => take,
                None => return Some(before.clone()),
            },
        };
        Some(Cause {
            path: take.path.clone(),
            writer: take.writer,
            reader: take.reader,
            written: take.written,
            read: take.read,
            read_at: take.time,
        })
    }

    /// Whether the reader of a file is one that starts containers from files: the kubelet, for its static pods, or a
    /// process that ran a runtime's client since.
    fn may_have_started(&self, take: &Take, container: &Container) -> bool {
        let Some(reader) = self.process(take.reader) else { return false };
        if reader.task.context.container.is_some()
            && reader.task.context.container == self.process(take.writer).and_then(|w| w.task.context.container.clone())
        {
            return false;
        }
        // A runtime reads what it wrote down for itself; that is how a container starts, and not why.
        let parent = reader.parent.and_then(|key| self.process(key));
        if is_runtime(reader.name()) || parent.is_some_and(|p| is_runtime(p.name())) {
            return false;
        }
        if container.static_pod && reader.is_alive() && KUBELETS.contains(&reader.name()) {
            return true;
        }
        let is_client = |p: &Process| RUNTIME_CLIENTS.contains(&p.name());
        let children = reader.children.iter().filter_map(|key| self.process(*key));
        is_client(reader) || children.into_iter().any(|child| child.key.start >= take.time && is_client(child))
    }
}

fn is_runtime(name: &[u8]) -> bool {
    [b"containerd".as_slice(), b"dockerd", b"crio", b"conmon"].contains(&name) || name.starts_with(b"containerd-shim")
}
