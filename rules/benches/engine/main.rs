//! What the engine takes: time per event, memory per event, time to a revision. Figures are printed, not judged:
//! `cargo xtask bench engine`, or with parts by name, `cargo xtask bench engine rules memory`.
//!
//! Time is the processor's, and each figure is the best of a few tries, taken in turns, for the machine has other things to
//! do too. Events are made beforehand, a block at a time, and made and dropped outside of the measured time.
#![allow(clippy::unwrap_used, clippy::print_stdout)]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

mod conditions;
mod incidents;
mod memory;
mod mix;
#[path = "../../../core/tests/naive/mod.rs"]
mod naive;
mod rules;
mod span;
mod synthetic;

use std::collections::BTreeMap;
use std::time::Duration;

use lanner_core::detect::chain;
use lanner_core::detect::rules::RuleSet;
use lanner_core::engine::Engine;

/// The parts, in the order in which they run.
const PARTS: [(&str, fn()); 5] = [
    ("rules", rules::run),
    ("conditions", conditions::run),
    ("span", span::run),
    ("incidents", incidents::run),
    ("memory", span::memory),
];

fn main() {
    // What cargo passes to every bench is no part.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    if let Some(strange) = wanted.iter().find(|w| PARTS.iter().all(|(name, _)| name != w)) {
        println!("there is no part {strange:?}; there are {}", PARTS.map(|(name, _)| name).join(", "));
        std::process::exit(2);
    }
    describe();
    for (name, run) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            run();
        }
    }
}

/// Says what the mix is made of.
fn describe() {
    let events = mix::Mix::new(mix::PEACE).next(200_000);
    let mut families: BTreeMap<&str, usize> = BTreeMap::new();
    events.iter().for_each(|e| *families.entry(e.payload.family()).or_default() += 1);
    let mut families: Vec<_> = families.into_iter().collect();
    families.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let shares = families.iter().map(|(name, n)| format!("{name} {:.1} %", *n as f64 * 100.0 / events.len() as f64));
    println!(
        "The mix, one attack to {} rounds of everyday business: {}\n",
        mix::PEACE,
        shares.collect::<Vec<_>>().join(", ")
    );
}

/// What this thread has had of a processor.
fn processor_time() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(spent.tv_sec as u64, spent.tv_nsec as u32)
}

/// Events a second.
fn rate(events: usize, took: Duration) -> String {
    thousands(events as f64 / took.as_secs_f64())
}

fn ours() -> RuleSet {
    RuleSet::load(lanner_rules::RULES)
}

fn engine(rules: &RuleSet) -> Engine {
    let chains = lanner_rules::CHAINS.iter().flat_map(|(name, text)| chain::load(name, text).unwrap());
    Engine::new(rules.clone(), chains.collect())
}

fn thousands(n: f64) -> String {
    if n >= 1e6 { format!("{:.2} M", n / 1e6) } else { format!("{:.0} k", n / 1e3) }
}
