//! Who reached into whom: the latest of each, which are asked for at every turn.

use crate::event::ProcessKey;
use crate::persistent::{Stock, Table};

/// By process, the other one and the event (`header.seq`) that shows it.
#[derive(Debug, Clone, Default)]
pub(super) struct Reaches {
    tracers: Table<ProcessKey, (ProcessKey, u64)>,
    traced: Table<ProcessKey, (ProcessKey, u64)>,
}

impl Reaches {
    /// About how many bytes a clone takes that is taken now; what changes after it counts anew.
    pub(super) fn take_stock(&mut self) -> Stock {
        self.tracers.take_stock() + self.traced.take_stock()
    }

    pub(super) fn note(&mut self, by: ProcessKey, into: ProcessKey, seq: u64) {
        latest(&mut self.tracers, into, (by, seq));
        latest(&mut self.traced, by, (into, seq));
    }

    /// Who last reached into a process.
    pub(super) fn tracer_of(&self, key: ProcessKey) -> Option<(ProcessKey, u64)> {
        self.tracers.get(&key).copied()
    }

    /// Into whom a process last reached.
    pub(super) fn traced_by(&self, key: ProcessKey) -> Option<(ProcessKey, u64)> {
        self.traced.get(&key).copied()
    }

    pub(super) fn forget(&mut self, key: ProcessKey) {
        if !self.tracers.is_empty() {
            self.tracers.remove(&key);
            self.traced.remove(&key);
        }
    }
}

fn latest(of: &mut Table<ProcessKey, (ProcessKey, u64)>, key: ProcessKey, new: (ProcessKey, u64)) {
    let known = of.or_insert_with(key, || new);
    if new.1 >= known.1 {
        *known = new;
    }
}
