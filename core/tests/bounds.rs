//! What the graph keeps is bounded, and stays whole when it has to forget.
#![allow(clippy::unwrap_used)]

mod hostile;

use hostile::check_graph;
use lanner_core::detect::rules::RuleSet;
use lanner_core::engine::Engine;
use lanner_core::event::*;
use lanner_core::graph::{Graph, Node};

fn at(seq: u64, process: ProcessKey, payload: Payload) -> Event {
    let header = Header {
        seq,
        time: BootTime(seq * 1_000),
        cpu: 0,
        process,
        tid: process.pid,
        origin: Origin::Live,
        compat: false,
    };
    Event { header, payload }
}

fn fork(child: ProcessKey, parent: ProcessKey) -> Payload {
    let task = Task { parent: Some(parent), comm: Text::from("sh"), ..Task::default() };
    Payload::Fork(Box::new(Fork { child, how: CloneFlags::default(), task }))
}

fn write(ino: u64) -> Payload {
    let access = Access { read: false, write: true };
    let file = File::new("/x", 1, ino);
    Payload::Open(Box::new(Open {
        file,
        fd: 3,
        access,
        created: true,
        written_before: false,
        directory: false,
        through: Through::Call,
        passed: None,
    }))
}

/// One rule.
fn engine(condition: &str, priority: &str) -> Engine {
    let rule = format!(
        "- rule: R\n  desc: d\n  condition: {condition}\n  output: o\n  priority: {priority}\n  tags: [mitre_discovery, T1082]\n"
    );
    let rules = RuleSet::load(&[("r.yaml", &rule)]);
    assert_eq!(rules.errors, []);
    Engine::new(rules, Vec::new())
}

const EXIT: Payload = Payload::Exit(Exit { code: 0, signal: 0 });

#[test]
fn a_parent_of_very_many_short_lives_keeps_its_latest_children() {
    let mut graph = Graph::default();
    let parent = ProcessKey::new(1_000, 1);
    let mut seq = 0;
    let mut say = |graph: &mut Graph, process, payload| {
        seq += 1;
        graph.apply(&at(seq, process, payload));
    };
    say(&mut graph, parent, write(1));
    let children = (1..=200_000).map(|i| ProcessKey::new(u32::try_from(i % 30_000).unwrap() + 2_000, i));
    for child in children {
        say(&mut graph, parent, fork(child, parent));
        say(&mut graph, child, write(child.start.0 % 70_000));
        say(&mut graph, child, EXIT);
    }
    assert!(graph.evicted() > 60_000 && graph.processes().count() <= 131_072, "{}", graph.evicted());
    assert_eq!(graph.living(), 1, "the parent lives, and has not been forgotten");
    check_graph(&graph, 0);
    let gone = ProcessKey::new(2_001, 1);
    assert!(graph.process(gone).is_none() && graph.did(&Node::Process(gone)).is_empty());

    let last = ProcessKey::new(7, 1_000_000);
    say(&mut graph, parent, fork(last, parent));
    assert_eq!(graph.process(last).unwrap().parent, Some(parent));
    assert!(graph.process(parent).unwrap().children.len() <= 16_384);
}

#[test]
fn children_of_a_busy_parent_are_listed_again_once_old_ones_are_forgotten() {
    let (mut graph, parent) = (Graph::default(), ProcessKey::new(1_000, 1));
    // Children of two parents, so that the list of the first is not full when its children begin to be forgotten.
    let other = ProcessKey::new(1_001, 1);
    let mut seq = 2;
    graph.apply(&at(1, parent, write(1)));
    graph.apply(&at(2, other, write(1)));
    for i in 1..=150_000u64 {
        let child = ProcessKey::new(5_000, i);
        let of = if i % 10 == 0 { parent } else { other };
        for (process, payload) in [(of, fork(child, of)), (child, EXIT)] {
            seq += 1;
            graph.apply(&at(seq, process, payload));
        }
    }
    let listed = &graph.process(parent).unwrap().children;
    assert!(listed.iter().all(|child| graph.process(*child).is_some()), "a child that was forgotten is listed");
    assert_eq!(listed.iter().next_back(), Some(&ProcessKey::new(5_000, 150_000)));
}

#[test]
fn when_none_has_ended_those_known_longest_are_forgotten() {
    let mut graph = Graph::default();
    for i in 1..=140_000u32 {
        graph.apply(&at(u64::from(i), ProcessKey::new(i, 1), write(1)));
    }
    assert_eq!(graph.living(), graph.processes().count());
    assert_eq!(graph.living() as u64 + graph.evicted(), 140_000);
    assert!(graph.process(ProcessKey::new(1, 1)).is_none() && graph.by_pid(1).is_none());
    check_graph(&graph, 0);
}

#[test]
fn lineage_is_no_cycle_however_deep() {
    let mut graph = Graph::default();
    let key = |i: u64| ProcessKey::new(u32::try_from(i).unwrap(), i);
    for i in 1..=3_000 {
        graph.apply(&at(i, key(i), fork(key(i + 1), key(i))));
    }
    // The eldest, whose parent was not known, turns out to be a child of one of its descendants.
    for below in [70, 900, 3_001] {
        let task = Task { parent: Some(key(below)), ..Task::default() };
        let exec = Exec { task, image: Image::default() };
        graph.apply(&at(30_000 + below, key(1), Payload::Exec(Box::new(exec))));
        check_graph(&graph, below);
    }
}

#[test]
fn one_process_may_touch_very_many_files() {
    // Each write once looked through all earlier ones: this took minutes.
    let (mut graph, process) = (Graph::default(), ProcessKey::new(7, 7));
    for i in 1..=150_000 {
        graph.apply(&at(i, process, write(i % 60_000 + 1)));
    }
    let wrote = graph.written_by(process);
    assert_eq!(wrote.len(), 60_000);
    let (_, edge) = graph.did(&Node::Process(process))[0];
    assert_eq!((edge.count, edge.first_seq, edge.last_seq), (3, 1, 120_001));
}

#[test]
fn containers_that_have_ended_make_room() {
    let (mut graph, shim) = (Graph::default(), ProcessKey::new(1, 1));
    let start = |i: u64| {
        let process = ProcessKey::new(10, 10 + i);
        let container = Some(ContainerId(Text::from(format!("c{i}"))));
        let namespaces = Namespaces { mnt: 9, ..Namespaces::default() };
        let task = Task {
            parent: Some(shim),
            context: Context { container, namespaces, ..Context::default() }.into(),
            ..Task::default()
        };
        (process, Payload::Exec(Box::new(Exec { task, image: Image::default() })))
    };
    let mut seq = 0;
    for i in 0..20_000 {
        let (process, exec) = start(i);
        let end = if i == 0 { fork(shim, shim) } else { EXIT };
        for payload in [exec, end] {
            seq += 1;
            graph.apply(&at(seq, process, payload));
        }
    }
    assert!(graph.containers().count() <= 8_192);
    let known = |i: u64| graph.container(&ContainerId(Text::from(format!("c{i}")))).is_some();
    assert!(known(0) && !known(1) && known(19_999), "the one whose program lives stays");
}

#[test]
fn what_is_known_reaches_about_as_far_back_for_processes_as_for_files() {
    let mut graph = Graph::with_memory(2 << 20);
    let parent = ProcessKey::new(1_000, 1);
    let mut seq = 0;
    let mut say = |graph: &mut Graph, process, payload| {
        seq += 1;
        graph.apply(&at(seq, process, payload));
    };
    say(&mut graph, parent, write(1));
    let rounds = 20_000;
    let child = |round: u64| ProcessKey::new(u32::try_from(round).unwrap() + 2_000, round + 2);
    let files = |round: u64| (0..8).map(move |i| 10 + round * 8 + i);
    for round in 0..rounds {
        say(&mut graph, parent, fork(child(round), parent));
        files(round).for_each(|ino| say(&mut graph, child(round), write(ino)));
        say(&mut graph, child(round), EXIT);
    }
    let oldest_process = (0..rounds).find(|round| graph.process(child(*round)).is_some()).unwrap();
    let oldest_file =
        (0..rounds).find(|round| files(*round).any(|ino| graph.file(FileId { dev: 1, ino }).is_some())).unwrap();
    assert!(oldest_process > 0 && oldest_file > 0, "the bound was reached");
    // A file that was used again is passed over once, and reaches about twice as far.
    let [processes, files] = [oldest_process, oldest_file].map(|oldest| rounds - oldest);
    assert!(processes * 3 >= files && files * 3 >= processes, "{processes} and {files} rounds back");
}

#[test]
fn what_is_no_incident_yet_takes_a_quarter_at_most_and_its_going_is_counted() {
    let mut engine = engine("evt.type = fork", "INFO").with_memory(4 << 20);
    for round in 0..4_000 {
        let parent = ProcessKey::new(u32::try_from(round).unwrap() + 2_000, round + 2);
        let child = ProcessKey::new(parent.pid + 100_000, round + 3);
        engine.apply(&at(round * 2 + 1, parent, fork(child, parent)));
        engine.apply(&at(round * 2 + 2, child, EXIT));
    }
    assert!(engine.let_go().cases > 1_000, "{:?}", engine.let_go());
    assert!(engine.incidents().is_empty());
}

#[test]
fn what_an_incident_rests_on_is_held_for_a_minute_after_its_last_process_ended() {
    const MINUTE: u64 = 60_000_000_000;
    let mut engine = engine("evt.type = openat", "CRITICAL");
    let (attacker, next, other) = (ProcessKey::new(10, 1), ProcessKey::new(11, 2), ProcessKey::new(20, 1));
    let mut say = |process, time, payload| {
        let mut event = at(time, process, payload);
        event.header.time = BootTime(time);
        engine.apply(&event);
        engine.graph().is_held(attacker)
    };
    assert!(say(attacker, 100, write(1)), "an incident goes on");
    say(attacker, 101, fork(next, attacker));
    say(attacker, 102, EXIT);
    assert!(say(next, 103, EXIT), "it is over, and not for long");
    assert!(say(other, MINUTE, write(2)), "what others do changes nothing");
    assert!(!say(other, MINUTE + 103, EXIT), "it has been over for a minute");
}

#[test]
fn a_clock_that_stepped_ahead_for_one_event_holds_nothing_for_good() {
    const MINUTE: u64 = 60_000_000_000;
    let mut engine = engine("evt.type = openat", "CRITICAL");
    let (attacker, other) = (ProcessKey::new(10, 1), ProcessKey::new(20, 1));
    let mut say = |process, seq, time, payload| {
        let mut event = at(seq, process, payload);
        event.header.time = BootTime(time);
        engine.apply(&event);
        engine.graph().is_held(attacker)
    };
    assert!(say(attacker, 1, MINUTE, write(1)));
    say(attacker, 2, 1_000 * MINUTE, EXIT);
    assert!(!say(other, 3, MINUTE + 1, write(2)));
}
