//! From signals to incidents.

use super::case::{self, Cases};
use super::chain::{self, Chain};
use super::{Incident, Severity, Signal, Stage, Status, Tactic, link};
use crate::event::{Attempt, ContainerInfo, Event, Payload, UdpStage};
use crate::graph::Graph;

/// The score from which a case is an incident: one stage of high severity, or several lesser ones.
const INCIDENT_SCORE: u32 = 6;

/// Incidents that are told; their indices hold for good, so that none is ever forgotten.
const MAX_INCIDENTS: usize = 4_096;

/// Joins signals into incidents.
#[derive(Debug, Default)]
pub(crate) struct Detector {
    chains: Vec<Chain>,
    cases: Cases,
    incidents: Vec<Incident>,
    untold: u64,
}

impl Detector {
    pub(crate) fn new(chains: Vec<Chain>) -> Self {
        Detector { chains, ..Detector::default() }
    }

    pub(crate) fn incidents(&self) -> &[Incident] {
        &self.incidents
    }

    /// Signals that would have made or grown an incident, had there not been too many already.
    pub(crate) fn untold(&self) -> u64 {
        self.untold
    }

    /// Takes in an event that the graph has taken in already, with the signals it raised. Gives the incidents (indices)
    /// that have a new revision.
    pub(crate) fn apply(&mut self, graph: &Graph, event: &Event, signals: &[Signal]) -> Vec<usize> {
        let mut revised = match &event.payload {
            Payload::Container(info) => self.name_container(info),
            _ => self.follow(graph, event),
        };
        for signal in signals {
            if let Some(id) = self.signal(graph, event, signal) {
                revised.extend(self.tell(id));
            }
        }
        for (absorbed, id) in self.cases.take_merged() {
            let into = self.cases.get_mut(id).map(|case| case.name.clone());
            let incident = &mut self.incidents[absorbed];
            incident.status = Status::Merged;
            incident.merged_into = into;
            incident.revision += 1;
            revised.push(absorbed);
        }
        revised.sort_unstable();
        revised.dedup();
        revised
    }

    /// Tells what has changed of incidents without being worth a revision of its own: processes, files and peers, and
    /// what happened very often once more.
    pub(crate) fn finish(&mut self) -> Vec<usize> {
        let changed: Vec<u64> =
            self.cases.iter_mut().filter(|c| c.changed && c.incident.is_some()).map(|c| c.id).collect();
        changed.into_iter().filter_map(|id| self.tell(id)).collect()
    }

    /// A name that comes late is told as if it had been known.
    fn name_container(&mut self, info: &ContainerInfo) -> Vec<usize> {
        let mut renamed = Vec::new();
        for case in self.cases.iter_mut() {
            let before = std::mem::take(&mut case.changed);
            case.name_container(info);
            if case.changed {
                renamed.push(case.id);
            }
            case.changed |= before;
        }
        renamed.into_iter().filter_map(|id| self.tell(id)).collect()
    }

    /// What members of a case do belongs to the case.
    fn follow(&mut self, graph: &Graph, event: &Event) -> Vec<usize> {
        let key = event.header.process;
        let Some(case) = self.cases.of_mut(key) else { return Vec::new() };
        let id = case.id;
        case.last_time = case.last_time.max(event.header.time);
        match &event.payload {
            Payload::Fork(fork) => {
                case.changed = true;
                self.cases.include_one(graph, id, fork.child);
            }
            Payload::Exec(_) => {
                case.changed = true;
                case.members.insert(key, case::summary(graph, key));
            }
            Payload::Open(open) if open.access.write => {
                case.changed = true;
                case.note_file(&open.file.path);
            }
            Payload::Rename(rename) => {
                case.changed = true;
                case.note_file(&rename.file.path);
            }
            Payload::Link(link) => {
                case.changed = true;
                case.note_file(&link.file.path);
            }
            Payload::Connect(connect) if connect.attempt == Attempt::Started => {
                case.changed = true;
                case.note_peer(connect.flow.remote);
            }
            Payload::Udp(udp) if udp.outgoing && udp.stage == UdpStage::Started => {
                case.changed = true;
                case.note_peer(udp.flow.remote);
            }
            Payload::Exit(_) => {
                let ends = case.living.remove(&key);
                case.changed |= ends;
                if ends && case.living.is_empty() && case.incident.is_some() {
                    return self.tell(id).into_iter().collect();
                }
            }
            _ => {}
        }
        Vec::new()
    }

    /// Gives the case that the signal belongs to, if what it adds is to be told at once. A signal without a tactic has no
    /// place in a story.
    fn signal(&mut self, graph: &Graph, event: &Event, signal: &Signal) -> Option<u64> {
        let tactic = signal.tactic?;
        let found = link::find(graph, &self.cases, event);
        let ids: Vec<u64> = found.iter().map(|f| f.case).collect();
        let joins = ids.iter().any(|id| *id != ids[0]);
        let strongest = found.into_iter().next();
        let (id, link) = match strongest {
            None => (self.cases.open(signal), None),
            Some(first) => {
                // Where cases join, the stage that the link leads to gets another place: look it up again.
                let joined = self.cases.join(&ids)?;
                let again = link::find(graph, &self.cases, event).into_iter().find(|f| f.link.kind == first.link.kind);
                (joined, Some(again.map_or(first.link, |f| f.link)))
            }
        };
        let is_news = self.cases.get_mut(id)?.add(graph, signal, tactic, link);
        self.cases.include(graph, id, event.header.process);
        if let Payload::Open(open) = &event.payload {
            self.cases.get_mut(id)?.note_file(&open.file.path);
        }
        (is_news || joins).then_some(id)
    }

    /// Brings the incident of a case up to date, if the case weighs enough to be one.
    fn tell(&mut self, id: u64) -> Option<usize> {
        let case = self.cases.get_mut(id)?;
        if case.score() < INCIDENT_SCORE {
            return None;
        }
        if case.incident.is_none() && self.incidents.len() >= MAX_INCIDENTS {
            self.untold += 1;
            return None;
        }
        case.changed = false;
        let at = *case.incident.get_or_insert(self.incidents.len());
        let stages: Vec<Stage> = case
            .stages
            .iter()
            .map(|step| Stage {
                tactic: step.tactic,
                technique: step.technique.clone(),
                signal: step.rule.clone(),
                severity: step.severity,
                time: step.time,
                last_time: step.last_time,
                count: step.count,
                process: step.process.clone(),
                sentence: step.sentence.clone(),
                evidence: step.evidence.clone(),
                link: step.link.clone(),
            })
            .collect();
        let mut processes: Vec<_> = case.members.values().cloned().collect();
        processes.sort_by_key(|p| (p.key.start, p.key.pid));
        let chain = chain::best(&self.chains, &stages);
        let incident = Incident {
            id: case.name.clone(),
            revision: self.incidents.get(at).map_or(0, |i| i.revision) + 1,
            name: chain.as_ref().map_or_else(|| most_telling(&stages), |c| c.name.clone()),
            severity: severity(&stages),
            status: if case.living.is_empty() { Status::Over } else { Status::Ongoing },
            first_time: stages.first().map(|s| s.time).unwrap_or_default(),
            last_time: case.last_time,
            stages,
            processes,
            files: case.files.iter().cloned().collect(),
            peers: case.peers.iter().copied().collect(),
            chain,
            merged_into: None,
        };
        if at == self.incidents.len() {
            self.incidents.push(incident);
        } else {
            self.incidents[at] = incident;
        }
        Some(at)
    }
}

/// The gravest stage names an incident that follows no known chain; of several the earliest.
fn most_telling(stages: &[Stage]) -> String {
    let gravest = stages.iter().reduce(|best, next| if next.severity > best.severity { next } else { best });
    gravest.map(|s| s.signal.clone()).unwrap_or_default()
}

/// The gravest stage's severity; but stages of five tactics or more are an attack under way, whatever each is alone.
fn severity(stages: &[Stage]) -> Severity {
    let mut tactics: Vec<Tactic> = stages.iter().map(|s| s.tactic).collect();
    tactics.sort_unstable();
    tactics.dedup();
    let gravest = stages.iter().map(|s| s.severity).max().unwrap_or(Severity::Low);
    if tactics.len() >= 5 { Severity::Critical } else { gravest }
}
