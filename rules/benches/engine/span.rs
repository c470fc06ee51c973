//! Whether an event costs the same, in time and memory, however many came before.

use std::hint::black_box;
use std::time::Duration;

use crate::mix::{Mix, PEACE};
use crate::{engine, memory, ours, processor_time, thousands};

const BLOCK: usize = 10_000;
/// Longer stretches are measured at their ends.
const LAST: usize = 100_000;

/// Time per event, up to so many events.
pub(crate) fn run() {
    let most = 10_000_000;
    println!("{:<44} {:>14} {:>14} {:>14} {:>14}", "events so far", "events/s", "heap MB", "estimated MB", "evicted");
    let mut mix = Mix::new(PEACE);
    let before = memory::live();
    let mut engine = engine(&ours());
    let own = memory::live() - before;
    let (mut events, mut took, mut timed) = (0, Duration::ZERO, 0);
    let marks: [usize; 5] = [10_000, 100_000, 1_000_000, 3_000_000, most];
    let mut next = 0;
    let mut between = memory::live();
    while events < most {
        let block = mix.next(BLOCK);
        let begun = processor_time();
        for event in &block {
            black_box(engine.apply(event));
        }
        let elapsed = processor_time() - begun;
        let to_mark = marks[next].saturating_sub(events);
        events += block.len();
        if to_mark <= LAST {
            took += elapsed;
            timed += block.len();
        }
        drop(block);
        if events >= marks[next] {
            next += 1;
            between = memory::live();
            let rate = thousands(timed as f64 / took.as_secs_f64());
            let heap = (between - before - own) as f64 / 1e6;
            println!("{events:<44} {rate:>14} {heap:>14.1} {:>14} {:>14}", "", engine.graph().evicted());
            (took, timed) = (Duration::ZERO, 0);
        }
    }
    let _ = between;
    println!();
}

/// Memory per event, as long as nothing has to go.
pub(crate) fn memory() {
    println!("{:<44} {:>14} {:>14}", "events", "heap bytes", "an event");
    for events in [10_000, 50_000, 100_000, 200_000] {
        let mut mix = Mix::new(PEACE);
        let mut engine = engine(&ours());
        let (before, mut taken) = (memory::live(), 0);
        while taken < events {
            let block = mix.next(BLOCK);
            block.iter().for_each(|event| drop(engine.apply(event)));
            taken += block.len();
        }
        let heap = memory::live() - before;
        println!("{taken:<44} {heap:>14} {:>14.0}", heap as f64 / taken as f64);
    }
    println!();
}
