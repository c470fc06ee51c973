//! What waits for one subscriber.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lanner_core::event::{Batch, Loss, LossCause};
use tokio::sync::Notify;

use super::history::tail;
use super::subscription::Next;
use super::{Room, weight};

/// Batches on their way from the hub to one subscriber, bounded by their events and the memory that these
/// take. The hub never waits for it.
#[derive(Debug)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    blocked: Condvar,
    awaiting: Notify,
}

#[derive(Debug)]
struct Inner {
    batches: VecDeque<Arc<Batch>>,
    held: Room,
    most: Room,
    /// What the next batch must tell: events dropped here, and losses that dropped batches would have told of.
    untold: BTreeMap<LossCause, u64>,
    /// The hub will push no more, and why.
    ended: Option<Option<Arc<str>>>,
    /// The subscriber is gone.
    closed: bool,
}

impl Queue {
    /// What waits has at most the room `most`, or is the latest event alone.
    pub(super) fn new(most: Room) -> Self {
        Queue {
            inner: Mutex::new(Inner {
                batches: VecDeque::new(),
                held: Room { events: 0, bytes: 0 },
                most,
                untold: BTreeMap::new(),
                ended: None,
                closed: false,
            }),
            blocked: Condvar::new(),
            awaiting: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        self.blocked.notify_one();
        self.awaiting.notify_one();
    }

    /// Adds a batch, in the place of the oldest events if there is no room. Returns how many events those were.
    pub(super) fn push(&self, batch: Arc<Batch>) -> u64 {
        let lost = self.lock().push(batch);
        self.wake();
        lost
    }

    /// Says that nothing more will come.
    pub(super) fn end(&self, why: Option<Arc<str>>) {
        self.lock().ended.get_or_insert(why);
        self.wake();
    }

    /// The subscriber wants no more.
    pub(super) fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.batches.clear();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// How many events wait, and for how many there is room.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.held.events, inner.most.events)
    }

    /// The next batch, waiting at most `timeout` for it.
    pub(super) fn wait(&self, timeout: Duration) -> Next {
        let deadline = Instant::now() + timeout;
        let mut inner = self.lock();
        loop {
            let next = inner.pop();
            let left = deadline.saturating_duration_since(Instant::now());
            if !matches!(next, Next::Waiting) || left.is_zero() {
                return next;
            }
            inner = self.blocked.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The next batch or the end.
    pub(super) async fn next(&self) -> Next {
        loop {
            let next = self.lock().pop();
            if !matches!(next, Next::Waiting) {
                return next;
            }
            // A push since then has left a permit: this does not miss it.
            self.awaiting.notified().await;
        }
    }
}

impl Inner {
    fn push(&mut self, batch: Arc<Batch>) -> u64 {
        if self.closed {
            return 0;
        }
        // Batches that tell only the time must not pile up behind a subscriber that does not read.
        if self.batches.back().is_some_and(|last| last.events.is_empty())
            && let Some(last) = self.batches.pop_back()
        {
            self.remember(&last.losses);
        }
        self.held.events += batch.events.len();
        self.held.bytes += weight::of_batch(&batch);
        self.batches.push_back(batch);
        let mut lost = 0;
        while !self.fits() {
            let Some(oldest) = self.batches.pop_front() else { break };
            let mut dropped = 0;
            while !self.fits()
                && let Some(event) = oldest.events.get(dropped)
            {
                self.held.events -= 1;
                self.held.bytes -= weight::of(event);
                dropped += 1;
            }
            if dropped < oldest.events.len() {
                self.batches.push_front(Arc::new(tail(&oldest, dropped)));
            } else {
                self.remember(&oldest.losses);
            }
            lost += dropped as u64;
        }
        self.remember(&[Loss { cause: LossCause::SlowClient, count: lost }]);
        lost
    }

    fn fits(&self) -> bool {
        self.held.events <= 1 || self.held.within(self.most)
    }

    fn remember(&mut self, losses: &[Loss]) {
        for loss in losses.iter().filter(|loss| loss.count > 0) {
            let count = self.untold.entry(loss.cause).or_default();
            *count = count.saturating_add(loss.count);
        }
    }

    fn pop(&mut self) -> Next {
        let Some(mut batch) = self.batches.pop_front() else {
            return self.ended.clone().map_or(Next::Waiting, Next::Ended);
        };
        self.held.events -= batch.events.len();
        self.held.bytes -= weight::of_batch(&batch);
        if !self.untold.is_empty() {
            self.remember(&batch.losses);
            let told = std::mem::take(&mut self.untold);
            Arc::make_mut(&mut batch).losses = told.into_iter().map(|(cause, count)| Loss { cause, count }).collect();
        }
        Next::Batch(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lanner_core::event::{BootTime, Event, Exec, Exit, Header, Image, Origin, Payload, ProcessKey, Task, Text};

    fn batch(seq: u64, payload: Payload) -> Arc<Batch> {
        let header = Header {
            seq,
            time: BootTime(seq),
            cpu: 0,
            process: ProcessKey::UNKNOWN,
            tid: 0,
            origin: Origin::Live,
            compat: false,
        };
        Arc::new(Batch { first_seq: seq, events: vec![Event { header, payload }], ..Batch::default() })
    }

    fn small(seq: u64) -> Arc<Batch> {
        batch(seq, Payload::Exit(Exit { code: 0, signal: 0 }))
    }

    /// An event of more than a megabyte.
    fn large(seq: u64) -> Arc<Batch> {
        let mut image = Image::default();
        image.args.list = vec![Text::from(vec![b'x'; 1 << 10]); 1 << 10];
        batch(seq, Payload::Exec(Box::new(Exec { task: Task::default(), image })))
    }

    fn empty(now: u64, count: u64) -> Arc<Batch> {
        let losses = vec![Loss { cause: LossCause::RingFull, count }];
        Arc::new(Batch { now: BootTime(now), losses, ..Batch::default() })
    }

    fn waiting(queue: &Queue) -> Vec<u64> {
        let inner = queue.lock();
        inner.batches.iter().flat_map(|batch| &batch.events).map(|event| event.header.seq).collect()
    }

    #[test]
    fn long_arguments_take_the_room_of_many_events() {
        let queue = Queue::new(Room { events: 100, bytes: 3 << 20 });
        let lost: u64 = (1..=10).map(|seq| queue.push(large(seq))).sum();
        assert_eq!((lost, waiting(&queue)), (8, vec![9, 10]));
        assert_eq!((queue.push(small(11)), waiting(&queue)), (0, vec![9, 10, 11]));
    }

    #[test]
    fn the_latest_event_always_has_room() {
        let queue = Queue::new(Room { events: 0, bytes: 0 });
        assert_eq!([queue.push(large(1)), queue.push(large(2))], [0, 1]);
        assert_eq!(waiting(&queue), [2]);
    }

    #[test]
    fn batches_without_events_do_not_pile_up_and_their_losses_are_told() {
        let queue = Queue::new(Room { events: 10, bytes: usize::MAX });
        (1..=1000).for_each(|now| _ = queue.push(empty(now, 2)));
        assert_eq!(queue.lock().batches.len(), 1);
        let Next::Batch(batch) = queue.wait(Duration::ZERO) else { panic!() };
        assert_eq!(
            (batch.now, &batch.losses),
            (BootTime(1000), &vec![Loss { cause: LossCause::RingFull, count: 2000 }])
        );
        assert_eq!(queue.wait(Duration::ZERO), Next::Waiting);
        assert!(queue.lock().held.within(Room { events: 0, bytes: 0 }));
    }

    #[test]
    fn a_subscriber_that_is_gone_keeps_nothing() {
        let queue = Queue::new(Room { events: 10, bytes: usize::MAX });
        queue.push(small(1));
        queue.close();
        queue.push(small(2));
        assert_eq!((queue.is_closed(), waiting(&queue)), (true, vec![]));
    }
}
