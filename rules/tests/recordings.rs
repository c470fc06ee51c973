//! The rules against what the sensor saw of everyday business. `recordings/record.sh` makes the recordings; the scripts beside it
//! say what was done.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use lanner_core::condition::View;
use lanner_core::detect::Severity;
use lanner_core::detect::rules::RuleSet;
use lanner_core::graph::Graph;
use lanner_recording::Reader;

/// What a recording's events met.
struct Told {
    /// The rules, with the most severe of their sentences.
    met: BTreeMap<String, (Severity, Vec<String>)>,
    lasted: Duration,
}

fn play(name: &str) -> Told {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(name);
    let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let rules = RuleSet::load(lanner_rules::RULES);
    let mut graph = Graph::default();
    let mut met: BTreeMap<String, (Severity, Vec<String>)> = BTreeMap::new();
    let events: Vec<_> = Reader::new(&bytes[..]).unwrap().flat_map(|batch| batch.events).collect();
    for event in &events {
        graph.apply(event);
        let view = View::new(event, &graph);
        for rule in rules.matching(&view) {
            met.entry(rule.name.to_string()).or_insert((rule.severity, Vec::new())).1.push(rule.sentence(&view));
        }
    }
    let lasted = events.last().unwrap().header.time.since(events.first().unwrap().header.time);
    Told { met, lasted }
}

#[test]
fn everyday_business_raises_little_and_nothing_that_is_severe() {
    for name in ["everyday.lanner", "everyday-inside.lanner", "everyday-containers.lanner"] {
        let told = play(name);
        let severe: Vec<_> = told.met.iter().filter(|(_, (severity, _))| *severity >= Severity::High).collect();
        assert!(severe.is_empty(), "{name}: {severe:?}");
        assert!(told.lasted >= Duration::from_secs(60), "{name} lasted {:?}", told.lasted);
        let signals: usize = told.met.values().map(|(_, sentences)| sentences.len()).sum();
        let minutes = told.lasted.as_secs_f64() / 60.0;
        assert!((signals as f64) < minutes, "{name}: {signals} signals in {minutes:.1} minutes: {:?}", told.met);
    }
}
