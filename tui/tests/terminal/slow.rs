//! A terminal that takes what it is given slowly, or not at all: keys and events are taken in all the same.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::session::{PATIENCE, Session, Start};

/// A key that draws the whole screen anew.
const REDRAW: &[u8] = b"\x0c";

/// A pseudo-terminal of Linux holds more than this before who writes has to wait; with small writes, not much more.
const HELD: u64 = 12 * 1024;

/// Far less than the 300 frames that were asked for, of 15 KiB each; more than what the terminal held and the frame after
/// it, since keys that still wait inside the program (at most 256 of them) may be done and drawn in steps.
const MOST: u64 = 512 * 1024;

/// A program on a screen whose frames are large.
fn large() -> Session {
    let mut session = Start::replay().size(300, 100).session();
    session.wait_for("ENDED");
    session
}

/// Presses keys until the terminal, which takes nothing any more, is as full as it gets, and goes on with that.
fn fill(session: &mut Session) {
    session.slow_down(0);
    let deadline = Instant::now() + PATIENCE;
    // What was written goes on into the reader's buffer for a moment, and makes room again.
    let mut full = 0;
    while full < 40 {
        assert!(Instant::now() < deadline, "the terminal is never full");
        session.press(REDRAW);
        wait_until_keys_are_read(session);
        std::thread::sleep(Duration::from_millis(10));
        full = if session.takes_more() { 0 } else { full + 1 };
    }
    for _ in 0..300 {
        session.press(b"1234567");
        session.press(REDRAW);
        wait_until_keys_are_read(session);
    }
    // What the terminal had taken before it stopped is not what it held.
    while session.take_next(Duration::ZERO) {}
}

fn wait_until_keys_are_read(session: &Session) {
    let deadline = Instant::now() + PATIENCE;
    while session.unread() > 0 {
        assert!(Instant::now() < deadline, "the keys are not read");
        std::thread::yield_now();
    }
}

#[test]
fn a_stopped_terminal_stops_nothing_else() {
    let mut session = large();
    let before = session.memory("VmRSS");
    fill(&mut session);
    let after = session.memory("VmRSS");
    assert!(after < before + 32 * 1024, "{before} KiB became {after} KiB");
    // What was pressed meanwhile is done when the terminal goes on, and no more is drawn than how things stand then.
    session.press(b"?");
    session.written.clear();
    session.speed_up();
    session.wait_for("go back one step");
    let drawn = session.written.len() as u64;
    assert!(drawn > HELD, "the terminal was not full: {drawn} bytes");
    assert!(drawn < MOST, "{drawn} bytes were drawn");
    session.press(b"q");
    assert!(session.end().success());
}

#[test]
fn a_stopped_terminal_keeps_nobody_from_leaving() {
    for leave in [None, Some(Signal::TERM)] {
        let mut session = large();
        fill(&mut session);
        match leave {
            None => session.press(b"q"),
            Some(signal) => session.signal(signal),
        }
        assert_eq!(session.ended().success(), leave.is_none());
        session.assert_settings();
    }
}

#[test]
fn the_last_key_counts_on_a_line_that_carries_2_kb_a_second() {
    let mut session = Start::replay().session();
    session.wait_for("ENDED");
    session.slow_down(2_000);
    // Each draws the screen anew, and only the last is worth drawing.
    session.press(b"234567123456");
    session.wait_for("UTC");
    session.press(b"q");
    assert!(session.end().success());
}
