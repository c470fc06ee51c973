//! The terminal itself: raw mode, the alternate screen, and the way back out of both whatever happens. It never asks the
//! terminal anything, so that it starts at once where nobody answers; and it never waits for the terminal to take what is
//! drawn, so that keys and events are taken in however slow the line is.
//!
//! - `outlet`: the thread that does wait for it.
//! - `keyboard`, `decoder`: what is typed.
//! - `shell`: whether there is one to go back to.

pub(super) mod decoder;
pub(super) mod keyboard;
mod outlet;
pub(super) mod shell;
#[cfg(test)]
mod tests;

use std::io::{self, BufWriter, IsTerminal, Write, stdout};
use std::os::fd::AsFd;
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ratatui::Frame;
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui::crossterm::queue;
use ratatui::crossterm::style::ResetColor;
use ratatui::crossterm::terminal::{
    BeginSynchronizedUpdate, DisableLineWrap, EnableLineWrap, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::layout::{Position, Size};
use signal_hook::consts::SIGTSTP;
use signal_hook::low_level;

use outlet::{Outlet, Waiting};

/// A terminal that does not take the way in or back in that time takes nothing any more.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a terminal that does not tell its size is taken for.
const FALLBACK: Size = Size { width: 80, height: 24 };

/// Whether the terminal is ours now. There is one terminal, and a panic hook has no other way to know.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Why there can be no user interface.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Standard output leads elsewhere.
    #[error(
        "standard output is no terminal: use `lanner watch` or `lanner events` to write lines, or run lanner in a terminal"
    )]
    NoTerminal,
    /// The terminal cannot place text, or does not say what it is.
    #[error(
        "the terminal ({0}) cannot show the user interface: set TERM to what it is, such as xterm-256color, or use `lanner watch`"
    )]
    Dumb(String),
}

/// Whether the user interface can be shown. Ask before [`super::run`]; the error is a sentence for the user.
///
/// # Errors
/// Standard output is no terminal, or `TERM` is unset, empty or `dumb`.
pub fn check(term: Option<&str>) -> Result<(), Unusable> {
    if !stdout().is_terminal() {
        return Err(Unusable::NoTerminal);
    }
    match term {
        None | Some("") => Err(Unusable::Dumb("TERM is unset".to_owned())),
        Some("dumb") => Err(Unusable::Dumb("TERM=dumb".to_owned())),
        Some(_) => Ok(()),
    }
}

/// The terminal while it is ours. Dropping it gives it back.
pub(crate) struct Terminal {
    inner: ratatui::Terminal<Synchronized<BufWriter<Waiting>>>,
    outlet: &'static Outlet,
}

impl Terminal {
    /// Takes the terminal. `tell` is called, from another thread, whenever that has taken all that was drawn, and when it
    /// could not; it must not block.
    pub(crate) fn take(tell: impl Fn() + Send + 'static) -> io::Result<Self> {
        give_back_on_panic();
        let outlet = Outlet::open(stdout().as_fd().try_clone_to_owned()?.into(), tell)?;
        let writer = BufWriter::with_capacity(64 * 1024, Waiting(outlet));
        enter(outlet)?;
        match ratatui::Terminal::new(Synchronized { inner: CrosstermBackend::new(writer) }) {
            Ok(inner) => Ok(Terminal { inner, outlet }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Whether it still is ours: a panic in another thread gives it back.
    pub(crate) fn is_ours(&self) -> bool {
        TAKEN.load(Ordering::SeqCst)
    }

    /// Whether it has taken all that was drawn: only then is there use in another frame.
    ///
    /// # Errors
    /// It could not be written to.
    pub(crate) fn is_free(&self) -> io::Result<bool> {
        self.outlet.is_free()
    }

    pub(crate) fn size(&self) -> io::Result<Size> {
        self.inner.backend().size()
    }

    /// Draws a frame; what has not changed is not written, and when nothing has, nothing is.
    pub(crate) fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.inner.autoresize()?;
        render(&mut self.inner.get_frame());
        self.inner.flush()?;
        self.inner.swap_buffers();
        self.inner.backend_mut().flush()
    }

    /// Asks the terminal to let this be pasted elsewhere (OSC 52). Nobody tells whether it does.
    pub(crate) fn copy(&mut self, text: &str) -> io::Result<()> {
        let mut bytes = Vec::new();
        queue!(bytes, crossterm::clipboard::CopyToClipboard::to_clipboard_from(text))?;
        self.outlet.give(&bytes);
        Ok(())
    }

    /// Makes the next frame paint everything.
    pub(crate) fn forget(&mut self) -> io::Result<()> {
        self.inner.clear()
    }

    /// Takes it again after the shell had it.
    pub(crate) fn retake(&mut self) -> io::Result<()> {
        give_back();
        enter(self.outlet)?;
        self.forget()
    }

    /// Gives it back. False when it did not take even that, for it takes nothing any more.
    pub(crate) fn leave(&self) -> bool {
        give_back()
    }

    /// Gives it to the shell, stops this program and takes it again when the shell continues it.
    pub(crate) fn suspend(&mut self) -> io::Result<()> {
        give_back();
        low_level::emulate_default_handler(SIGTSTP)?;
        self.retake()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter(outlet: &Outlet) -> io::Result<()> {
    let mut bytes = Vec::new();
    queue!(bytes, EnterAlternateScreen, DisableLineWrap, EnableBracketedPaste, Hide)?;
    enable_raw_mode()?;
    // Whatever follows, also the way back, finds this done.
    outlet.begin(&bytes, PATIENCE);
    TAKEN.store(true, Ordering::SeqCst);
    Ok(())
}

/// Gives the terminal back as it was: true when that was written, or there was nothing to do. There is nobody to tell when
/// that fails: the terminal is gone.
fn give_back() -> bool {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return true;
    }
    let mut bytes = Vec::new();
    // What is written into memory cannot fail.
    let _ = queue!(
        bytes,
        EndSynchronizedUpdate,
        ResetColor,
        DisableBracketedPaste,
        EnableLineWrap,
        LeaveAlternateScreen,
        Show
    );
    let taken = Outlet::get().is_some_and(|outlet| outlet.end(&bytes, PATIENCE));
    let _ = disable_raw_mode();
    taken
}

/// A panic's message belongs on the screen of the shell: the terminal is given back before it is printed.
fn give_back_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            give_back();
            before(info);
        }));
    });
}

/// Crossterm's backend with three differences: a frame is shown at once (DEC private mode 2026), a frame without changes
/// writes nothing, and the terminal is never asked where its cursor is (`CSI 6n`), which some never answer.
struct Synchronized<W: Write> {
    inner: CrosstermBackend<W>,
}

impl<W: Write> Backend for Synchronized<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        queue!(self.inner, BeginSynchronizedUpdate)?;
        self.inner.draw(content)?;
        queue!(self.inner, EndSynchronizedUpdate)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(Position::ORIGIN)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.inner.clear()
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.inner.clear_region(region)
    }

    fn size(&self) -> io::Result<Size> {
        let size = rustix::termios::tcgetwinsize(stdout())?;
        let unknown = size.ws_col == 0 || size.ws_row == 0;
        Ok(if unknown { FALLBACK } else { Size { width: size.ws_col, height: size.ws_row } })
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.inner)
    }
}
