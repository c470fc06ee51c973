//! The provenance graph proper: who did what to what, how often, and which events say so.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use petgraph::Direction;
use petgraph::stable_graph::{NodeIndex, StableDiGraph};
use petgraph::visit::EdgeRef;

use crate::event::{BootTime, ContainerId, FileId, Header, ProcessKey};

/// Files and peers that are kept; the oldest go first, and are counted.
const MAX_OBJECTS: usize = 65_536;

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
    /// Opened a connection.
    Connected,
    /// Took a connection.
    Accepted,
    /// Runs in a container.
    RunsIn,
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
#[derive(Debug, Default)]
pub struct Provenance {
    graph: StableDiGraph<Node, Edge>,
    index: HashMap<Node, NodeIndex>,
    objects: VecDeque<Node>,
    evicted: u64,
}

impl Provenance {
    pub(super) fn relate(&mut self, from: Node, relation: Relation, to: Node, header: &Header) {
        let (from, to) = (self.node(from), self.node(to));
        let known = self.graph.edges_connecting(from, to).find(|e| e.weight().relation == relation).map(|e| e.id());
        if let Some(edge) = known.and_then(|id| self.graph.edge_weight_mut(id)) {
            edge.last = header.time;
            edge.last_seq = header.seq;
            edge.count += 1;
        } else {
            let (time, seq) = (header.time, header.seq);
            let edge = Edge { relation, first: time, last: time, first_seq: seq, last_seq: seq, count: 1 };
            self.graph.add_edge(from, to, edge);
        }
    }

    pub(super) fn remove(&mut self, node: &Node) {
        if let Some(index) = self.index.remove(node) {
            self.graph.remove_node(index);
        }
    }

    fn node(&mut self, node: Node) -> NodeIndex {
        if let Some(index) = self.index.get(&node) {
            return *index;
        }
        let index = self.graph.add_node(node.clone());
        self.index.insert(node.clone(), index);
        if matches!(node, Node::File(_) | Node::Peer(_)) {
            self.objects.push_back(node);
            if self.objects.len() > MAX_OBJECTS
                && let Some(oldest) = self.objects.pop_front()
            {
                self.remove(&oldest);
                self.evicted += 1;
            }
        }
        index
    }

    /// Files and peers that had to be let go.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// What a node did, by first time.
    pub fn did(&self, node: &Node) -> Vec<(&Node, &Edge)> {
        self.related(node, Direction::Outgoing)
    }

    /// What was done to a node, by first time.
    pub fn done_to(&self, node: &Node) -> Vec<(&Node, &Edge)> {
        self.related(node, Direction::Incoming)
    }

    fn related(&self, node: &Node, direction: Direction) -> Vec<(&Node, &Edge)> {
        let Some(index) = self.index.get(node) else { return Vec::new() };
        let mut found: Vec<(&Node, &Edge)> = self
            .graph
            .edges_directed(*index, direction)
            .map(|edge| {
                let other = if direction == Direction::Outgoing { edge.target() } else { edge.source() };
                (&self.graph[other], edge.weight())
            })
            .collect();
        found.sort_by_key(|(node, edge)| (edge.first, edge.first_seq, (*node).clone()));
        found
    }
}
