//! Why each part of an incident is in it.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::{IncidentExplanation, Reason, ReasonKind};
use crate::detect::detector::INCIDENT_SCORE;
use crate::detect::{Incident, ProcessSummary};
use crate::event::{ProcessKey, Text};
use crate::graph::Graph;

/// How many links lead back at most from a stage.
const MAX_LINKS: usize = 64;
/// How far lineage is followed.
const MAX_ANCESTORS: usize = 64;

/// Why an incident is what it is.
pub(crate) fn incident(graph: &Graph, incident: &Incident) -> IncidentExplanation {
    let view = View::new(graph, incident);
    IncidentExplanation {
        id: incident.id.clone(),
        weights: incident.stages.iter().map(|s| (s.severity, s.severity.weight())).collect(),
        score: incident.score,
        needed: INCIDENT_SCORE,
        because: incident.because.clone(),
        stages: (0..incident.stages.len()).map(|at| view.stage(at)).collect(),
        processes: incident.processes.iter().map(|p| (p.key, view.process(p.key))).collect(),
        files: incident.files.iter().map(|f| (f.clone(), view.file(f))).collect(),
        peers: incident.peers.iter().map(|p| (*p, view.peer(*p))).collect(),
    }
}

/// An incident, looked at from its processes.
pub(super) struct View<'a> {
    graph: &'a Graph,
    incident: &'a Incident,
    members: HashMap<ProcessKey, &'a ProcessSummary>,
    /// Who wrote each file and called each peer, the first of the incident's to be found.
    writers: HashMap<Text, ProcessKey>,
    callers: HashMap<SocketAddr, ProcessKey>,
}

impl<'a> View<'a> {
    pub(super) fn new(graph: &'a Graph, incident: &'a Incident) -> View<'a> {
        let members = incident.processes.iter().map(|p| (p.key, p)).collect();
        let (mut writers, mut callers) = (HashMap::new(), HashMap::new());
        for process in &incident.processes {
            for file in graph.written_by(process.key) {
                if let Some(file) = graph.file(file) {
                    writers.entry(file.path.clone()).or_insert(process.key);
                }
            }
            for peer in graph.peers_of(process.key) {
                callers.entry(peer).or_insert(process.key);
            }
        }
        View { graph, incident, members, writers, callers }
    }

    fn called(&self, key: ProcessKey) -> String {
        match self.members.get(&key) {
            Some(member) if !member.exe.is_empty() => format!("{} ({})", Text::from(member.exe.file_name()), key.pid),
            _ => crate::detect::words::process(self.graph, key),
        }
    }

    /// The first stage that a process has a part in.
    fn stage_by(&self, key: ProcessKey) -> Option<usize> {
        self.incident.stages.iter().position(|s| s.process.key == key || s.times.iter().any(|t| t.process == key))
    }

    /// The links from a stage back to the first.
    fn stage(&self, at: usize) -> Vec<Reason> {
        let stages = &self.incident.stages;
        let mut reasons = Vec::new();
        let mut at = at;
        while let Some(link) = stages[at].link.as_ref().filter(|l| l.to_stage < at && reasons.len() < MAX_LINKS) {
            let words = format!("stage {} belongs to stage {}: {}", at + 1, link.to_stage + 1, link.why);
            reasons.push(Reason::new(ReasonKind::Link, words).shown_by(&link.evidence));
            at = link.to_stage;
        }
        if reasons.is_empty() {
            let first = &stages[at];
            let words = if at == 0 {
                format!("it all began with {}: {}", self.called(first.process.key), first.sentence)
            } else {
                format!("a later stage showed it to belong here; it began with {}", self.called(first.process.key))
            };
            reasons.push(Reason::new(ReasonKind::Stage, words).shown_by(&first.evidence));
        }
        reasons
    }

    /// The ancestors of a process that are in the incident, nearest first.
    fn above(&self, key: ProcessKey) -> Vec<ProcessKey> {
        let mut above = Vec::new();
        let mut at = key;
        while let Some(parent) = self.members.get(&at).and_then(|m| m.parent) {
            if above.len() == MAX_ANCESTORS || above.contains(&parent) || !self.members.contains_key(&parent) {
                break;
            }
            above.push(parent);
            at = parent;
        }
        above
    }

    /// Why a process is in.
    pub(super) fn process(&self, key: ProcessKey) -> Reason {
        let stages = &self.incident.stages;
        let who = self.called(key);
        if let Some(at) = self.stage_by(key) {
            let words = format!("{who} did what stage {} tells: {}", at + 1, stages[at].sentence);
            let own: Vec<u64> = stages[at].times.iter().filter(|t| t.process == key).map(|t| t.event).collect();
            return Reason::new(ReasonKind::Stage, words).shown_by(&own);
        }
        let above = self.above(key);
        if let Some((parent, at)) = above.iter().find_map(|p| Some((*p, self.stage_by(*p)?))) {
            let words = format!("{who} descends from {}, which did what stage {} tells", self.called(parent), at + 1);
            return Reason::new(ReasonKind::Descends, words);
        }
        let touches = |k: &ProcessKey| self.incident.links.iter().find(|t| t.to == *k || t.from == *k);
        if let Some(tie) = touches(&key) {
            return Reason::new(ReasonKind::Tie, tie.why.clone()).shown_by(&tie.evidence);
        }
        if let Some(below) = stages.iter().position(|s| self.above(s.process.key).contains(&key)) {
            let doer = self.called(stages[below].process.key);
            let words = format!("{doer}, which did what stage {} tells, descends from {who}", below + 1);
            return Reason::new(ReasonKind::LedTo, words);
        }
        if let Some((parent, tie)) = above.iter().find_map(|p| Some((*p, touches(p)?))) {
            let words = format!("{who} descends from {}, and {}", self.called(parent), tie.why);
            return Reason::new(ReasonKind::Tie, words).shown_by(&tie.evidence);
        }
        match above.last() {
            Some(first) => {
                Reason::new(ReasonKind::Descends, format!("{who} descends from {}, which is in", self.called(*first)))
            }
            None => Reason::new(ReasonKind::Forgotten, format!("what tied {who} to the incident is forgotten")),
        }
    }

    fn file(&self, path: &Text) -> Reason {
        for (i, stage) in self.incident.stages.iter().enumerate() {
            if let Some(time) = stage.times.iter().find(|t| t.file == *path) {
                let words = format!("stage {} is about it: {}", i + 1, stage.sentence);
                return Reason::new(ReasonKind::Stage, words).shown_by(&[time.event]);
            }
        }
        if let Some(tie) = self.incident.links.iter().find(|t| t.object == *path) {
            return Reason::new(ReasonKind::Tie, tie.why.clone()).shown_by(&tie.evidence);
        }
        match self.writers.get(path) {
            Some(writer) => Reason::new(ReasonKind::Touched, format!("{} wrote it", self.called(*writer))),
            None => Reason::new(ReasonKind::Forgotten, "a process of the incident wrote it or named it so"),
        }
    }

    fn peer(&self, peer: SocketAddr) -> Reason {
        for (i, stage) in self.incident.stages.iter().enumerate() {
            if let Some(time) = stage.times.iter().find(|t| t.peer == Some(peer)) {
                let words = format!("stage {} is about it: {}", i + 1, stage.sentence);
                return Reason::new(ReasonKind::Stage, words).shown_by(&[time.event]);
            }
        }
        match self.callers.get(&peer) {
            Some(caller) => Reason::new(ReasonKind::Touched, format!("{} called it", self.called(*caller))),
            None => Reason::new(ReasonKind::Forgotten, "a process of the incident called it"),
        }
    }
}
