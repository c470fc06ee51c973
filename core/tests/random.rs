//! What must hold whatever the sensor, or a forged recording, tells.
#![allow(clippy::unwrap_used)]

mod hostile;

use std::collections::HashSet;
use std::net::SocketAddr;

use hostile::check_graph;
use lanner_core::detect::rules::RuleSet;
use lanner_core::detect::{Incident, Status, chain};
use lanner_core::engine::Engine;
use lanner_core::event::*;

/// Histories that are told, and events of each.
const HISTORIES: u64 = 800;
const LENGTH: u64 = 400;

fn rules() -> RuleSet {
    RuleSet::load(lanner_rules::RULES)
}

fn engine(rules: RuleSet) -> Engine {
    let chains = lanner_rules::CHAINS.iter().flat_map(|(file, text)| chain::load(file, text).unwrap()).collect();
    Engine::new(rules, chains)
}

fn check_incident(incident: &Incident, events: &HashSet<u64>, seed: u64) {
    let context = || format!("seed {seed}: {incident:#?}");
    let mut rules = HashSet::new();
    assert!(!incident.stages.is_empty() && incident.revision > 0, "{}", context());
    for (i, stage) in incident.stages.iter().enumerate() {
        assert!(rules.insert(&stage.signal), "told twice: {}", context());
        assert!(!stage.evidence.is_empty() && stage.count > 0 && stage.time <= stage.last_time, "{}", context());
        let linked = stage.link.iter().flat_map(|l| &l.evidence);
        let strange: Vec<&u64> = stage.evidence.iter().chain(linked).filter(|seq| !events.contains(seq)).collect();
        assert!(strange.is_empty(), "no such events: {strange:?}: {}", context());
        assert!(stage.link.as_ref().is_none_or(|l| l.to_stage < i), "stage {i} leads on: {}", context());
    }
    assert!(incident.stages[0].link.is_none(), "{}", context());
    let members: HashSet<ProcessKey> = incident.processes.iter().map(|p| p.key).collect();
    assert_eq!(members.len(), incident.processes.len(), "{}", context());
}

fn check_incidents(engine: &Engine, events: &[Event], seed: u64) {
    let seqs: HashSet<u64> = events.iter().map(|e| e.header.seq).collect();
    let mut members = HashSet::new();
    for incident in engine.incidents() {
        check_incident(incident, &seqs, seed);
        if incident.status == Status::Merged {
            let into = incident.merged_into.as_ref().unwrap();
            assert!(engine.incidents().iter().any(|i| i.id == *into && i.id != incident.id), "seed {seed}: {into}");
            continue;
        }
        let lives = incident.processes.iter().any(|p| engine.graph().process(p.key).unwrap().is_alive());
        assert_eq!(incident.status == Status::Ongoing, lives, "seed {seed}: {incident:#?}");
        for process in &incident.processes {
            assert!(members.insert(process.key), "seed {seed}: {} is part of two incidents", process.key);
        }
    }
}

#[test]
fn nothing_that_is_told_breaks_the_graph_or_the_incidents() {
    let (mut incidents, mut merged, mut linked) = (0, 0, 0);
    let rules = rules();
    for seed in 0..HISTORIES {
        let events = hostile::history(seed, LENGTH);
        let mut engine = engine(rules.clone());
        for (i, event) in events.iter().enumerate() {
            let before: Vec<u32> = engine.incidents().iter().map(|i| i.revision).collect();
            let outcome = engine.apply(event);
            for (at, incident) in engine.incidents().iter().enumerate() {
                let known = before.get(at).copied().unwrap_or(0);
                assert_eq!(incident.revision > known, outcome.revised.contains(&at), "seed {seed}, event {i}");
            }
            if i % 50 == 0 {
                check_graph(engine.graph(), seed);
            }
        }
        engine.flush();
        check_graph(engine.graph(), seed);
        check_incidents(&engine, &events, seed);
        incidents += engine.incidents().len();
        merged += engine.incidents().iter().filter(|i| i.status == Status::Merged).count();
        linked += engine.incidents().iter().flat_map(|i| &i.stages).filter(|s| s.link.is_some()).count();
    }
    // The histories must be worth their time.
    assert!(incidents > 500 && merged > 20 && linked > 1_000, "{incidents} incidents, {merged} merged, {linked} links");
}

#[test]
fn replays_of_anything_are_equal() {
    let rules = rules();
    for seed in 0..200 {
        let events = hostile::history(seed, LENGTH);
        let [mut a, mut b] = [engine(rules.clone()), engine(rules.clone())];
        for event in &events {
            assert_eq!(a.apply(event), b.apply(event), "seed {seed}");
        }
        assert_eq!(a.flush(), b.flush(), "seed {seed}");
        assert_eq!(a.incidents(), b.incidents(), "seed {seed}");
    }
}

#[test]
fn what_nobody_in_particular_does_belongs_together_with_nothing() {
    let at = |i: u64, payload| {
        let (time, process) = (BootTime(i * 3_000_000_000), ProcessKey::UNKNOWN);
        Event {
            header: Header { seq: i + 1, time, cpu: 0, process, tid: 0, origin: Origin::Live, compat: false },
            payload,
        }
    };
    let mut engine = engine(rules());
    for i in 0..40 {
        let remote = SocketAddr::from(([192, 0, 2, 1], 80));
        let flow = Flow { id: FlowId(i), local: remote, remote, netns: 1 };
        let call = Payload::Connect(Connect { flow, attempt: Attempt::Started, asked: false });
        let event = at(i, call);
        engine.apply(&event);
        assert!(!engine.graph().beacon(&event), "call {i}: several callers are no beat");
        engine.apply(&at(i, Payload::Exit(Exit { code: 0, signal: 0 })));
    }
    assert_eq!(engine.graph().processes().count(), 0);
}
