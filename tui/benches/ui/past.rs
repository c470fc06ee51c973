//! What it takes to go about in the past: jumps all over a million events.

use std::io;
use std::time::{Duration, Instant};

use lanner::ui::{FeedItem, Msg, Source, Speed, update};

use crate::figures::{Spread, milliseconds};
use crate::frames::loaded;
use crate::load::{BUSY, Much, USUAL};
use crate::session::memory;

const EVENTS: u64 = 1_000_000;
const JUMPS: u64 = 40;

pub(crate) fn run() -> io::Result<()> {
    let recorded = || Source::Recording("load".to_owned(), Speed::REAL);
    for (name, much, source) in [
        ("a thousand living processes, live", USUAL, Source::Live),
        ("ten thousand, the load of the screens, live", BUSY, Source::Live),
        ("a thousand, recorded", USUAL, recorded()),
        ("ten thousand, recorded", BUSY, recorded()),
    ] {
        println!("\n{name}:\n");
        of(much, source)?;
    }
    Ok(())
}

fn of(much: Much, source: Source) -> io::Result<()> {
    let (mut load, mut model) = loaded(much, source);
    let mut taking = Spread::new();
    while model.moments().end < EVENTS {
        // A thousand events.
        let batch = load.next(Duration::from_millis(200));
        let begun = Instant::now();
        update(&mut model, Msg::Feed(FeedItem::Batch(batch)));
        taking.add(begun.elapsed());
    }
    println!("| the past, goal 100 ms a jump | half within | 99 % | slowest |");
    println!("|---|---|---|---|");
    row("to take in a thousand events", &mut taking);
    let before = memory(std::process::id(), "VmRSS")?;
    let moments = model.moments();
    let mut jumps = Spread::new();
    for n in 0..JUMPS {
        // All over it: 7919 is a prime.
        let to = moments.start + (n * 7_919 % JUMPS) * (moments.end - moments.start) / JUMPS;
        let begun = Instant::now();
        model.go_to(to);
        update(&mut model, Msg::Work);
        jumps.add(begun.elapsed());
    }
    row(&format!("a jump in {} of {} events", moments.end - moments.start, moments.end), &mut jumps);
    println!("\n{before} MiB were resident before the jumps, and {} at most", memory(std::process::id(), "VmHWM")?);
    Ok(())
}

fn row(what: &str, spread: &mut Spread) {
    let [half, most, slowest] = [50, 99, 100].map(|percent| milliseconds(spread.within(percent)));
    println!("| {what} | {half} | {most} | {slowest} |");
}
