//! What the program takes while the load is played as fast as it happened: of a processor, of memory, of time from a key to
//! its frame; and how much it writes when nothing happens any more.

use std::io;
use std::thread;
use std::time::Duration;

use crate::figures::{Spread, milliseconds};
use crate::replayed::Recording;
use crate::session::{Session, rows};

/// So long it is watched at each screen.
const WATCHED: Duration = Duration::from_secs(10);

/// Processor and memory, at ten frames a second.
pub(crate) fn share() -> io::Result<()> {
    const SCREENS: [(&str, &str); 7] = [
        ("incidents", "1"),
        ("tree", "2"),
        ("graph", "3"),
        ("flows", "4"),
        ("files", "5"),
        ("timeline", "6"),
        ("sensor", "7"),
    ];
    let recording = Recording::of_load(Duration::from_secs(100))?;
    println!(
        "| at 10 frames/s, goal 5 % of a processor and 200 MiB | processor | frames/s | bytes a frame | resident |"
    );
    println!("|---|---|---|---|---|");
    let mut session = recording.play(true)?;
    for (name, keys) in SCREENS {
        session.press(keys.as_bytes())?;
        session.count(Duration::from_secs(1), Duration::ZERO);
        let before = session.spent()?;
        let written = session.count(WATCHED, Duration::ZERO);
        let spent = session.spent()? - before;
        println!(
            "| {name} | {:.1} % | {:.1} | {} | {} MiB |",
            spent.as_secs_f64() * 100.0 / WATCHED.as_secs_f64(),
            written.frames as f64 / WATCHED.as_secs_f64(),
            written.bytes / written.frames.max(1),
            session.memory("VmRSS")?,
        );
    }
    println!("\nat most {} MiB were resident", session.memory("VmHWM")?);
    session.quit()
}

/// From a key to the frame that shows what it did.
pub(crate) fn key() -> io::Result<()> {
    const KEYS: usize = 200;
    let recording = Recording::of_load(Duration::from_secs(100))?;
    let mut session = recording.play(false)?;
    // Each of these screens is known by a word of its own in the line below the titles, or in the next.
    let screens = [("4", "flows"), ("2", "PROCESS"), ("6", "following"), ("5", "files")];
    let mut took = Spread::new();
    for n in 0..KEYS {
        // At any moment between two frames, which are 33 ms apart.
        thread::sleep(Duration::from_millis(80 + (n as u64 * 13) % 40));
        session.catch_up();
        let (key, word) = screens[n % screens.len()];
        let pressed = session.press(key.as_bytes())?;
        let shown = session.wait_until(word, |screen| rows(screen).skip(2).take(2).any(|row| row.contains(word)))?;
        took.add(shown - pressed);
    }
    println!("| from a key to its frame, goal 30 ms | half within | 99 % | slowest of {} |", took.len());
    println!("|---|---|---|---|");
    println!(
        "| another screen | {} | {} | {} |",
        milliseconds(took.within(50)),
        milliseconds(took.within(99)),
        milliseconds(took.within(100))
    );
    session.quit()
}

/// Bytes when nothing happens.
pub(crate) fn idle() -> io::Result<()> {
    println!("| when nothing happens, for {} s | bytes, goal 0 | processor |", WATCHED.as_secs());
    println!("|---|---|---|");
    let mut ended = Session::lanner(&["replay", "container-escape", "--speed", "max"], false)?;
    ended.wait_for("ENDED")?;
    row("a replay that has ended", &mut ended)?;
    ended.quit()?;
    let recording = Recording::of_load(Duration::from_secs(30))?;
    let mut paused = recording.play(false)?;
    paused.press(b" ")?;
    paused.wait_for("PAUSED")?;
    row("a replay that is paused", &mut paused)?;
    paused.quit()?;
    let collector = crate::quiet::Collector::start()?;
    let mut quiet = Session::lanner(&["connect", collector.address()], false)?;
    quiet.wait_for("quiet since")?;
    row("a collector that sees nothing", &mut quiet)?;
    quiet.quit()
}

fn row(what: &str, session: &mut Session) -> io::Result<()> {
    // What was on its way when the screen was as expected.
    session.count(Duration::from_secs(1), Duration::ZERO);
    let before = session.spent()?;
    let written = session.count(WATCHED, Duration::ZERO);
    let spent = session.spent()? - before;
    println!("| {what} | {} | {:.2} % |", written.bytes, spent.as_secs_f64() * 100.0 / WATCHED.as_secs_f64());
    Ok(())
}
