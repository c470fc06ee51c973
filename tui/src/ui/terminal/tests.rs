//! A panic in a terminal. Nothing in the program panics when it is asked to: this test program runs itself in a
//! pseudo-terminal, takes it by the same ways, and panics there.

use std::io::Read;
use std::sync::mpsc::sync_channel;
use std::thread;

use lanner_core::engine::Engine;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use ratatui::buffer::Cell;

use super::super::feed::Source;
use super::super::run::{Options, run};
use super::*;

/// Names the part that is to panic, in the program in the pseudo-terminal.
const PART: &str = "LANNER_TEST_PANIC";

/// What is written, and how it ended, when that part panics.
fn panicking(part: &str) -> (String, u32) {
    let pair = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["--exact", "ui::terminal::tests::panics_when_it_is_told_to", "--nocapture"]);
    command.env(PART, part);
    command.env("TERM", "xterm");
    command.env("RUST_BACKTRACE", "0");
    let before = format!("{:?}", pair.master.get_termios());
    let mut child = pair.slave.spawn_command(command).unwrap();
    let mut reader = pair.master.try_clone_reader().unwrap();
    let output = thread::spawn(move || {
        let mut all = Vec::new();
        // A pseudo-terminal ends with an error.
        let _ = reader.read_to_end(&mut all);
        String::from_utf8_lossy(&all).into_owned()
    });
    let status = child.wait().unwrap();
    assert_eq!(format!("{:?}", pair.master.get_termios()), before, "the terminal is set up as before");
    drop(pair.slave);
    (output.join().unwrap(), status.exit_code())
}

/// Not a test but what [`panicking`] runs.
#[test]
fn panics_when_it_is_told_to() {
    let Ok(part) = std::env::var(PART) else { return };
    match part.as_str() {
        "the loop" => {
            let mut terminal = Terminal::take(|| {}).unwrap();
            terminal.draw(|frame| frame.buffer_mut().set_string(0, 0, "drawn", ratatui::style::Style::new())).unwrap();
            panic!("a part went wrong");
        }
        _ => {
            let (feed, items) = sync_channel(1);
            let other = thread::spawn(move || {
                feed.send(super::super::feed::FeedItem::Progress(1)).unwrap();
                while !TAKEN.load(Ordering::SeqCst) {
                    thread::yield_now();
                }
                let _kept = feed;
                panic!("a part went wrong");
            });
            let ended = run(items, Options::from_env(Source::Live, Engine::default));
            assert!(other.join().is_err());
            panic!("{}", ended.unwrap_err());
        }
    }
}

#[test]
fn a_panic_gives_the_terminal_back_and_is_told_after_that() {
    for part in ["the loop", "another thread"] {
        let (written, status) = panicking(part);
        let place = |what: &str| written.rfind(what).unwrap_or_else(|| panic!("{part} wrote no {what:?}: {written}"));
        assert!(place("\x1b[?1049h") < place("\x1b[?1049l"), "{part}: the alternate screen is left");
        assert!(place("\x1b[?1049l") < place("a part went wrong"), "{part}: what it says is seen");
        assert!(place("\x1b[?25l") < place("\x1b[?25h"), "{part}: the cursor is shown again");
        assert!(place("\x1b[?2004h") < place("\x1b[?2004l"), "{part}: pastes are not marked any more");
        assert_eq!(status, 101, "{part}");
    }
    assert!(panicking("another thread").0.contains("what it said stands above"));
}

#[test]
fn a_frame_without_changes_writes_nothing_and_one_with_changes_is_shown_at_once() {
    let mut written = Vec::new();
    let mut backend = Synchronized { inner: CrosstermBackend::new(&mut written) };
    backend.draw(std::iter::empty()).unwrap();
    let cell = Cell::new("x");
    backend.draw([(0, 0, &cell)].into_iter()).unwrap();
    let written = String::from_utf8(written).unwrap();
    assert!(written.starts_with("\x1b[?2026h") && written.ends_with("\x1b[?2026l"), "{written:?}");
    assert_eq!(written.matches("2026h").count(), 1);
}
