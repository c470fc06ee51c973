//! What the hub's thread and its subscribers share.

use std::collections::VecDeque;
use std::sync::Arc;

use lanner_core::condition::{Filter, View};
use lanner_core::event::{Batch, BootTime, Event, Loss, LossCause};
use lanner_core::graph::{Graph, snapshot};

use super::history::History;
use super::queue::Queue;
use super::{Limits, Polled, Stats, Subscribe, Subscription, TooManySubscribers};

/// The most events of one batch.
const BATCH: usize = 1024;
/// How often, in the node's time, subscribers are told the time when nothing happens: 250 ms, in nanoseconds.
const HEARTBEAT: u64 = 250_000_000;

/// Graph, history and subscribers; always as of the same event.
#[derive(Debug)]
pub(super) struct State {
    limits: Limits,
    graph: Graph,
    history: History,
    followers: Vec<Follower>,
    next_seq: u64,
    now: BootTime,
    /// Set when nothing more will come, and why.
    ended: Option<Option<Arc<str>>>,
    stats: Stats,
}

/// The hub's end of a subscription.
#[derive(Debug)]
struct Follower {
    queue: Arc<Queue>,
    filter: Option<Filter>,
    /// What passed its filter, of the batch being made.
    chosen: Vec<Event>,
    /// The time it was last told.
    told: BootTime,
}

impl State {
    pub(super) fn new(limits: Limits) -> Self {
        State {
            limits,
            graph: Graph::default(),
            history: History::new(limits.history),
            followers: Vec::new(),
            next_seq: 1,
            now: BootTime::default(),
            ended: None,
            stats: Stats::default(),
        }
    }

    pub(super) fn stats(&mut self) -> Stats {
        self.followers.retain(|follower| !follower.queue.is_closed());
        Stats { subscribers: self.followers.len(), ..self.stats }
    }

    /// Why the source failed.
    pub(super) fn failure(&self) -> Option<Arc<str>> {
        self.ended.clone().flatten()
    }

    pub(super) fn subscribe(&mut self, want: Subscribe) -> Result<Subscription, TooManySubscribers> {
        self.followers.retain(|follower| !follower.queue.is_closed());
        if self.followers.len() >= self.limits.subscribers {
            self.stats.refused += 1;
            return Err(TooManySubscribers(self.followers.len()));
        }
        let queue = Arc::new(Queue::new(self.limits.queue));
        let mut follower =
            Follower { queue: Arc::clone(&queue), filter: want.filter, chosen: Vec::new(), told: self.now };
        let cursor = want.cursor.filter(|c| c.seq <= self.next_seq);
        let snapshot = match cursor.and_then(|c| self.history.from(c.seq)) {
            Some(batches) => {
                for batch in batches {
                    self.stats.turned_away += follower.replay(&batch, &self.graph);
                }
                VecDeque::new()
            }
            None => {
                let mut lives = snapshot(&self.graph, self.now, self.next_seq);
                // Who was away for too long is told how much that was.
                if let (Some(cursor), Some(last)) = (cursor, lives.back_mut()) {
                    let count = self.next_seq - cursor.seq;
                    last.losses.push(Loss { cause: LossCause::SlowClient, count });
                    self.stats.turned_away += count;
                }
                lives
            }
        };
        match &self.ended {
            Some(why) => queue.end(why.clone()),
            None => self.followers.push(follower),
        }
        Ok(Subscription { snapshot, queue })
    }

    /// Hands out what a look at the source found. Leaves `events` empty.
    pub(super) fn publish(&mut self, events: &mut Vec<Event>, polled: Polled) {
        self.followers.retain(|follower| !follower.queue.is_closed());
        self.stats.events += events.len() as u64;
        self.stats.lost += polled.losses.iter().map(|loss| loss.count).sum::<u64>();
        let polled_now = polled.now.max(self.now);
        let mut losses = Some(polled.losses);
        let mut rest = events.drain(..).peekable();
        loop {
            let mut chunk: Vec<Event> = rest.by_ref().take(BATCH).collect();
            // The next chunk's events are not earlier than this one's last.
            let now = match (rest.peek(), chunk.last()) {
                (Some(_), Some(last)) => last.header.time.max(self.now),
                _ => polled_now,
            };
            let losses = if rest.peek().is_none() { losses.take().unwrap_or_default() } else { Vec::new() };
            self.publish_chunk(&mut chunk, now, losses);
            if rest.peek().is_none() {
                return;
            }
        }
    }

    fn publish_chunk(&mut self, events: &mut Vec<Event>, now: BootTime, losses: Vec<Loss>) {
        let first_seq = self.next_seq;
        self.now = now;
        for event in events.iter_mut() {
            event.header.seq = self.next_seq;
            self.next_seq += 1;
            self.graph.apply(event);
            for follower in &mut self.followers {
                follower.choose(event, &self.graph);
            }
        }
        let batch = Arc::new(Batch { first_seq, now, snapshot: false, events: std::mem::take(events), losses });
        self.history.push(&batch);
        for follower in &mut self.followers {
            self.stats.turned_away += follower.deliver(&batch);
        }
    }

    /// Ends every subscription, once what waits for it is taken.
    pub(super) fn end(&mut self, why: Option<String>) {
        let why = self.ended.get_or_insert(why.map(Into::into));
        for follower in self.followers.drain(..) {
            follower.queue.end(why.clone());
        }
    }
}

impl Follower {
    fn choose(&mut self, event: &Event, graph: &Graph) {
        if self.filter.as_ref().is_some_and(|filter| filter.matches(&View::new(event, graph))) {
            self.chosen.push(event.clone());
        }
    }

    /// Hands over a batch, or what was chosen of it; returns how many waiting events had to go for it.
    fn deliver(&mut self, batch: &Arc<Batch>) -> u64 {
        let batch = if self.filter.is_some() {
            Arc::new(Batch { events: std::mem::take(&mut self.chosen), losses: batch.losses.clone(), ..**batch })
        } else {
            Arc::clone(batch)
        };
        let news = !batch.events.is_empty() || !batch.losses.is_empty();
        if !news && batch.now.0 < self.told.0.saturating_add(HEARTBEAT) {
            return 0;
        }
        self.told = batch.now;
        self.queue.push(batch)
    }

    /// Hands over a batch of the history. Its filter sees the graph of today: a process that has moved on since is
    /// judged by what it is now.
    fn replay(&mut self, batch: &Arc<Batch>, graph: &Graph) -> u64 {
        for event in &batch.events {
            self.choose(event, graph);
        }
        self.deliver(batch)
    }
}
