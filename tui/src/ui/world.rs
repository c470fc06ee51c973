//! What is known: everything that the feed has brought so far. It grows whatever the user does; pausing stops the view.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::time::Duration;

use lanner_core::detect::Signal;
use lanner_core::engine::Engine;
use lanner_core::event::{Batch, BootTime, NodeInfo, ProcessKey};
use lanner_recording::Header;

use super::feed::{ConnectionState, End, FeedItem, Source, Speed};
use super::forest::LINGER;
use super::known::changes::Changes;
use super::known::health::Health;
use super::known::history::History;
use super::known::lag::WORTH_TELLING;
use super::known::past::{self, Past};
use super::known::picture::Picture;
use super::scene::{Moment, Scene};

/// The latest signals are kept, this many.
const MAX_SIGNALS: usize = 10_000;

/// It is said of a node that it is quiet when nothing has come from it for so long.
const QUIET: Duration = Duration::from_secs(5);

/// What time alone changes on a quiet node has changed by then: who ended is shown no longer.
const AT_REST: Duration = Duration::from_secs(LINGER.as_secs() + 1);

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
    /// How much of the recording has been read, in percent, if that can be known.
    pub(crate) read: Option<u8>,
    /// Why none will come any more.
    pub(crate) ended: Option<End>,
    /// How fast a recording is played.
    pub(crate) speed: Speed,
    /// How far what is known lies behind what happens, as far as that can be told.
    pub(crate) behind: Duration,
    /// Nothing comes though the connection stands, not even that time goes by.
    pub(crate) mute: bool,
}

impl Reception {
    /// Whether a recording is being played: one that has ended takes no orders.
    pub(crate) fn is_replay(&self) -> bool {
        matches!(self.source, Source::Recording(..)) && self.ended.is_none()
    }

    /// Whether a node is listened to that says nothing.
    pub(crate) fn is_mute(&self) -> bool {
        self.mute && self.is_live()
    }

    /// Whether a node is listened to as things happen.
    pub(crate) fn is_live(&self) -> bool {
        !matches!(self.source, Source::Recording(..))
            && self.ended.is_none()
            && self.connection == ConnectionState::Connected
    }
}

/// One node, as far as it is known.
pub(crate) struct World {
    new_engine: NewEngine,
    /// How things stand now.
    picture: Picture,
    /// How they stood before.
    past: Past,
    node: NodeInfo,
    history: History,
    signals: VecDeque<Signal>,
    health: Health,
    now: BootTime,
    /// When something came last, other than that time goes by; `None` before anything has come.
    stirred: Option<BootTime>,
    /// The last batch was (part of) a snapshot.
    in_snapshot: bool,
    /// After a gap: what lived before it, and no snapshot has told of since.
    unheard: HashSet<ProcessKey>,
    /// Added to the numbers that events have (`seq`): a collector that began anew counts from 1 again.
    seq_offset: u64,
    /// Processes that were gone when it could be seen again, and since when that is known.
    gone: HashMap<ProcessKey, BootTime>,
    /// What has changed lately.
    changes: Changes,
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
        let picture = Picture::new(new_engine());
        World {
            past: Past::new(picture.clone(), past::room(&source)),
            picture,
            new_engine,
            node: NodeInfo::default(),
            history: History::new(History::CAPACITY),
            signals: VecDeque::new(),
            health: Health::default(),
            now: BootTime::default(),
            stirred: None,
            in_snapshot: true,
            unheard: HashSet::new(),
            seq_offset: 0,
            gone: HashMap::new(),
            changes: Changes::default(),
            reception: Reception {
                source,
                connection,
                recording: None,
                read: None,
                ended: None,
                speed,
                behind: Duration::ZERO,
                mute: false,
            },
        }
    }

    pub(crate) fn take(&mut self, item: FeedItem) {
        match item {
            FeedItem::Node(node) => self.node(node),
            FeedItem::Recording(header) => self.reception.recording = Some(header),
            FeedItem::Batch(batch) => self.batch(batch),
            FeedItem::Status(state) => self.reception.connection = state,
            FeedItem::Load(load) => self.health.take_load(load),
            FeedItem::Progress(percent) => self.reception.read = Some(percent),
            FeedItem::End(end) => self.reception.ended = Some(end),
        }
    }

    fn node(&mut self, node: NodeInfo) {
        let known = !self.node.boot_id.is_empty();
        if known && self.node.boot_id != node.boot_id {
            self.picture = Picture::new((self.new_engine)());
            self.past = Past::new(self.picture.clone(), self.past.room());
            self.signals.clear();
            self.history = History::new(History::CAPACITY);
            self.health = Health::default();
            self.now = BootTime::default();
            self.stirred = None;
            self.unheard.clear();
            self.seq_offset = 0;
            self.gone.clear();
            self.changes.anything();
        }
        self.node = node;
    }

    fn batch(&mut self, batch: Batch) {
        self.snapshot(&batch);
        self.health.apply(&batch);
        self.now = self.now.max(batch.now);
        let stirs = batch.snapshot || !batch.events.is_empty() || !batch.losses.is_empty();
        for mut event in batch.events {
            event.header.seq += self.seq_offset;
            self.now = self.now.max(event.header.time);
            self.unheard.remove(&event.header.process);
            if !self.gone.is_empty() && self.gone.remove(&event.header.process).is_some() {
                self.changes.processes.note(event.header.process);
            }
            let signals = self.picture.apply(&event, &mut self.changes);
            self.signals.extend(signals.iter().cloned());
            self.history.push(event, signals);
            self.past.note(&self.history, &mut self.picture);
        }
        if stirs || self.stirred.is_none() {
            self.stirred = Some(self.now);
        }
        while self.history.is_overfull() {
            self.past.let_go(&mut self.history);
        }
        let surplus = self.signals.len().saturating_sub(MAX_SIGNALS);
        self.signals.drain(..surplus);
        // What incidents have gained without a new stage is shown too.
        self.picture.settle();
    }

    /// A snapshot says what lives now. One that comes after a gap which could not be filled adds to what was known: who is
    /// not in it has ended meanwhile, and nobody saw how.
    fn snapshot(&mut self, batch: &Batch) {
        let begins = batch.snapshot && !self.in_snapshot;
        let ends = !batch.snapshot && self.in_snapshot;
        self.in_snapshot = batch.snapshot;
        if begins {
            let graph = self.picture.engine.graph();
            let living = graph.processes().filter(|p| p.is_alive() && !p.key.is_unknown());
            self.unheard = living.map(|p| p.key).filter(|key| !self.gone.contains_key(key)).collect();
            self.health.gap(self.now, batch.now);
            if batch.first_seq + self.seq_offset <= self.history.highest_seq() {
                self.seq_offset = self.history.highest_seq();
            }
        }
        if ends && !self.unheard.is_empty() {
            let since = self.now.max(batch.now);
            self.gone.retain(|key, _| self.picture.engine.graph().process(*key).is_some());
            self.gone.extend(self.unheard.drain().map(|key| (key, since)));
            self.changes.anything();
        }
    }

    /// Makes ready what is shown as of a moment; `None`: what is known now.
    pub(crate) fn turn_to(&mut self, then: Option<Moment>) {
        let past = then.filter(|then| then.end != self.history.end());
        self.past.turn_to(past.map(|then| then.end), &self.history);
    }

    /// Since when nothing has happened on a node that is watched now, if that is worth saying.
    fn quiet_since(&self) -> Option<BootTime> {
        let is_heard = self.reception.is_live() && !self.reception.mute;
        self.stirred.filter(|since| is_heard && self.now.since(*since) >= QUIET)
    }

    /// Whether nothing that is shown changes any more while nothing happens, but for how long ago things were.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.reception.behind < WORTH_TELLING
            && self.quiet_since().is_some_and(|since| self.now.since(since) >= AT_REST)
    }

    /// This moment, to come back to.
    pub(crate) fn moment(&self) -> Moment {
        Moment { time: self.now, end: self.history.end() }
    }

    /// All of it as it is now, or as it was at a moment that was turned to.
    /// Events are listed until `held`, or until now.
    pub(crate) fn scene(&self, then: Option<Moment>, held: Option<Moment>) -> Scene<'_> {
        let past = then.filter(|then| then.end != self.history.end()).and_then(|_| self.past.seen());
        let picture = past.unwrap_or(&self.picture);
        Scene {
            graph: picture.engine.graph(),
            incidents: picture.engine.incidents(),
            history: &self.history,
            of_the_past: self.history.bytes() + self.past.bytes(),
            room_for_the_past: History::MOST_BYTES + self.past.room(),
            marks: &picture.tables.marks,
            flows: &picture.tables.flows,
            files: &picture.tables.files,
            signals: &self.signals,
            health: &self.health,
            gone: &self.gone,
            node: &self.node,
            reception: &self.reception,
            quiet_since: self.quiet_since(),
            latest: self.moment(),
            at: then.unwrap_or_else(|| self.moment()),
            until: held.unwrap_or_else(|| self.moment()),
            changes: &self.changes,
            latest_picture: &self.picture,
        }
    }

    /// As it is now.
    pub(crate) fn latest(&self) -> Scene<'_> {
        self.scene(None, None)
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("node", &self.node.name).field("now", &self.now).finish_non_exhaustive()
    }
}
