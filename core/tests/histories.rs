//! True histories, told badly: late, twice, with holes, with pids used again and a clock that steps. What is told of who
//! made whom, what ran and who wrote must stay true; what is not known is unknown, and never another's.
#![allow(clippy::unwrap_used)]

mod hostile;

use std::collections::{HashMap, HashSet};

use hostile::{Random, check_graph};
use lanner_core::detect::rules::RuleSet;
use lanner_core::detect::{Status, chain};
use lanner_core::engine::Engine;
use lanner_core::event::*;
use lanner_core::graph::{Graph, Node, Process};

const HISTORIES: u64 = 300;
const LENGTH: usize = 300;
/// How many events may come between one and its place.
const DISPLACED: u64 = 12;

/// What happened, in order, and what is so in the end.
#[derive(Default)]
struct Truth {
    events: Vec<Event>,
    parents: HashMap<ProcessKey, Option<ProcessKey>>,
    ran: HashMap<ProcessKey, Vec<FileId>>,
    ended: HashSet<ProcessKey>,
    writers: HashMap<FileId, ProcessKey>,
}

impl Truth {
    fn say(&mut self, process: ProcessKey, payload: Payload) {
        let seq = self.events.len() as u64 + 1;
        let time = BootTime(1_000_000_000 + seq * 10_000);
        let tid = process.pid;
        let header = Header { seq, time, cpu: 0, process, tid, origin: Origin::Live, compat: false };
        self.events.push(Event { header, payload });
    }
}

/// Processes that fork, run, write, read and end, of few pids that are used again and again. The kernel names a parent that
/// lives; whose parent has ended is named init's child, in whatever it runs from then on.
fn truth(seed: u64) -> Truth {
    let mut random = Random::new(seed);
    let mut truth = Truth::default();
    let init = ProcessKey::new(1, 1);
    truth.parents.insert(init, None);
    let mut living = vec![init];
    while truth.events.len() < LENGTH {
        let process = *random.pick(&living);
        let parent = truth.parents[&process];
        let reaper = parent.map(|parent| if living.contains(&parent) { parent } else { init });
        let file = FileId { dev: 1, ino: 1 + random.below(12) };
        let named = File::new(format!("/bin/p{}", file.ino).as_str(), file.dev, file.ino);
        match random.below(10) {
            0..=2 => {
                let free = |pid: &u32| living.iter().all(|key| key.pid != *pid);
                let Some(pid) = (2..40).filter(free).nth(usize::try_from(random.below(3)).unwrap()) else { continue };
                let child = ProcessKey::new(pid, truth.events.len() as u64 + 2);
                let task = Task { parent: Some(process), comm: Text::from("p"), ..Task::default() };
                truth.say(process, Payload::Fork(Box::new(Fork { child, how: CloneFlags::default(), task })));
                truth.parents.insert(child, Some(process));
                living.push(child);
            }
            3..=5 => {
                let task = Task { parent: reaper, comm: Text::from("p"), ..Task::default() };
                let image = Image { exe: named, ..Image::default() };
                truth.say(process, Payload::Exec(Box::new(Exec { task, image })));
                truth.ran.entry(process).or_default().push(file);
            }
            6..=7 => {
                let write = random.one_in(2);
                let access = Access { read: !write, write };
                truth.say(process, Payload::Open(Box::new(open(named, access))));
                if write {
                    truth.writers.insert(file, process);
                }
            }
            _ if process != init => {
                truth.say(process, Payload::Exit(Exit { code: 0, signal: 0 }));
                truth.ended.insert(process);
                living.retain(|key| *key != process);
            }
            _ => {}
        }
    }
    truth
}

fn open(file: File, access: Access) -> Open {
    let (created, written_before, directory) = (false, false, false);
    Open { file, fd: 3, access, created, written_before, directory, through: Through::Call, passed: None }
}

fn told(events: &[Event]) -> Graph {
    let mut graph = Graph::default();
    events.iter().for_each(|event| graph.apply(event));
    graph
}

/// The same events, none further from its place than [`DISPLACED`].
fn displaced(events: &[Event], random: &mut Random) -> Vec<Event> {
    let mut late: Vec<(u64, &Event)> =
        events.iter().zip(0..).map(|(e, at)| (at + random.below(DISPLACED), e)).collect();
    late.sort_by_key(|(at, _)| *at);
    late.into_iter().map(|(_, event)| event.clone()).collect()
}

fn ran(process: &Process) -> Vec<FileId> {
    process.images.iter().map(|running| running.image.exe.id).collect()
}

/// That a graph knows the truth, all of it.
fn check_truth(graph: &Graph, truth: &Truth, seed: u64) {
    check_graph(graph, seed);
    let seen: HashSet<ProcessKey> = truth.events.iter().map(|e| e.header.process).collect();
    for (key, parent) in &truth.parents {
        let Some(process) = graph.process(*key) else {
            // Init has no fork of its own.
            assert!(!seen.contains(key) && parent.is_none(), "seed {seed}: {key} is missing");
            continue;
        };
        assert_eq!(process.parent, *parent, "seed {seed}: parent of {key}");
        let runs = truth.ran.get(key).cloned().unwrap_or_default();
        assert_eq!(ran(process), runs, "seed {seed}: what {key} ran");
        assert_eq!(process.is_alive(), !truth.ended.contains(key), "seed {seed}: {key} lives");
        let listed = |p: &Process| p.children.iter().any(|child| child == key);
        let lists = parent.and_then(|parent| graph.process(parent)).is_none_or(listed);
        assert!(lists, "seed {seed}: {key} is not listed under its parent");
    }
    assert_eq!(graph.processes().filter(|p| !truth.parents.contains_key(&p.key)).count(), 0, "seed {seed}");
    for (file, writer) in &truth.writers {
        assert_eq!(graph.last_write(*file).map(|(key, _)| key), Some(*writer), "seed {seed}: writer of {file:?}");
    }
    for key in truth.parents.keys().filter(|key| graph.process(**key).is_some()) {
        let latest = truth.parents.keys().filter(|k| k.pid == key.pid).max_by_key(|k| k.start).unwrap();
        assert_eq!(graph.by_pid(key.pid).map(|p| p.key), Some(*latest), "seed {seed}: who has pid {}", key.pid);
    }
}

/// Everything that a graph says of who did what, in one order.
fn edges(graph: &Graph) -> Vec<String> {
    let mut all: Vec<String> = graph
        .processes()
        .flat_map(|p| {
            let node = Node::Process(p.key);
            let did = graph.did(&node).into_iter().map(|(to, edge)| format!("{} {to:?} {edge:?}", p.key));
            did.collect::<Vec<_>>()
        })
        .collect();
    all.sort();
    all
}

#[test]
fn what_is_told_late_is_known_all_the_same() {
    for seed in 0..HISTORIES {
        let truth = truth(seed);
        let in_order = told(&truth.events);
        check_truth(&in_order, &truth, seed);
        let late = told(&displaced(&truth.events, &mut Random::new(seed + 1)));
        check_truth(&late, &truth, seed);
        assert_eq!(edges(&late), edges(&in_order), "seed {seed}");
    }
}

#[test]
fn what_is_told_twice_happened_once() {
    for seed in 0..HISTORIES {
        let truth = truth(seed);
        let twice: Vec<Event> = truth.events.iter().flat_map(|event| [event.clone(), event.clone()]).collect();
        let graph = told(&twice);
        check_truth(&graph, &truth, seed);
        assert_eq!(edges(&graph), edges(&told(&truth.events)), "seed {seed}");
        // A whole batch, after the next one: only how often is not known any more.
        let again = truth.events.chunks(20).collect::<Vec<_>>();
        let again: Vec<Event> = again.windows(2).flat_map(|two| [two[0], two[1], two[0]].concat()).collect();
        check_truth(&told(&again), &truth, seed);
    }
}

#[test]
fn of_what_is_lost_nothing_is_made_up() {
    let mut unknown = 0;
    for seed in 0..HISTORIES {
        let truth = truth(seed);
        let mut random = Random::new(seed + 7);
        let lost = random.below(LENGTH as u64 - 60);
        let holes = |e: &&Event| !(lost..lost + 40).contains(&e.header.seq) && e.header.seq % 9 != seed % 9;
        let rest: Vec<Event> = truth.events.iter().filter(holes).cloned().collect();
        let graph = told(&displaced(&rest, &mut random));
        check_graph(&graph, seed);
        let init = Some(ProcessKey::new(1, 1));
        for process in graph.processes() {
            let parent = truth.parents[&process.key];
            // Whose making is lost is whose child the kernel says: its maker's, or init's.
            assert!(process.parent.is_none() || process.parent == parent || process.parent == init, "seed {seed}");
            unknown += usize::from(process.parent.is_none());
            let runs = &truth.ran.get(&process.key).cloned().unwrap_or_default();
            assert!(ran(process).iter().all(|file| runs.contains(file)), "seed {seed}");
        }
        for file in truth.writers.keys() {
            let Some((writer, seq)) = graph.last_write(*file) else { continue };
            let event = &truth.events[usize::try_from(seq).unwrap() - 1];
            let told = matches!(&event.payload, Payload::Open(open) if open.file.id == *file && open.access.write);
            assert!(told && event.header.process == writer, "seed {seed}: {writer} wrote {file:?} with {seq}");
        }
    }
    assert!(unknown > 100, "{unknown} processes of whose parents nothing is known");
}

fn engine_without_rules() -> Engine {
    Engine::new(RuleSet::default(), Vec::new())
}

fn engine() -> Engine {
    let chains = lanner_rules::CHAINS.iter().flat_map(|(file, text)| chain::load(file, text).unwrap()).collect();
    Engine::new(RuleSet::load(lanner_rules::RULES), chains)
}

#[test]
fn events_that_are_told_twice_make_the_same_incidents() {
    let fresh = engine();
    let mut incidents = 0;
    for seed in 0..40 {
        let events = hostile::history(seed, 300);
        let [mut once, mut twice] = [fresh.clone(), fresh.clone()];
        events.iter().for_each(|event| drop(once.apply(event)));
        for batch in events.chunks(20) {
            for event in batch.iter().chain(batch.iter().filter(|event| event.header.origin == Origin::Live)) {
                twice.apply(event);
            }
        }
        once.flush();
        twice.flush();
        assert_eq!(format!("{:?}", once.incidents()), format!("{:?}", twice.incidents()), "seed {seed}");
        assert_eq!(edges(once.graph()), edges(twice.graph()), "seed {seed}");
        incidents += once.incidents().len();
    }
    assert!(incidents > 40, "{incidents} incidents");
}

/// Init has the same key after each boot. Whoever reads a node's name tells boots apart and begins anew (`tui` does); where
/// nobody does, no process may get one of the boot before as its parent.
#[test]
fn a_node_that_reboots_mixes_no_processes_of_two_boots() {
    let init = ProcessKey::new(1, 1);
    for seed in 0..HISTORIES {
        let before = truth(seed);
        let mut after = truth(seed + 1_000);
        // The same pids and numbers of events, at other times: everything begins half a tick later than before.
        let moved = |key: ProcessKey| if key == init { key } else { ProcessKey::new(key.pid, key.start.0 + 1_000_000) };
        for event in &mut after.events {
            event.header.process = moved(event.header.process);
            event.header.time = BootTime(event.header.time.0 - 500_000_000);
            match &mut event.payload {
                Payload::Fork(fork) => {
                    fork.child = moved(fork.child);
                    fork.task.parent = fork.task.parent.map(moved);
                }
                Payload::Exec(exec) => exec.task.parent = exec.task.parent.map(moved),
                _ => {}
            }
        }
        let mut engine = engine_without_rules();
        before.events.iter().chain(&after.events).for_each(|event| drop(engine.apply(event)));
        check_graph(engine.graph(), seed);
        for (boot, truth) in [&before, &after].into_iter().enumerate() {
            for (key, parent) in &truth.parents {
                let (key, parent) = if boot == 0 { (*key, *parent) } else { (moved(*key), parent.map(moved)) };
                let Some(process) = engine.graph().process(key).filter(|_| key != init) else { continue };
                assert_eq!(process.parent, parent, "seed {seed}, boot {boot}: parent of {key}");
            }
        }
        let known = engine.graph().processes().count();
        let told: HashSet<ProcessKey> =
            before.parents.keys().copied().chain(after.parents.keys().map(|k| moved(*k))).collect();
        assert!(known + 1 >= told.len(), "seed {seed}: {known} of {} processes are known", told.len());
    }
}

#[test]
fn parents_in_a_circle_are_cut_where_it_would_close() {
    let key = |pid: u32| ProcessKey::new(pid, u64::from(pid));
    let says = |pid: u32, parent: u32| {
        let task = Task { parent: Some(key(parent)), comm: Text::from("p"), ..Task::default() };
        let image = Image { exe: File::new("/bin/sh", 1, 1), ..Image::default() };
        (pid, Payload::Exec(Box::new(Exec { task, image })))
    };
    let makes = |pid: u32, child: u32| {
        let task = Task { parent: Some(key(pid)), comm: Text::from("p"), ..Task::default() };
        (pid, Payload::Fork(Box::new(Fork { child: key(child), how: CloneFlags::default(), task })))
    };
    let circles = [
        vec![says(5, 5)],
        vec![says(5, 6), says(6, 5)],
        vec![says(5, 6), says(6, 7), says(7, 5)],
        vec![makes(5, 6), makes(6, 5)],
        vec![makes(5, 6), makes(6, 7), makes(7, 5), says(5, 7)],
        vec![makes(5, 5), says(5, 5)],
    ];
    for (n, circle) in circles.iter().enumerate() {
        let mut engine = engine();
        let mut all = HashSet::new();
        for (seq, (pid, payload)) in (1..).zip(circle.iter().chain(circle)) {
            let (process, time) = (key(*pid), BootTime(1_000 + seq));
            let header = Header { seq, time, cpu: 0, process, tid: *pid, origin: Origin::Live, compat: false };
            engine.apply(&Event { header, payload: payload.clone() });
            all.insert(process);
        }
        let graph = engine.graph();
        check_graph(graph, n as u64);
        for key in &all {
            let above: Vec<ProcessKey> = graph.ancestors(*key).map(|p| p.key).collect();
            assert!(!above.contains(key) && above.len() < all.len(), "circle {n}: above {key} are {above:?}");
            // Wherever its doings began, it is one of them.
            assert!(all.contains(&graph.origin_of(*key)), "circle {n}");
        }
        let tops = all.iter().filter(|key| graph.process(**key).is_some_and(|p| p.parent.is_none())).count();
        assert_eq!(tops, 1, "circle {n}: one parent is not believed, and the others are");
    }
}

/// A clock that steps back or far ahead moves times, not who did what, and nothing waits for it for good.
#[test]
fn a_clock_that_steps_changes_nobodys_parent() {
    for seed in 0..HISTORIES {
        let mut random = Random::new(seed);
        let mut truth = truth(seed);
        let steps = [1, 3, 1_000, 1_000_000].map(|s| s * 1_000_000_000_u64);
        let mut ahead = 0_u64;
        for event in &mut truth.events {
            if random.one_in(20) {
                ahead = if random.one_in(2) { 0 } else { *random.pick(&steps) };
            }
            event.header.time = BootTime(event.header.time.0 + ahead);
        }
        check_truth(&told(&truth.events), &truth, seed);
    }
}

#[test]
fn with_next_to_no_memory_nothing_breaks() {
    let (mut let_go, mut stages) = (0, 0);
    let fresh = engine();
    for (seed, memory) in (0..60).zip([0, 1 << 13, 1 << 16].into_iter().cycle()) {
        let events = hostile::history(seed, 500);
        let [mut a, mut b] = [(); 2].map(|()| fresh.clone().with_memory(memory));
        let mut applied = HashSet::new();
        for event in &events {
            applied.insert(event.header.seq);
            assert_eq!(a.apply(event), b.apply(event), "seed {seed}");
        }
        assert_eq!(a.flush(), b.flush(), "seed {seed}");
        check_graph(a.graph(), seed);
        assert_eq!(format!("{:?}", a.incidents()), format!("{:?}", b.incidents()), "seed {seed}");
        assert_eq!(a.let_go(), b.let_go(), "seed {seed}");
        for incident in a.incidents().iter().filter(|i| i.status != Status::Merged) {
            let known: HashSet<ProcessKey> = incident.processes.iter().map(|p| p.key).collect();
            for stage in &incident.stages {
                assert!(stage.evidence.iter().all(|seq| applied.contains(seq)), "seed {seed}: {stage:#?}");
                // Its process may be forgotten, but what the incident says of it is not.
                let summarised = known.contains(&stage.process.key) || stage.process.key.is_unknown();
                assert!(summarised || a.let_go().unlisted + a.let_go().processes > 0, "seed {seed}: {stage:#?}");
                stages += 1;
            }
        }
        let_go += a.let_go().processes;
    }
    assert!(let_go > 500 && stages > 300, "{let_go} processes let go, {stages} stages");
}

#[test]
fn what_an_open_incident_rests_on_goes_last() {
    let mut graph = Graph::with_memory(200_000);
    let [first, second] = [ProcessKey::new(10, 1), ProcessKey::new(11, 2)];
    let mut seq = 0;
    let mut say = |graph: &mut Graph, process, payload| {
        seq += 1;
        let time = BootTime(seq * 1_000);
        graph.apply(&Event {
            header: Header { seq, time, cpu: 0, process, tid: 1, origin: Origin::Live, compat: false },
            payload,
        });
    };
    let fork = |child, parent| {
        let task = Task { parent: Some(parent), ..Task::default() };
        Payload::Fork(Box::new(Fork { child, how: CloneFlags::default(), task }))
    };
    let write = |ino| {
        let access = Access { read: false, write: true };
        Payload::Open(Box::new(open(File::new("/held", 1, ino), access)))
    };
    say(&mut graph, first, fork(second, first));
    say(&mut graph, second, write(1));
    for key in [first, second] {
        graph.hold(key);
        say(&mut graph, key, Payload::Exit(Exit { code: 0, signal: 0 }));
    }
    for i in 0..20_000_u64 {
        let other = ProcessKey::new(100 + u32::try_from(i % 500).unwrap(), 10 + i);
        say(&mut graph, first, fork(other, first));
        say(&mut graph, other, write(10 + i));
        say(&mut graph, other, Payload::Exit(Exit { code: 0, signal: 0 }));
    }
    assert!(graph.evicted() > 15_000 && graph.bytes() <= 200_000, "{} of {} bytes", graph.evicted(), graph.bytes());
    assert_eq!(graph.process(second).map(|p| p.parent), Some(Some(first)));
    assert_eq!(graph.last_write(FileId { dev: 1, ino: 1 }).map(|(key, _)| key), Some(second));
    assert!(graph.file(FileId { dev: 1, ino: 1 }).is_some());
}
