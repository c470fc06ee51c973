//! What the user has drilled down to limits what every screen shows: an incident to what belongs to it, a process to itself
//! and its descendants, a container, file or flow to what has to do with it.

use std::collections::HashSet;

use lanner_core::detect::Incident;
use lanner_core::event::{ContainerId, Event, File, Payload, ProcessKey};

use super::known::files::{FileNumber, Touched};
use super::known::flows::{FlowKey, Flows, Line};
use super::scene::Scene;
use super::state::Subject;

/// A limit.
#[derive(Debug)]
pub(crate) enum Scope<'a> {
    /// None.
    All,
    /// What belongs to an incident: what its processes did, and its evidence.
    Incident { incident: &'a Incident, processes: HashSet<ProcessKey>, evidence: HashSet<u64> },
    /// A process and its descendants.
    Process(ProcessKey),
    /// What happens in a container.
    Container(&'a ContainerId),
    /// A file, and who had to do with it.
    File(FileNumber, HashSet<ProcessKey>),
    /// A flow, and whose it is.
    Flow(&'a FlowKey, HashSet<ProcessKey>),
}

impl<'a> Scope<'a> {
    /// The scope of the last step of a way that limits anything.
    pub(crate) fn of(way: impl DoubleEndedIterator<Item = &'a Subject>, scene: &Scene<'a>) -> Scope<'a> {
        way.rev().find_map(|subject| Scope::by(subject, scene)).unwrap_or(Scope::All)
    }

    fn by(subject: &'a Subject, scene: &Scene<'a>) -> Option<Scope<'a>> {
        match subject {
            Subject::Incident(id) | Subject::Stage { incident: id, .. } => {
                let incident = scene.incident_of_any_time(id)?;
                Some(Scope::Incident {
                    incident,
                    processes: incident.processes.iter().map(|p| p.key).collect(),
                    evidence: incident.stages.iter().flat_map(|s| s.evidence.iter().copied()).collect(),
                })
            }
            Subject::Process(key) => Some(Scope::Process(*key)),
            Subject::Container(id) => Some(Scope::Container(id)),
            Subject::File(number) => {
                let doers = scene.files.get(*number).map(|t| t.doers().collect()).unwrap_or_default();
                Some(Scope::File(*number, doers))
            }
            Subject::Flow(key) => {
                let line = scene.flows.get(key);
                let other = line.and_then(|line| scene.graph.other_end(&line.as_flow()));
                Some(Scope::Flow(key, line.map(|line| line.process).into_iter().chain(other).collect()))
            }
            Subject::Event(_) => None,
        }
    }

    /// Whether nothing is left out.
    pub(crate) fn is_everything(&self) -> bool {
        matches!(self, Scope::All)
    }

    /// Changes when what was asked must be asked again: an incident that has grown has other events.
    pub(crate) fn revision(&self) -> u32 {
        match self {
            Scope::Incident { incident, .. } => incident.revision,
            _ => 0,
        }
    }

    pub(crate) fn event(&self, event: &Event, scene: &Scene<'_>) -> bool {
        let process = event.header.process;
        match self {
            Scope::All => true,
            Scope::Incident { processes, evidence, .. } => {
                processes.contains(&process) || evidence.contains(&event.header.seq)
            }
            Scope::Process(key) => {
                scene.graph.descends(process, *key) || matches!(&event.payload, Payload::Fork(f) if f.child == *key)
            }
            Scope::Container(id) => scene.container_of_event(event) == Some(*id),
            Scope::File(number, _) => file_of(event).and_then(|file| scene.files.number_of(file)) == Some(*number),
            Scope::Flow(key, _) => Flows::of_event(event).as_ref() == Some(*key),
        }
    }

    pub(crate) fn process(&self, key: ProcessKey, scene: &Scene<'_>) -> bool {
        match self {
            Scope::All => true,
            Scope::Incident { processes, .. } | Scope::File(_, processes) | Scope::Flow(_, processes) => {
                processes.contains(&key)
            }
            Scope::Process(of) => scene.graph.descends(key, *of),
            Scope::Container(id) => scene.container_of(key) == Some(*id),
        }
    }

    pub(crate) fn flow(&self, line: &Line, scene: &Scene<'_>) -> bool {
        match self {
            Scope::Flow(key, _) => line.key == **key,
            _ => self.process(line.process, scene),
        }
    }

    pub(crate) fn file(&self, touched: &Touched, scene: &Scene<'_>) -> bool {
        match self {
            Scope::All => true,
            Scope::File(number, _) => touched.number == *number,
            _ => touched.doers().any(|doer| self.process(doer, scene)),
        }
    }

    pub(crate) fn incident(&self, incident: &Incident, scene: &Scene<'_>) -> bool {
        match self {
            Scope::All => true,
            Scope::Incident { incident: of, .. } => of.id == incident.id,
            _ => incident.processes.iter().any(|p| self.process(p.key, scene)),
        }
    }
}

/// The file that an event speaks of.
pub(crate) fn file_of(event: &Event) -> Option<&File> {
    match &event.payload {
        Payload::Open(open) => Some(&open.file),
        Payload::Exec(exec) | Payload::Alive(exec) => Some(&exec.image.exe),
        Payload::MemFd(memfd) => Some(&memfd.file),
        Payload::Rename(rename) => Some(&rename.file),
        Payload::Link(link) => Some(&link.file),
        Payload::Unlink(unlink) => Some(&unlink.file),
        Payload::Make(make) => Some(&make.file),
        Payload::Attribute(attribute) => Some(&attribute.file),
        _ => None,
    }
}
