//! Whether an event costs the same, in time and memory, however many came before.

use std::hint::black_box;
use std::time::Duration;

use lanner_core::engine::MEMORY;
use lanner_core::event::{Batch, Event};
use lanner_recording::{Options, Reader, Writer};

use crate::mix::{Mix, PEACE};
use crate::{engine, memory, ours, processor_time, rate};

const BLOCK: usize = 10_000;
/// What is measured before each mark.
const LAST: usize = 200_000;

/// Time per event, up to ten million.
pub(crate) fn run() {
    let marks: [usize; 5] = [10_000, 100_000, 1_000_000, 3_000_000, 10_000_000];
    for limit in [MEMORY, 32 << 20] {
        let title = format!("events so far, {} MiB allowed", limit >> 20);
        println!(
            "{title:<32} {:>12} {:>12} {:>12} {:>12} {:>12}",
            "events/s", "heap MiB", "estimated", "processes", "let go"
        );
        let mut mix = Mix::new(PEACE);
        let mut engine = engine(&ours()).with_memory(limit);
        let before = memory::live();
        let (mut events, mut took, mut timed) = (0, Duration::ZERO, 0);
        for mark in marks {
            while events < mark {
                let block = mix.next(BLOCK);
                let begun = processor_time();
                for event in &block {
                    black_box(engine.apply(event));
                }
                if mark - events.min(mark) <= LAST {
                    took += processor_time() - begun;
                    timed += block.len();
                }
                events += block.len();
            }
            let heap = (memory::live() - before) as f64 / f64::from(1 << 20);
            let estimated = engine.bytes() as f64 / f64::from(1 << 20);
            let (kept, gone) = (engine.graph().processes().count(), engine.let_go());
            println!(
                "{events:<32} {:>12} {heap:>12.1} {estimated:>12.1} {kept:>12} {:>12}",
                rate(timed, took),
                gone.processes + gone.objects
            );
            (took, timed) = (Duration::ZERO, 0);
        }
        println!();
    }
}

/// Memory per event, as long as nothing has to go. Events come as a recording gives them: with texts of their own.
pub(crate) fn memory() {
    println!("{:<32} {:>12} {:>12} {:>12}", "events, all retained", "heap MiB", "estimated", "bytes/event");
    let rules = ours();
    for events in [10_000, 50_000, 200_000, 400_000] {
        let mut mix = Mix::new(PEACE);
        let mut engine = engine(&rules).with_memory(1 << 40);
        let (before, mut taken) = (memory::live(), 0);
        while taken < events {
            let block = written(mix.next(BLOCK));
            block.iter().for_each(|event| drop(engine.apply(event)));
            taken += block.len();
        }
        let heap = (memory::live() - before) as f64;
        let [mib, estimated] = [heap, engine.bytes() as f64].map(|bytes| bytes / f64::from(1 << 20));
        println!("{taken:<32} {mib:>12.1} {estimated:>12.1} {:>12.0}", heap / taken as f64);
    }
    println!();
}

/// The events, written down and read again.
fn written(events: Vec<Event>) -> Vec<Event> {
    let header = lanner_recording::Header::default();
    let mut writer = Writer::new(Vec::new(), &header, Options::LIVE).unwrap();
    let first_seq = events[0].header.seq;
    let now = events[events.len() - 1].header.time;
    writer.write(&Batch { first_seq, now, snapshot: false, events, losses: Vec::new() }).unwrap();
    let bytes = writer.finish().unwrap();
    Reader::new(&bytes[..]).unwrap().flat_map(|batch| batch.events).collect()
}
