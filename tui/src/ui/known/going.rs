//! Who goes next, where no more are kept.

use lanner_core::event::BootTime;
use lanner_core::persistent::{Place, Stock};

/// So many are chosen at a time: to choose takes a look at all of them.
const CHOSEN: usize = 2_048;

/// Those that go next, by their places and the last events about them (`header.seq`): who was spoken of since has a later one,
/// and does not go.
#[derive(Debug, Clone, Default)]
pub(crate) struct Going(Vec<(Place, u64)>);

impl Going {
    /// The next.
    pub(crate) fn pop(&mut self) -> Option<(Place, u64)> {
        self.0.pop()
    }

    /// Chooses from all of them: those that are not worth keeping (`false`) before those that are, each the longest ago first.
    pub(crate) fn of(all: impl Iterator<Item = (bool, BootTime, Place, u64)>) -> Going {
        let mut by_worth: Vec<_> = all.collect();
        if by_worth.len() > CHOSEN {
            by_worth.select_nth_unstable(CHOSEN);
            by_worth.truncate(CHOSEN);
        }
        by_worth.sort_unstable();
        Going(by_worth.into_iter().rev().map(|(_, _, place, seq)| (place, seq)).collect())
    }

    /// What a copy takes, in bytes: it shares nothing.
    pub(crate) fn stock(&self) -> Stock {
        let bytes = size_of_val(self.0.as_slice());
        Stock { own: bytes, whole: bytes }
    }
}
