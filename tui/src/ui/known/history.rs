//! The events themselves, the latest of them.

use std::collections::VecDeque;
use std::sync::Arc;

use lanner_core::detect::{Severity, Signal};
use lanner_core::event::Event;

/// An event as it is kept, and what was concluded from it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The event.
    pub(crate) event: Event,
    /// The gravest signal it raised: how grave, and its rule.
    pub(crate) signal: Option<(Severity, Arc<str>)>,
}

/// The latest events, numbered from 0 in the order in which they came. Numbers are for this run of the program only: a
/// node's own (`seq`) begin again when its collector does.
#[derive(Debug)]
pub(crate) struct History {
    entries: VecDeque<Entry>,
    /// The number of the first that is kept, which is how many were let go.
    first: u64,
    capacity: usize,
}

impl History {
    pub(crate) const CAPACITY: usize = 100_000;

    pub(crate) fn new(capacity: usize) -> Self {
        History { entries: VecDeque::new(), first: 0, capacity: capacity.max(1) }
    }

    /// Keeps an event, and lets the oldest go when there is no room.
    pub(crate) fn push(&mut self, event: Event, signals: &[Signal]) {
        let signal = signals.iter().max_by_key(|s| s.severity).map(|s| (s.severity, s.rule.clone()));
        if self.entries.len() == self.capacity {
            self.entries.pop_front();
            self.first += 1;
        }
        self.entries.push_back(Entry { event, signal });
    }

    /// The number of the oldest that is kept.
    pub(crate) fn start(&self) -> u64 {
        self.first
    }

    /// The number that the next will have.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// How many had to be let go.
    pub(crate) fn let_go(&self) -> u64 {
        self.first
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Entry> {
        let index = number.checked_sub(self.first)?;
        self.entries.get(usize::try_from(index).ok()?)
    }

    /// The number of the event with this `seq`. Events come in the order of `seq`, so a search by halves finds it.
    pub(crate) fn number_of_seq(&self, seq: u64) -> Option<u64> {
        let index = self.entries.partition_point(|e| e.event.header.seq < seq);
        (self.entries.get(index)?.event.header.seq == seq).then_some(self.first + index as u64)
    }

    /// The nearest event before `number` that raised a signal.
    pub(crate) fn signal_before(&self, number: u64) -> Option<u64> {
        (self.first..number.min(self.end())).rev().find(|n| self.has_signal(*n))
    }

    /// The nearest event after `number`, and before `end`, that raised a signal.
    pub(crate) fn signal_after(&self, number: u64, end: u64) -> Option<u64> {
        (number.saturating_add(1).max(self.first)..end.min(self.end())).find(|n| self.has_signal(*n))
    }

    fn has_signal(&self, number: u64) -> bool {
        self.get(number).is_some_and(|e| e.signal.is_some())
    }
}
