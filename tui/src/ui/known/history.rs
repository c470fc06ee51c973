//! The events themselves, the latest of them.

use std::collections::{HashMap, VecDeque};
use std::ops::{Deref, Range};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lanner_core::detect::{Severity, Signal};
use lanner_core::event::{BootTime, Event, Image, Payload};
use lanner_recording::Packed;

use super::packing::{Done, Packing};

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

/// An entry that is kept.
#[derive(Debug)]
pub(crate) enum Kept<'a> {
    /// As it came.
    Plain(&'a Entry),
    /// Out of a block.
    Unpacked(Arc<[Entry]>, usize),
}

impl Deref for Kept<'_> {
    type Target = Entry;

    fn deref(&self) -> &Entry {
        match self {
            Kept::Plain(entry) => entry,
            Kept::Unpacked(entries, at) => &entries[*at],
        }
    }
}

/// Events that follow each other.
#[derive(Debug)]
struct Block {
    /// The number of its first.
    first: u64,
    count: usize,
    form: Form,
}

#[derive(Debug)]
enum Form {
    /// As they came, and how many bytes they take: they are being packed.
    Plain(Arc<[Entry]>, usize),
    Packed(Packed),
}

impl Block {
    fn bytes(&self) -> usize {
        size_of::<Block>()
            + match &self.form {
                Form::Plain(_, weight) => *weight,
                Form::Packed(packed) => packed.bytes(),
            }
    }
}

/// The latest events, numbered from 0 in the order in which they came. Numbers are for this run of the program only: a
/// node's own (`seq`) begin again when its collector does.
///
/// The very latest stand here as they came; those before are packed beside all else, and unpacked as they are asked for: what
/// takes 600 bytes then takes 50.
#[derive(Debug)]
pub(crate) struct History {
    blocks: VecDeque<Block>,
    /// The number of the first that stands in no block.
    plain_from: u64,
    plain: VecDeque<Entry>,
    plain_bytes: usize,
    packing: Option<Packing>,
    /// The blocks that were asked for last, each by the number of its first event; the latest first.
    unpacked: Mutex<VecDeque<(u64, Arc<[Entry]>)>>,
    /// The number of the first that is kept, which is how many were let go.
    first: u64,
    /// `seq` and time of all that are kept, from there on.
    stamps: VecDeque<(u64, BootTime)>,
    /// The gravest signal of those that raised one.
    worst: VecDeque<(u64, Severity)>,
    /// The signals of those that are packed: packed events have none.
    raised: VecDeque<(u64, Box<[Signal]>)>,
    /// Stretches in which `seq` goes up, and so from each to the next.
    runs: VecDeque<Run>,
    /// Where the others are: a snapshot tells of events that are older than what came before it.
    others: HashMap<u64, u64>,
    /// What blocks take, in bytes, and what is kept of signals and stamps.
    bytes: usize,
    weight_so_far: u64,
    most: usize,
}

impl History {
    /// Events that are kept.
    pub(crate) const CAPACITY: usize = 2_000_000;
    /// About how many bytes of memory they take.
    pub(crate) const MOST_BYTES: usize = 96 << 20;
    /// Events of a block, unless they are large.
    const BLOCK: usize = 1_024;
    /// A block ends with the event that makes it this long, in bytes before it is packed.
    const BLOCK_BYTES: usize = 1 << 20;
    /// Blocks that stay unpacked.
    const UNPACKED: usize = 8;
    const STAMP: usize = size_of::<(u64, BootTime)>();

    pub(crate) fn new(most: usize) -> Self {
        History {
            blocks: VecDeque::new(),
            plain_from: 0,
            plain: VecDeque::new(),
            plain_bytes: 0,
            packing: None,
            unpacked: Mutex::default(),
            first: 0,
            stamps: VecDeque::new(),
            worst: VecDeque::new(),
            raised: VecDeque::new(),
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
        if let Some(worst) = entry.worst() {
            self.worst.push_back((self.end(), worst));
        }
        let header = &entry.event.header;
        self.note_seq(header.seq);
        self.stamps.push_back((header.seq, header.time));
        let weight = entry.weight();
        self.bytes += Self::STAMP;
        self.plain_bytes += weight;
        self.weight_so_far += weight as u64;
        self.plain.push_back(entry);
        if self.plain.len() >= Self::BLOCK || self.plain_bytes >= Self::BLOCK_BYTES {
            self.end_block();
        }
    }

    /// Has those packed that stand in no block yet. Until that is done they are read as they came.
    fn end_block(&mut self) {
        let end = self.end();
        let first = std::mem::replace(&mut self.plain_from, end);
        let plain = std::mem::replace(&mut self.plain, VecDeque::with_capacity(Self::BLOCK));
        let entries: Arc<[Entry]> = Vec::from(plain).into();
        let done = self.packing.get_or_insert_with(Packing::start).take(first, &entries);
        let form = Form::Plain(Arc::clone(&entries), std::mem::take(&mut self.plain_bytes));
        let block = Block { first, count: entries.len(), form };
        self.bytes += block.bytes();
        self.blocks.push_back(block);
        if let Some(done) = done {
            self.end_packing(done);
        }
    }

    /// A block is packed. One that could not be, for want of memory, stays as it is; one that was let go stays away.
    fn end_packing(&mut self, (first, packed): Done) {
        let (Ok(at), Ok(packed)) = (self.blocks.binary_search_by_key(&first, |block| block.first), packed) else {
            return;
        };
        let block = &mut self.blocks[at];
        self.bytes -= block.bytes();
        let before = std::mem::replace(&mut block.form, Form::Packed(packed));
        self.bytes += block.bytes();
        let Form::Plain(entries, _) = before else { return };
        for (number, entry) in (first..).zip(&*entries) {
            if number >= self.first && !entry.signals.is_empty() {
                self.bytes += of_signals(&entry.signals);
                self.raised.push_back((number, entry.signals.clone()));
            }
        }
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

    /// About how many bytes of memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes + self.plain_bytes
    }

    /// Whether there is more than may be kept.
    pub(crate) fn is_overfull(&self) -> bool {
        self.stamps.len() > self.most || self.bytes() > Self::MOST_BYTES
    }

    /// Lets all events before this number go.
    pub(crate) fn let_go_to(&mut self, number: u64) {
        let number = number.clamp(self.first, self.end());
        self.stamps.drain(..usize::try_from(number - self.first).unwrap_or(usize::MAX));
        self.bytes -= Self::STAMP * usize::try_from(number - self.first).unwrap_or_default();
        self.first = number;
        // What is left of a block is packed still, and none of those before is told any more.
        while let Some(block) = self.blocks.pop_front_if(|block| block.first + block.count as u64 <= number) {
            self.bytes -= block.bytes();
        }
        while self.plain_from < number
            && let Some(entry) = self.plain.pop_front()
        {
            self.plain_bytes = self.plain_bytes.saturating_sub(entry.weight());
            self.plain_from += 1;
        }
        while let Some((_, signals)) = self.raised.pop_front_if(|(at, _)| *at < number) {
            self.bytes -= of_signals(&signals);
        }
        while self.worst.pop_front_if(|(at, _)| *at < number).is_some() {}
        self.others.retain(|_, at| *at >= number);
        // The last run tells the highest `seq` even when none of it is kept.
        while self.runs.len() > 1 && self.runs[0].numbers.1 <= number {
            self.runs.pop_front();
        }
        self.unpacked().retain(|(first, _)| *first >= number);
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
        self.first + self.stamps.len() as u64
    }

    /// How many had to be let go.
    pub(crate) fn let_go(&self) -> u64 {
        self.first
    }

    pub(crate) fn get(&self, number: u64) -> Option<Kept<'_>> {
        if number < self.first {
            return None;
        }
        if let Some(index) = number.checked_sub(self.plain_from) {
            return self.plain.get(usize::try_from(index).ok()?).map(Kept::Plain);
        }
        let block = self.blocks.partition_point(|block| block.first <= number).checked_sub(1)?;
        let block = self.blocks.get(block)?;
        let at = usize::try_from(number - block.first).ok()?;
        let packed = match &block.form {
            Form::Plain(entries, _) => return entries.get(at).map(Kept::Plain),
            Form::Packed(packed) => packed,
        };
        let mut unpacked = self.unpacked();
        let known = unpacked.iter().position(|(first, _)| *first == block.first);
        let entries = match known {
            Some(0) => Arc::clone(&unpacked[0].1),
            Some(known) => {
                let entries = unpacked.remove(known)?;
                unpacked.push_front(entries);
                Arc::clone(&unpacked[0].1)
            }
            None => {
                let entries = self.unpack(block.first, packed)?;
                unpacked.truncate(Self::UNPACKED - 1);
                unpacked.push_front((block.first, Arc::clone(&entries)));
                entries
            }
        };
        (at < entries.len()).then_some(Kept::Unpacked(entries, at))
    }

    fn unpacked(&self) -> MutexGuard<'_, VecDeque<(u64, Arc<[Entry]>)>> {
        // Whatever was interrupted while it was held, every entry is whole.
        self.unpacked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unpack(&self, first: u64, packed: &Packed) -> Option<Arc<[Entry]>> {
        let from = self.raised.partition_point(|(at, _)| *at < first);
        let mut raised = self.raised.range(from..).peekable();
        let events = packed.unpack().ok()?;
        let entries = (first..).zip(events).map(|(number, event)| {
            let signals = raised.next_if(|(at, _)| *at == number).map(|(_, signals)| signals.clone());
            Entry { event, signals: signals.unwrap_or_default() }
        });
        Some(entries.collect())
    }

    /// Those of these events that stand in blocks, and the others there, each block with the number of its first.
    pub(crate) fn blocks(&self, numbers: Range<u64>) -> impl Iterator<Item = (u64, Arc<[Entry]>)> {
        let from = self.blocks.partition_point(|block| block.first + block.count as u64 <= numbers.start);
        let blocks = self.blocks.range(from..).take_while(move |block| block.first < numbers.end);
        blocks.map_while(|block| match &block.form {
            Form::Plain(entries, _) => Some((block.first, Arc::clone(entries))),
            Form::Packed(packed) => Some((block.first, self.unpack(block.first, packed)?)),
        })
    }

    fn stamp(&self, number: u64) -> Option<(u64, BootTime)> {
        self.stamps.get(usize::try_from(number.checked_sub(self.first)?).ok()?).copied()
    }

    /// When an event happened.
    pub(crate) fn time(&self, number: u64) -> Option<BootTime> {
        self.stamp(number).map(|(_, time)| time)
    }

    /// The number of the event with this `seq`.
    pub(crate) fn number_of_seq(&self, seq: u64) -> Option<u64> {
        let seq_of = |number: u64| self.stamp(number).map(|(seq, _)| seq);
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
        self.first + self.stamps.partition_point(|(_, known)| *known < time) as u64
    }

    /// The events that raised a signal, oldest first, each with its gravest.
    pub(crate) fn signals(&self) -> impl DoubleEndedIterator<Item = (u64, Severity)> {
        self.worst.iter().copied()
    }
}

fn of_signals(signals: &[Signal]) -> usize {
    size_of::<(u64, Box<[Signal]>)>() + signals.iter().map(|s| size_of_val(s) + s.sentence.len() + 16).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use lanner_core::event::{Exit, Header, Origin, ProcessKey};

    use super::*;

    fn exit(seq: u64) -> Event {
        let process = ProcessKey::new(1, 1);
        let header = Header { seq, time: BootTime(1), cpu: 0, process, tid: 1, origin: Origin::Live, compat: false };
        Event { header, payload: Payload::Exit(Exit { code: 0, signal: 0 }) }
    }

    fn signal(seq: u64) -> Signal {
        Signal {
            rule: "Left".into(),
            severity: Severity::Low,
            tactic: None,
            technique: "".into(),
            seq,
            time: BootTime(1),
            process: ProcessKey::new(1, 1),
            sentence: format!("{seq} left"),
        }
    }

    fn pushed(seqs: &[u64]) -> History {
        let mut history = History::new(100);
        for seq in seqs {
            history.push(exit(*seq), Vec::new());
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

    #[test]
    fn what_is_packed_reads_as_it_came_and_takes_the_same_each_time() {
        let count = (History::BLOCK * 9 + 7) as u64;
        let of = |number: u64| (number % 100 == 42).then(|| signal(number));
        let fill = || {
            let mut history = History::new(usize::MAX);
            for number in 0..count {
                history.push(exit(number), of(number).into_iter().collect());
            }
            history
        };
        let (mut history, other) = (fill(), fill());
        assert!(matches!(history.blocks[0].form, Form::Packed(_)) && matches!(history.blocks[8].form, Form::Plain(..)));
        assert_eq!(history.bytes(), other.bytes());
        let check = |history: &History| {
            let read = (history.start()..count).map(|number| history.get(number).unwrap());
            for (entry, number) in read.zip(history.start()..) {
                assert_eq!((&entry.event, entry.signals.first()), (&exit(number), of(number).as_ref()));
            }
            let in_blocks: usize = history.blocks(0..count).map(|(_, entries)| entries.len()).sum();
            assert_eq!(
                in_blocks as u64 + count - history.plain_from,
                history.blocks.front().map_or(0, |b| count - b.first)
            );
        };
        check(&history);
        // What is let go may be on its way still.
        history.let_go_to(count - 1_500);
        check(&history);
        (0..History::BLOCK as u64 * 5).for_each(|number| history.push(exit(count + number), Vec::new()));
        assert!(history.raised.iter().all(|(at, _)| *at >= history.start()), "{:?}", history.raised);
        history.let_go_to(history.end());
        assert_eq!(history.bytes(), 0);
    }
}
