//! Whether an event costs the same however many incidents are open, and how soon a revision is out.

use std::hint::black_box;
use std::time::Duration;

use lanner_core::detect::Status;
use lanner_core::engine::Engine;

use crate::mix::{Mix, PEACE};
use crate::{engine, ours, processor_time, rate};

const EVENTS: usize = 60_000;

pub(crate) fn run() {
    println!(
        "{:<32} {:>12} {:>12} {:>12} {:>12} {:>12}",
        "open incidents", "events/s", "revisions", "half within", "99 % within", "slowest"
    );
    for open in [1, 10, 100, 1_000] {
        let mut mix = Mix::new(PEACE);
        let mut engine = engine(&ours());
        let count = |engine: &Engine| engine.incidents().iter().filter(|i| i.status == Status::Ongoing).count();
        while count(&engine) < open {
            mix.attack(false).iter().for_each(|event| drop(engine.apply(event)));
        }
        let standing = count(&engine);
        let mut best = Duration::MAX;
        for _ in 0..3 {
            let events = mix.next(EVENTS);
            let begun = processor_time();
            for event in &events {
                black_box(engine.apply(event));
            }
            best = best.min((processor_time() - begun) * EVENTS as u32 / events.len() as u32);
        }
        let mut took: Vec<Duration> = Vec::new();
        for event in &mix.next(10 * EVENTS) {
            let begun = processor_time();
            let outcome = black_box(engine.apply(event));
            let elapsed = processor_time() - begun;
            if !outcome.revised.is_empty() {
                took.push(elapsed);
            }
        }
        took.sort_unstable();
        let within = |share: usize| format!("{:.0?}", took[(took.len() - 1) * share / 100]);
        println!(
            "{standing:<32} {:>12} {:>12} {:>12} {:>12} {:>12}",
            rate(EVENTS, best),
            took.len(),
            within(50),
            within(99),
            within(100)
        );
    }
    println!();
}
