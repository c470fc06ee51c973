//! The events themselves, the latest of them.

use std::collections::VecDeque;

use lanner_core::detect::{Severity, Signal};
use lanner_core::event::{BootTime, Event, Image, Payload};

/// An event as it is kept, and what was concluded from it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The event.
    pub(crate) event: Event,
    /// The signals that it raised.
    pub(crate) signals: Box<[Signal]>,
}

impl Entry {
    /// The gravest signal that it raised.
    pub(crate) fn worst(&self) -> Option<Severity> {
        self.signals.iter().map(|s| s.severity).max()
    }

    /// About how many bytes of memory it takes. An attacker chooses how long arguments are: a bound on the number of events
    /// alone would bound nothing.
    fn weight(&self) -> usize {
        /// What a boxed payload takes with a path in it, roughly.
        const BOXED: usize = 200;
        let image = |image: &Image| {
            let args: usize = image.args.list.iter().map(|a| a.as_bytes().len() + 32).sum();
            args + image.exe.path.as_bytes().len() + image.cwd.as_bytes().len() + 3 * BOXED
        };
        let payload = match &self.event.payload {
            Payload::Exec(exec) | Payload::Alive(exec) => image(&exec.image),
            Payload::Container(info) => 4 * BOXED + info.labels.len() * BOXED,
            Payload::Exit(_) | Payload::Connect(_) | Payload::Accept(_) | Payload::Listen(_) | Payload::Close(_) => 0,
            _ => 2 * BOXED,
        };
        size_of::<Entry>() + payload + self.signals.len() * BOXED
    }
}

/// The latest events, numbered from 0 in the order in which they came. Numbers are for this run of the program only: a
/// node's own (`seq`) begin again when its collector does.
#[derive(Debug)]
pub(crate) struct History {
    entries: VecDeque<Entry>,
    /// The number of the first that is kept, which is how many were let go.
    first: u64,
    /// Those that raised a signal.
    signals: VecDeque<u64>,
    /// What is kept, in bytes, roughly.
    bytes: usize,
    weight_so_far: u64,
    most: usize,
}

impl History {
    /// Events that are kept.
    pub(crate) const CAPACITY: usize = 1_000_000;
    /// About how many bytes of memory they take.
    pub(crate) const MOST_BYTES: usize = 128 << 20;

    pub(crate) fn new(most: usize) -> Self {
        History {
            entries: VecDeque::new(),
            first: 0,
            signals: VecDeque::new(),
            bytes: 0,
            weight_so_far: 0,
            most: most.max(1),
        }
    }

    /// Keeps an event.
    pub(crate) fn push(&mut self, event: Event, signals: Vec<Signal>) {
        let entry = Entry { event, signals: signals.into_boxed_slice() };
        if !entry.signals.is_empty() {
            self.signals.push_back(self.end());
        }
        let weight = entry.weight();
        self.bytes += weight;
        self.weight_so_far += weight as u64;
        self.entries.push_back(entry);
    }

    /// Whether there is more than may be kept.
    pub(crate) fn is_overfull(&self) -> bool {
        self.entries.len() > self.most || self.bytes > Self::MOST_BYTES
    }

    /// Lets all events before this number go.
    pub(crate) fn let_go_to(&mut self, number: u64) {
        while self.first < number {
            let Some(entry) = self.entries.pop_front() else { return };
            self.bytes = self.bytes.saturating_sub(entry.weight());
            self.first += 1;
        }
        let first = self.first;
        self.signals.retain(|number| *number >= first);
    }

    /// The weight of all events that ever were, in bytes, roughly.
    pub(crate) fn weight_so_far(&self) -> u64 {
        self.weight_so_far
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

    /// The number of the first event that is not before this time.
    pub(crate) fn number_at(&self, time: BootTime) -> u64 {
        self.first + self.entries.partition_point(|e| e.event.header.time < time) as u64
    }

    /// The events that raised a signal, oldest first.
    pub(crate) fn signals(&self) -> impl DoubleEndedIterator<Item = u64> {
        self.signals.iter().copied()
    }
}
