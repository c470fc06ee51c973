//! What `/` asks for: a condition or plain words (see [`lanner_core::condition::Filter`]), asked of events, processes and
//! incidents.

use lanner_core::condition::{self, ConditionError, View};
use lanner_core::detect::Incident;
use lanner_core::event::{Event, Exec, Header, Origin, Payload, ProcessKey};
use lanner_core::graph::Process;

use super::scene::Scene;

/// Which events, processes and incidents are shown.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    text: String,
    /// `None` lets everything through.
    filter: Option<condition::Filter>,
}

impl Filter {
    pub(crate) fn parse(text: &str) -> Result<Filter, ConditionError> {
        let filter = condition::Filter::parse(text)?;
        Ok(Filter { text: text.trim().to_owned(), filter: (!filter.is_everything()).then_some(filter) })
    }

    /// Lets everything through.
    pub(crate) fn everything() -> Filter {
        Filter { text: String::new(), filter: None }
    }

    /// As it was typed.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it lets everything through.
    pub(crate) fn is_empty(&self) -> bool {
        self.filter.is_none()
    }

    /// Whether it is plain words, and no condition.
    pub(crate) fn is_words(&self) -> bool {
        self.filter.as_ref().is_some_and(|filter| !filter.words().is_empty())
    }

    pub(crate) fn event(&self, event: &Event, scene: &Scene<'_>) -> bool {
        self.filter.as_ref().is_none_or(|f| f.matches(&View::new(event, scene.graph)))
    }

    /// Whether it lets a process through, going by what the process is. What it did are events.
    pub(crate) fn process(&self, process: &Process, scene: &Scene<'_>) -> bool {
        if self.is_empty() {
            return true;
        }
        let began = process.images.last().map(|running| running.since);
        let header = Header {
            seq: 0,
            time: process.ended.map(|ended| ended.time).or(began).unwrap_or(process.key.start),
            cpu: 0,
            process: process.key,
            tid: process.key.pid,
            origin: Origin::Backfill,
            compat: false,
        };
        let image = scene.image(process).cloned().unwrap_or_default();
        let payload = Payload::Alive(Box::new(Exec { task: process.task.clone(), image }));
        self.event(&Event { header, payload }, scene)
    }

    /// Whether it lets an incident through: one of its processes or of its events does, or its own words have the words.
    pub(crate) fn incident(&self, incident: &Incident, scene: &Scene<'_>) -> bool {
        let process = |key: ProcessKey| scene.graph.process(key).is_some_and(|p| self.process(p, scene));
        let event = |seq: u64| {
            let entry = scene.history.number_of_seq(seq).and_then(|n| scene.history.get(n));
            entry.is_some_and(|e| self.event(&e.event, scene))
        };
        self.is_empty()
            || self.told(incident)
            || incident.processes.iter().any(|p| process(p.key))
            || incident.stages.iter().flat_map(|s| &s.evidence).any(|seq| event(*seq))
    }

    /// Whether all words stand in what is told of an incident.
    fn told(&self, incident: &Incident) -> bool {
        let words = self.filter.as_ref().map(condition::Filter::words).unwrap_or_default();
        if words.is_empty() {
            return false;
        }
        let mut text = format!("{} {}", incident.name, incident.severity.word());
        for stage in &incident.stages {
            let parts = [stage.tactic.id(), &stage.technique, &stage.signal, &stage.sentence];
            text.extend(parts.into_iter().flat_map(|part| [" ", part]));
        }
        let text = text.to_ascii_lowercase();
        words.iter().all(|word| text.contains(word.as_str()))
    }
}

impl Filter {
    /// Whether all words of plain words stand in a line, as it is shown; a condition stands in none.
    pub(crate) fn line(&self, line: &str) -> bool {
        let words = self.filter.as_ref().map(condition::Filter::words).unwrap_or_default();
        let line = line.to_lowercase();
        !words.is_empty() && words.iter().all(|word| line.contains(word.as_str()))
    }
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
