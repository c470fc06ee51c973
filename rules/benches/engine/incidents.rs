//! Whether an event costs the same however many incidents are open, and how soon a revision is out.

use std::hint::black_box;
use std::time::{Duration, Instant};

use lanner_core::detect::Status;

use crate::mix::{Mix, PEACE};
use crate::{engine, ours, thousands};

const EVENTS: usize = 100_000;

pub(crate) fn run() {
    println!("{:<44} {:>14} {:>14} {:>14} {:>14}", "open incidents", "events/s", "revisions", "99 % within", "slowest");
    for open in [1, 10, 100, 1_000] {
        let rules = ours();
        let mut mix = Mix::new(PEACE);
        let mut engine = engine(&rules);
        let count = |engine: &lanner_core::engine::Engine| {
            engine.incidents().iter().filter(|i| i.status == Status::Ongoing).count()
        };
        while count(&engine) < open {
            for event in mix.attack(false) {
                engine.apply(&event);
            }
        }
        let standing = count(&engine);
        let events = mix.next(EVENTS);
        let mut took: Vec<Duration> = Vec::new();
        let mut all = Duration::ZERO;
        for event in &events {
            let begun = Instant::now();
            let outcome = black_box(engine.apply(event));
            let elapsed = begun.elapsed();
            all += elapsed;
            if !outcome.revised.is_empty() {
                took.push(elapsed);
            }
        }
        took.sort_unstable();
        let rate = thousands(events.len() as f64 / all.as_secs_f64());
        let most = took[took.len() * 99 / 100];
        println!("{standing:<44} {rate:>14} {:>14} {most:>14.1?} {:>14.1?}", took.len(), took[took.len() - 1]);
    }
    println!();
}
