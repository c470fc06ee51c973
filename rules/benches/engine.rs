//! How many events a second the engine takes, with how many rules. Figures are printed, not judged: `cargo xtask bench engine`.
//!
//! The events are those of the built-in recording, over and over, each time with fresh processes, files and connections.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../../core/tests/naive/mod.rs"]
mod naive;

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use lanner_core::condition::{Condition, Names, Scratch, View, parse};
use lanner_core::detect::chain;
use lanner_core::detect::rules::RuleSet;
use lanner_core::engine::Engine;
use lanner_core::event::{BootTime, Event, FileId, Payload, ProcessKey};
use lanner_core::graph::Graph;
use lanner_recording::Reader;

/// How long each figure is measured, and how often; the best counts, for the machine has other things to do too.
const SPAN: Duration = Duration::from_millis(800);
const TRIES: usize = 3;

fn recorded() -> Vec<Event> {
    let scenario = lanner_scenarios::scenario("container-escape").unwrap();
    Reader::new(scenario.recording).unwrap().flat_map(|batch| batch.events).collect()
}

/// The mix as it happens the `round`-th time: later, and to others.
fn again(events: &[Event], round: u64, length: u64) -> Vec<Event> {
    let later = round * (length + 1_000_000_000);
    let key = |key: ProcessKey| match key.is_unknown() {
        true => key,
        false => ProcessKey { start: BootTime(key.start.0 + later), ..key },
    };
    let file = |id: FileId| FileId { ino: if id.ino == 0 { 0 } else { id.ino + (round << 32) }, ..id };
    let one = |event: &Event| {
        let mut event = event.clone();
        event.header.seq += round * events.len() as u64;
        event.header.time = BootTime(event.header.time.0 + later);
        event.header.process = key(event.header.process);
        match &mut event.payload {
            Payload::Exec(exec) | Payload::Alive(exec) => {
                exec.task.parent = exec.task.parent.map(key);
                exec.image.exe.id = file(exec.image.exe.id);
            }
            Payload::Fork(fork) => {
                fork.child = key(fork.child);
                fork.task.parent = fork.task.parent.map(key);
            }
            Payload::Open(open) => open.file.id = file(open.file.id),
            Payload::Connect(connect) => connect.flow.id.0 += later,
            Payload::Accept(accept) => accept.flow.id.0 += later,
            Payload::Close(close) => close.flow.id.0 += later,
            _ => {}
        }
        event
    };
    events.iter().map(one).collect()
}

/// Rules of the shapes that people write, none of which is met.
fn synthetic(count: usize) -> String {
    let mut file = String::from(
        "- macro: spawned\n  condition: evt.type in (execve, execveat) and evt.dir = <\n\
         - macro: written\n  condition: evt.type in (open, openat, openat2) and evt.is_open_write = true\n\
         - macro: inside\n  condition: container.id != host\n",
    );
    for n in 0..count {
        let condition = match n % 8 {
            0 => format!("spawned and proc.name in (tool{n}, other{n})"),
            1 => format!("written and fd.name startswith /opt/app{n}/"),
            2 => format!("evt.type = connect and fd.sport = {}", 10_000 + n),
            3 => format!("spawned and inside and proc.cmdline contains \"--flag-{n}\""),
            4 => format!("spawned and proc.pname = parent{n} and proc.args contains x{n}"),
            5 => format!("written and inside and fd.name endswith secret{n}.key"),
            6 => format!("spawned and proc.aname in (server{n}, daemon{n}) and not proc.name = sh"),
            _ => format!("written and fd.name glob /var/lib/x{n}/*.conf"),
        };
        writeln!(file, "- rule: s{n}\n  desc: d\n  condition: {condition}\n  output: o\n  priority: INFO").unwrap();
    }
    file
}

/// The best figure of a few tries: how often `run`, which does `size` things, does one of them in a second.
fn per_second(size: usize, mut run: impl FnMut()) -> f64 {
    let once = |run: &mut dyn FnMut()| {
        let (begun, mut times) = (Instant::now(), 0);
        while begun.elapsed() < SPAN {
            run();
            times += 1;
        }
        (times * size) as f64 / begun.elapsed().as_secs_f64()
    };
    (0..TRIES).map(|_| once(&mut run)).fold(0.0, f64::max)
}

fn thousands(n: f64) -> String {
    if n >= 1e6 { format!("{:.2} M", n / 1e6) } else { format!("{:.0} k", n / 1e3) }
}

fn engine(rules: &RuleSet) -> Engine {
    let chains = lanner_rules::CHAINS.iter().flat_map(|(name, text)| chain::load(name, text).unwrap());
    Engine::new(rules.clone(), chains.collect())
}

/// Events a second through a whole engine.
fn through_engine(rounds: &[Vec<Event>], rules: &RuleSet) -> f64 {
    let size = rounds.iter().map(Vec::len).sum();
    per_second(size, || {
        let mut engine = engine(rules);
        for event in rounds.iter().flatten() {
            black_box(engine.apply(event));
        }
    })
}

/// Events a second that rules alone are asked about; the graph stands still.
fn asked(events: &[Event], graph: &Graph, rules: &RuleSet) -> f64 {
    let mut scratch = Scratch::default();
    per_second(events.len(), || {
        for event in events {
            scratch.clear();
            black_box(rules.matching(&View::new(event, graph).with(&scratch)).len());
        }
    })
}

fn main() {
    let recorded = recorded();
    let length = recorded.last().unwrap().header.time.0 - recorded[0].header.time.0;
    let rounds: Vec<Vec<Event>> = (0..40).map(|round| again(&recorded, round, length)).collect();
    let mut graph = Graph::default();
    recorded.iter().for_each(|event| graph.apply(event));
    println!("{} events a round, {} rounds with fresh identities\n", recorded.len(), rounds.len());

    let ours = RuleSet::load(lanner_rules::RULES);
    let (hundred, thousand) = (synthetic(100), synthetic(1_000));
    let with = |more: &[(String, String)]| {
        let built_in: Vec<(String, String)> =
            lanner_rules::RULES.iter().map(|(n, t)| ((*n).to_owned(), (*t).to_owned())).collect();
        RuleSet::load_layers(&[&built_in, more])
    };
    let file = |text: &str| vec![("synthetic.yaml".to_owned(), text.to_owned())];
    let mut sets = vec![
        ("no rules".to_owned(), RuleSet::default()),
        (format!("our {} rules", ours.rules.len()), ours),
        ("ours and 100 synthetic ones".to_owned(), with(&file(&hundred))),
        ("ours and 1000 synthetic ones".to_owned(), with(&file(&thousand))),
    ];
    if let Some(paths) = std::env::var_os("LANNER_FALCO_RULES") {
        let read = |path: std::path::PathBuf| (path.display().to_string(), std::fs::read_to_string(&path).unwrap());
        sets.push((
            "ours and those of LANNER_FALCO_RULES".to_owned(),
            with(&std::env::split_paths(&paths).map(read).collect::<Vec<_>>()),
        ));
    }
    println!("{:<40} {:>16} {:>20}", "events a second", "whole engine", "rules alone");
    for (name, rules) in &sets {
        assert_eq!(rules.errors, []);
        let whole = through_engine(&rounds, rules);
        println!("{name:<40} {:>16} {:>20}", thousands(whole), thousands(asked(&recorded, &graph, rules)));
    }

    println!("\n{:<40} {:>16}", "conditions a second, one by one", "");
    let set = RuleSet::load(&[("synthetic.yaml", hundred.as_str())]);
    let texts: Vec<String> = set.names().map(|name| set.explain(name).unwrap().condition).collect();
    let compiled: Vec<Condition> = texts.iter().map(|t| Condition::parse(t, &Names::default()).unwrap()).collect();
    let parsed: Vec<_> = texts.iter().map(|t| parse(t).unwrap()).collect();
    let size = compiled.len() * recorded.len();
    let fast = per_second(size, || {
        for event in &recorded {
            let view = View::new(event, &graph);
            black_box(compiled.iter().filter(|condition| condition.matches(&view)).count());
        }
    });
    let slow = per_second(size, || {
        for event in &recorded {
            let view = View::new(event, &graph);
            black_box(parsed.iter().filter(|expr| naive::naive(expr, &view)).count());
        }
    });
    println!("{:<40} {:>16}", "compiled", thousands(fast));
    println!("{:<40} {:>16}  ({:.0} times slower)", "walking the expression", thousands(slow), fast / slow);
}
