//! Sockets into the graph: who calls whom, and where both are of this node, which process reached which.

use super::{Ask, Graph, Node, Relation};
use crate::event::{Accept, Attempt, Connect, Flow, Header, Origin, ProcessKey, Unix, UnixAct, UnixName};

impl Graph {
    pub(super) fn connect(&mut self, header: &Header, connect: &Connect) {
        if header.process.is_unknown() {
            return;
        }
        // What fails before a packet is sent was never started, but tried; what is older than the sensor also.
        if connect.attempt == Attempt::Started || connect.asked || header.origin == Origin::Backfill {
            if header.origin == Origin::Live {
                let caller = self.caller(header.process);
                self.contacts.called(caller, connect.flow.remote, header.time, header.seq);
            }
            self.relate(header, Relation::Connected, Node::Peer(connect.flow.remote));
        }
        // Before, its own port is not known.
        if connect.attempt == Attempt::Established
            && let Some(server) = self.ends.meet(&connect.flow, header.process)
        {
            self.reached(header.process, server, header);
        }
    }

    pub(super) fn accept(&mut self, header: &Header, accept: &Accept) {
        self.relate(header, Relation::Accepted, Node::Peer(accept.flow.remote));
        if !header.process.is_unknown()
            && let Some(client) = self.ends.meet(&accept.flow, header.process)
        {
            self.reached(client, header.process, header);
        }
    }

    pub(super) fn unix(&mut self, header: &Header, unix: &Unix) {
        let UnixName::Path(file) = &unix.name else { return self.unix_peer(header, unix) };
        let file_at = self.name_file(file);
        if unix.act == UnixAct::Connected {
            let container = self.process(header.process).and_then(|p| p.task.context.container.clone());
            let (by, socket, time, seq) = (header.process, file.path.clone(), header.time, header.seq);
            self.asks.note(Ask { by, socket, time, seq, container });
            if let Some(file) = file_at {
                self.relate_to(header, Relation::Connected, file);
            }
        }
        self.unix_peer(header, unix);
    }

    fn unix_peer(&mut self, header: &Header, unix: &Unix) {
        if let (UnixAct::Connected, Some(peer)) = (unix.act, unix.peer) {
            self.reached(header.process, peer, header);
        }
    }

    /// One process of this node opened a connection to another.
    fn reached(&mut self, client: ProcessKey, server: ProcessKey, header: &Header) {
        let spot = |key| self.nodes.spot(&Node::Process(key));
        if client != server
            && let (Some(client), Some(server)) = (spot(client), spot(server))
        {
            self.edges.relate(&mut self.nodes, client, Relation::Reached, server, header);
        }
    }

    /// The process at the other end of a TCP connection, if it is on this node.
    pub fn other_end(&self, flow: &Flow) -> Option<ProcessKey> {
        self.ends.other(flow)
    }

    /// The processes of this node that a process opened connections to, over TCP or unix sockets, by first time.
    pub fn reached_by(&self, key: ProcessKey) -> Vec<ProcessKey> {
        let did = self.did(&Node::Process(key));
        let reached = did.into_iter().filter_map(|(node, edge)| match node {
            Node::Process(server) if edge.relation == Relation::Reached => Some(server),
            _ => None,
        });
        reached.collect()
    }
}
