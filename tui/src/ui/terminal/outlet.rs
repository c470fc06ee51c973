//! The way out to the terminal. It may take what it is given as slowly as it likes, or stop taking anything: a thread waits
//! for it, so that nobody else has to. No frame is drawn before the one before it has been taken; so no more than that one
//! waits, and what is drawn then is how things stand then.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};

/// After at least so many bytes it is looked whether the rest is still wanted.
const PART: usize = 1024;

/// Is told that all was taken, or could not be.
type Tell = Box<dyn Fn() + Send>;

#[derive(Default)]
struct State {
    /// The terminal is ours: what is given is written.
    open: bool,
    waiting: Vec<u8>,
    /// Some of it is being written.
    busy: bool,
    /// Goes up when what has not been written is wanted no more.
    epoch: u64,
    tell: Option<Tell>,
    failed: Option<io::Error>,
}

/// The one way out that there is.
pub(super) struct Outlet {
    state: Mutex<State>,
    changed: Condvar,
    writer: OnceLock<ThreadId>,
}

static OUTLET: Outlet = Outlet {
    state: Mutex::new(State { open: false, waiting: Vec::new(), busy: false, epoch: 0, tell: None, failed: None }),
    changed: Condvar::new(),
    writer: OnceLock::new(),
};

impl Outlet {
    /// The outlet, if it was opened.
    pub(super) fn get() -> Option<&'static Outlet> {
        OUTLET.writer.get().map(|_| &OUTLET)
    }

    /// Opens it; `tell` is called by its thread whenever all that waited was taken, and when something could not be written.
    /// It must not block: meanwhile nothing is written.
    pub(super) fn open(out: File, tell: impl Fn() + Send + 'static) -> io::Result<&'static Outlet> {
        OUTLET.lock().tell = Some(Box::new(tell));
        if OUTLET.writer.get().is_none() {
            let thread = thread::Builder::new().name("terminal".to_owned()).spawn(move || OUTLET.work(out))?;
            let _ = OUTLET.writer.set(thread.thread().id());
        }
        Ok(&OUTLET)
    }

    /// A panic of another thread poisons nothing here: each change is whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets bytes wait to be written, while the terminal is ours. Never blocks for long.
    pub(super) fn give(&self, bytes: &[u8]) {
        let mut state = self.lock();
        if state.open {
            state.waiting.extend_from_slice(bytes);
            self.changed.notify_all();
        }
    }

    /// The terminal is ours from now on, and this is the first that it is given.
    pub(super) fn begin(&self, first: &[u8], patience: Duration) -> bool {
        self.lock().open = true;
        self.give(first);
        self.wait(patience)
    }

    /// This is the last that it is given, instead of all that waits: nothing that is drawn after it gets there. False when
    /// the terminal has not taken it in that time.
    pub(super) fn end(&self, last: &[u8], patience: Duration) -> bool {
        {
            let mut state = self.lock();
            state.epoch += 1;
            state.open = false;
            state.waiting.clear();
            state.waiting.extend_from_slice(last);
            self.changed.notify_all();
        }
        self.wait(patience)
    }

    /// Whether all was taken.
    ///
    /// # Errors
    /// Something could not be written.
    pub(super) fn is_free(&self) -> io::Result<bool> {
        let mut state = self.lock();
        match state.failed.take() {
            Some(error) => Err(error),
            None => Ok(!state.busy && state.waiting.is_empty()),
        }
    }

    /// Waits until all was taken. False when the terminal has not taken it in that time.
    fn wait(&self, patience: Duration) -> bool {
        // Whoever panics in the thread that writes cannot wait for it.
        if self.writer.get().is_some_and(|writer| *writer == thread::current().id()) {
            return false;
        }
        let until = Instant::now() + patience;
        let mut state = self.lock();
        while state.busy || !state.waiting.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn work(&self, mut out: File) {
        let mut state = self.lock();
        loop {
            while state.waiting.is_empty() {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let bytes = std::mem::take(&mut state.waiting);
            let epoch = state.epoch;
            state.busy = true;
            drop(state);
            let written = self.write(&mut out, &bytes, epoch);
            state = self.lock();
            state.busy = false;
            self.changed.notify_all();
            if written.is_err() || state.waiting.is_empty() {
                state.failed = written.err();
                state.tell.iter().for_each(|tell| tell());
            }
        }
    }

    fn write(&self, out: &mut File, mut bytes: &[u8], epoch: u64) -> io::Result<()> {
        while !bytes.is_empty() && self.lock().epoch == epoch {
            let (mut now, rest) = bytes.split_at(part(bytes));
            while !now.is_empty() {
                match out.write(now) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(n) => now = &now[n..],
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    // Whoever else has this terminal may have made it so.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        poll(&mut [PollFd::new(out, PollFlags::OUT)], None)?;
                    }
                    Err(error) => return Err(error),
                }
            }
            bytes = rest;
        }
        Ok(())
    }
}

/// Where the first part ends: where an escape sequence begins, so that none is ever left open.
fn part(bytes: &[u8]) -> usize {
    let from = bytes.len().min(PART);
    bytes[from..].iter().position(|b| *b == 0x1b).map_or(bytes.len(), |n| from + n)
}

/// Lets what is written wait in an [`Outlet`].
pub(super) struct Waiting(pub(super) &'static Outlet);

impl Write for Waiting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.give(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_end_where_a_sequence_begins() {
        let mut bytes = vec![b'x'; PART + 10];
        assert_eq!(part(&bytes), PART + 10);
        bytes.extend_from_slice(b"\x1b[31mred");
        assert_eq!(part(&bytes), PART + 10);
        assert_eq!(part(b"\x1b[31mred"), 8);
        assert_eq!(part(b""), 0);
    }
}
