//! A pseudo-terminal with a program in it.

use std::fs;
use std::io::{self, Read, Write};
use std::num::NonZero;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// What takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(120);
/// Where a frame begins (DEC private mode 2026).
const FRAME: &[u8] = b"\x1b[?2026h";

/// Some bytes, and when they came.
struct Chunk {
    at: Instant,
    bytes: Vec<u8>,
}

/// What was written in some time.
#[derive(Default)]
pub(crate) struct Written {
    pub(crate) bytes: u64,
    /// As the program itself marks them.
    pub(crate) frames: u64,
    /// Stretches with at least so much silence before each.
    pub(crate) bursts: u64,
}

fn some(n: u16) -> NonZero<u16> {
    NonZero::new(n).unwrap_or(NonZero::<u16>::MIN)
}

/// The rows of a screen, as text.
pub(crate) fn rows(screen: &vt100::Screen) -> impl Iterator<Item = String> {
    screen.rows(0, crate::COLUMNS)
}

/// A program at work. It is killed when this is dropped.
pub(crate) struct Session {
    pub(crate) screen: vt100::Parser,
    output: Receiver<Chunk>,
    input: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    pub(crate) begun: Instant,
    _terminal: Box<dyn MasterPty + Send>,
}

impl Session {
    /// The program as it is shipped. `far`: as over SSH, which means ten frames a second.
    pub(crate) fn lanner(arguments: &[&str], far: bool) -> io::Result<Session> {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_lanner"));
        command.args(arguments);
        command.env_clear();
        if far {
            command.env("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22");
        }
        Session::start(command)
    }

    pub(crate) fn start(mut command: CommandBuilder) -> io::Result<Session> {
        let size = PtySize { cols: crate::COLUMNS, rows: crate::ROWS, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).map_err(io::Error::other)?;
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("COLORTERM", "truecolor")] {
            command.env(name, value);
        }
        let begun = Instant::now();
        let child = pair.slave.spawn_command(command).map_err(io::Error::other)?;
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().map_err(io::Error::other)?;
        let input = pair.master.take_writer().map_err(io::Error::other)?;
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 64 * 1024];
            // At the end of its life a pseudo-terminal gives an error rather than an end.
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                if sender.send(Chunk { at: Instant::now(), bytes: buffer[..n].to_vec() }).is_err() {
                    return;
                }
            }
        });
        let screen = vt100::Parser::new(some(crate::ROWS), some(crate::COLUMNS), 0);
        Ok(Session { screen, output, input, child, begun, _terminal: pair.master })
    }

    /// Waits until the screen is as expected; says when what made it so came.
    pub(crate) fn wait_until(&mut self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) -> io::Result<Instant> {
        let deadline = Instant::now() + PATIENCE;
        let mut at = self.begun;
        while !is_so(self.screen.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(chunk) = self.output.recv_timeout(left) else {
                return Err(io::Error::other(format!(
                    "the screen never showed {what}; it shows:\n{}",
                    self.screen.screen().contents()
                )));
            };
            self.screen.process(&chunk.bytes);
            at = chunk.at;
        }
        Ok(at)
    }

    pub(crate) fn wait_for(&mut self, what: &str) -> io::Result<Instant> {
        self.wait_until(&format!("{what:?}"), |screen| screen.contents().contains(what))
    }

    /// Counts what is written in that time.
    pub(crate) fn count(&mut self, time: Duration, silence: Duration) -> Written {
        let (mut written, until) = (Written::default(), Instant::now() + time);
        let mut last: Option<Instant> = None;
        let mut kept: Vec<u8> = Vec::new();
        loop {
            match self.output.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(chunk) => {
                    written.bytes += chunk.bytes.len() as u64;
                    written.bursts += u64::from(last.is_none_or(|last| chunk.at - last >= silence));
                    last = Some(chunk.at);
                    self.screen.process(&chunk.bytes);
                    // The mark may be cut in two.
                    kept.extend_from_slice(&chunk.bytes);
                    written.frames += kept.windows(FRAME.len()).filter(|bytes| *bytes == FRAME).count() as u64;
                    kept.drain(..kept.len().saturating_sub(FRAME.len() - 1));
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return written,
            }
        }
    }

    /// Takes in what has come so far.
    pub(crate) fn catch_up(&mut self) {
        while let Ok(chunk) = self.output.try_recv() {
            self.screen.process(&chunk.bytes);
        }
    }

    pub(crate) fn press(&mut self, keys: &[u8]) -> io::Result<Instant> {
        let at = Instant::now();
        self.input.write_all(keys)?;
        self.input.flush()?;
        Ok(at)
    }

    fn pid(&self) -> u32 {
        self.child.process_id().unwrap_or_default()
    }

    /// The processor's time that its threads have had so far.
    pub(crate) fn spent(&self) -> io::Result<Duration> {
        let mut all = Duration::ZERO;
        for thread in fs::read_dir(format!("/proc/{}/task", self.pid()))? {
            let stat = fs::read_to_string(thread?.path().join("schedstat"))?;
            all += Duration::from_nanos(stat.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0));
        }
        Ok(all)
    }

    /// A line of /proc/PID/status, in MiB.
    pub(crate) fn memory(&self, name: &str) -> io::Result<u64> {
        memory(self.pid(), name)
    }

    /// Leaves the program as a user does.
    pub(crate) fn quit(mut self) -> io::Result<()> {
        self.press(b"q")?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A line of a process's /proc/PID/status, in MiB.
pub(crate) fn memory(pid: u32, name: &str) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let kib = line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0);
    Ok(kib / 1024)
}
