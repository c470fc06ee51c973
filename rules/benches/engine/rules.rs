//! Events a second, with how many rules.

use std::hint::black_box;
use std::time::Duration;

use lanner_core::condition::{Scratch, View};
use lanner_core::detect::rules::RuleSet;
use lanner_core::event::Event;
use lanner_core::graph::Graph;

use crate::mix::{Mix, PEACE};
use crate::{engine, ours, processor_time, synthetic, thousands};

const EVENTS: usize = 100_000;
const TRIES: usize = 5;

pub(crate) fn run() {
    let built_in: Vec<(String, String)> =
        lanner_rules::RULES.iter().map(|(n, t)| ((*n).to_owned(), (*t).to_owned())).collect();
    let with = |more: &[(String, String)]| RuleSet::load_layers(&[&built_in, more]);
    let file = |count| vec![("synthetic.yaml".to_owned(), synthetic::rules(count))];
    let mut sets = vec![
        ("no rules".to_owned(), RuleSet::default()),
        (format!("our {} rules", ours().rules.len()), ours()),
        ("ours and 100 synthetic ones".to_owned(), with(&file(100))),
        ("ours and 1000 synthetic ones".to_owned(), with(&file(1_000))),
    ];
    if let Some(paths) = std::env::var_os("LANNER_FALCO_RULES") {
        let read = |path: std::path::PathBuf| (path.display().to_string(), std::fs::read_to_string(&path).unwrap());
        let set = with(&std::env::split_paths(&paths).map(read).collect::<Vec<_>>());
        sets.push((format!("ours and upstream's, {}", set.rules.len()), set));
    }
    for (mix, peace) in [("the mix", PEACE), ("nothing but attacks", 0)] {
        let events = Mix::new(peace).next(EVENTS);
        println!("{:<44} {:>14} {:>14}", format!("events a second, {mix}"), "whole engine", "rules alone");
        println!("{:<44} {:>14}", "graph alone", thousands(best(1, |_| graph_alone(&events))[0]));
        let whole = best(sets.len(), |n| whole(&events, &sets[n].1));
        let alone = best(sets.len(), |n| rules_alone(&events, &sets[n].1));
        for (n, (name, rules)) in sets.iter().enumerate() {
            assert_eq!(rules.errors, []);
            println!("{name:<44} {:>14} {:>14}", thousands(whole[n]), thousands(alone[n]));
        }
        println!();
    }
}

/// The best figure of each, taken in turns.
pub(crate) fn best(kinds: usize, mut run: impl FnMut(usize) -> f64) -> Vec<f64> {
    let mut best = vec![0.0_f64; kinds];
    for _ in 0..TRIES {
        for (kind, best) in best.iter_mut().enumerate() {
            *best = best.max(run(kind));
        }
    }
    best
}

fn per_second(events: usize, took: Duration) -> f64 {
    events as f64 / took.as_secs_f64()
}

fn graph_alone(events: &[Event]) -> f64 {
    let mut graph = Graph::default();
    let begun = processor_time();
    for event in events {
        graph.apply(event);
    }
    per_second(events.len(), processor_time() - begun)
}

fn whole(events: &[Event], rules: &RuleSet) -> f64 {
    let mut engine = engine(rules);
    let begun = processor_time();
    for event in events {
        black_box(engine.apply(event));
    }
    per_second(events.len(), processor_time() - begun)
}

/// With the graph as it is at each event; its own time is taken off.
fn rules_alone(events: &[Event], rules: &RuleSet) -> f64 {
    let mut scratch = Scratch::default();
    let mut graph = Graph::default();
    let mut took = Duration::ZERO;
    for block in events.chunks(1_000) {
        block.iter().for_each(|event| graph.apply(event));
        let begun = processor_time();
        for event in block {
            scratch.clear();
            black_box(rules.matching(&View::new(event, &graph).with(&scratch)).len());
        }
        took += processor_time() - begun;
    }
    per_second(events.len(), took)
}
