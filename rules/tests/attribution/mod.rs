//! How much of an attack its incident holds, and how much that is none of it: for recordings of which it is known what belongs.

pub(crate) mod table;
pub(crate) mod truth;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use lanner_core::detect::rules::RuleSet;
use lanner_core::detect::{Incident, chain};
use lanner_core::engine::Engine;
use lanner_core::event::*;
use lanner_recording::{Reader, Stretch, Stretcher};

use truth::{Story, Truth};

/// Parts that were found, of those there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) found: usize,
    pub(crate) of: usize,
}

impl Share {
    #[allow(clippy::cast_precision_loss, reason = "counts of a few thousand")]
    pub(crate) fn value(self) -> f64 {
        if self.of == 0 { 1.0 } else { self.found as f64 / self.of as f64 }
    }

    pub(crate) fn add(&mut self, other: Share) {
        self.found += other.found;
        self.of += other.of;
    }
}

/// What a recording's incidents are worth.
#[derive(Debug, Clone, Default)]
pub(crate) struct Score {
    pub(crate) title: String,
    pub(crate) events: usize,
    /// Attacks there were, and incidents that hold something of them.
    pub(crate) attacks: usize,
    pub(crate) incidents: usize,
    /// Incidents that hold nothing of any attack.
    pub(crate) false_incidents: usize,
    /// Stages: the techniques that the story names, and those of all signals that the attack's processes raised.
    pub(crate) stages: Share,
    /// Processes, files and peers of the attack that are in its incident.
    pub(crate) recall: Share,
    /// Those of the incident that are the attack's, of all but what led to it.
    pub(crate) purity: Share,
    /// What is missing, and what is there and should not.
    pub(crate) wrong: Vec<String>,
}

/// The scores of all stories, by their names.
pub(crate) fn all() -> Vec<(String, Score)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| Some(entry.unwrap().file_name().to_str()?.strip_suffix(".txt")?.to_owned()))
        .collect();
    names.sort();
    let rules = RuleSet::load(lanner_rules::RULES);
    let attacks = names.into_iter().map(|name| {
        let story = Story::parse(&std::fs::read_to_string(folder.join(format!("{name}.txt"))).unwrap());
        let events = match &story.scenario {
            Some(scenario) => read(lanner_scenarios::scenario(scenario).unwrap().recording, story.hours),
            None => {
                let path = folder.join(format!("{}.lanner", story.recording.as_ref().unwrap_or(&name)));
                read(&std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())), story.hours)
            }
        };
        let scored = score(&story, &events, &rules);
        (name, scored)
    });
    let honest = ["everyday", "everyday-inside", "everyday-containers"].map(|name| {
        let path = folder.join(format!("../recordings/{name}.lanner"));
        let story = Story { title: "Everyday business, no attack".to_owned(), ..Story::default() };
        (name.to_owned(), score(&story, &read(&std::fs::read(path).unwrap(), 0), &rules))
    });
    attacks.chain(honest).collect()
}

/// A recording's events; with its three longest gaps stretched to so many hours.
fn read(bytes: &[u8], hours: u64) -> Vec<Event> {
    let batches: Vec<Batch> = Reader::new(bytes).unwrap().collect();
    let mut times: Vec<BootTime> = batches
        .iter()
        .flat_map(|b| &b.events)
        .filter(|e| e.header.origin == Origin::Live)
        .map(|e| e.header.time)
        .collect();
    times.sort_unstable();
    let mut gaps: Vec<(Duration, BootTime)> = times.windows(2).map(|w| (w[1].since(w[0]), w[0])).collect();
    gaps.sort_unstable();
    let by = Duration::from_secs(hours * 3600);
    let longest = if hours == 0 { 0 } else { 3 };
    let stretcher = Stretcher::new(gaps.iter().rev().take(longest).map(|(_, at)| Stretch { at: *at, by }).collect());
    batches.into_iter().flat_map(|batch| stretcher.batch(batch).events).collect()
}

fn score(story: &Story, events: &[Event], rules: &RuleSet) -> Score {
    let chains = lanner_rules::CHAINS.iter().flat_map(|(name, text)| chain::load(name, text).unwrap());
    let mut engine = Engine::new(rules.clone(), chains.collect());
    let truths: Vec<Truth> = story.attacks.iter().map(|told| Truth::resolve(told, events)).collect();
    let mut raised: Vec<BTreeSet<String>> =
        story.attacks.iter().map(|told| told.stages.iter().cloned().collect()).collect();
    for event in events {
        for signal in engine.apply(event).signals.iter().filter(|signal| signal.tactic.is_some()) {
            for (truth, raised) in truths.iter().zip(&mut raised) {
                if truth.processes.contains(&signal.process) {
                    raised.insert(signal.technique.to_string());
                }
            }
        }
    }
    engine.flush();
    let incidents: Vec<&Incident> =
        engine.incidents().iter().filter(|i| i.merged_into.is_none()).map(AsRef::as_ref).collect();
    let of = |truth: &Truth, incident: &Incident| {
        incident.processes.iter().filter(|p| truth.processes.contains(&p.key)).count()
    };
    let mut score =
        Score { title: story.title.clone(), events: events.len(), attacks: truths.len(), ..Score::default() };
    for incident in &incidents {
        let is_true = truths.iter().any(|truth| of(truth, incident) > 0);
        score.incidents += usize::from(is_true);
        score.false_incidents += usize::from(!is_true);
        if !is_true {
            score.wrong.push(format!("false incident {}: {}", incident.id, incident.name));
        }
    }
    for (truth, stages) in truths.iter().zip(&raised) {
        if truth.processes.is_empty() {
            score.wrong.push("nothing bears the marks".to_owned());
        }
        let main = incidents.iter().filter(|i| of(truth, i) > 0).max_by_key(|i| of(truth, i));
        hold(&mut score, truth, stages, main.copied());
    }
    score
}

/// Holds an attack's incident against the truth.
fn hold(score: &mut Score, truth: &Truth, stages: &BTreeSet<String>, incident: Option<&Incident>) {
    let told = |found: bool, what: String, wrong: &mut Vec<String>| {
        if !found {
            wrong.push(what);
        }
        usize::from(found)
    };
    for technique in stages {
        let found = incident.is_some_and(|i| i.stages.iter().any(|s| s.technique == *technique));
        let found = told(found, format!("no stage {technique}"), &mut score.wrong);
        score.stages.add(Share { found, of: 1 });
    }
    let mut recall = |found: bool, what: String| {
        let found = told(found, what, &mut score.wrong);
        score.recall.add(Share { found, of: 1 });
    };
    for key in &truth.processes {
        let name = truth.names.get(key).map(Text::to_string).unwrap_or_default();
        let found = incident.is_some_and(|i| i.processes.iter().any(|p| p.key == *key));
        recall(found, format!("not in: {name} ({})", key.pid));
    }
    for names in truth.files.values() {
        let found = incident.is_some_and(|i| names.iter().any(|name| i.files.contains(name)));
        recall(found, format!("not in: {}", names.iter().map(Text::to_string).collect::<Vec<_>>().join(", ")));
    }
    for peer in &truth.peers {
        recall(incident.is_some_and(|i| i.peers.contains(peer)), format!("not in: {peer}"));
    }
    let mut purity = |found: bool, what: String| {
        let found = told(found, what, &mut score.wrong);
        score.purity.add(Share { found, of: 1 });
    };
    let Some(incident) = incident else { return };
    for process in incident.processes.iter().filter(|p| !truth.above.contains(&p.key)) {
        purity(truth.processes.contains(&process.key), format!("none of it: {} ({})", process.args, process.key.pid));
    }
    for file in &incident.files {
        purity(truth.touched.contains(file), format!("none of it: {file}"));
    }
    for peer in &incident.peers {
        purity(truth.peers.contains(peer), format!("none of it: {peer}"));
    }
}
