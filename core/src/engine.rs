//! The whole of Lanner's reasoning behind one call: [`Engine::apply`]. The terminal UI, `lanner watch`, the collector's
//! alerts and the tests all run this.

use std::sync::Arc;

use crate::condition::{Scratch, View};
use crate::detect::chain::Chain;
use crate::detect::explain::{self, IncidentExplanation, ProcessExplanation};
use crate::detect::rules::RuleSet;
use crate::detect::{Detector, Incident, Mentions, Signal};
use crate::event::{Event, Origin, Payload, ProcessKey};
use crate::graph::Graph;
use crate::persistent::{Queue, Stock};
use crate::told::Told;

/// Signals that are kept; the oldest go first.
const MAX_SIGNALS: usize = 10_000;

/// How much memory an engine may take unless told otherwise, in bytes.
pub const MEMORY: usize = 256 << 20;
/// How often, in events, the memory is divided anew between graph and incidents.
const DIVIDED_EVERY: u64 = 1_024;
/// What a signal takes, in bytes, about.
const SIGNAL: usize = 512;

/// Graph, rules and incidents of one node. [`Engine::snapshot`] makes one to come back to.
#[derive(Debug, Clone)]
pub struct Engine {
    memory: usize,
    events: u64,
    graph: Graph,
    rules: Arc<RuleSet>,
    detector: Detector,
    signals: Queue<Signal>,
    /// How many signals there were before the first that is kept.
    dropped: u64,
    mentions: Mentions<u64>,
    scratch: Scratch,
    told: Told,
}

/// What had to go, or was not kept, to bound the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct LetGo {
    /// Processes that were forgotten.
    pub processes: u64,
    /// Files and remote ends that were forgotten, with who had to do with them.
    pub objects: u64,
    /// Names of addresses that were forgotten.
    pub names: u64,
    /// Lists of users that were forgotten, and sums of files.
    pub lists: u64,
    /// Signals that were forgotten; what incidents tell of them is kept.
    pub signals: u64,
    /// Signals, or several that belong together, that had made no incident yet and to which a later one will not be joined.
    pub cases: u64,
    /// Signals that would have made or grown an incident, had there not been too many.
    pub untold: u64,
    /// How often a process that belongs to an incident, or to what may become one, was not listed there.
    pub unlisted: u64,
}

impl LetGo {
    /// Whether nothing did.
    pub fn is_nothing(&self) -> bool {
        *self == LetGo::default()
    }
}

/// What an event changed, as far as an onlooker must be told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Signals that it raised, in the order of the rules.
    pub signals: Vec<Signal>,
    /// Indices into [`Engine::incidents`] of those that have a new revision.
    pub revised: Vec<usize>,
}

impl Default for Engine {
    fn default() -> Self {
        Engine::new(RuleSet::default(), Vec::new())
    }
}

impl Engine {
    /// An engine that knows nothing of the node yet, and takes [`MEMORY`].
    pub fn new(rules: RuleSet, chains: Vec<Chain>) -> Self {
        Engine {
            memory: MEMORY,
            events: 0,
            graph: Graph::default(),
            rules: Arc::new(rules),
            detector: Detector::new(chains),
            signals: Queue::default(),
            dropped: 0,
            mentions: Mentions::default(),
            scratch: Scratch::default(),
            told: Told::default(),
        }
    }

    /// The same, with at most about so many bytes of memory, rules apart: what was longest ago goes when there is no room,
    /// and what open incidents rest on after everything else. See [`Engine::let_go`].
    #[must_use]
    pub fn with_memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self.divide();
        self
    }

    /// Gives the graph what incidents and signals leave: a quarter at least. What may become an incident goes rather than that
    /// all take more than a quarter.
    fn divide(&mut self) {
        self.detector.bound(self.memory / 4);
        let told = self.detector.bytes() + self.signals.len() * SIGNAL;
        self.graph.bound(self.memory.saturating_sub(told).max(self.memory / 4));
    }

    /// About how many bytes of memory it takes, rules apart.
    pub fn bytes(&self) -> usize {
        self.graph.bytes() + self.detector.bytes() + self.signals.len() * SIGNAL
    }

    /// What had to go, or was not kept, to bound the memory.
    pub fn let_go(&self) -> LetGo {
        LetGo {
            processes: self.graph.evicted(),
            objects: self.graph.objects_evicted(),
            names: self.graph.names_let_go(),
            lists: self.graph.accounts_let_go() + self.graph.digests_let_go(),
            signals: self.dropped,
            cases: self.detector.forgotten(),
            untold: self.detector.untold(),
            unlisted: self.detector.unlisted(),
        }
    }

    /// A copy of all that is known now, and about what it takes: what has changed since the copy before is copied, all else
    /// is shared.
    pub fn snapshot(&mut self) -> (Engine, Stock) {
        let stock = self.graph.take_stock() + self.detector.take_stock() + self.signals.take_stock();
        (self.clone(), stock)
    }

    /// Takes in one event; one of the latest that is told once more changes nothing. What was there before the sensor is no
    /// news: rules look at live events only.
    pub fn apply(&mut self, event: &Event) -> Outcome {
        if !self.told.is_news(&event.header) {
            return Outcome::default();
        }
        self.know(event);
        let signals = if event.header.origin == Origin::Live { self.signals_of(event) } else { Vec::new() };
        let revised = self.conclude(event, &signals);
        Outcome { signals, revised }
    }

    /// Takes in an event once more, from a snapshot on: `signals` are those that it raised the first time. The same comes
    /// of it, without asking the rules.
    pub fn apply_again(&mut self, event: &Event, signals: &[Signal]) {
        if !self.told.is_news(&event.header) {
            return;
        }
        self.know(event);
        self.conclude(event, signals);
    }

    fn know(&mut self, event: &Event) {
        self.graph.apply(event);
        self.events += 1;
        if self.events.is_multiple_of(DIVIDED_EVERY) {
            self.divide();
        }
        if let Payload::Container(info) = &event.payload {
            for number in self.mentions.take(info) {
                let at = number.checked_sub(self.dropped).and_then(|at| usize::try_from(at).ok());
                if let Some(signal) = at.and_then(|at| self.signals.get_mut(at)) {
                    signal.name_container(info);
                }
            }
        }
    }

    fn conclude(&mut self, event: &Event, signals: &[Signal]) -> Vec<usize> {
        let revised = self.detector.apply(&self.graph, event, signals);
        for (key, on) in self.detector.take_holds() {
            if on { self.graph.hold(key) } else { self.graph.release(key) }
        }
        for signal in signals {
            if self.signals.len() == MAX_SIGNALS {
                self.signals.pop_front();
                self.dropped += 1;
            }
            self.mentions.note(&signal.sentence, self.dropped + self.signals.len() as u64);
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
    pub fn incidents(&self) -> &[Arc<Incident>] {
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
