//! The provenance graph proper: who did what to what, how often, and which events say so.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;

use indexmap::{IndexMap, IndexSet};

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

/// Nodes and the relations between them. What is forgotten costs as much as it had relations itself, however many its
/// neighbours have: a shell's file is run by every second process.
#[derive(Debug, Default)]
pub struct Provenance {
    numbers: HashMap<Node, u64>,
    places: HashMap<u64, Place>,
    next: u64,
    objects: VecDeque<Node>,
    evicted: u64,
}

/// A node among its neighbours, who are called by their numbers.
#[derive(Debug)]
struct Place {
    node: Node,
    did: IndexMap<(Relation, u64), Edge>,
    /// By relation: of all who ran a file, few wrote it.
    done_to: BTreeMap<Relation, IndexSet<u64>>,
}

impl Provenance {
    pub(super) fn relate(&mut self, from: Node, relation: Relation, to: Node, header: &Header) {
        let (from, to) = (self.number(from), self.number(to));
        let Some(place) = self.places.get_mut(&from) else { return };
        let (time, seq) = (header.time, header.seq);
        let edge = place.did.entry((relation, to)).or_insert(Edge {
            relation,
            first: time,
            last: time,
            first_seq: seq,
            last_seq: seq,
            count: 0,
        });
        edge.last = time;
        edge.last_seq = seq;
        edge.count += 1;
        let is_new = edge.count == 1;
        if is_new && let Some(place) = self.places.get_mut(&to) {
            place.done_to.entry(relation).or_default().insert(from);
        }
    }

    pub(super) fn remove(&mut self, node: &Node) {
        let Some(number) = self.numbers.remove(node) else { return };
        let Some(place) = self.places.remove(&number) else { return };
        for (relation, to) in place.did.into_keys() {
            if let Some(from) = self.places.get_mut(&to).and_then(|to| to.done_to.get_mut(&relation)) {
                from.swap_remove(&number);
            }
        }
        for (relation, from) in place.done_to {
            for from in from {
                if let Some(from) = self.places.get_mut(&from) {
                    from.did.swap_remove(&(relation, number));
                }
            }
        }
    }

    fn number(&mut self, node: Node) -> u64 {
        if let Some(number) = self.numbers.get(&node) {
            return *number;
        }
        self.next += 1;
        self.numbers.insert(node.clone(), self.next);
        let place = Place { node: node.clone(), did: IndexMap::new(), done_to: BTreeMap::new() };
        self.places.insert(self.next, place);
        let number = self.next;
        if matches!(node, Node::File(_) | Node::Peer(_)) {
            self.objects.push_back(node);
            if self.objects.len() > MAX_OBJECTS
                && let Some(oldest) = self.objects.pop_front()
            {
                self.remove(&oldest);
                self.evicted += 1;
            }
        }
        number
    }

    /// Files and peers that had to be let go.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// What a node did, by first time.
    pub fn did(&self, node: &Node) -> Vec<(&Node, &Edge)> {
        in_order(self.any_did(node))
    }

    /// What was done to a node, by first time.
    pub fn done_to(&self, node: &Node) -> Vec<(&Node, &Edge)> {
        let relations = self.place(node).into_iter().flat_map(|place| place.done_to.keys());
        in_order(relations.flat_map(|relation| self.any_who(*relation, node)))
    }

    /// What a node did, in no order: for those who look for one of very many.
    pub(super) fn any_did(&self, node: &Node) -> impl Iterator<Item = (&Node, &Edge)> {
        let did = self.place(node).into_iter().flat_map(|place| &place.did);
        did.filter_map(|((_, to), edge)| Some((&self.places.get(to)?.node, edge)))
    }

    /// Who did this to a node, in no order.
    pub(super) fn any_who(&self, relation: Relation, node: &Node) -> impl Iterator<Item = (&Node, &Edge)> {
        let number = self.numbers.get(node).copied().unwrap_or_default();
        let who = self.place(node).and_then(|place| place.done_to.get(&relation)).into_iter().flatten();
        who.filter_map(move |from| {
            let from = self.places.get(from)?;
            Some((&from.node, from.did.get(&(relation, number))?))
        })
    }

    fn place(&self, node: &Node) -> Option<&Place> {
        self.places.get(self.numbers.get(node)?)
    }
}

fn in_order<'a>(edges: impl Iterator<Item = (&'a Node, &'a Edge)>) -> Vec<(&'a Node, &'a Edge)> {
    let mut edges: Vec<_> = edges.collect();
    edges.sort_by_key(|(node, edge)| (edge.first, edge.first_seq, (*node).clone(), edge.relation));
    edges
}
