//! What open incidents rest on: it is held in the graph, and goes last.

use super::case::Case;
use crate::event::ProcessKey;
use crate::graph::Graph;
use crate::hash::IndexSet;

/// What is held in the graph for a case.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    /// Who is, in the order in which they came to be.
    pub(super) processes: IndexSet<ProcessKey>,
    /// How many members were looked at for that.
    looked_at: usize,
    /// The case is on the list of those of which all is to be released.
    is_to_release: bool,
}

impl Case {
    /// Whether it is an incident of which somebody lives.
    pub(super) fn goes_on(&self) -> bool {
        self.incident.is_some() && !self.living.is_empty()
    }

    /// What an incident that goes on rests on is held: its members, and their ancestors. Tells `hold` whom to hold from now on.
    pub(super) fn hold(&mut self, graph: &Graph, mut hold: impl FnMut(ProcessKey)) {
        let held = &mut self.held;
        for key in self.members.keys().skip(held.looked_at) {
            // Above one that is held already all are.
            let line = std::iter::once(*key).chain(graph.ancestors(*key).map(|p| p.key));
            let fresh = line.filter(|key| graph.process(*key).is_some()).take_while(|key| held.processes.insert(*key));
            fresh.for_each(&mut hold);
        }
        held.looked_at = self.members.len();
    }

    /// Whether what it rests on is to be released later, and nobody has been told so yet.
    pub(super) fn waits_to_release(&mut self) -> bool {
        !self.held.processes.is_empty() && !std::mem::replace(&mut self.held.is_to_release, true)
    }

    /// Tells `release` whom to let loose, unless it goes on again.
    pub(super) fn release(&mut self, release: impl FnMut(ProcessKey)) {
        self.held.is_to_release = false;
        if !self.goes_on() {
            self.held.processes.drain(..).for_each(release);
            self.held.looked_at = 0;
        }
    }
}
