//! The provenance graph proper: who did what to what, how often, and which events say so.

use std::collections::VecDeque;
use std::net::SocketAddr;

use petgraph::Direction;
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::event::{BootTime, ContainerId, FileId, Header, ProcessKey};
use crate::hash::HashMap;

/// Files and peers that are kept; the oldest go first, and are counted.
const MAX_OBJECTS: usize = 65_536;
/// Forgotten nodes that stay in the graph at least, before it is made anew without them.
const FEW: usize = 4_096;

/// What stands in the graph.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Node {
    /// A process.
    Process(ProcessKey),
    /// A file.
    File(FileId),
    /// The remote end of connections.
    Peer(SocketAddr),
    /// A container.
    Container(ContainerId),
}

/// What a process did to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// Made a child.
    Forked,
    /// Ran a file.
    Executed,
    /// Opened a file for writing.
    Wrote,
    /// Opened a file for reading that someone else had written, or that is worth knowing.
    Read,
    /// Gave a file a name: renamed it, or linked to it.
    Named,
    /// Opened a connection.
    Connected,
    /// Took a connection.
    Accepted,
    /// Opened a connection to a process of this node.
    Reached,
    /// Runs in a container.
    RunsIn,
    /// Reached into a process: its memory, its registers, its descriptors.
    Traced,
}

/// One relation between two nodes, however often it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// What.
    pub relation: Relation,
    /// The first time.
    pub first: BootTime,
    /// The last time.
    pub last: BootTime,
    /// The first event (`header.seq`).
    pub first_seq: u64,
    /// The last event.
    pub last_seq: u64,
    /// How many times.
    pub count: u64,
}

/// Nodes and the relations between them.
///
/// A node that is forgotten is only marked at first, and the graph is made anew without such once they are half of it:
/// taking an edge out of petgraph's lists costs as much as its neighbour has edges, and every second process runs the same
/// shell. What is asked for every event has an index of its own for the same reason.
#[derive(Debug, Clone, Default)]
pub struct Provenance {
    /// `None` is forgotten.
    graph: DiGraph<Option<Node>, Edge>,
    nodes: HashMap<Node, NodeIndex>,
    edges: HashMap<(NodeIndex, Relation, NodeIndex), EdgeIndex>,
    /// Who wrote a file last, and with which event.
    writers: HashMap<FileId, (ProcessKey, u64)>,
    forgotten: usize,
    objects: VecDeque<Node>,
    evicted: u64,
}

impl Provenance {
    pub(super) fn relate(&mut self, from: Node, relation: Relation, to: Node, header: &Header) {
        if let (Node::Process(writer), Relation::Wrote, Node::File(file)) = (&from, relation, &to) {
            self.writers.insert(*file, (*writer, header.seq));
        }
        // The object first: room for it may make the graph anew, and with it every index. A process needs no room.
        let to = self.node(to);
        let from = self.node(from);
        let (time, seq) = (header.time, header.seq);
        let known = self.edges.get(&(from, relation, to)).and_then(|edge| self.graph.edge_weight_mut(*edge));
        if let Some(edge) = known {
            edge.last = time;
            edge.last_seq = seq;
            edge.count += 1;
        } else {
            let edge = Edge { relation, first: time, last: time, first_seq: seq, last_seq: seq, count: 1 };
            self.edges.insert((from, relation, to), self.graph.add_edge(from, to, edge));
        }
    }

    pub(super) fn remove(&mut self, node: &Node) {
        let Some(index) = self.nodes.remove(node) else { return };
        self.graph[index] = None;
        if let Node::File(file) = node {
            self.writers.remove(file);
        }
        self.forgotten += 1;
        if self.forgotten > FEW && self.forgotten > self.nodes.len() {
            self.make_anew();
        }
    }

    fn make_anew(&mut self) {
        let old = std::mem::take(&mut self.graph);
        self.graph = old.filter_map(|_, node| node.clone().map(Some), |_, edge| Some(*edge));
        let nodes = self.graph.node_indices().filter_map(|i| Some((self.graph[i].clone()?, i)));
        self.nodes = nodes.collect();
        let edges = self.graph.edge_references();
        self.edges = edges.map(|e| ((e.source(), e.weight().relation, e.target()), e.id())).collect();
        self.forgotten = 0;
    }

    fn node(&mut self, node: Node) -> NodeIndex {
        if let Some(index) = self.nodes.get(&node) {
            return *index;
        }
        if matches!(node, Node::File(_) | Node::Peer(_)) {
            // Room is made first: the graph may be made anew with it, and indices with the graph.
            if self.objects.len() >= MAX_OBJECTS
                && let Some(oldest) = self.objects.pop_front()
            {
                self.remove(&oldest);
                self.evicted += 1;
            }
            self.objects.push_back(node.clone());
        }
        let index = self.graph.add_node(Some(node.clone()));
        self.nodes.insert(node, index);
        index
    }

    /// Files and peers that had to be let go.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Who wrote a file last, and the event (`header.seq`) that shows it.
    pub fn last_write(&self, file: FileId) -> Option<(ProcessKey, u64)> {
        self.writers.get(&file).copied()
    }

    /// What a node did, by first time.
    pub fn did(&self, node: &Node) -> Vec<(&Node, &Edge)> {
        self.related(node, Direction::Outgoing)
    }

    /// What was done to a node, by first time.
    pub fn done_to(&self, node: &Node) -> Vec<(&Node, &Edge)> {
        self.related(node, Direction::Incoming)
    }

    /// What was done to a node, the latest kind of doing first: in the order in which it became known, backwards.
    pub fn latest_to<'a>(&'a self, node: &Node) -> impl Iterator<Item = (&'a Node, &'a Edge)> + use<'a> {
        // petgraph lists the newest edge of a node first.
        let edges = self.nodes.get(node).map(|index| self.graph.edges_directed(*index, Direction::Incoming));
        edges.into_iter().flatten().filter_map(|edge| Some((self.graph[edge.source()].as_ref()?, edge.weight())))
    }

    fn related(&self, node: &Node, direction: Direction) -> Vec<(&Node, &Edge)> {
        let Some(index) = self.nodes.get(node) else { return Vec::new() };
        let edges = self.graph.edges_directed(*index, direction).filter_map(|edge| {
            let other = if direction == Direction::Outgoing { edge.target() } else { edge.source() };
            Some((self.graph[other].as_ref()?, edge.weight()))
        });
        let mut edges: Vec<_> = edges.collect();
        edges.sort_by_key(|(node, edge)| (edge.first, edge.first_seq, (*node).clone(), edge.relation));
        edges
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Origin;

    fn header(seq: u64, process: ProcessKey) -> Header {
        Header { seq, time: BootTime(seq), cpu: 0, process, tid: process.pid, origin: Origin::Live, compat: false }
    }

    #[test]
    fn a_graph_made_anew_is_the_same_without_what_was_forgotten() {
        let (a, b) = (ProcessKey::new(1, 1), ProcessKey::new(2, 2));
        let mut provenance = Provenance::default();
        let file = |ino| FileId { dev: 1, ino };
        let all = MAX_OBJECTS as u64 * 3;
        for seq in 1..=all {
            // Each file is written by one and then read by the other, now and then twice.
            provenance.relate(Node::Process(a), Relation::Wrote, Node::File(file(seq)), &header(seq, a));
            provenance.relate(Node::Process(b), Relation::Read, Node::File(file(seq)), &header(seq, b));
            if seq % 1000 == 0 {
                provenance.relate(Node::Process(a), Relation::Wrote, Node::File(file(seq)), &header(seq, a));
            }
        }
        assert_eq!(provenance.evicted(), all - MAX_OBJECTS as u64);
        assert!(provenance.graph.node_count() <= 2 * MAX_OBJECTS + FEW + 4, "{}", provenance.graph.node_count());
        let did = provenance.did(&Node::Process(a));
        assert_eq!(did.len(), MAX_OBJECTS);
        assert_eq!(did[0].0, &Node::File(file(all - MAX_OBJECTS as u64 + 1)));
        assert!(did.iter().all(|(node, edge)| {
            let Node::File(id) = node else { return false };
            edge.relation == Relation::Wrote
                && edge.first_seq == id.ino
                && edge.count == 1 + u64::from(id.ino % 1000 == 0)
        }));
        assert_eq!(provenance.last_write(file(all)), Some((a, all)));
        assert_eq!(provenance.last_write(file(1)), None);
        assert_eq!(provenance.done_to(&Node::File(file(all))).len(), 2);
    }
}
