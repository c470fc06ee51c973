//! The events themselves, the latest of them.

use std::collections::{HashMap, VecDeque};

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

/// A stretch of events whose `seq` goes up.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// The number of its first event, and that after its last.
    numbers: (u64, u64),
    /// The `seq` of its first event, and of its last.
    seqs: (u64, u64),
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
    /// Stretches in which `seq` goes up, and so from each to the next.
    runs: VecDeque<Run>,
    /// Where the others are: a snapshot tells of events that are older than what came before it.
    others: HashMap<u64, u64>,
    /// What is kept, in bytes, roughly.
    bytes: usize,
    weight_so_far: u64,
    most: usize,
}

impl History {
    /// Events that are kept.
    pub(crate) const CAPACITY: usize = 1_000_000;
    /// About how many bytes of memory they take.
    pub(crate) const MOST_BYTES: usize = 64 << 20;

    pub(crate) fn new(most: usize) -> Self {
        History {
            entries: VecDeque::new(),
            first: 0,
            signals: VecDeque::new(),
            runs: VecDeque::new(),
            others: HashMap::new(),
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
        self.note_seq(entry.event.header.seq);
        let weight = entry.weight();
        self.bytes += weight;
        self.weight_so_far += weight as u64;
        self.entries.push_back(entry);
    }

    fn note_seq(&mut self, seq: u64) {
        let number = self.end();
        match self.runs.back_mut() {
            Some(run) if seq <= run.seqs.1 => drop(self.others.insert(seq, number)),
            Some(run) if run.numbers.1 == number => (run.numbers.1, run.seqs.1) = (number + 1, seq),
            _ => self.runs.push_back(Run { numbers: (number, number + 1), seqs: (seq, seq) }),
        }
    }

    /// The highest `seq` so far.
    pub(crate) fn highest_seq(&self) -> u64 {
        self.runs.back().map_or(0, |run| run.seqs.1)
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
        self.others.retain(|_, number| *number >= first);
        // The last run tells the highest `seq` even when none of it is kept.
        while self.runs.len() > 1 && self.runs[0].numbers.1 <= first {
            self.runs.pop_front();
        }
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

    /// The number of the event with this `seq`.
    pub(crate) fn number_of_seq(&self, seq: u64) -> Option<u64> {
        let seq_of = |number: u64| self.get(number).map(|entry| entry.event.header.seq);
        let run = self.runs.partition_point(|run| run.seqs.0 <= seq).checked_sub(1).and_then(|i| self.runs.get(i));
        if let Some(Run { numbers, .. }) = run.filter(|run| seq <= run.seqs.1) {
            let (mut low, mut high) = (numbers.0.max(self.first), numbers.1);
            while low < high {
                let middle = low.midpoint(high);
                if seq_of(middle)? < seq { low = middle + 1 } else { high = middle }
            }
            if seq_of(low) == Some(seq) {
                return Some(low);
            }
        }
        self.others.get(&seq).copied().filter(|number| seq_of(*number) == Some(seq))
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

#[cfg(test)]
mod tests {
    use lanner_core::event::{Exit, Header, Origin, ProcessKey};

    use super::*;

    fn pushed(seqs: &[u64]) -> History {
        let mut history = History::new(100);
        for seq in seqs {
            let process = ProcessKey::new(1, 1);
            let header =
                Header { seq: *seq, time: BootTime(1), cpu: 0, process, tid: 1, origin: Origin::Live, compat: false };
            history.push(Event { header, payload: Payload::Exit(Exit { code: 0, signal: 0 }) }, Vec::new());
        }
        history
    }

    #[test]
    fn events_are_found_by_their_seq_in_whatever_order_a_snapshot_tells_them() {
        let seqs = [7, 3, 5, 20, 21, 23, 9, 22, 24, 30];
        let mut history = pushed(&seqs);
        for (number, seq) in seqs.iter().enumerate() {
            assert_eq!(history.number_of_seq(*seq), Some(number as u64), "{seq}");
        }
        assert_eq!([1, 8, 25, 31].map(|seq| history.number_of_seq(seq)), [None; 4]);
        history.let_go_to(5);
        assert_eq!(history.number_of_seq(21), None);
        assert_eq!([23, 9, 30].map(|seq| history.number_of_seq(seq)), [Some(5), Some(6), Some(9)]);
        assert_eq!((history.start(), history.highest_seq()), (5, 30));
    }
}
