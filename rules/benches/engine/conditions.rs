//! Conditions, compiled, against a walk over the expression as it was parsed.

use std::hint::black_box;

use lanner_core::condition::{Condition, Names, View, parse};
use lanner_core::detect::rules::RuleSet;
use lanner_core::event::Event;
use lanner_core::graph::Graph;

use crate::mix::{Mix, PEACE};
use crate::rules::best;
use crate::{naive, processor_time, synthetic, thousands};

const EVENTS: usize = 2_000;

pub(crate) fn run() {
    let mut mix = Mix::new(PEACE);
    let mut graph = Graph::default();
    mix.next(20_000).iter().for_each(|event| graph.apply(event));
    let events: Vec<Event> = mix.next(EVENTS);
    events.iter().for_each(|event| graph.apply(event));
    println!("{:<44} {:>14} {:>14} {:>8}", "conditions a second, one by one", "compiled", "walked", "times");
    let synthetic = synthetic::rules(100);
    for (name, files) in [
        ("our own", lanner_rules::RULES.to_vec()),
        ("100 synthetic ones", vec![("synthetic.yaml", synthetic.as_str())]),
    ] {
        let set = RuleSet::load(&files);
        let explained = set.names().filter_map(|name| set.explain(name));
        // Some are shown shortened, and the naive walk knows no patterns.
        let plain = |text: &String| {
            ["...", " more)", "regex", "glob", "b64", "len(", "evt.arg", "["].iter().all(|p| !text.contains(p))
        };
        let texts = explained.map(|e| e.condition).filter(plain);
        let both =
            texts.filter_map(|text| Some((Condition::parse(&text, &Names::default()).ok()?, parse(&text).ok()?)));
        let (compiled, parsed): (Vec<_>, Vec<_>) = both.unzip();
        let asked = (compiled.len() * events.len()) as f64;
        let timed = |ask: &dyn Fn(&View<'_>) -> usize| {
            let begun = processor_time();
            for event in &events {
                black_box(ask(&View::new(event, &graph)));
            }
            asked / (processor_time() - begun).as_secs_f64()
        };
        let figures = best(2, |n| match n {
            0 => timed(&|view| compiled.iter().filter(|c| c.matches(view)).count()),
            _ => timed(&|view| parsed.iter().filter(|expr| naive::naive(expr, view)).count()),
        });
        let name = format!("{name}, {}", compiled.len());
        let times = figures[0] / figures[1];
        println!("{name:<44} {:>14} {:>14} {times:>8.1}", thousands(figures[0]), thousands(figures[1]));
    }
    println!();
}
