//! What waits for one subscriber.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lanner_core::event::{Batch, Loss, LossCause};
use tokio::sync::Notify;

use super::history::tail;
use super::subscription::Next;

/// Batches on their way from the hub to one subscriber, bounded by their events. The hub never waits for it.
#[derive(Debug)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    blocked: Condvar,
    awaiting: Notify,
}

#[derive(Debug)]
struct Inner {
    batches: VecDeque<Arc<Batch>>,
    events: usize,
    most: usize,
    /// What the next batch must tell: events dropped here, and losses that dropped batches would have told of.
    untold: BTreeMap<LossCause, u64>,
    /// The hub will push no more, and why.
    ended: Option<Option<Arc<str>>>,
    /// The subscriber is gone.
    closed: bool,
}

impl Queue {
    /// At most `most` events wait, at least one.
    pub(super) fn new(most: usize) -> Self {
        Queue {
            inner: Mutex::new(Inner {
                batches: VecDeque::new(),
                events: 0,
                most: most.max(1),
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
        self.events += batch.events.len();
        self.batches.push_back(batch);
        let mut lost = 0;
        while self.events > self.most {
            let Some(oldest) = self.batches.pop_front() else { break };
            let excess = self.events - self.most;
            let dropped = oldest.events.len().min(excess);
            if dropped < oldest.events.len() {
                self.batches.push_front(Arc::new(tail(&oldest, dropped)));
            } else {
                self.remember(&oldest.losses);
            }
            self.events -= dropped;
            lost += dropped as u64;
        }
        self.remember(&[Loss { cause: LossCause::SlowClient, count: lost }]);
        lost
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
        self.events -= batch.events.len();
        if !self.untold.is_empty() {
            self.remember(&batch.losses);
            let told = std::mem::take(&mut self.untold);
            Arc::make_mut(&mut batch).losses = told.into_iter().map(|(cause, count)| Loss { cause, count }).collect();
        }
        Next::Batch(batch)
    }
}
