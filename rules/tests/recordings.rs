//! The rules against what the sensor saw of everyday business. `recordings/record.sh` and `containers.sh` make the recordings; the
//! scripts in `recordings/everyday` say what was done, a kind of business each. docs/noise.md tells what came of it.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lanner_core::condition::View;
use lanner_core::detect::Severity;
use lanner_core::detect::rules::RuleSet;
use lanner_core::event::{BootTime, Event, Payload, ProcessKey};
use lanner_core::graph::Graph;
use lanner_recording::Reader;

const HEAD: &str = "\
# Noise

What the built-in rules say of business that is no attack, done for real under the sensor. Each kind is a script in
`rules/tests/recordings/everyday`, but for the containers that come and go, which `containers.sh` beside it has a kubelet and
containerd start, probe and end. A test holds that nothing of it is of severity high or above, that no kind raises more than one
signal, and that each recording has less than one signal a minute. `lanner watch RECORDING` shows the same.

Two minutes of each recording are cron's, which waits for its minute. So each kind was also done again and again for a minute, with
four seconds between (`record.sh LANNER everyday 60`), which is not kept: on the host, 23 thousand events in eleven minutes raised
no signal; in a container, 14 thousand in eight minutes raised the one below at each of sixteen backups, and nothing else. A backup
in a container is told by a signal of low severity each time, so one that runs more often than once a minute is above the goal.

This file is made by `LANNER_WRITE_DOCS=1 cargo test -p lanner-rules --test recordings`; a test holds one against the other.

| recording | kind | events | seconds | signals | what |
|---|---|---|---|---|---|
";

/// The recordings, and the kinds of business that must be in each.
const EVERYDAY: [(&str, &[&str]); 3] = [
    ("everyday", &["login", "configuration", "build", "ci", "packages", "rotation", "backup", "cron", "scripts"]),
    ("everyday-inside", &["build", "ci", "packages", "rotation", "backup", "cron", "scripts"]),
    ("everyday-containers", &["containers"]),
];

/// What one kind of business came to.
#[derive(Default)]
struct Kind {
    events: usize,
    from: BootTime,
    until: BootTime,
    signals: Vec<(Severity, String)>,
}

impl Kind {
    fn lasted(&self) -> Duration {
        self.until.since(self.from)
    }
}

fn events(name: &str) -> Vec<Event> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(name).with_extension("lanner");
    let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    Reader::new(&bytes[..]).unwrap().flat_map(|batch| batch.events).collect()
}

/// Which kind each process belongs to: that of the script that it was started with, or its parent was.
#[derive(Default)]
struct Kinds(HashMap<ProcessKey, String>);

impl Kinds {
    fn of(&mut self, event: &Event) -> Option<&str> {
        let process = event.header.process;
        match &event.payload {
            Payload::Fork(fork) => {
                if let Some(kind) = self.0.get(&process).cloned() {
                    self.0.insert(fork.child, kind);
                }
            }
            Payload::Exec(exec) => {
                let script = exec.image.args.list.get(1).map(|script| script.to_str_lossy().into_owned());
                let kind =
                    script.as_deref().and_then(|script| script.strip_prefix("/srv/everyday/")?.strip_suffix(".sh"));
                if let Some(kind) = kind {
                    self.0.insert(process, kind.to_owned());
                }
            }
            _ => {}
        }
        self.0.get(&process).map(String::as_str)
    }
}

/// What came of each kind in a recording; what belongs to none is of the kind `else`, which is `containers` in theirs.
fn played(name: &str, known: &[&str]) -> BTreeMap<String, Kind> {
    let rules = RuleSet::load(lanner_rules::RULES);
    let (mut graph, mut kinds) = (Graph::default(), Kinds::default());
    let mut came: BTreeMap<String, Kind> = BTreeMap::new();
    for event in &events(name) {
        graph.apply(event);
        let other = if let [only] = known { only } else { "else" };
        let kind = came.entry(kinds.of(event).unwrap_or(other).to_owned()).or_default();
        if kind.events == 0 {
            kind.from = event.header.time;
        }
        kind.events += 1;
        kind.until = event.header.time;
        let view = View::new(event, &graph);
        kind.signals.extend(rules.matching(&view).map(|rule| (rule.severity, rule.sentence(&view))));
    }
    came
}

#[test]
fn everyday_business_raises_little_and_nothing_that_is_severe() {
    let mut page = HEAD.to_owned();
    for (name, known) in EVERYDAY {
        let came = played(name, known);
        for kind in known {
            assert!(came.get(*kind).is_some_and(|kind| kind.events > 20), "{name}: nothing was done of {kind}");
        }
        let (mut signals, mut seconds) = (0, 0.0);
        for (word, kind) in &came {
            let severe: Vec<_> = kind.signals.iter().filter(|(severity, _)| *severity >= Severity::High).collect();
            assert!(severe.is_empty(), "{name}, {word}: {severe:?}");
            assert!(kind.signals.len() <= 1, "{name}, {word}: {:?}", kind.signals);
            signals += kind.signals.len();
            let lasted = kind.lasted().as_secs_f64();
            if word != "else" {
                seconds += lasted;
                let said: BTreeSet<String> =
                    kind.signals.iter().map(|(s, what)| format!("{}: {what}", s.word())).collect();
                let said: Vec<String> = said.into_iter().collect();
                let (events, number) = (kind.events, kind.signals.len());
                writeln!(page, "| {name} | {word} | {events} | {lasted:.1} | {number} | {} |", said.join("; "))
                    .unwrap();
            }
        }
        assert!((signals as f64) < seconds / 60.0, "{name}: {signals} signals in {seconds:.0} seconds");
    }
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/noise.md");
    if std::env::var_os("LANNER_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == page, "docs/noise.md is not what the recordings say: LANNER_WRITE_DOCS=1 writes it anew");
}
