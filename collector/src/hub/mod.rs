//! The hub: one [`Source`] in, any number of subscribers out. It numbers events, keeps the node's graph for snapshots and
//! filters, and a history for clients that return.
//!
//! Every subscriber has a bounded queue of its own. One that is too slow loses its own oldest events, is told how many
//! ([`lanner_core::event::LossCause::SlowClient`]), and neither the source nor another subscriber waits for it.

mod history;
mod load;
mod queue;
mod source;
mod state;
mod subscription;
mod weight;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use lanner_core::condition::Filter;
use lanner_core::event::NodeInfo;
use tokio::sync::watch;

pub use load::LOAD_EACH;
pub use source::{Polled, Source, SourceError};
pub use subscription::{Next, Subscription};

use state::State;

/// How long the hub sleeps between two looks at its source.
const POLL: Duration = Duration::from_millis(4);

/// How much the hub holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Kept for clients that return.
    pub history: Room,
    /// May wait for one subscriber; of the latest event there is always room for one.
    pub queue: Room,
    /// Subscribers at one time.
    pub subscribers: usize,
}

/// Room for events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// At most so many.
    pub events: usize,
    /// At most so many bytes of memory, about.
    pub bytes: usize,
}

impl Room {
    /// Whether these events fit.
    fn within(self, most: Room) -> bool {
        self.events <= most.events && self.bytes <= most.bytes
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            history: Room { events: 65_536, bytes: 64 << 20 },
            queue: Room { events: 65_536, bytes: 64 << 20 },
            subscribers: 64,
        }
    }
}

/// What a subscriber wants.
#[derive(Debug, Default)]
pub struct Subscribe {
    /// Only events that pass; `None`: all. The snapshot is not filtered: who lives is what events are understood by.
    pub filter: Option<Filter>,
    /// Go on from here, if the history still holds it; else begin with a snapshot, which tells how many events are
    /// missing when that can be known. `None`: begin with a snapshot.
    pub cursor: Option<Cursor>,
}

/// A place in a hub's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// [`Hub::stream`] of the hub that numbered the events.
    pub stream: u64,
    /// The first event that is wanted.
    pub seq: u64,
}

/// There are as many subscribers as [`Limits::subscribers`] allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this collector has {0} clients and takes no more")]
pub struct TooManySubscribers(pub usize);

/// What a hub has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Events that the source gave.
    pub events: u64,
    /// Events that the source lost, for whatever cause.
    pub lost: u64,
    /// Events that slow subscribers lost, all together.
    pub turned_away: u64,
    /// Subscribers that were refused.
    pub refused: u64,
    /// Subscribers now.
    pub subscribers: usize,
}

/// A source at work in its own thread, and those who follow it. Dropping it stops it.
#[derive(Debug)]
pub struct Hub {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    node: NodeInfo,
    stream: u64,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    stop: AtomicBool,
    over: watch::Sender<bool>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves at worst a batch half handed out; the others still want their events.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, why: Option<String>) {
        self.state().end(why);
        self.over.send_replace(true);
    }
}

impl Hub {
    /// Sets a source to work.
    ///
    /// # Errors
    /// No thread could be made.
    pub fn start(source: impl Source + 'static, node: NodeInfo, limits: Limits) -> io::Result<Hub> {
        let state = Mutex::new(State::new(limits));
        let shared = Arc::new(Shared { state, stop: AtomicBool::new(false), over: watch::Sender::new(false) });
        let worker = Worker(Arc::clone(&shared));
        let thread = thread::Builder::new().name("lanner-hub".into()).spawn(move || worker.run(source))?;
        // Whoever starts again starts another stream: its numbers begin at 1 again.
        let stream = RandomState::new().build_hasher().finish();
        Ok(Hub { shared, thread: Mutex::new(Some(thread)), node, stream })
    }

    /// The node.
    pub fn node(&self) -> &NodeInfo {
        &self.node
    }

    /// Names this hub's numbering of events: no other hub has the same.
    pub fn stream(&self) -> u64 {
        self.stream
    }

    /// Begins to follow.
    ///
    /// # Errors
    /// There are too many subscribers.
    pub fn subscribe(&self, mut want: Subscribe) -> Result<Subscription, TooManySubscribers> {
        want.cursor = want.cursor.filter(|cursor| cursor.stream == self.stream);
        self.shared.state().subscribe(want)
    }

    /// What it has done so far.
    pub fn stats(&self) -> Stats {
        self.shared.state().stats()
    }

    /// Comes true when nothing more will come: the hub was stopped, or its source failed.
    pub async fn over(&self) {
        // The sender lives as long as the hub.
        let _ = self.shared.over.subscribe().wait_for(|over| *over).await;
    }

    /// Stops the source in good order: what it still holds is handed out, then every subscription ends.
    ///
    /// # Errors
    /// The source failed, now or before.
    pub fn stop(&self) -> Result<(), SourceError> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            thread.thread().unpark();
            // A panic of the source was recorded as its failure.
            let _ = thread.join();
        }
        match self.shared.state().failure() {
            Some(why) => Err(why.to_string().into()),
            None => Ok(()),
        }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

/// The hub's thread. However it ends, the subscriptions end with it.
struct Worker(Arc<Shared>);

impl Worker {
    fn run(self, mut source: impl Source) {
        let mut events = Vec::new();
        loop {
            let last = self.0.stop.load(Ordering::Relaxed);
            let polled = if last { source.finish(&mut events) } else { source.poll(&mut events) };
            match polled {
                Ok(polled) => self.0.state().publish(&mut events, polled),
                Err(error) => return self.0.end(Some(error.to_string())),
            }
            if last {
                return self.0.end(None);
            }
            thread::park_timeout(POLL);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end(Some("the sensor's thread panicked".to_owned()));
        }
    }
}
