//! What has changed lately, so that what was made of it need not be made anew.

use std::collections::VecDeque;

/// Changes that are remembered: a few seconds of a busy node.
const MOST: usize = 16_384;

/// The latest changes, numbered.
#[derive(Debug)]
pub(crate) struct Journal<T> {
    /// The number of the oldest that is remembered.
    first: u64,
    latest: VecDeque<T>,
}

impl<T> Default for Journal<T> {
    fn default() -> Self {
        Journal { first: 0, latest: VecDeque::new() }
    }
}

impl<T: Copy> Journal<T> {
    pub(crate) fn note(&mut self, changed: T) {
        if self.latest.len() == MOST {
            self.latest.pop_front();
            self.first += 1;
        }
        self.latest.push_back(changed);
    }

    /// Anything may have changed: whoever followed begins anew.
    pub(crate) fn anything(&mut self) {
        self.first = self.end() + 1;
        self.latest.clear();
    }

    /// The number that the next change will have.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.latest.len() as u64
    }

    /// The changes from this number on; `None` when they are not all remembered.
    pub(crate) fn since(&self, number: u64) -> Option<impl Iterator<Item = T>> {
        let from = usize::try_from(number.checked_sub(self.first)?).ok()?;
        (from <= self.latest.len()).then(|| self.latest.range(from..).copied())
    }
}
