//! The provenance graph proper: who did what to what, how often, and which events say so.

use std::net::SocketAddr;

use crate::event::{BootTime, ContainerId, FileId, Header, ProcessKey};
use crate::persistent::{Place, Queue, Stock, Table};

/// Edges that are let go at a time: what everybody uses has very many.
const EDGES_AT_ONCE: usize = 256;
/// How many of the latest doings of a process are looked through for one of a kind.
const LATEST: usize = 1_024;
/// How many objects are considered at a time when one has to go.
const CONSIDERED_AT_ONCE: usize = 64;
/// How many of the latest edges of an object are looked at for one of a process that is held.
const LOOKED_AT: usize = 64;
/// No edge.
const NONE: Place = Place::MAX;

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
    pub count: u32,
}

impl Edge {
    /// It happened once more, be it that an earlier time is told late.
    fn again(&mut self, time: BootTime, seq: u64) {
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

/// Who did what to what, by their places.
type Ends = (Place, Relation, Place);

/// Nodes and the relations between them.
///
/// Every edge stands in two lists, that of what its process did and that of what was done to its object, each linked both
/// ways: an edge goes at the same cost however many its neighbours have, and every second process runs the same shell.
#[derive(Debug, Clone, Default)]
pub struct Provenance {
    nodes: Table<Node, Links>,
    edges: Table<Ends, Linked>,
    /// Who last reached into a process, and into whom it last did, and with which event.
    tracers: Table<ProcessKey, (ProcessKey, u64)>,
    traced: Table<ProcessKey, (ProcessKey, u64)>,
    /// Files and peers, those known longest first.
    objects: Queue<Place>,
    /// Those that were passed over, for they were held.
    spared: Queue<Place>,
    evicted: u64,
}

/// What a node is part of.
#[derive(Debug, Clone)]
struct Links {
    /// The latest edge from it, and to it.
    from: Place,
    to: Place,
    /// It was used since it was last considered.
    used: bool,
    /// Who wrote a file last, and with which event; nobody: [`ProcessKey::UNKNOWN`].
    writer: ProcessKey,
    written: u64,
}

/// How far the letting go of one more object has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// It is gone.
    Gone(Node),
    /// It takes more steps.
    Begun,
    /// There is none.
    Nothing,
}

/// An edge, and its neighbours in both lists.
#[derive(Debug, Clone)]
struct Linked {
    edge: Edge,
    from_newer: Place,
    from_older: Place,
    to_newer: Place,
    to_older: Place,
}

impl Provenance {
    /// About how many bytes a clone takes that is taken now; what changes after it counts anew.
    pub(super) fn take_stock(&mut self) -> Stock {
        self.nodes.take_stock()
            + self.edges.take_stock()
            + self.tracers.take_stock()
            + self.traced.take_stock()
            + self.objects.take_stock()
            + self.spared.take_stock()
    }

    /// Bytes of memory, about.
    pub(super) fn bytes(&self) -> usize {
        let nodes = self.nodes.len() * Table::<Node, Links>::COST;
        let edges = self.edges.len() * Table::<(Place, Relation, Place), Linked>::COST;
        nodes + edges + (self.objects.len() + self.spared.len()) * size_of::<Place>()
    }

    pub(super) fn relate(&mut self, from: Node, relation: Relation, to: Node, header: &Header) {
        let traces = match (&from, relation, &to) {
            (Node::Process(by), Relation::Traced, Node::Process(into)) => Some((*by, *into)),
            _ => None,
        };
        if let Some((by, into)) = traces {
            latest(&mut self.tracers, into, (by, header.seq));
            latest(&mut self.traced, by, (into, header.seq));
        }
        let (time, seq) = (header.time, header.seq);
        let writes = matches!((&from, relation, &to), (Node::Process(_), Relation::Wrote, Node::File(_)));
        let (from, to) = (self.node(from), self.node(to));
        let is_writer = |links: &Links| writes && (seq >= links.written || links.writer.is_unknown());
        if let Some(links) = self.nodes.at_mut_if(to, |links| !links.used || is_writer(links)) {
            links.used = true;
            if is_writer(links) {
                (links.writer, links.written) = (header.process, seq);
            }
        }
        if let Some(Linked { edge, .. }) = self.edges.get_mut(&(from, relation, to)) {
            edge.again(time, seq);
            return;
        }
        let edge = Edge { relation, first: time, last: time, first_seq: seq, last_seq: seq, count: 1 };
        let [from_older, to_older] =
            [self.links(from).map(|l| l.from), self.links(to).map(|l| l.to)].map(|p| p.unwrap_or(NONE));
        let new = Linked { edge, from_newer: NONE, from_older, to_newer: NONE, to_older };
        let place = self.edges.insert((from, relation, to), new);
        if let Some(older) = self.linked(from_older) {
            older.from_newer = place;
        }
        if let Some(older) = self.linked(to_older) {
            older.to_newer = place;
        }
        if let Some(links) = self.nodes.at_mut(from) {
            links.from = place;
        }
        if let Some(links) = self.nodes.at_mut(to) {
            links.to = place;
        }
    }

    /// Makes a node stand here, though nothing is related to it yet.
    pub(super) fn note(&mut self, node: Node) {
        let place = self.node(node);
        if let Some(links) = self.nodes.at_mut_if(place, |links| !links.used) {
            links.used = true;
        }
    }

    fn links(&self, place: Place) -> Option<&Links> {
        self.nodes.at(place).map(|(_, links)| links)
    }

    fn linked(&mut self, place: Place) -> Option<&mut Linked> {
        if place == NONE { None } else { self.edges.at_mut(place) }
    }

    fn node(&mut self, node: Node) -> Place {
        if let Some(place) = self.nodes.place(&node) {
            return place;
        }
        let is_object = matches!(node, Node::File(_) | Node::Peer(_));
        let links = Links { from: NONE, to: NONE, used: false, writer: ProcessKey::UNKNOWN, written: 0 };
        let place = self.nodes.insert(node, links);
        if is_object {
            self.objects.push_back(place);
        }
        place
    }

    /// Whether an object has to do with a process that is held, as far as its latest edges tell.
    fn serves_held(&self, object: Place, is_held: &impl Fn(ProcessKey) -> bool) -> bool {
        self.edges_at(object, false).take(LOOKED_AT).any(|(_, from, _, _)| match self.node_at(from) {
            Some(Node::Process(key)) => is_held(*key),
            _ => false,
        })
    }

    /// Lets a node go; of one with very many edges only some of these. Says whether it is gone.
    pub(super) fn remove(&mut self, node: &Node) -> bool {
        let Some(place) = self.nodes.place(node) else { return true };
        for _ in 0..EDGES_AT_ONCE {
            let Some(links) = self.links(place) else { return true };
            let edge = if links.from == NONE { links.to } else { links.from };
            if edge == NONE {
                self.nodes.remove(node);
                if let Node::Process(key) = node {
                    self.tracers.remove(key);
                    self.traced.remove(key);
                }
                return true;
            }
            self.unlink(edge);
        }
        false
    }

    fn unlink(&mut self, place: Place) {
        let Some((&key, linked)) = self.edges.at(place) else { return };
        let Linked { from_newer, from_older, to_newer, to_older, .. } = *linked;
        let (from, _, to) = key;
        self.edges.remove(&key);
        match self.linked(from_newer) {
            Some(newer) => newer.from_older = from_older,
            None => drop(self.nodes.at_mut(from).map(|links| links.from = from_older)),
        }
        match self.linked(to_newer) {
            Some(newer) => newer.to_older = to_older,
            None => drop(self.nodes.at_mut(to).map(|links| links.to = to_older)),
        }
        if let Some(older) = self.linked(from_older) {
            older.from_newer = from_newer;
        }
        if let Some(older) = self.linked(to_older) {
            older.to_newer = to_newer;
        }
    }

    /// When the object that goes next was last used; one that nothing is left of, never. What was used since it was last
    /// considered is passed over here too: what everybody uses always was just now, and must not stand for all others.
    pub(super) fn next_used(&mut self) -> Option<BootTime> {
        for _ in 0..CONSIDERED_AT_ONCE {
            let place = *self.objects.iter().next()?;
            let Some(links) = self.nodes.at_mut(place) else {
                self.objects.pop_front();
                continue;
            };
            if !std::mem::take(&mut links.used) {
                let latest = links.to;
                return Some(self.edges.at(latest).map(|(_, linked)| linked.edge.last).unwrap_or_default());
            }
            self.objects.pop_front();
            self.objects.push_back(place);
        }
        None
    }

    /// Makes a step towards letting go the file or peer that was used longest ago of those that have nothing to do with a
    /// process that is held.
    pub(super) fn evict(&mut self, is_held: impl Fn(ProcessKey) -> bool) -> Step {
        // What was spared may be nobody's by now.
        if let Some(place) = self.spared.pop_front() {
            let line = if self.serves_held(place, &is_held) { &mut self.spared } else { &mut self.objects };
            line.push_back(place);
        }
        for _ in 0..CONSIDERED_AT_ONCE {
            let Some(place) = self.objects.pop_front() else { return Step::Nothing };
            let Some(links) = self.nodes.at_mut(place) else { continue };
            if std::mem::take(&mut links.used) {
                self.objects.push_back(place);
            } else if self.serves_held(place, &is_held) {
                self.spared.push_back(place);
            } else {
                return self.let_go(place, |all| &mut all.objects);
            }
        }
        Step::Begun
    }

    /// As [`Provenance::evict`], of those that have.
    pub(super) fn evict_held(&mut self) -> Step {
        let Some(place) = self.spared.pop_front() else { return Step::Nothing };
        self.let_go(place, |all| &mut all.spared)
    }

    fn let_go(&mut self, place: Place, line: fn(&mut Self) -> &mut Queue<Place>) -> Step {
        let Some((node, _)) = self.nodes.at(place) else { return Step::Begun };
        let node = node.clone();
        if self.remove(&node) {
            self.evicted += 1;
            return Step::Gone(node);
        }
        line(self).push_front(place);
        Step::Begun
    }

    /// Files and peers that had to be let go.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Who wrote a file last, and the event (`header.seq`) that shows it.
    pub fn last_write(&self, file: FileId) -> Option<(ProcessKey, u64)> {
        let links = self.nodes.get(&Node::File(file))?;
        (!links.writer.is_unknown()).then_some((links.writer, links.written))
    }

    /// Who last reached into a process, and the event that shows it.
    pub(super) fn tracer_of(&self, key: ProcessKey) -> Option<(ProcessKey, u64)> {
        self.tracers.get(&key).copied()
    }

    /// Into whom a process last reached, and the event that shows it.
    pub(super) fn traced_by(&self, key: ProcessKey) -> Option<(ProcessKey, u64)> {
        self.traced.get(&key).copied()
    }

    /// What a node did, by first time.
    pub fn did(&self, node: &Node) -> Vec<(&Node, &Edge)> {
        sorted(self.latest_of(node, usize::MAX, |_| true).collect())
    }

    /// What a node did lately in one of the ways that are asked for, by first time: of very much the latest.
    pub fn did_lately(&self, node: &Node, is_asked: impl Fn(Relation) -> bool) -> Vec<(&Node, &Edge)> {
        sorted(self.latest_of(node, LATEST, is_asked).collect())
    }

    /// What a node did lately, the latest first.
    pub(super) fn latest(&self, node: &Node) -> impl Iterator<Item = (&Node, &Edge)> {
        self.latest_of(node, LATEST, |_| true)
    }

    /// Whether one of the latest doings of a node is of this kind.
    pub(super) fn did_any(&self, node: &Node, relation: Relation) -> bool {
        self.latest_of(node, LATEST, |did| did == relation).next().is_some()
    }

    /// Of the latest doings of a node, so many, those of a kind; what they were done to is not even looked at of others.
    fn latest_of(
        &self,
        node: &Node,
        most: usize,
        is_asked: impl Fn(Relation) -> bool,
    ) -> impl Iterator<Item = (&Node, &Edge)> {
        let mut next = self.nodes.get(node).map_or(NONE, |links| links.from);
        let edges = std::iter::from_fn(move || {
            let (key, linked) = if next == NONE { None } else { self.edges.at(next) }?;
            next = linked.from_older;
            Some((key, linked))
        });
        let asked = edges.take(most).filter(move |(key, _)| is_asked(key.1));
        asked.filter_map(|(key, linked)| Some((self.nodes.at(key.2)?.0, &linked.edge)))
    }

    /// What was done to a node, by first time.
    pub fn done_to(&self, node: &Node) -> Vec<(&Node, &Edge)> {
        sorted(self.latest_to(node).collect())
    }

    /// What was done to a node lately in one of the ways that are asked for, by first time: of very much the latest.
    pub fn done_to_lately(&self, node: &Node, is_asked: impl Fn(Relation) -> bool) -> Vec<(&Node, &Edge)> {
        sorted(
            self.edges_to(node).take(LATEST).filter(|(key, _)| is_asked(key.1)).filter_map(|e| self.doer(e)).collect(),
        )
    }

    /// What was done to a node, the latest kind of doing first: in the order in which it became known, backwards.
    pub fn latest_to<'a>(&'a self, node: &Node) -> impl Iterator<Item = (&'a Node, &'a Edge)> + use<'a> {
        self.edges_to(node).map_while(|edge| self.doer(edge))
    }

    fn edges_to<'a>(&'a self, node: &Node) -> impl Iterator<Item = (&'a Ends, &'a Linked)> + use<'a> {
        let mut next = self.nodes.get(node).map_or(NONE, |links| links.to);
        std::iter::from_fn(move || {
            let (key, linked) = if next == NONE { None } else { self.edges.at(next) }?;
            next = linked.to_older;
            Some((key, linked))
        })
    }

    fn doer<'a>(&'a self, (key, linked): (&Ends, &'a Linked)) -> Option<(&'a Node, &'a Edge)> {
        Some((self.nodes.at(key.0)?.0, &linked.edge))
    }
}

/// The graph by its places, for those who walk it.
impl Provenance {
    pub(super) fn place_of(&self, node: &Node) -> Option<Place> {
        self.nodes.place(node)
    }

    pub(super) fn node_at(&self, place: Place) -> Option<&Node> {
        self.nodes.at(place).map(|(node, _)| node)
    }

    /// The edges from a node, or to it, each with its place and both ends'; the latest first.
    pub(super) fn edges_at(&self, node: Place, outgoing: bool) -> impl Iterator<Item = (Place, Place, Place, &Edge)> {
        let mut next = self.links(node).map_or(NONE, |links| if outgoing { links.from } else { links.to });
        std::iter::from_fn(move || {
            let place = next;
            let (key, linked) = if next == NONE { None } else { self.edges.at(next) }?;
            next = if outgoing { linked.from_older } else { linked.to_older };
            Some((place, key.0, key.2, &linked.edge))
        })
    }
}

fn latest(of: &mut Table<ProcessKey, (ProcessKey, u64)>, key: ProcessKey, new: (ProcessKey, u64)) {
    let known = of.or_insert_with(key, || new);
    if new.1 >= known.1 {
        *known = new;
    }
}

fn sorted<'a>(mut edges: Vec<(&'a Node, &'a Edge)>) -> Vec<(&'a Node, &'a Edge)> {
    edges.sort_by(|(a, first), (b, second)| {
        (first.first, first.first_seq, *a, first.relation).cmp(&(second.first, second.first_seq, *b, second.relation))
    });
    edges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Origin;

    fn header(seq: u64, process: ProcessKey) -> Header {
        Header { seq, time: BootTime(seq), cpu: 0, process, tid: process.pid, origin: Origin::Live, compat: false }
    }

    fn file(ino: u64) -> Node {
        Node::File(FileId { dev: 1, ino })
    }

    const A: ProcessKey = ProcessKey::new(1, 1);
    const B: ProcessKey = ProcessKey::new(2, 2);

    #[test]
    fn what_goes_leaves_the_others_as_they_were() {
        let mut provenance = Provenance::default();
        for seq in 1..=5_000 {
            // Each file is written by one and then read by the other, now and then twice.
            provenance.relate(Node::Process(A), Relation::Wrote, file(seq), &header(seq, A));
            provenance.relate(Node::Process(B), Relation::Read, file(seq), &header(seq, B));
            if seq % 1000 == 0 {
                provenance.relate(Node::Process(A), Relation::Wrote, file(seq), &header(seq + 10_000, A));
            }
        }
        // Everything was used since it came: it is passed over once.
        while provenance.evicted() < 3_000 {
            provenance.evict(|_| false);
        }
        let did = provenance.did(&Node::Process(A));
        assert_eq!((did.len(), did[0].0), (2_000, &file(3_001)));
        assert!(did.iter().all(|(node, edge)| {
            let Node::File(id) = node else { return false };
            edge.relation == Relation::Wrote
                && edge.first_seq == id.ino
                && edge.count == 1 + u32::from(id.ino % 1000 == 0)
        }));
        assert_eq!(provenance.last_write(FileId { dev: 1, ino: 5_000 }), Some((A, 15_000)));
        assert_eq!(provenance.last_write(FileId { dev: 1, ino: 1 }), None);
        assert_eq!(provenance.done_to(&file(4_000)).len(), 2);
        while !provenance.remove(&Node::Process(A)) {}
        assert_eq!(provenance.done_to(&file(4_000)).len(), 1);
        assert_eq!((provenance.did(&Node::Process(B)).len(), provenance.edges.len()), (2_000, 2_000));
    }

    #[test]
    fn what_held_processes_have_to_do_with_goes_last() {
        let mut provenance = Provenance::default();
        for ino in 1..=2 {
            provenance.relate(Node::Process(A), Relation::Wrote, file(ino), &header(ino, A));
        }
        for ino in 3..=100 {
            provenance.relate(Node::Process(B), Relation::Wrote, file(ino), &header(ino, B));
        }
        let evict =
            |provenance: &mut Provenance, held: bool| (0..1_000).map(|_| provenance.evict(|k| held && k == A)).last();
        assert_eq!(evict(&mut provenance, true), Some(Step::Nothing));
        assert_eq!((provenance.did(&Node::Process(A)).len(), provenance.did(&Node::Process(B)).len()), (2, 0));
        assert!(matches!(provenance.clone().evict_held(), Step::Gone(_)), "when there is nothing else");
        // Once it is held no more it goes like any other.
        assert_eq!(evict(&mut provenance, false), Some(Step::Nothing));
        assert_eq!((provenance.evicted(), provenance.did(&Node::Process(A)).len()), (100, 0));
    }
}
