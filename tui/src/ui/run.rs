//! The loop: everything that is waiting is taken in, then one frame is drawn, and only if something has changed.

use std::fmt;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use lanner_core::engine::Engine;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;

use super::feed::{FeedItem, ReplayCommand, Source};
use super::inlet::Inlet;
use super::keymap::Keymap;
use super::known::lag::Lag;
use super::look::Look;
use super::model::Model;
use super::takeaway::files;
use super::takeaway::recorder::Recorder;
use super::terminal::decoder::Typed;
use super::terminal::keyboard::Keyboard;
use super::terminal::{Terminal, shell};
use super::update::{Effect, Msg, update};
use super::view::{ViewState, paint, view};

/// Frames are at least this far apart.
const FRAME: Duration = Duration::from_millis(33);

/// A frame that a key asked for follows the one before after so long: several keys at once need one frame.
const FRAME_OF_KEY: Duration = Duration::from_millis(8);

/// Over SSH, frames that no key asked for are at least this far apart.
const FRAME_FAR: Duration = Duration::from_millis(100);

/// How often the loop looks up when nothing happens: a panic elsewhere is noticed by then.
const LOOK_UP: Duration = Duration::from_millis(500);

/// A source that has said nothing for so long is missed: one that is there says four times a second what time it is.
const MUTE: Duration = Duration::from_secs(5);

/// What wakes the loop waits for it, so much at most.
const WAITING: usize = 16;

/// The rest of a key comes so soon after its first byte; over SSH, which may cut it anywhere, it takes longer.
const REST_OF_KEY: Duration = Duration::from_millis(50);
const REST_OF_KEY_FAR: Duration = Duration::from_millis(250);

/// A terminal that is slow to take a frame is given the next one after as long again, and this at most.
const LONGEST_BREAK: Duration = Duration::from_secs(1);

/// Terminals take no longer copies than about this many bytes.
const MOST_COPIED: usize = 64 * 1024;

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
    /// The terminal takes what is copied (OSC 52); else copies go into files.
    pub takes_copies: bool,
    /// Which keys do what.
    pub keymap: Keymap,
    /// The terminal is at the other end of a network: fewer frames.
    pub far: bool,
    /// How long the rest of a key is waited for after Esc; `None`: 50 ms, and 250 where the terminal is far.
    pub rest_of_key: Option<Duration>,
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
            takes_copies: takes_copies(|name| std::env::var(name).ok()),
            keymap: Keymap::default(),
            far: std::env::var_os("SSH_CONNECTION").is_some_and(|v| !v.is_empty()),
            rest_of_key: None,
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
    /// A signal asked for it: SIGTERM, SIGHUP or SIGINT, by its number. A terminal that has gone counts as SIGHUP.
    Signal(i32),
}

/// How the user interface was left.
#[derive(Debug)]
pub struct Left {
    /// Why.
    pub ended: Ended,
    /// Something to know afterwards, such as where a recording lies.
    pub told: Vec<String>,
}

/// Whether the terminal takes what is copied. Multiplexers keep it to themselves unless they are told otherwise, and the
/// Linux console has nowhere to put it.
fn takes_copies(var: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name| var(name).is_some_and(|value| !value.is_empty());
    !set("TMUX") && !set("STY") && !var("TERM").is_some_and(|term| term == "linux" || term.starts_with("screen"))
}

/// Something that wakes the loop.
enum Wake {
    Typed(Typed),
    TerminalGone,
    /// All that was drawn has been taken, or could not be.
    Taken,
    /// Something has come from the source of events, or it has gone; `full`: no more can wait.
    Fed {
        full: bool,
    },
    Signal(i32),
}

/// Shows the user interface until the user leaves or a signal comes, and gives the terminal back then, also when this
/// fails or panics. Ask [`super::check`] first whether the terminal can show it. Blocks; the thread that reads the
/// keyboard outlives it, so that it is meant to be the last thing that the program does with its terminal's input.
///
/// # Errors
/// The terminal could not be read, written or set up, or another thread panicked.
pub fn run(feed: Receiver<FeedItem>, options: Options) -> io::Result<Left> {
    super::in_small_pages();
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGTSTP, SIGCONT, SIGWINCH])?;
    let close_signals = signals.handle();
    let (wake, woken) = sync_channel(WAITING);
    let usual = if options.far { REST_OF_KEY_FAR } else { REST_OF_KEY };
    let mut keyboard = Keyboard::open(options.rest_of_key.unwrap_or(usual))?;
    let from_terminal = wake.clone();
    let mut terminal = Terminal::take(move || {
        // Where there is no room the loop is awake, and finds out by itself.
        let _ = from_terminal.try_send(Wake::Taken);
    })?;
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
    let feed = Inlet::start(feed, move |full| from_feed.send(Wake::Fed { full }).is_ok())?;
    thread::Builder::new().name("keyboard".into()).spawn(move || {
        while let Ok(typed) = keyboard.next() {
            if wake.send(Wake::Typed(typed)).is_err() {
                return;
            }
        }
        let _ = wake.send(Wake::TerminalGone);
    })?;

    let mut running = Running {
        model,
        feed,
        view: ViewState::default(),
        replay: options.replay,
        recorder: None,
        recorded: Vec::new(),
        takes_copies: options.takes_copies,
        dirty: true,
        urgent: true,
        stopping: false,
        begun: Instant::now(),
        heard: Instant::now(),
        lag: Lag::default(),
    };
    let ended = running.go(&mut terminal, &woken, if options.far { FRAME_FAR } else { FRAME });
    close_signals.close();
    running.end_recording();
    // A terminal that takes nothing must not be told anything either: that would never end.
    let hears = terminal.leave();
    drop(terminal);
    Ok(Left { ended: ended?, told: if hears { running.recorded } else { Vec::new() } })
}

struct Running {
    model: Model,
    feed: Inlet,
    view: ViewState,
    replay: Option<SyncSender<ReplayCommand>>,
    recorder: Option<Recorder>,
    /// What is to be said of recordings at the end.
    recorded: Vec<String>,
    takes_copies: bool,
    /// The screen does not show what is known.
    dirty: bool,
    /// A key waits for its frame.
    urgent: bool,
    /// The terminal was given to the shell; the signal that stops this program is on its way.
    stopping: bool,
    begun: Instant,
    /// When anything came last from the source of events.
    heard: Instant,
    lag: Lag,
}

impl Running {
    fn go(&mut self, terminal: &mut Terminal, woken: &Receiver<Wake>, frame: Duration) -> io::Result<Ended> {
        let mut drawn: Option<Instant> = None;
        // How long the terminal took to take the last frame, if that is known.
        let mut took = None;
        loop {
            let is_free = match terminal.is_free() {
                Ok(is_free) => is_free,
                Err(_) => return Ok(Ended::Signal(SIGHUP)),
            };
            if let (true, None, Some(at)) = (is_free, took, drawn) {
                took = Some(at.elapsed().min(LONGEST_BREAK));
            }
            let gap = if self.urgent { FRAME_OF_KEY } else { frame + took.unwrap_or_default() };
            let wait = drawn.map_or(Duration::ZERO, |at| gap.saturating_sub(at.elapsed()));
            let may_draw = is_free && !self.stopping;
            if self.dirty && may_draw && wait.is_zero() {
                let size = terminal.size()?;
                update(&mut self.model, Msg::Resize(size.width, size.height));
                terminal.draw(|frame| view(&self.model, &mut self.view, frame))?;
                (self.dirty, self.urgent) = (false, false);
                (drawn, took) = (Some(Instant::now()), None);
                continue;
            }
            // What is left of a long search goes on while nothing else comes.
            let busy = self.model.is_busy();
            let due = self.feed.due(frame);
            if due.is_some_and(|due| due.is_zero()) {
                self.feed.look();
            }
            let patience = match () {
                () if busy || self.feed.more => Duration::ZERO,
                () if self.dirty && may_draw => wait.min(due.unwrap_or(wait)),
                () => due.unwrap_or(LOOK_UP),
            };
            match woken.recv_timeout(patience) {
                Ok(wake) => {
                    if let Some(ended) = self.take(wake, terminal)? {
                        return Ok(ended);
                    }
                }
                Err(RecvTimeoutError::Timeout) if self.feed.more => {}
                Err(RecvTimeoutError::Timeout) if busy => {
                    update(&mut self.model, Msg::Work);
                    self.dirty = true;
                }
                Err(RecvTimeoutError::Timeout) if due.is_some() => {}
                Err(RecvTimeoutError::Timeout) if self.stopping => self.stop(terminal)?,
                Err(RecvTimeoutError::Timeout) => {
                    self.record_look();
                    self.miss_the_source();
                }
                Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("all of its inputs have gone")),
            }
            let time = if self.urgent && may_draw { wait } else { FRAME };
            if let Some(ended) = self.take_what_waits(woken, terminal, time)? {
                return Ok(ended);
            }
            if !terminal.is_ours() && !self.stopping {
                return Err(io::Error::other("a part of the program failed; what it said stands above"));
            }
        }
    }

    /// Takes in what waits before a frame is drawn, as far as there is time. Who types is heard first, and what comes after a
    /// key waits for its frame.
    fn take_what_waits(
        &mut self,
        woken: &Receiver<Wake>,
        terminal: &mut Terminal,
        time: Duration,
    ) -> io::Result<Option<Ended>> {
        let (since, urgent) = (Instant::now(), self.urgent);
        loop {
            while let Ok(wake) = woken.try_recv() {
                if let Some(ended) = self.take(wake, terminal)? {
                    return Ok(Some(ended));
                }
            }
            if (self.urgent && !urgent) || since.elapsed() >= time {
                return Ok(None);
            }
            let Some(item) = self.feed.next() else { return Ok(None) };
            if self.feed.closed && self.model.world.reception.ended.is_some() {
                return Ok(None);
            }
            self.heard = Instant::now();
            self.record(&item);
            self.look_at_the_clock(&item);
            let rests = matches!(item, FeedItem::Batch(_) | FeedItem::Load(_)) && self.model.is_at_rest();
            self.model.world.reception.mute = false;
            if let Some(ended) = self.update(Msg::Feed(item), terminal)? {
                return Ok(Some(ended));
            }
            // That time goes by is no reason to write anything.
            self.dirty |= !(rests && self.model.is_at_rest());
        }
    }

    /// Takes in one thing; `Some` when it ends the loop.
    fn take(&mut self, wake: Wake, terminal: &mut Terminal) -> io::Result<Option<Ended>> {
        self.dirty |= !matches!(wake, Wake::Taken | Wake::Fed { .. });
        let msg = match wake {
            Wake::Taken => return Ok(None),
            Wake::Fed { full } => {
                if full {
                    self.feed.look();
                } else {
                    self.feed.come();
                }
                return Ok(None);
            }
            Wake::Typed(typed) => {
                self.urgent = true;
                match typed {
                    Typed::Key(key) => Msg::Key(key),
                    Typed::Paste(text) => Msg::Paste(text),
                }
            }
            Wake::TerminalGone => return Ok(Some(Ended::Signal(SIGHUP))),
            Wake::Signal(SIGWINCH) => {
                self.urgent = true;
                return Ok(None);
            }
            Wake::Signal(SIGTSTP) => {
                // Where nobody would continue it, a program does not stop (POSIX, 2.4.3).
                if self.stopping || shell::is_there() {
                    self.stop(terminal)?;
                }
                return Ok(None);
            }
            Wake::Signal(SIGCONT) => {
                self.urgent = true;
                terminal.retake()?;
                return Ok(None);
            }
            Wake::Signal(signal) => return Ok(Some(Ended::Signal(signal))),
        };
        self.update(msg, terminal)
    }

    /// Changes what is known, and does what follows from that; `Some` when it ends the loop.
    fn update(&mut self, msg: Msg, terminal: &mut Terminal) -> io::Result<Option<Ended>> {
        for effect in update(&mut self.model, msg) {
            match effect {
                Effect::Quit => return Ok(Some(Ended::Quit)),
                Effect::Suspend => self.suspend(terminal)?,
                Effect::Redraw => terminal.forget()?,
                Effect::Save { stem, ending, text } => {
                    self.model.state.notice = Some(saved(files::save(&stem, ending, &text)));
                }
                Effect::Copy { text, what } => self.copy(terminal, &text, what)?,
                Effect::Record(true) => self.begin_recording(),
                Effect::Record(false) => {
                    self.end_recording();
                    self.model.state.notice = self.recorded.last().cloned();
                }
                Effect::Dump => {
                    let text = self.screen(terminal.size()?);
                    self.model.state.notice = Some(saved(files::save("lanner-screen", "txt", &text)));
                }
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

    /// Notes how late this comes. A recording comes when it is meant to.
    fn look_at_the_clock(&mut self, item: &FeedItem) {
        match item {
            FeedItem::Node(node) => self.lag.node(&node.boot_id),
            FeedItem::Batch(batch) if !batch.snapshot && batch.now.0 > 0 && !self.model.world.reception.is_replay() => {
                self.model.world.reception.behind = self.lag.take(self.begun.elapsed(), batch.now);
            }
            _ => {}
        }
    }

    /// A source that is there tells at least that time goes by: a screen that stands still must not look like a quiet node.
    fn miss_the_source(&mut self) {
        let reception = &mut self.model.world.reception;
        if reception.is_live() && !reception.mute && self.heard.elapsed() >= MUTE {
            reception.mute = true;
            self.dirty = true;
        }
    }

    /// Gives the terminal to the shell, and asks for this program to be stopped, with whatever runs it (such as cargo or sudo).
    fn suspend(&mut self, terminal: &Terminal) -> io::Result<()> {
        if !shell::is_there() {
            self.model.state.notice = Some("there is no shell to go back to".to_owned());
            return Ok(());
        }
        terminal.leave();
        self.stopping = true;
        rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
        Ok(())
    }

    /// Stops, until it is continued.
    fn stop(&mut self, terminal: &mut Terminal) -> io::Result<()> {
        (self.stopping, self.dirty, self.urgent) = (false, true, true);
        terminal.suspend()
    }

    /// Gives what is copied to the terminal, or puts it into a file where the terminal does not take it.
    fn copy(&mut self, terminal: &mut Terminal, text: &str, what: &str) -> io::Result<()> {
        let fits = text.len() <= MOST_COPIED;
        self.model.state.notice = Some(if self.takes_copies && fits {
            terminal.copy(text)?;
            format!("copied {what}")
        } else {
            let why = if fits { "this terminal keeps no copies" } else { "it is too long to copy" };
            // Where it lies comes first: the end of the line may be cut off.
            format!("{}: {what}, for {why}", saved(files::save("lanner-copy", "txt", text)))
        });
        Ok(())
    }

    /// The screen as text.
    fn screen(&mut self, size: Size) -> String {
        let area = Rect { x: 0, y: 0, width: size.width, height: size.height };
        let mut buffer = Buffer::empty(area);
        paint(&self.model.scene(), &self.model.state, &mut self.view, area, &mut buffer);
        let mut text = String::new();
        for y in 0..size.height {
            let mut row = String::new();
            let mut x = 0;
            while x < size.width {
                let symbol = buffer[(x, y)].symbol();
                row.push_str(symbol);
                // The right half of a wide character holds a blank that is not there.
                x += u16::try_from(super::text::width(symbol)).unwrap_or(1).max(1);
            }
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text
    }

    fn begin_recording(&mut self) {
        let notice = match Recorder::begin(&self.model.world.latest()) {
            Ok((recorder, whole)) => {
                let from = if whole { "with all from before" } else { "from now on" };
                let path = super::text::safe(&recorder.path().to_string_lossy());
                self.model.state.recording = Some(path.clone());
                self.recorder = Some(recorder);
                format!("recording into {path}, {from}")
            }
            Err(error) => format!("nothing is recorded: {error}"),
        };
        self.model.state.notice = Some(notice);
    }

    fn record(&mut self, item: &FeedItem) {
        let Some(recorder) = &mut self.recorder else { return };
        let taken = match item {
            FeedItem::Batch(batch) => recorder.take(batch),
            // What comes from another node, or another boot, is another recording.
            FeedItem::Node(node) if node.boot_id != self.model.world.latest().node.boot_id => {
                self.end_recording();
                return;
            }
            _ => Ok(()),
        };
        self.recorded_or(taken);
    }

    fn record_look(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            let looked = recorder.look();
            self.recorded_or(looked);
        }
    }

    /// A recording that cannot go on ends, and says so.
    fn recorded_or(&mut self, taken: io::Result<()>) {
        if let Err(error) = taken {
            self.end_recording();
            self.model.state.notice = Some(format!("the recording ended: {error}"));
            self.dirty = true;
        }
    }

    fn end_recording(&mut self) {
        self.model.state.recording = None;
        let Some(recorder) = self.recorder.take() else { return };
        let path = super::text::safe(&recorder.path().to_string_lossy());
        self.recorded.push(match recorder.end() {
            Ok(events) => format!("recorded {} events into {path}", super::text::grouped(events)),
            Err(error) => format!("the recording {path} is not whole: {error}"),
        });
    }
}

/// Where something was saved, or why not.
fn saved(path: io::Result<std::path::PathBuf>) -> String {
    match path {
        Ok(path) => format!("written to {}", super::text::safe(&path.to_string_lossy())),
        Err(error) => format!("nothing is written: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplexers_and_the_console_keep_no_copies() {
        let takes = |set: &[(&str, &str)]| {
            takes_copies(|name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
        };
        assert!(takes(&[("TERM", "xterm-256color")]));
        assert!(takes(&[("TERM", "xterm-256color"), ("TMUX", "")]));
        assert!(!takes(&[("TERM", "tmux-256color"), ("TMUX", "/tmp/tmux-0/default,1,0")]));
        assert!(!takes(&[("TERM", "screen"), ("STY", "1.pts-0")]));
        assert!(!takes(&[("TERM", "linux")]));
    }
}
