//! What is known: everything that the feed has brought so far. It grows whatever the user does; pausing stops the view.

use std::collections::VecDeque;
use std::fmt;

use lanner_core::detect::Signal;
use lanner_core::engine::Engine;
use lanner_core::event::{Batch, BootTime, NodeInfo};
use lanner_recording::Header;

use super::feed::{ConnectionState, End, FeedItem, Source, Speed};
use super::health::Health;
use super::history::History;
use super::marks::Marks;
use super::scene::{Moment, Scene};

/// The latest signals are kept, this many.
const MAX_SIGNALS: usize = 10_000;

/// Makes an engine that knows nothing yet.
pub(crate) type NewEngine = Box<dyn Fn() -> Engine + Send>;

/// How the events come.
#[derive(Debug, Clone)]
pub(crate) struct Reception {
    /// From where.
    pub(crate) source: Source,
    /// Whether they do.
    pub(crate) connection: ConnectionState,
    /// What the recording says of itself.
    pub(crate) recording: Option<Box<Header>>,
    /// Why none will come any more.
    pub(crate) ended: Option<End>,
    /// How fast a recording is played.
    pub(crate) speed: Speed,
}

impl Reception {
    /// Whether a recording is being played: one that has ended takes no orders.
    pub(crate) fn is_replay(&self) -> bool {
        matches!(self.source, Source::Recording(..)) && self.ended.is_none()
    }
}

/// One node, as far as it is known.
pub(crate) struct World {
    new_engine: NewEngine,
    engine: Engine,
    node: NodeInfo,
    history: History,
    marks: Marks,
    signals: VecDeque<Signal>,
    health: Health,
    now: BootTime,
    /// The last batch was (part of) a snapshot.
    in_snapshot: bool,
    /// How it is heard of.
    pub(crate) reception: Reception,
}

impl World {
    pub(crate) fn new(new_engine: NewEngine, source: Source) -> Self {
        let (connection, speed) = match source {
            Source::Recording(_, speed) => (ConnectionState::Connected, speed),
            Source::Live => (ConnectionState::Connected, Speed::REAL),
            Source::Remote(_) => (ConnectionState::Connecting, Speed::REAL),
        };
        World {
            engine: new_engine(),
            new_engine,
            node: NodeInfo::default(),
            history: History::new(History::CAPACITY),
            marks: Marks::default(),
            signals: VecDeque::new(),
            health: Health::default(),
            now: BootTime::default(),
            in_snapshot: true,
            reception: Reception { source, connection, recording: None, ended: None, speed },
        }
    }

    pub(crate) fn take(&mut self, item: FeedItem) {
        match item {
            FeedItem::Node(node) => self.node(node),
            FeedItem::Recording(header) => self.reception.recording = Some(header),
            FeedItem::Batch(batch) => self.batch(batch),
            FeedItem::Status(state) => self.reception.connection = state,
            FeedItem::End(end) => self.reception.ended = Some(end),
        }
    }

    fn node(&mut self, node: NodeInfo) {
        let known = !self.node.boot_id.is_empty();
        if known && self.node.boot_id != node.boot_id {
            self.forget_state();
            self.history = History::new(History::CAPACITY);
            self.health = Health::default();
            self.now = BootTime::default();
        }
        self.node = node;
    }

    /// Puts away what was concluded, but not the events themselves.
    fn forget_state(&mut self) {
        self.engine = (self.new_engine)();
        self.marks = Marks::default();
        self.signals.clear();
    }

    fn batch(&mut self, batch: Batch) {
        // A snapshot says what lives now: after a gap that could not be filled, older conclusions are void.
        if batch.snapshot && !self.in_snapshot {
            self.forget_state();
        }
        self.in_snapshot = batch.snapshot;
        self.health.apply(&batch);
        self.now = self.now.max(batch.now);
        for event in batch.events {
            self.now = self.now.max(event.header.time);
            let outcome = self.engine.apply(&event);
            self.marks.apply(&event, &outcome.signals);
            self.history.push(event, &outcome.signals);
            self.signals.extend(outcome.signals);
        }
        let surplus = self.signals.len().saturating_sub(MAX_SIGNALS);
        self.signals.drain(..surplus);
        // What incidents have gained without a new stage is shown too.
        self.engine.flush();
        self.marks.tidy(self.engine.graph());
    }

    /// This moment, to come back to.
    pub(crate) fn moment(&self) -> Moment {
        Moment { time: self.now, end: self.history.end() }
    }

    /// All of it as it is now, or as it was at a moment.
    pub(crate) fn scene(&self, then: Option<Moment>) -> Scene<'_> {
        Scene {
            graph: self.engine.graph(),
            incidents: self.engine.incidents(),
            history: &self.history,
            marks: &self.marks,
            signals: &self.signals,
            health: &self.health,
            node: &self.node,
            reception: &self.reception,
            latest: self.moment(),
            at: then.unwrap_or_else(|| self.moment()),
        }
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("node", &self.node.name).field("now", &self.now).finish_non_exhaustive()
    }
}
