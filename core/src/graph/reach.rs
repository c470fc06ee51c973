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
        // Mostly nobody reaches into anybody.
        for of in [&mut self.tracers, &mut self.traced] {
            if !of.is_empty() {
                of.remove(&key);
            }
        }
    }
}

fn latest(of: &mut Table<ProcessKey, (ProcessKey, u64)>, key: ProcessKey, new: (ProcessKey, u64)) {
    let known = of.or_insert_with(key, || new);
    if new.1 >= known.1 {
        *known = new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_goes_leaves_nothing_behind_in_either_way() {
        let key = |pid| ProcessKey::new(pid, 1);
        let mut reaches = Reaches::default();
        (2..100).for_each(|pid| reaches.note(key(pid), key(1), u64::from(pid)));
        assert_eq!((reaches.tracer_of(key(1)), reaches.traced_by(key(5))), (Some((key(99), 99)), Some((key(1), 5))));
        (1..100).for_each(|pid| reaches.forget(key(pid)));
        assert!(reaches.tracers.is_empty() && reaches.traced.is_empty());
    }
}
