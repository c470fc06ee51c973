//! Who did what to what, how often, and which events say so.

use super::edges::Found;
use super::nodes::Spot;
use super::{Graph, Node};
use crate::event::{BootTime, FileId, Header, ProcessKey};

/// How many of the latest doings of a node are looked through for one of a kind.
const LATEST: usize = 1_024;

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
    pub count: u32,
}

impl Edge {
    /// It happened once more, be it that an earlier time is told late.
    pub(super) fn again(&mut self, time: BootTime, seq: u64) {
        if seq == self.last_seq || seq == self.first_seq {
            // Told twice.
            return;
        }
        if seq > self.last_seq {
            (self.last, self.last_seq) = (time, seq);
        } else if seq < self.first_seq {
            (self.first, self.first_seq) = (time, seq);
        }
        self.count = self.count.saturating_add(1);
    }
}

impl Graph {
    /// Notes that an event shows this, if it tells of whom and of what.
    pub(super) fn relate(&mut self, header: &Header, relation: Relation, to: Node) {
        if header.process.is_unknown() {
            return;
        }
        if let Some(to) = self.stand(to) {
            self.relate_to(header, relation, to);
        }
    }

    /// As [`Graph::relate`], to what is known to stand there.
    pub(super) fn relate_to(&mut self, header: &Header, relation: Relation, to: Spot) {
        if header.process.is_unknown() {
            return;
        }
        let from = Spot::of_process(self.meet(header));
        if relation == Relation::Wrote {
            self.nodes.written(to, header.process, header.seq);
        }
        self.nodes.use_now(to);
        self.edges.relate(&mut self.nodes, from, relation, to, header);
    }

    /// Where a node stands. Peers and containers do from now on.
    fn stand(&mut self, node: Node) -> Option<Spot> {
        if matches!(node, Node::Process(_) | Node::File(_)) {
            return self.nodes.spot(&node);
        }
        let is_peer = matches!(node, Node::Peer(_));
        let (spot, is_new) = self.nodes.add_other(node);
        if is_new && is_peer {
            self.objects.add(spot);
        }
        Some(spot)
    }

    /// Files and peers that had to be let go.
    pub fn objects_evicted(&self) -> u64 {
        self.objects.evicted()
    }

    /// Who wrote a file last, and the event (`header.seq`) that shows it.
    pub fn last_write(&self, file: FileId) -> Option<(ProcessKey, u64)> {
        self.nodes.file(file)?.last_write()
    }

    /// What a node did, by first time.
    pub fn did(&self, node: &Node) -> Vec<(Node, &Edge)> {
        sorted(self.met(self.edges_of(node, true)))
    }

    /// What a node did lately in one of the ways that are asked for, by first time: of very much the latest.
    pub fn did_lately(&self, node: &Node, is_asked: impl Fn(Relation) -> bool) -> Vec<(Node, &Edge)> {
        sorted(self.met(self.edges_of(node, true).take(LATEST).filter(|found| is_asked(found.edge.relation))))
    }

    /// What a node did lately, the latest first.
    pub(super) fn latest_of(&self, node: &Node) -> impl Iterator<Item = (Node, &Edge)> {
        self.met(self.edges_of(node, true).take(LATEST))
    }

    /// Whether one of the latest doings of a node is of this kind.
    pub(super) fn did_any(&self, node: &Node, relation: Relation) -> bool {
        self.edges_of(node, true).take(LATEST).any(|found| found.edge.relation == relation)
    }

    /// What was done to a node, by first time.
    pub fn done_to(&self, node: &Node) -> Vec<(Node, &Edge)> {
        sorted(self.latest_to(node))
    }

    /// What was done to a node lately in one of the ways that are asked for, by first time: of very much the latest.
    pub fn done_to_lately(&self, node: &Node, is_asked: impl Fn(Relation) -> bool) -> Vec<(Node, &Edge)> {
        sorted(self.doers(self.edges_of(node, false).take(LATEST).filter(|found| is_asked(found.edge.relation))))
    }

    /// What was done to a node, the latest kind of doing first: in the order in which it became known, backwards.
    pub fn latest_to<'a>(&'a self, node: &Node) -> impl Iterator<Item = (Node, &'a Edge)> + use<'a> {
        self.doers(self.edges_of(node, false))
    }

    fn edges_of(&self, node: &Node, outgoing: bool) -> impl Iterator<Item = Found<'_>> + use<'_> {
        let spot = self.nodes.spot(node);
        spot.into_iter().flat_map(move |spot| self.edges.at(&self.nodes, spot, outgoing))
    }

    /// To what it was done.
    fn met<'a>(&'a self, found: impl Iterator<Item = Found<'a>>) -> impl Iterator<Item = (Node, &'a Edge)> {
        found.filter_map(|found| Some((self.nodes.at(found.to)?, found.edge)))
    }

    /// By whom it was done.
    fn doers<'a, F: Iterator<Item = Found<'a>>>(
        &'a self,
        found: F,
    ) -> impl Iterator<Item = (Node, &'a Edge)> + use<'a, F> {
        found.filter_map(|found| Some((self.nodes.at(found.from)?, found.edge)))
    }
}

fn sorted<'a>(edges: impl Iterator<Item = (Node, &'a Edge)>) -> Vec<(Node, &'a Edge)> {
    let mut edges: Vec<_> = edges.collect();
    edges.sort_by(|(a, first), (b, second)| {
        (first.first, first.first_seq, a, first.relation).cmp(&(second.first, second.first_seq, b, second.relation))
    });
    edges
}
