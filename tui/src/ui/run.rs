//! The loop: everything that is waiting is taken in, then one frame is drawn, and only if something has changed.

use std::fmt;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use lanner_core::engine::Engine;
use ratatui::crossterm::event::{self, Event};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::feed::{End, FeedItem, ReplayCommand, Source};
use super::keymap::Keymap;
use super::look::Look;
use super::model::Model;
use super::terminal::Terminal;
use super::update::{Effect, Msg, update};
use super::view::{ViewState, view};

/// Frames are at least this far apart.
const FRAME: Duration = Duration::from_millis(33);

/// Over SSH, frames that no key asked for are at least this far apart.
const FRAME_FAR: Duration = Duration::from_millis(100);

/// How often the loop looks up when nothing happens: a panic elsewhere is noticed by then.
const LOOK_UP: Duration = Duration::from_millis(500);

/// What waits to be taken in is bounded; a source that is faster than this program is held back.
const WAITING: usize = 256;

/// What the user interface is started with.
pub struct Options {
    /// Where the events come from.
    pub source: Source,
    /// Makes an engine with the rules to use: called at the start, and when the feed turns to another node or boot.
    pub new_engine: Box<dyn Fn() -> Engine + Send>,
    /// Takes what the user asks of a replay. It must be drained: what does not fit is dropped, and the user told.
    pub replay: Option<SyncSender<ReplayCommand>>,
    /// What the terminal can show.
    pub look: Look,
    /// The replay passes over quiet stretches, to begin with.
    pub skips_silence: bool,
    /// Which keys do what.
    pub keymap: Keymap,
    /// The terminal is at the other end of a network: fewer frames.
    pub far: bool,
}

impl Options {
    /// Options as the environment has them (see [`Look::from_env`]; `SSH_CONNECTION` means that the terminal is far).
    pub fn from_env(source: Source, new_engine: impl Fn() -> Engine + Send + 'static) -> Self {
        Options {
            source,
            new_engine: Box::new(new_engine),
            replay: None,
            look: Look::from_env(|name| std::env::var(name).ok()),
            skips_silence: false,
            keymap: Keymap::default(),
            far: std::env::var_os("SSH_CONNECTION").is_some_and(|v| !v.is_empty()),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("source", &self.source).field("look", &self.look).finish_non_exhaustive()
    }
}

/// Why the user interface ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The user left.
    Quit,
    /// A signal asked for it: SIGTERM, SIGHUP or SIGINT, by its number.
    Signal(i32),
}

/// Something that wakes the loop.
enum Wake {
    Input(Event),
    InputFailed(io::Error),
    Feed(FeedItem),
    FeedClosed,
    Signal(i32),
}

/// Shows the user interface until the user leaves or a signal comes, and gives the terminal back then, also when this
/// fails or panics. Ask [`super::check`] first whether the terminal can show it. Blocks; the thread that reads the
/// keyboard outlives it, so that it is meant to be the last thing that the program does with its terminal's input.
///
/// # Errors
/// The terminal could not be read, written or set up, or another thread panicked.
pub fn run(feed: Receiver<FeedItem>, options: Options) -> io::Result<Ended> {
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGCONT])?;
    let close_signals = signals.handle();
    let (wake, woken) = sync_channel(WAITING);
    let mut terminal = Terminal::take()?;
    let mut model = Model::new(options.new_engine, options.source, options.look, options.keymap, terminal.size()?);
    model.state.skips_silence = options.skips_silence;

    let from_signals = wake.clone();
    thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            if from_signals.send(Wake::Signal(signal)).is_err() {
                return;
            }
        }
    })?;
    let from_feed = wake.clone();
    thread::Builder::new().name("feed".into()).spawn(move || {
        for item in feed {
            if from_feed.send(Wake::Feed(item)).is_err() {
                return;
            }
        }
        // The loop may have ended before; then nobody needs to know.
        let _ = from_feed.send(Wake::FeedClosed);
    })?;
    thread::Builder::new().name("keyboard".into()).spawn(move || {
        loop {
            let read = event::read().map_or_else(Wake::InputFailed, Wake::Input);
            let failed = matches!(read, Wake::InputFailed(_));
            if wake.send(read).is_err() || failed {
                return;
            }
        }
    })?;

    let mut running = Running { model, view: ViewState::default(), replay: options.replay, dirty: true, urgent: true };
    let ended = running.go(&mut terminal, &woken, if options.far { FRAME_FAR } else { FRAME });
    close_signals.close();
    ended
}

struct Running {
    model: Model,
    view: ViewState,
    replay: Option<SyncSender<ReplayCommand>>,
    /// The screen does not show what is known.
    dirty: bool,
    /// A key waits for its frame.
    urgent: bool,
}

impl Running {
    fn go(&mut self, terminal: &mut Terminal, woken: &Receiver<Wake>, gap: Duration) -> io::Result<Ended> {
        let mut drawn: Option<Instant> = None;
        loop {
            let gap = if self.urgent { FRAME } else { gap };
            let wait = drawn.map_or(Duration::ZERO, |at| gap.saturating_sub(at.elapsed()));
            if self.dirty && wait.is_zero() {
                let size = terminal.size()?;
                update(&mut self.model, Msg::Resize(size.width, size.height));
                terminal.draw(|frame| view(&self.model, &mut self.view, frame))?;
                (self.dirty, self.urgent) = (false, false);
                drawn = Some(Instant::now());
                continue;
            }
            // What is left of a long search goes on while nothing else comes.
            let busy = self.model.is_busy();
            let patience = match (busy, self.dirty) {
                (true, _) => Duration::ZERO,
                (false, true) => wait,
                (false, false) => LOOK_UP,
            };
            match woken.recv_timeout(patience) {
                Ok(wake) => {
                    let since = Instant::now();
                    if let Some(ended) = self.take(wake, terminal)? {
                        return Ok(ended);
                    }
                    // All that waits is taken in before a frame is drawn, but not so long that no frame ever is.
                    while since.elapsed() < FRAME {
                        let Ok(wake) = woken.try_recv() else { break };
                        if let Some(ended) = self.take(wake, terminal)? {
                            return Ok(ended);
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) if busy => {
                    update(&mut self.model, Msg::Work);
                    self.dirty = true;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("all of its inputs have gone")),
            }
            if !terminal.is_ours() {
                return Err(io::Error::other("a part of the program failed; what it said stands above"));
            }
        }
    }

    /// Takes in one thing; `Some` when it ends the loop.
    fn take(&mut self, wake: Wake, terminal: &mut Terminal) -> io::Result<Option<Ended>> {
        self.dirty = true;
        let msg = match wake {
            Wake::Feed(item) => Msg::Feed(item),
            Wake::FeedClosed if self.model.world.reception.ended.is_some() => return Ok(None),
            Wake::FeedClosed => Msg::Feed(FeedItem::End(End::early("the source of events has gone"))),
            Wake::Input(Event::Key(key)) => {
                self.urgent = true;
                Msg::Key(key)
            }
            Wake::Input(Event::Resize(..)) => {
                self.urgent = true;
                return Ok(None);
            }
            Wake::Input(_) => return Ok(None),
            Wake::InputFailed(error) => return Err(error),
            Wake::Signal(SIGCONT) => {
                self.urgent = true;
                terminal.retake()?;
                return Ok(None);
            }
            Wake::Signal(signal) => return Ok(Some(Ended::Signal(signal))),
        };
        for effect in update(&mut self.model, msg) {
            match effect {
                Effect::Quit => return Ok(Some(Ended::Quit)),
                Effect::Suspend => terminal.suspend()?,
                Effect::Redraw => terminal.forget()?,
                Effect::Replay(command) => {
                    let told = self.replay.as_ref().is_some_and(|replay| replay.try_send(command).is_ok());
                    if !told {
                        self.model.state.notice = Some("the replay does not listen".to_owned());
                    }
                }
            }
        }
        Ok(None)
    }
}
