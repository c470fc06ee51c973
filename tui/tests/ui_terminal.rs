//! The real binary in a pseudo-terminal: from keystroke to screen, and the terminal as it was afterwards. The terminal
//! here never answers a query, so that a program that waits for an answer is found out.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

/// A slow machine under load has drawn a frame by then.
const PATIENCE: Duration = Duration::from_secs(60);

/// The query for the cursor's position, which some terminals never answer.
const WHERE_IS_THE_CURSOR: &[u8] = b"\x1b[6n";

struct Session {
    screen: vt100::Parser,
    /// All that was written, to look for what must not be.
    written: Vec<u8>,
    output: Receiver<Vec<u8>>,
    input: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    terminal: Box<dyn MasterPty + Send>,
}

fn at_least_one(n: u16) -> NonZero<u16> {
    NonZero::new(n).unwrap_or(NonZero::<u16>::MIN)
}

impl Session {
    fn start(columns: u16, rows: u16, variables: &[(&str, &str)]) -> Session {
        let size = PtySize { cols: columns, rows, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_lanner"));
        command.args(["replay", "container-escape", "--speed", "max"]);
        command.env_clear();
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8")].iter().chain(variables) {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            // At the end of its life a pseudo-terminal gives an error rather than an end.
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        let input = pair.master.take_writer().unwrap();
        let screen = vt100::Parser::new(at_least_one(rows), at_least_one(columns), 0);
        Session { screen, written: Vec::new(), output, input, child, terminal: pair.master }
    }

    fn text(&self) -> String {
        self.screen.screen().contents()
    }

    fn take(&mut self, bytes: &[u8]) {
        self.screen.process(bytes);
        self.written.extend_from_slice(bytes);
    }

    /// Waits until the screen shows what is expected.
    fn wait_for(&mut self, what: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.text().contains(what) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.take(&bytes),
                Err(_) => panic!("the screen never showed {what:?}; it shows:\n{}", self.text()),
            }
        }
    }

    fn press(&mut self, keys: &[u8]) {
        self.input.write_all(keys).unwrap();
        self.input.flush().unwrap();
    }

    /// Reads to the end of the output; what is on the screen then is what the program left there.
    fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end; the screen shows:\n{}", self.text()),
            }
        }
        let status = self.child.wait().unwrap();
        assert!(!self.screen.screen().alternate_screen(), "the alternate screen is left");
        assert!(!self.screen.screen().hide_cursor(), "the cursor is shown again");
        let asked = self.written.windows(WHERE_IS_THE_CURSOR.len()).any(|w| w == WHERE_IS_THE_CURSOR);
        assert!(!asked, "the terminal was asked where its cursor is");
        status
    }
}

#[test]
fn an_investigation_from_the_first_screen_to_the_last_key() {
    let mut session = Session::start(80, 24, &[]);
    session.wait_for("Container escape to hidden static pod");
    session.wait_for("exfiltration");
    session.wait_for("ENDED");
    session.press(b"\r");
    session.wait_for("› stage 1");
    session.press(b"jjj");
    session.wait_for("linked to");
    session.press(b"\r");
    session.wait_for("Why it belongs to this incident");
    session.press(b"\x1b");
    session.wait_for("↓");
    session.press(b"2");
    session.wait_for("PROCESS");
    session.wait_for("nsenter");
    session.press(b"4");
    session.wait_for("203.0.113.66:8080");
    session.press(b"6");
    session.wait_for("UTC");
    session.press(b"[");
    session.wait_for("PAST");
    session.press(b"4");
    session.wait_for("STATE");
    session.press(b"f");
    session.wait_for("ENDED");
    session.press(b"6/curl");
    session.wait_for("/ curl");
    session.press(b"\r");
    session.wait_for("curl[");
    session.press(b" ");
    session.wait_for("PAUSED");
    session.press(b"?");
    session.wait_for("go back one step");
    session.press(b"q");
    assert!(session.end().success());
}

#[test]
fn a_resize_is_followed_and_the_selection_stays() {
    let mut session = Session::start(80, 24, &[]);
    session.wait_for("exfiltration");
    session.press(b"\rjj");
    session.wait_for("› stage 3");
    for (cols, rows) in [(120, 40), (12, 3), (40, 10)] {
        session.terminal.resize(PtySize { cols, rows, pixel_width: 0, pixel_height: 0 }).unwrap();
        session.screen.screen_mut().set_size(at_least_one(rows), at_least_one(cols));
        session.wait_for(if cols < 20 { "lanner" } else { "stage 3" });
    }
    session.press(b"\x03");
    assert!(session.end().success());
}

#[test]
fn a_terminal_without_a_size_is_taken_for_one_of_80_by_24() {
    let mut session = Session::start(0, 0, &[]);
    session.screen.screen_mut().set_size(at_least_one(24), at_least_one(80));
    session.wait_for("exfiltration");
    session.press(b"q");
    assert!(session.end().success());
}

#[test]
fn a_signal_gives_the_terminal_back() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let mut session = Session::start(80, 24, &[]);
        session.wait_for("exfiltration");
        assert!(session.screen.screen().alternate_screen());
        let pid = i32::try_from(session.child.process_id().unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
        assert!(!session.end().success(), "a signal is no success");
    }
}

#[test]
fn without_colours_and_unicode_nothing_of_either_is_written() {
    let mut session = Session::start(80, 24, &[("NO_COLOR", "1"), ("LANG", "C")]);
    session.wait_for("exfiltration");
    session.press(b"q");
    assert!(session.end().success());
    let written = String::from_utf8(session.written).unwrap();
    assert!(written.is_ascii());
    assert!(!written.contains("\x1b[38;") && !written.contains("\x1b[31m"), "a colour was written");
}

#[test]
fn a_terminal_that_cannot_place_text_is_refused_in_a_sentence() {
    let mut session = Session::start(80, 24, &[("TERM", "dumb")]);
    assert!(!session.end().success());
    assert!(session.text().contains("TERM=dumb"), "{}", session.text());
    assert!(!session.written.contains(&0x1b), "no escape sequence");
}

/// With `LANNER_WRITE_DOCS` set, the picture is taken anew.
#[test]
fn the_readme_shows_the_real_screen() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let (before, block) = readme.split_once("```text\n").expect("the README shows a screen");
    let (shown, after) = block.split_once("\n```").expect("the screen has an end");
    let mut session = Session::start(80, 24, &[]);
    session.wait_for("ENDED");
    let lines = |text: &str| text.lines().map(|l| l.trim_end().to_owned()).collect::<Vec<_>>();
    let writes = std::env::var_os("LANNER_WRITE_DOCS").is_some();
    // A frame comes in parts; to be written it must be whole, and to be compared it becomes so.
    let deadline = Instant::now() + if writes { Duration::from_secs(2) } else { PATIENCE };
    while writes || lines(&session.text()) != lines(shown) {
        match session.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(bytes) => session.take(&bytes),
            Err(_) => break,
        }
    }
    let screen = lines(&session.text());
    session.press(b"q");
    assert!(session.end().success());
    if writes {
        std::fs::write(path, format!("{before}```text\n{}\n```{after}", screen.join("\n"))).unwrap();
        return;
    }
    assert_eq!(screen, lines(shown), "the README's picture is another one: LANNER_WRITE_DOCS=1 takes it anew");
}
