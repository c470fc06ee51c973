//! A subscriber's end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use lanner_core::event::{Batch, Load};

use super::load;
use super::queue::Queue;

/// What a subscription gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The next batch.
    Batch(Arc<Batch>),
    /// There is none yet.
    Waiting,
    /// There will be none: the hub was stopped, or its source failed, and why.
    Ended(Option<Arc<str>>),
}

/// One follower of a hub. Dropping it ends it.
#[derive(Debug)]
pub struct Subscription {
    /// What lived when it began; comes before everything else, and is not dropped.
    pub(super) snapshot: VecDeque<Batch>,
    pub(super) queue: Arc<Queue>,
}

impl Subscription {
    /// The next batch, waiting at most `timeout` for it.
    pub fn wait(&mut self, timeout: Duration) -> Next {
        match self.snapshot.pop_front() {
            Some(batch) => Next::Batch(Arc::new(batch)),
            None => self.queue.wait(timeout),
        }
    }

    /// The next batch or the end, never [`Next::Waiting`]. Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Next {
        match self.snapshot.pop_front() {
            Some(batch) => Next::Batch(Arc::new(batch)),
            None => self.queue.next().await,
        }
    }
}

impl Subscription {
    /// What it costs to watch, and what waits for this subscriber.
    pub fn load(&self) -> Load {
        let (waiting, room) = self.queue.waiting();
        let waiting = waiting + self.snapshot.iter().map(|batch| batch.events.len()).sum::<usize>();
        Load { waiting: waiting as u64, room: room as u64, ..load::of_process() }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.queue.close();
    }
}
