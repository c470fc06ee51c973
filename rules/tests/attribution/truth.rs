//! What belongs to a performed attack: told by the story's file, resolved from what the kernel said and nothing that Lanner concludes.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use lanner_core::event::*;

/// One attack of a story, as its file tells it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    /// ATT&CK techniques that must be among the stages.
    pub(crate) stages: Vec<String>,
    /// Whoever is started with one of these in the command line (behind `=`: with this command line) belongs to it, with all that descends from him.
    pub(crate) marks: Vec<String>,
}

/// A story's file, as far as it tells what must be found; what is performed is `act.py`'s.
#[derive(Debug, Clone, Default)]
pub(crate) struct Story {
    /// What is special about it.
    pub(crate) title: String,
    /// The recorded scenario that it is about, when it is not the recording beside it.
    pub(crate) scenario: Option<String>,
    /// The story whose recording it is about, when it has none of its own.
    pub(crate) recording: Option<String>,
    /// Hours that its longest gaps are stretched to.
    pub(crate) hours: u64,
    /// Its attacks; none in an honest one.
    pub(crate) attacks: Vec<Told>,
}

impl Story {
    /// Reads the head of a file: `# TITLE`, then lines `KEY: WORDS` until a step begins.
    pub(crate) fn parse(text: &str) -> Story {
        let mut story = Story::default();
        let mut attacks = [Told::default(), Told::default()];
        for line in text.lines() {
            if let Some(title) = line.strip_prefix("# ").filter(|_| story.title.is_empty()) {
                title.clone_into(&mut story.title);
            }
            let Some((key, value)) = line.split_once(": ").filter(|_| !line.starts_with([' ', '#'])) else { continue };
            let words = value.split_whitespace().map(str::to_owned);
            match key {
                "scenario" => story.scenario = Some(value.to_owned()),
                "recording" => story.recording = Some(value.to_owned()),
                "hours" => story.hours = value.parse().expect("a number of hours"),
                "stages" => attacks[0].stages.extend(words),
                "stages2" => attacks[1].stages.extend(words),
                "begun" => attacks[0].marks.push(value.to_owned()),
                "begun2" => attacks[1].marks.push(value.to_owned()),
                _ => panic!("{key} is nothing that a story tells"),
            }
        }
        attacks[0].marks.push("/srv/act/".to_owned());
        attacks[1].marks.push("/srv/act2/".to_owned());
        story.attacks = attacks.into_iter().filter(|attack| !attack.stages.is_empty()).collect();
        story
    }
}

/// What belongs to one attack.
#[derive(Debug, Clone, Default)]
pub(crate) struct Truth {
    /// Its processes.
    pub(crate) processes: HashSet<ProcessKey>,
    /// Those that they descend from: they lie on the way, and were somebody else's.
    pub(crate) above: HashSet<ProcessKey>,
    /// Files that its processes wrote, moved or linked, with the names they had then: one file may bear several.
    pub(crate) files: HashMap<FileId, HashSet<Text>>,
    /// Files that they had anything to do with.
    pub(crate) touched: HashSet<Text>,
    /// What its processes were called last.
    pub(crate) names: HashMap<ProcessKey, Text>,
    /// Whom they called.
    pub(crate) peers: HashSet<SocketAddr>,
}

impl Truth {
    /// Resolves a mark list in the events of a recording.
    pub(crate) fn resolve(told: &Told, events: &[Event]) -> Truth {
        let mut truth = Truth::default();
        let mut parents: HashMap<ProcessKey, ProcessKey> = HashMap::new();
        for event in events {
            match &event.payload {
                Payload::Fork(fork) => drop(parents.insert(fork.child, event.header.process)),
                Payload::Alive(exec) => {
                    if let Some(parent) = exec.task.parent {
                        parents.entry(event.header.process).or_insert(parent);
                    }
                }
                _ => {}
            }
        }
        // What one did before it bore a mark was for somebody else: a runtime makes a container and becomes its first program.
        let mut begun: HashMap<ProcessKey, u64> = HashMap::new();
        // A mark may be in what the process became after it had made children: all of the first who bear it, then all below.
        for event in events {
            if let Payload::Exec(exec) | Payload::Alive(exec) = &event.payload {
                truth.names.insert(event.header.process, exec.image.args.joined());
                let args = exec.image.args.joined().to_string();
                let bears = |mark: &String| match mark.strip_prefix('=') {
                    Some(whole) => args == whole,
                    None => args.contains(mark.as_str()),
                };
                if told.marks.iter().any(bears) {
                    truth.processes.insert(event.header.process);
                    begun.entry(event.header.process).or_insert(event.header.seq);
                }
            }
        }
        let line = |key: ProcessKey| std::iter::successors(Some(key), |k| parents.get(k).copied()).take(64);
        let below: Vec<ProcessKey> =
            parents.keys().filter(|key| line(**key).any(|k| truth.processes.contains(&k))).copied().collect();
        truth.processes.extend(below);
        let above: Vec<ProcessKey> = truth.processes.iter().flat_map(|key| line(*key)).collect();
        truth.above.extend(above.into_iter().filter(|key| !truth.processes.contains(key)));
        let is_marked_above = |key: ProcessKey| line(key).skip(1).any(|k| truth.processes.contains(&k));
        begun.retain(|key, _| !is_marked_above(*key));
        let belongs = |event: &&Event| {
            let Header { process, seq, .. } = event.header;
            truth.processes.contains(&process) && begun.get(&process).is_none_or(|begun| seq >= *begun)
        };
        let doings: Vec<&Event> = events.iter().filter(belongs).collect();
        let mut files: HashMap<FileId, HashSet<Text>> = HashMap::new();
        let mut named = |file: &File| {
            files.entry(file.id).or_default().insert(file.path.clone());
        };
        for event in doings {
            match &event.payload {
                Payload::Open(open) => {
                    truth.touched.insert(open.file.path.clone());
                    if open.access.write {
                        named(&open.file);
                    }
                }
                Payload::Rename(rename) => named(&rename.file),
                Payload::Link(link) => named(&link.file),
                Payload::Connect(connect) if connect.attempt == Attempt::Started => {
                    truth.peers.insert(connect.flow.remote);
                }
                Payload::Udp(udp) if udp.outgoing && udp.stage == UdpStage::Started => {
                    truth.peers.insert(udp.flow.remote);
                }
                _ => {}
            }
        }
        truth.touched.extend(files.values().flatten().cloned());
        truth.files = files;
        truth
    }
}
