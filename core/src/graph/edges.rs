//! The edges of the graph: who did what to what, how often, and which events say so.

use super::nodes::{Nodes, Spot};
use super::{Edge, Relation};
use crate::event::Header;
use crate::persistent::{Bag, Place, Stock};

/// No edge.
pub(super) const NONE: Place = Place::MAX;

/// Edges that are let go at a time: what everybody uses has very many.
const AT_ONCE: usize = 256;

/// Who did what to what, by where they stand.
type Ends = (Spot, Relation, Spot);

/// All edges.
///
/// Each stands in two lists, that of what its process did and that of what was done to its object, each linked both ways: an
/// edge goes at the same cost however many its neighbours have, and every second process runs the same shell.
#[derive(Debug, Clone, Default)]
pub(super) struct Edges(Bag<Ends, Linked>);

/// An edge, and its neighbours in both lists.
#[derive(Debug, Clone)]
struct Linked {
    edge: Edge,
    from_newer: Place,
    from_older: Place,
    to_newer: Place,
    to_older: Place,
}

/// An edge, and where its ends stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) place: Place,
    pub(super) from: Spot,
    pub(super) to: Spot,
    pub(super) edge: &'a Edge,
}

impl Edges {
    /// About how many bytes a clone takes that is taken now; what changes after it counts anew.
    pub(super) fn take_stock(&mut self) -> Stock {
        self.0.take_stock()
    }

    /// Bytes of memory, about.
    pub(super) fn bytes(&self) -> usize {
        self.0.len() * Bag::<Ends, Linked>::COST
    }

    /// Notes that an event shows this.
    pub(super) fn relate(&mut self, nodes: &mut Nodes, from: Spot, relation: Relation, to: Spot, header: &Header) {
        let (time, seq) = (header.time, header.seq);
        if let Some(Linked { edge, .. }) = self.0.get_mut(&(from, relation, to)) {
            edge.again(time, seq);
            return;
        }
        let edge = Edge { relation, first: time, last: time, first_seq: seq, last_seq: seq, count: 1 };
        let (from_older, to_older) = (nodes.latest(from, true), nodes.latest(to, false));
        let new = Linked { edge, from_newer: NONE, from_older, to_newer: NONE, to_older };
        let place = self.0.insert((from, relation, to), new);
        if let Some(older) = self.linked(from_older) {
            older.from_newer = place;
        }
        if let Some(older) = self.linked(to_older) {
            older.to_newer = place;
        }
        nodes.set_latest(from, true, place);
        nodes.set_latest(to, false, place);
    }

    /// The edges from a node, or to it, the latest first.
    pub(super) fn at(&self, nodes: &Nodes, spot: Spot, outgoing: bool) -> impl Iterator<Item = Found<'_>> + use<'_> {
        let mut next = nodes.latest(spot, outgoing);
        std::iter::from_fn(move || {
            let place = next;
            let ((from, _, to), linked) = if next == NONE { None } else { self.0.at(next) }?;
            next = if outgoing { linked.from_older } else { linked.to_older };
            Some(Found { place, from: *from, to: *to, edge: &linked.edge })
        })
    }

    /// When an object was last used; what nobody has to do with, never.
    pub(super) fn latest(&self, nodes: &Nodes, spot: Spot) -> Option<&Edge> {
        self.at(nodes, spot, false).next().map(|found| found.edge)
    }

    /// Lets the edges of a node go; of very many only some. Says whether it has none any more.
    pub(super) fn clear(&mut self, nodes: &mut Nodes, spot: Spot) -> bool {
        for _ in 0..AT_ONCE {
            let edge = match nodes.latest(spot, true) {
                NONE => nodes.latest(spot, false),
                did => did,
            };
            if edge == NONE {
                return true;
            }
            self.unlink(nodes, edge);
        }
        false
    }

    fn linked(&mut self, place: Place) -> Option<&mut Linked> {
        if place == NONE { None } else { self.0.at_mut(place) }
    }

    fn unlink(&mut self, nodes: &mut Nodes, place: Place) {
        let Some(((from, _, to), linked)) = self.0.take_out(place) else { return };
        let Linked { from_newer, from_older, to_newer, to_older, .. } = linked;
        match self.linked(from_newer) {
            Some(newer) => newer.from_older = from_older,
            None => nodes.set_latest(from, true, from_older),
        }
        match self.linked(to_newer) {
            Some(newer) => newer.to_older = to_older,
            None => nodes.set_latest(to, false, to_older),
        }
        if let Some(older) = self.linked(from_older) {
            older.from_newer = from_newer;
        }
        if let Some(older) = self.linked(to_older) {
            older.to_newer = to_newer;
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
