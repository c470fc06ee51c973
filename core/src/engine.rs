//! The whole of Lanner's reasoning behind one call: [`Engine::apply`]. The terminal UI, `lanner watch`, the collector's
//! alerts and the tests all run this.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::condition::{Scratch, View};
use crate::detect::chain::Chain;
use crate::detect::explain::{self, IncidentExplanation, ProcessExplanation};
use crate::detect::rules::RuleSet;
use crate::detect::{Detector, Incident, Signal};
use crate::event::{Event, Origin, Payload, ProcessKey};
use crate::graph::Graph;

/// Signals that are kept; the oldest go first.
const MAX_SIGNALS: usize = 10_000;

/// Graph, rules and incidents of one node. A clone is a snapshot to come back to: it shares the rules.
#[derive(Debug, Clone, Default)]
pub struct Engine {
    graph: Graph,
    rules: Arc<RuleSet>,
    detector: Detector,
    signals: VecDeque<Signal>,
    scratch: Scratch,
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
    /// An engine that knows nothing of the node yet.
    pub fn new(rules: RuleSet, chains: Vec<Chain>) -> Self {
        Engine { rules: Arc::new(rules), detector: Detector::new(chains), ..Engine::default() }
    }

    /// Takes in one event. What was there before the sensor is no news: rules look at live events only.
    pub fn apply(&mut self, event: &Event) -> Outcome {
        self.know(event);
        let signals = if event.header.origin == Origin::Live { self.signals_of(event) } else { Vec::new() };
        let revised = self.conclude(event, &signals);
        Outcome { signals, revised }
    }

    /// Takes in an event once more, from a snapshot on: `signals` are those that it raised the first time. The same comes
    /// of it, without asking the rules.
    pub fn apply_again(&mut self, event: &Event, signals: &[Signal]) {
        self.know(event);
        self.conclude(event, signals);
    }

    fn know(&mut self, event: &Event) {
        self.graph.apply(event);
        if let Payload::Container(info) = &event.payload {
            self.signals.iter_mut().for_each(|signal| signal.name_container(info));
        }
    }

    fn conclude(&mut self, event: &Event, signals: &[Signal]) -> Vec<usize> {
        let revised = self.detector.apply(&self.graph, event, signals);
        for signal in signals {
            if self.signals.len() == MAX_SIGNALS {
                self.signals.pop_front();
            }
            self.signals.push_back(signal.clone());
        }
        revised
    }

    /// The stream has ended, or pauses: what incidents gained since their last revision becomes one more. Gives the
    /// indices of those.
    pub fn flush(&mut self) -> Vec<usize> {
        self.detector.finish(&self.graph)
    }

    fn signals_of(&mut self, event: &Event) -> Vec<Signal> {
        self.scratch.clear();
        let view = View::new(event, &self.graph).with(&self.scratch);
        self.rules.matching(&view).map(|rule| rule.signal(&view)).collect()
    }

    /// What is known of the node.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The rules in force.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// All incidents, oldest first; an index stays an incident's for good. At most 4096 are told.
    pub fn incidents(&self) -> &[Incident] {
        self.detector.incidents()
    }

    /// Why an incident (an index into [`Engine::incidents`]) is what it is, and why each thing is in it.
    pub fn explain_incident(&self, at: usize) -> Option<IncidentExplanation> {
        self.incidents().get(at).map(|incident| explain::incident(&self.graph, incident))
    }

    /// Why a process is part of an incident, or of none.
    pub fn explain_process(&self, key: ProcessKey) -> ProcessExplanation {
        self.detector.explain(&self.graph, self.signals.iter(), key)
    }

    /// Signals that would have made or grown an incident, had there not been too many already.
    pub fn untold(&self) -> u64 {
        self.detector.untold()
    }

    /// The latest signals, oldest first; at most 10 000 are kept.
    pub fn signals(&self) -> impl DoubleEndedIterator<Item = &Signal> + ExactSizeIterator {
        self.signals.iter()
    }
}
