//! A pseudo-terminal with the real program in it. It never answers a query, so that a program that waits for an answer is
//! found out; and it can be a slow one.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, ExitStatus, MasterPty, PtySize, SlavePty, native_pty_system};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};

/// A slow machine under load has done anything by then.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The query for the cursor's position, which some terminals never answer.
const WHERE_IS_THE_CURSOR: &[u8] = b"\x1b[6n";

/// No limit to how fast the terminal takes what is written.
const FAST: u64 = u64::MAX;

/// The terminal goes away with the next that is written.
const GONE: u64 = u64::MAX - 1;

/// How the program is started.
pub(crate) struct Start {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) columns: u16,
    pub(crate) rows: u16,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) folder: Option<PathBuf>,
    /// It is the terminal's own program, which is told (SIGHUP) when the terminal goes.
    pub(crate) controls: bool,
}

impl Start {
    /// The reference recording, at 80 by 24.
    pub(crate) fn replay() -> Start {
        Start::lanner(&["replay", "container-escape", "--speed", "max"])
    }

    pub(crate) fn lanner(arguments: &[&str]) -> Start {
        Start::program(env!("CARGO_BIN_EXE_lanner"), arguments)
    }

    pub(crate) fn program(program: &str, arguments: &[&str]) -> Start {
        Start {
            program: program.into(),
            arguments: arguments.iter().map(|a| (*a).to_owned()).collect(),
            columns: 80,
            rows: 24,
            variables: Vec::new(),
            folder: None,
            controls: true,
        }
    }

    pub(crate) fn size(self, columns: u16, rows: u16) -> Start {
        Start { columns, rows, ..self }
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Start {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn session(self) -> Session {
        let size = PtySize { cols: self.columns, rows: self.rows, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let settings = settings(&*pair.master);
        let mut command = CommandBuilder::new(&self.program);
        command.args(&self.arguments);
        command.env_clear();
        command.set_controlling_tty(self.controls);
        if let Some(folder) = &self.folder {
            command.cwd(folder);
        }
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        let mut child = pair.slave.spawn_command(command).unwrap();
        let pid = i32::try_from(child.process_id().unwrap()).unwrap();
        let (ends, ended) = channel();
        thread::spawn(move || ends.send(child.wait().unwrap()));
        let rate = Arc::new(AtomicU64::new(FAST));
        let reader = pair.master.try_clone_reader().unwrap();
        let input = pair.master.take_writer().unwrap();
        let screen = vt100::Parser::new(at_least_one(self.rows), at_least_one(self.columns), 0);
        Session {
            screen,
            written: Vec::new(),
            output: read(reader, Arc::clone(&rate)),
            rate,
            input: Some(input),
            pid: Pid::from_raw(pid).unwrap(),
            ended,
            settings,
            device: pair.master.tty_name().map(|name| open(&name)),
            slave: Some(pair.slave),
            terminal: Some(pair.master),
        }
    }
}

/// Opens the terminal without becoming one of its programs.
fn open(path: &Path) -> File {
    let flags = i32::try_from(rustix::fs::OFlags::NOCTTY.bits()).unwrap();
    File::options().read(true).custom_flags(flags).open(path).unwrap()
}

/// Reads as fast as it may.
fn read(mut reader: Box<dyn Read + Send>, rate: Arc<AtomicU64>) -> Receiver<Vec<u8>> {
    const TICK: Duration = Duration::from_millis(20);
    let (sender, output) = channel();
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        loop {
            let room = match rate.load(Ordering::Relaxed) {
                FAST | GONE => buffer.len(),
                rate => {
                    // This is the line's slowness itself.
                    thread::sleep(TICK);
                    usize::try_from(rate / 50).unwrap().min(buffer.len())
                }
            };
            if room == 0 {
                continue;
            }
            // At the end of its life a pseudo-terminal gives an error rather than an end.
            match reader.read(&mut buffer[..room]) {
                Ok(_) if rate.load(Ordering::Relaxed) == GONE => return,
                Ok(n @ 1..) if sender.send(buffer[..n].to_vec()).is_ok() => {}
                _ => return,
            }
        }
    });
    output
}

pub(crate) fn at_least_one(n: u16) -> NonZero<u16> {
    NonZero::new(n).unwrap_or(NonZero::<u16>::MIN)
}

/// How the terminal treats what goes through it, in a form that can be compared.
fn settings(terminal: &dyn MasterPty) -> String {
    format!("{:?}", terminal.get_termios().unwrap())
}

pub(crate) struct Session {
    pub(crate) screen: vt100::Parser,
    /// All that was written, to look for what must not be.
    pub(crate) written: Vec<u8>,
    output: Receiver<Vec<u8>>,
    rate: Arc<AtomicU64>,
    input: Option<Box<dyn Write + Send>>,
    pub(crate) pid: Pid,
    ended: Receiver<ExitStatus>,
    /// How the terminal was set up before.
    settings: String,
    /// The terminal as the program sees it.
    device: Option<File>,
    /// Held so that the terminal's settings are not reset while they are looked at.
    slave: Option<Box<dyn SlavePty + Send>>,
    terminal: Option<Box<dyn MasterPty + Send>>,
}

impl Session {
    pub(crate) fn text(&self) -> String {
        self.screen.screen().contents()
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.screen.process(bytes);
        self.written.extend_from_slice(bytes);
    }

    /// Takes what comes next, if it comes in that time.
    pub(crate) fn take_next(&mut self, patience: Duration) -> bool {
        self.output.recv_timeout(patience).map(|bytes| self.take(&bytes)).is_ok()
    }

    /// Waits until the screen is as expected.
    pub(crate) fn wait_until(&mut self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(self.screen.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(self.take_next(left), "the screen never showed {what}; it shows:\n{}", self.text());
        }
    }

    /// Waits until the screen shows what is expected.
    pub(crate) fn wait_for(&mut self, what: &str) {
        self.wait_until(&format!("{what:?}"), |screen| screen.contents().contains(what));
    }

    /// Waits until the screen shows it no more.
    pub(crate) fn wait_without(&mut self, what: &str) {
        self.wait_until(&format!("a screen without {what:?}"), |screen| !screen.contents().contains(what));
    }

    pub(crate) fn press(&mut self, keys: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(keys).unwrap();
        input.flush().unwrap();
    }

    /// Keys that arrive a byte at a time, so far apart.
    pub(crate) fn press_slowly(&mut self, keys: &[u8], gap: Duration) {
        for byte in keys {
            self.press(&[*byte]);
            thread::sleep(gap);
        }
    }

    /// From now on the terminal takes so many bytes a second.
    pub(crate) fn slow_down(&mut self, rate: u64) {
        self.rate.store(rate, Ordering::Relaxed);
    }

    /// From now on the terminal takes all that there is.
    pub(crate) fn speed_up(&mut self) {
        self.slow_down(FAST);
    }

    pub(crate) fn resize(&mut self, cols: u16, rows: u16) {
        self.terminal.as_ref().unwrap().resize(PtySize { cols, rows, pixel_width: 0, pixel_height: 0 }).unwrap();
        self.screen.screen_mut().set_size(at_least_one(rows), at_least_one(cols));
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).unwrap();
    }

    /// The terminal goes away, as when its window is closed.
    pub(crate) fn close(&mut self) {
        self.slow_down(GONE);
        // Something is written, so that the last who has the terminal open looks up and lets go of it.
        self.press(b"\x0c");
        (self.input, self.device, self.slave, self.terminal) = (None, None, None, None);
    }

    /// How many bytes that were typed have not been read.
    pub(crate) fn unread(&self) -> u64 {
        let terminal = self.device.as_ref().unwrap();
        rustix::io::ioctl_fionread(terminal).unwrap()
    }

    /// The program that the shell in the terminal runs.
    pub(crate) fn program(&self) -> Pid {
        Pid::from_raw(self.terminal.as_ref().unwrap().process_group_leader().unwrap()).unwrap()
    }

    /// Whether who writes to the terminal would not have to wait.
    pub(crate) fn takes_more(&self) -> bool {
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let terminal = self.device.as_ref().unwrap();
        poll(&mut [PollFd::new(terminal, PollFlags::OUT)], Some(&at_once)).unwrap() > 0
    }

    /// A line of /proc/PID/status, in KiB.
    pub(crate) fn memory(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Waits for the program to end, and no longer.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        self.ended
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("it does not end; the screen shows:\n{}", self.text()))
    }

    /// The terminal is set up as it was before.
    pub(crate) fn assert_settings(&self) {
        assert_eq!(settings(&**self.terminal.as_ref().unwrap()), self.settings);
    }

    /// What is on the screen is the shell's.
    pub(crate) fn assert_screen_given_back(&self) {
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is left");
        assert!(!screen.hide_cursor(), "the cursor is shown again");
        assert!(!screen.bracketed_paste(), "pastes are not marked any more");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        let wraps = |on: &[u8]| self.written.windows(on.len()).rposition(|w| w == on);
        assert!(wraps(b"\x1b[?7h") >= wraps(b"\x1b[?7l"), "lines are wrapped again");
        assert!(wraps(b"\x1b[?2026l") >= wraps(b"\x1b[?2026h"), "what is written is shown at once again");
    }

    /// Waits for the end and reads all of the output; what is on the screen then is what the program left there.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let status = self.ended();
        self.assert_settings();
        (self.slave, self.device) = (None, None);
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("its output does not end:\n{}", self.text()),
            }
        }
        let asked = self.written.windows(WHERE_IS_THE_CURSOR.len()).any(|w| w == WHERE_IS_THE_CURSOR);
        assert!(!asked, "the terminal was asked where its cursor is");
        self.assert_screen_given_back();
        status
    }
}
