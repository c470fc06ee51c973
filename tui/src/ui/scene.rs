//! What is shown: the world at one moment, now or in the past. All screens draw from a scene and from nothing else.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use lanner_core::detect::{Incident, Signal, Stage, Status};
use lanner_core::event::{BootTime, ContainerId, Event, Image, NodeInfo, Payload, ProcessKey};
use lanner_core::graph::{Graph, Process, Running};

use super::known::changes::Changes;
use super::known::files::Files;
use super::known::flows::Flows;
use super::known::health::Health;
use super::known::history::{History, Kept};
use super::known::marks::Marks;
use super::known::picture::Picture;
use super::world::Reception;

/// A point in the stream of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// On the node's clock.
    pub(crate) time: BootTime,
    /// In the history: the number after the last event that had happened.
    pub(crate) end: u64,
}

/// The world at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) graph: &'a Graph,
    /// All incidents, later ones too; [`Scene::incidents`] gives those of the moment.
    pub(crate) incidents: &'a [Arc<Incident>],
    pub(crate) history: &'a History,
    /// What the events and the snapshots to come back to take, in bytes, about.
    pub(crate) of_the_past: usize,
    /// And how much it may take.
    pub(crate) room_for_the_past: usize,
    pub(crate) marks: &'a Marks,
    pub(crate) flows: &'a Flows,
    pub(crate) files: &'a Files,
    /// Processes that were gone after a gap, and since when that is known.
    pub(crate) gone: &'a HashMap<ProcessKey, BootTime>,
    pub(crate) signals: &'a VecDeque<Signal>,
    pub(crate) health: &'a Health,
    pub(crate) node: &'a NodeInfo,
    pub(crate) reception: &'a Reception,
    /// Since when nothing has happened, if that is worth saying.
    pub(crate) quiet_since: Option<BootTime>,
    /// How far the world has come.
    pub(crate) latest: Moment,
    /// The moment that is shown.
    pub(crate) at: Moment,
    /// Events until then are listed: until now, or until the view was held.
    pub(crate) until: Moment,
    /// What has changed lately in how things stand now.
    pub(crate) changes: &'a Changes,
    /// How things stand now, whatever moment is shown.
    pub(crate) latest_picture: &'a Picture,
}

impl<'a> Scene<'a> {
    /// As it is known now, hindsight included, but no later than what is listed: for what tells of all times at once.
    pub(crate) fn in_hindsight(self) -> Scene<'a> {
        let picture = self.latest_picture;
        Scene {
            graph: picture.engine.graph(),
            incidents: picture.engine.incidents(),
            marks: &picture.tables.marks,
            flows: &picture.tables.flows,
            files: &picture.tables.files,
            at: self.until,
            ..self
        }
    }

    /// An incident as it is known now, though it may not have begun at the moment that is shown.
    pub(crate) fn incident_of_any_time(self, id: &str) -> Option<&'a Incident> {
        let mut known = self.latest_picture.engine.incidents().iter().map(Arc::as_ref);
        known.find(|i| i.id == id).or_else(|| self.incident(id))
    }

    /// Which moment of the past is shown: the number of the event that comes next there. `None`: how things stand now.
    pub(crate) fn past(self) -> Option<u64> {
        (self.at.end != self.latest.end).then_some(self.at.end)
    }

    /// The time that is shown.
    pub(crate) fn now(self) -> BootTime {
        self.at.time
    }

    /// The incidents that had begun, gravest first and then latest first; without those that were found to be part of
    /// another.
    pub(crate) fn incidents(self) -> Vec<&'a Incident> {
        let stands = |i: &&Incident| i.first_time <= self.now() && i.status != Status::Merged;
        let mut begun: Vec<_> = self.incidents.iter().map(Arc::as_ref).filter(stands).collect();
        begun.sort_by_key(|i| std::cmp::Reverse((i.severity, i.first_time)));
        begun
    }

    pub(crate) fn incident(self, id: &str) -> Option<&'a Incident> {
        self.incidents.iter().map(Arc::as_ref).find(|i| i.id == id)
    }

    /// The stages of an incident that had begun.
    pub(crate) fn stages(self, incident: &'a Incident) -> &'a [Stage] {
        let end = incident.stages.partition_point(|s| s.time <= self.now());
        &incident.stages[..end]
    }

    /// Whether an incident went on.
    pub(crate) fn status(self, incident: &Incident) -> Status {
        if incident.last_time > self.now() {
            return Status::Ongoing;
        }
        let lives = |key| self.graph.process(key).is_some_and(|p| self.is_alive(p));
        match incident.status {
            // The engine was not told of those that were gone after a gap.
            Status::Ongoing if !self.gone.is_empty() && !incident.processes.iter().any(|p| lives(p.key)) => {
                Status::Over
            }
            status => status,
        }
    }

    /// The processes that had started.
    pub(crate) fn processes(self) -> impl Iterator<Item = &'a Process> {
        self.graph.processes().filter(move |p| p.key.start <= self.now() && !p.key.is_unknown())
    }

    /// How many processes lived.
    pub(crate) fn living(self) -> usize {
        let is_counted = |key: &ProcessKey| self.graph.process(*key).is_some_and(Process::is_alive);
        let gone = self.gone.keys().filter(|key| is_counted(key) && self.is_gone(**key)).count();
        self.graph.living().saturating_sub(gone + usize::from(is_counted(&ProcessKey::UNKNOWN)))
    }

    /// Whether a process lived.
    pub(crate) fn is_alive(self, process: &Process) -> bool {
        process.ended.is_none_or(|e| e.time > self.now()) && !self.is_gone(process.key)
    }

    /// Whether a process ended while nothing could be seen.
    pub(crate) fn is_gone(self, key: ProcessKey) -> bool {
        self.gone.get(&key).is_some_and(|since| *since <= self.now())
    }

    /// What a process had run, oldest first.
    pub(crate) fn images(self, process: &'a Process) -> &'a [Running] {
        let end = process.images.partition_point(|r| r.since <= self.now());
        &process.images[..end]
    }

    /// What a process ran.
    pub(crate) fn image(self, process: &'a Process) -> Option<&'a Image> {
        match self.images(process).last() {
            Some(running) => Some(&running.image),
            None => process.image(),
        }
    }

    /// The event with this number, if it is kept and listed: it may have happened after the moment that is shown.
    pub(crate) fn event(self, number: u64) -> Option<Kept<'a>> {
        if number < self.until.end { self.history.get(number) } else { None }
    }

    /// What a person calls a process: the name of its executable; unescaped.
    pub(crate) fn name(self, key: ProcessKey) -> Option<&'a [u8]> {
        let process = self.graph.process(key)?;
        match self.image(process) {
            Some(image) if !image.exe.path.file_name().is_empty() => Some(image.exe.path.file_name()),
            _ => Some(process.task.comm.as_bytes()),
        }
    }

    /// The container in which a process runs.
    pub(crate) fn container_of(self, key: ProcessKey) -> Option<&'a ContainerId> {
        self.graph.process(key)?.task.context.container.as_ref()
    }

    /// The container that an event speaks of, or that of its process.
    pub(crate) fn container_of_event(self, event: &'a Event) -> Option<&'a ContainerId> {
        match &event.payload {
            Payload::Container(info) => Some(&info.id),
            _ => self.container_of(event.header.process),
        }
    }
}
