//! The whole of Lanner's reasoning behind one call: [`Engine::apply`]. The terminal UI, `lanner watch`, the collector's
//! alerts and the tests all run this.

use std::collections::VecDeque;

use crate::detect::{Incident, Signal};
use crate::event::Event;
use crate::graph::Graph;

/// Graph, rules and incidents of one node.
#[derive(Debug, Default)]
pub struct Engine {
    graph: Graph,
    signals: VecDeque<Signal>,
    incidents: Vec<Incident>,
}

/// What an event changed, as far as an onlooker must be told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Signals that it raised, in the order of the rules.
    pub signals: Vec<Signal>,
    /// Indices into [`Engine::incidents`] of those that have a new revision.
    pub revised: Vec<usize>,
}

impl Engine {
    /// Takes in one event.
    pub fn apply(&mut self, event: &Event) -> Outcome {
        self.graph.apply(event);
        Outcome::default()
    }

    /// What is known of the node.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// All incidents, oldest first; an index stays an incident's for good.
    pub fn incidents(&self) -> &[Incident] {
        &self.incidents
    }

    /// The latest signals, oldest first; at most 10 000 are kept.
    pub fn signals(&self) -> impl DoubleEndedIterator<Item = &Signal> + ExactSizeIterator {
        self.signals.iter()
    }
}
