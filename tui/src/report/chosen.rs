//! Which events a report lists: the evidence, and what the incident's processes did.

use std::collections::{HashMap, HashSet};

use lanner_core::detect::Incident;
use lanner_core::event::{Event, Origin, ProcessKey};
use lanner_core::graph::Graph;

use super::is_truncated;

/// Events of an incident's processes that are listed; the evidence always is.
const MAX_EVENTS: usize = 2_000;

/// The events of one incident, as far as there is room for them.
pub(crate) struct Chosen {
    /// The first event of each process that is its own doing: before that it was the runtime of its container.
    processes: HashMap<ProcessKey, u64>,
    evidence: HashSet<u64>,
    /// In the order in which they happened.
    pub(crate) events: Vec<Event>,
    /// Events for which there was no room.
    pub(crate) left_out: u64,
}

impl Chosen {
    /// Nothing yet, of an incident.
    pub(crate) fn new(incident: &Incident, graph: &Graph) -> Chosen {
        Chosen {
            processes: incident.processes.iter().map(|p| (p.key, graph.inside_since(p.key))).collect(),
            evidence: incident.stages.iter().flat_map(|s| s.evidence.iter().copied()).collect(),
            events: Vec::new(),
            left_out: 0,
        }
    }

    /// Takes an event in if it belongs to the incident.
    pub(crate) fn offer(&mut self, event: &Event) {
        let header = &event.header;
        let is_evidence = self.evidence.contains(&header.seq);
        let is_done = || {
            header.origin == Origin::Live && self.processes.get(&header.process).is_some_and(|from| header.seq >= *from)
        };
        if is_evidence || (self.events.len() < MAX_EVENTS && is_done()) {
            self.events.push(event.clone());
        } else if is_done() {
            self.left_out += 1;
        }
    }

    /// How many of the events have something cut off.
    pub(crate) fn truncated(&self) -> u64 {
        self.events.iter().filter(|event| is_truncated(event)).count() as u64
    }
}
