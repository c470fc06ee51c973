//! The events that filter and scope let through, asked once each: the timeline's rows, and who and what they speak of.

use std::collections::{HashSet, VecDeque};

use lanner_core::event::{Event, ProcessKey};

use super::filter::Filter;
use super::known::files::FileNumber;
use super::known::flows::{FlowKey, Flows};
use super::scene::Scene;
use super::scope::Scope;

/// Events that are asked at a time beside those that have come since: a long history is asked in parts, with frames between
/// them, and what is shown meanwhile must not wait for it.
const AT_A_TIME: u64 = 256;

/// Which events are listed: all that are kept, or those that filter and scope let through.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// `None` while everything is let through.
    found: Option<Found>,
    /// All events before this number have been asked.
    asked: u64,
    /// All events before this number had come then.
    come: u64,
}

#[derive(Debug, Default)]
struct Found {
    numbers: VecDeque<u64>,
    doers: HashSet<ProcessKey>,
    flows: HashSet<FlowKey>,
    files: HashSet<FileNumber>,
}

impl Listing {
    /// Asks the events that have come since, or a part of them. `scene` is how things stand now.
    pub(crate) fn extend(&mut self, scene: &Scene<'_>, filter: &Filter, scope: &Scope<'_>) {
        let Some(found) = &mut self.found else { return };
        let first = scene.history.start();
        while found.numbers.front().is_some_and(|number| *number < first) {
            found.numbers.pop_front();
        }
        let from = self.asked.max(first);
        let end = scene.history.end();
        let new = end - std::mem::replace(&mut self.come, end).min(end);
        let to = end.min(from + new + AT_A_TIME);
        for number in from..to {
            if let Some(entry) = scene.history.get(number)
                && scope.event(&entry.event, scene)
                && filter.event(&entry.event, scene)
            {
                found.numbers.push_back(number);
                found.note(&entry.event, scene);
            }
        }
        self.asked = to;
    }

    /// Begins to ask all events anew.
    pub(crate) fn rebuild(&mut self, scene: &Scene<'_>, filter: &Filter, scope: &Scope<'_>) {
        let everything = filter.is_empty() && scope.is_everything();
        self.found = (!everything).then(Found::default);
        (self.asked, self.come) = (0, scene.history.end());
        self.extend(scene, filter, scope);
    }

    /// How much has been asked, in percent; `None` when all has.
    pub(crate) fn progress(&self, scene: &Scene<'_>) -> Option<u64> {
        self.found.as_ref()?;
        let (start, end) = (scene.history.start(), scene.history.end());
        (self.asked < end).then(|| self.asked.saturating_sub(start) * 100 / (end - start).max(1))
    }

    /// How many are listed.
    pub(crate) fn len(&self, scene: &Scene<'_>) -> usize {
        match &self.found {
            Some(found) => found.numbers.partition_point(|n| *n < scene.until.end),
            None => usize::try_from(scene.until.end.saturating_sub(scene.history.start())).unwrap_or(usize::MAX),
        }
    }

    /// Whether a process did one of the events; `None` while everything is let through.
    pub(crate) fn did(&self, process: ProcessKey) -> Option<bool> {
        self.found.as_ref().map(|found| found.doers.contains(&process))
    }

    /// Whether an event speaks of a flow.
    pub(crate) fn has_flow(&self, flow: &FlowKey) -> Option<bool> {
        self.found.as_ref().map(|found| found.flows.contains(flow))
    }

    /// Whether an event speaks of a file.
    pub(crate) fn has_file(&self, file: FileNumber) -> Option<bool> {
        self.found.as_ref().map(|found| found.files.contains(&file))
    }

    /// The number of the event in a row.
    pub(crate) fn number(&self, scene: &Scene<'_>, row: usize) -> Option<u64> {
        match &self.found {
            Some(found) => found.numbers.get(row).copied(),
            None => Some(scene.history.start() + row as u64),
        }
    }

    /// The row of an event, or of the first after it.
    pub(crate) fn row(&self, scene: &Scene<'_>, number: u64) -> usize {
        self.rows_before(scene, number).min(self.len(scene).saturating_sub(1))
    }

    /// How many rows stand before that of an event.
    pub(crate) fn rows_before(&self, scene: &Scene<'_>, number: u64) -> usize {
        match &self.found {
            Some(found) => found.numbers.partition_point(|n| *n < number),
            None => usize::try_from(number.saturating_sub(scene.history.start())).unwrap_or(usize::MAX),
        }
    }
}

impl Found {
    fn note(&mut self, event: &Event, scene: &Scene<'_>) {
        self.doers.insert(event.header.process);
        self.flows.extend(Flows::of_event(event));
        self.files.extend(super::scope::file_of(event).and_then(|file| scene.files.number_of(file)));
    }
}
