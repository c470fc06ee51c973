//! The latest batches, for clients that return.

use std::collections::VecDeque;
use std::sync::Arc;

use lanner_core::event::{Batch, Event};

use super::{Room, weight};

/// A ring of batches, bounded by their events and the memory that these take.
#[derive(Debug)]
pub(super) struct History {
    batches: VecDeque<Arc<Batch>>,
    held: Room,
    most: Room,
    /// All events from this number on are held.
    since: u64,
}

impl History {
    pub(super) fn new(most: Room) -> Self {
        History { batches: VecDeque::new(), held: Room { events: 0, bytes: 0 }, most, since: 1 }
    }

    /// Takes in a batch. One that tells only the time is not worth keeping.
    pub(super) fn push(&mut self, batch: &Arc<Batch>) {
        if batch.events.is_empty() && batch.losses.is_empty() {
            return;
        }
        self.batches.push_back(Arc::clone(batch));
        self.held.events += batch.events.len();
        self.held.bytes += weight::of_batch(batch);
        // Reports of losses without events are bounded too.
        while !self.held.within(self.most) || self.batches.len() > self.most.events {
            let Some(gone) = self.batches.pop_front() else { return };
            self.held.events -= gone.events.len();
            self.held.bytes -= weight::of_batch(&gone);
            self.since = self.since.max(after(&gone));
        }
    }

    /// Everything from event `seq` on; `None` when some of it is no longer held.
    pub(super) fn from(&self, seq: u64) -> Option<Vec<Arc<Batch>>> {
        if seq < self.since {
            return None;
        }
        // A batch of which the client has the beginning only is cut; its losses are news, they travel at its end.
        let rest = |batch: &Arc<Batch>| {
            let known = batch.events.partition_point(|event| event.header.seq < seq);
            match known {
                0 => Arc::clone(batch),
                _ => Arc::new(tail(batch, known)),
            }
        };
        Some(self.batches.iter().filter(|batch| after(batch) > seq).map(rest).collect())
    }
}

/// The number after the batch's last.
fn after(batch: &Batch) -> u64 {
    batch.events.last().map_or(batch.first_seq + 1, |event: &Event| event.header.seq + 1)
}

/// The batch without its first `n` events.
pub(super) fn tail(batch: &Batch, n: usize) -> Batch {
    let events = batch.events[n..].to_vec();
    let first_seq = events.first().map_or(batch.first_seq, |event| event.header.seq);
    Batch { first_seq, events, losses: batch.losses.clone(), ..*batch }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lanner_core::event::{BootTime, Exit, Header, Loss, LossCause, Origin, Payload, ProcessKey};

    fn batch(seqs: std::ops::Range<u64>) -> Arc<Batch> {
        let event = |seq| Event {
            header: Header {
                seq,
                time: BootTime(seq),
                cpu: 0,
                process: ProcessKey::UNKNOWN,
                tid: 0,
                origin: Origin::Live,
                compat: false,
            },
            payload: Payload::Exit(Exit { code: 0, signal: 0 }),
        };
        Arc::new(Batch { first_seq: seqs.start, events: seqs.map(event).collect(), ..Batch::default() })
    }

    fn seqs(batches: Option<Vec<Arc<Batch>>>) -> Option<Vec<u64>> {
        Some(batches?.iter().flat_map(|b| b.events.iter().map(|e| e.header.seq)).collect())
    }

    #[test]
    fn it_holds_the_latest_events_and_knows_which() {
        let mut history = History::new(Room { events: 10, bytes: usize::MAX });
        for start in [1, 5, 9] {
            history.push(&batch(start..start + 4));
        }
        assert_eq!(seqs(history.from(4)), None);
        assert_eq!(seqs(history.from(5)), Some((5..13).collect()));
        assert_eq!(seqs(history.from(7)), Some((7..13).collect()));
        assert_eq!(seqs(history.from(13)), Some(vec![]));
        assert_eq!(history.from(7).unwrap()[0].first_seq, 7);
    }

    #[test]
    fn long_events_take_the_room_of_many() {
        let one = weight::of_batch(&batch(1..2));
        let mut history = History::new(Room { events: 10, bytes: 3 * one });
        (1..8).for_each(|seq| history.push(&batch(seq..seq + 1)));
        assert_eq!(seqs(history.from(5)), Some(vec![5, 6, 7]));
        assert_eq!(seqs(history.from(4)), None);
    }

    #[test]
    fn losses_are_held_and_bounded_too() {
        let mut history = History::new(Room { events: 3, bytes: usize::MAX });
        let lossy = Arc::new(Batch {
            first_seq: 1,
            losses: vec![Loss { cause: LossCause::RingFull, count: 9 }],
            ..Batch::default()
        });
        history.push(&batch(1..1));
        assert_eq!(history.from(1).unwrap().len(), 0);
        history.push(&lossy);
        assert_eq!(history.from(1).unwrap().len(), 1);
        (0..10).for_each(|_| history.push(&lossy));
        assert_eq!(history.batches.len(), 3);
    }
}
