//! How soon a long recording is seen.

use std::io;
use std::time::{Duration, Instant};

use crate::figures::{Spread, milliseconds};
use crate::replayed::Recording;
use crate::session::{Session, rows};

const EVENTS: usize = 1_000_000;
const TIMES: usize = 5;

/// From the start of the program to its first frame, and to the first that shows a process; and how long reading goes on.
pub(crate) fn run() -> io::Result<()> {
    let recording = Recording::of_events(EVENTS)?;
    let path = recording.path();
    let words = ["replay", path.to_str().unwrap_or_default(), "--speed", "max"];
    let (mut first, mut telling, mut key) = (Spread::new(), Spread::new(), Spread::new());
    let mut read = Duration::ZERO;
    for n in 0..TIMES {
        let mut session = Session::lanner(&words, false)?;
        let at = session.wait_for("Incidents")?;
        first.add(at - session.begun);
        let at = session.wait_until("processes", |screen| {
            let header = rows(screen).next().unwrap_or_default();
            header.contains("procs") && !header.contains(" 0 procs")
        })?;
        telling.add(at - session.begun);
        // While it is read, keys are heard.
        for (keys, word) in [("4", "STATE"), ("6", "following"), ("7", "Hooks"), ("4", "STATE")] {
            let pressed = session.press(keys.as_bytes())?;
            key.add(session.wait_for(word)? - pressed);
        }
        if n == 0 {
            session.wait_for("ENDED")?;
            read = Instant::now() - session.begun;
        }
        session.quit()?;
    }
    println!("| a recording of {EVENTS} events | goal | half within | slowest |");
    println!("|---|---|---|---|");
    for (what, goal, spread) in [
        ("the first frame", "500 ms", &mut first),
        ("a frame that tells of a process", "500 ms", &mut telling),
        ("from a key to its frame, while it is read", "", &mut key),
    ] {
        let (half, slowest) = (milliseconds(spread.within(50)), milliseconds(spread.within(100)));
        println!("| {what} ({} times) | {goal} | {half} | {slowest} |", spread.len());
    }
    println!("| all of it is read | | {} | |", milliseconds(read));
    Ok(())
}
