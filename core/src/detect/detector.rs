//! From signals to incidents.

use std::sync::Arc;
use std::time::Duration;

use super::cases::Cases;
use super::chain::Chain;
use super::explain::{self, ProcessExplanation};
use super::lead::Lead;
use super::{Incident, Mentions, Signal, Status, author, follow, link, words};
use crate::event::{BootTime, ContainerInfo, Event, Payload, ProcessKey};
use crate::graph::Graph;
use crate::persistent::{Queue, Stock};

/// The score from which a case is an incident: one stage of high severity, or several lesser ones.
pub(super) const INCIDENT_SCORE: u32 = 6;

/// Incidents that are told; their indices hold for good, so that none is ever forgotten.
const MAX_INCIDENTS: usize = 4_096;

/// How long what an incident rests on is held after the last of its processes has ended.
const LINGERS: Duration = Duration::from_secs(60);

/// Joins signals into incidents.
#[derive(Debug, Clone, Default)]
pub(crate) struct Detector {
    chains: Arc<[Chain]>,
    cases: Cases,
    incidents: Vec<Arc<Incident>>,
    untold: u64,
    /// Cases whose sentences speak of containers by their ids.
    mentions: Mentions<u64>,
    /// Whom to hold in the graph from now on, or to let loose.
    holds: Vec<(ProcessKey, bool)>,
    /// Cases of which nobody lives any more, and when that was found, oldest first; each is in it once at most.
    over: Queue<(BootTime, u64)>,
}

impl Detector {
    pub(crate) fn new(chains: Vec<Chain>) -> Self {
        Detector { chains: chains.into(), ..Detector::default() }
    }

    /// About how many bytes a clone takes that is taken now; what changes after it counts anew.
    pub(crate) fn take_stock(&mut self) -> Stock {
        self.cases.take_stock() + self.mentions.take_stock() + self.over.take_stock()
    }

    pub(crate) fn incidents(&self) -> &[Arc<Incident>] {
        &self.incidents
    }

    /// Why a process is part of an incident, or of none.
    pub(crate) fn explain<'a>(
        &self,
        graph: &Graph,
        signals: impl Iterator<Item = &'a Signal>,
        key: ProcessKey,
    ) -> ProcessExplanation {
        explain::process(graph, &self.cases, &self.incidents, signals, key)
    }

    /// Signals that would have made or grown an incident, had there not been too many already.
    pub(crate) fn untold(&self) -> u64 {
        self.untold
    }

    /// Takes in an event that the graph has taken in already, with the signals it raised. Gives the incidents (indices)
    /// that have a new revision.
    pub(crate) fn apply(&mut self, graph: &Graph, event: &Event, signals: &[Signal]) -> Vec<usize> {
        let mut revised = match &event.payload {
            Payload::Container(info) => self.name_container(graph, info),
            _ => follow::follow(&mut self.cases, graph, event, self.incidents.len())
                .and_then(|id| self.tell(graph, id))
                .into_iter()
                .collect(),
        };
        for signal in signals {
            if let Some(id) = self.signal(graph, event, signal) {
                revised.extend(self.tell(graph, id));
            }
        }
        for (absorbed, id) in self.cases.take_merged() {
            let into = self.cases.get_mut(id).map(|case| case.name.clone());
            let incident = Arc::make_mut(&mut self.incidents[absorbed]);
            incident.status = Status::Merged;
            incident.merged_into = into;
            incident.revision += 1;
            revised.push(absorbed);
        }
        // Whose incident goes on, or does no more, may be another question after this event.
        let (key, now) = (event.header.process, event.header.time);
        if let Some(case) = self.cases.of_mut(key) {
            if case.goes_on() {
                case.hold(graph, |key| self.holds.push((key, true)));
            } else if case.waits_to_release() {
                self.over.push_back((now, case.id));
            }
            let id = case.id;
            self.cases.weigh(id);
        }
        self.release(now);
        let loose = self.cases.take_loose().into_iter().map(|key| (key, false));
        self.holds.extend(loose);
        revised.sort_unstable();
        revised.dedup();
        revised
    }

    /// Lets loose what incidents rested on that have been over for a while. Who of them ended last is often followed by the
    /// next within a moment, a request or a job; to let all of it loose each time, and hold it again, would be far more work.
    fn release(&mut self, now: BootTime) {
        // A time that lies far ahead is that of a clock which stepped: nothing may wait behind it for good.
        let is_due = |since: BootTime| u128::from(since.0.abs_diff(now.0)) >= LINGERS.as_nanos();
        while self.over.get(0).is_some_and(|(since, _)| is_due(*since)) {
            let Some((_, id)) = self.over.pop_front() else { return };
            if let Some(case) = self.cases.get_mut(id) {
                case.release(|key| self.holds.push((key, false)));
            }
        }
    }

    /// Whom to hold in the graph, and whom to let loose, since this was last asked.
    pub(crate) fn take_holds(&mut self) -> Vec<(ProcessKey, bool)> {
        std::mem::take(&mut self.holds)
    }

    /// Bytes of memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.cases.bytes()
    }

    /// Forgets signals that belong together and make no incident, oldest first, until all take so many bytes at most.
    pub(crate) fn bound(&mut self, bytes: usize) {
        self.cases.bound(bytes);
    }

    /// How often such had to be forgotten.
    pub(crate) fn forgotten(&self) -> u64 {
        self.cases.forgotten
    }

    /// How often a process that belongs to an incident, or to what may become one, was not listed, for there are too many.
    pub(crate) fn unlisted(&self) -> u64 {
        self.cases.unlisted
    }

    /// Tells what has changed of incidents without being worth a revision of its own: processes, files and peers, and
    /// what happened very often once more.
    pub(crate) fn finish(&mut self, graph: &Graph) -> Vec<usize> {
        let changed: Vec<u64> =
            self.cases.iter().filter(|c| c.news.any && c.incident.is_some()).map(|c| c.id).collect();
        changed.into_iter().filter_map(|id| self.tell(graph, id)).collect()
    }

    /// A name that comes late is told as if it had been known.
    fn name_container(&mut self, graph: &Graph, info: &ContainerInfo) -> Vec<usize> {
        let mut renamed = Vec::new();
        for id in self.mentions.take(info) {
            let Some(case) = self.cases.get_mut(id) else { continue };
            let told = case.incident.and_then(|at| self.incidents.get(at)).and_then(|told| told.chain.as_ref());
            let in_story = told.is_some_and(|chain| words::renamed(&chain.story, info).is_some());
            case.news.story |= in_story;
            if case.name_container(info) || in_story {
                renamed.push(id);
            }
        }
        renamed.into_iter().filter_map(|id| self.tell(graph, id)).collect()
    }

    /// Gives the case that the signal belongs to, if what it adds is to be told at once. A signal without a tactic has no
    /// place in a story.
    fn signal(&mut self, graph: &Graph, event: &Event, signal: &Signal) -> Option<u64> {
        let tactic = signal.tactic?;
        let leads = link::leads(graph, &self.cases, event, signal);
        let found = link::find(graph, &self.cases, signal, &leads);
        let ids: Vec<u64> = found.iter().map(|f| f.case).collect();
        let joins = ids.iter().any(|id| *id != ids[0]);
        let key = signal.process;
        let (id, link) = match found.into_iter().next() {
            None => (self.cases.open(signal), None),
            Some(first) if joins => {
                // The stage that the link leads to gets another place: look it up again.
                let joined = self.cases.join(&ids)?;
                let again = link::find(graph, &self.cases, signal, &leads);
                let again = again.into_iter().find(|f| f.kind == first.kind);
                (joined, Some(again.unwrap_or(first).link(graph, key, &leads)))
            }
            Some(first) => {
                let id = first.case;
                let is_asked = self.cases.cases.get(&id).is_some_and(|case| case.asks_for_link(signal));
                (id, is_asked.then(|| first.link(graph, key, &leads)))
            }
        };
        let case = self.cases.get_mut(id)?;
        let is_news = case.add(graph, event, signal, tactic, link);
        let spoken = case.stages.iter().map(|step| &step.stage).filter(|stage| joins || stage.count == 1);
        for stage in spoken {
            self.mentions.note(&stage.sentence, id);
            stage.link.iter().for_each(|link| self.mentions.note(&link.why, id));
        }
        let fresh = self.cases.include(graph, id, event.header.process, event.header.time);
        let of_fresh = link::leads_of(graph, &fresh, event.header.time);
        for leads in [&leads, &of_fresh] {
            author::include(&mut self.cases, graph, id, leads, event.header.time);
        }
        self.cases.tie(id, leads);
        let (more, id) = self.join_by(of_fresh, id);
        if more {
            author::include(&mut self.cases, graph, id, &[], event.header.time);
        }
        let joins = joins || more;
        if let Payload::Open(open) = &event.payload {
            self.cases.get_mut(id)?.note_file(&open.file.path);
        }
        self.cases.weigh(id);
        (is_news || joins).then_some(id)
    }

    /// Joins cases that hard evidence ties. Gives whether any were, and which case it is now.
    fn join_by(&mut self, mut leads: Vec<Lead>, id: u64) -> (bool, u64) {
        leads.retain(|lead| self.cases.joins(lead));
        let others = leads.iter().filter_map(|lead| self.cases.of(lead.other)).map(|case| case.id);
        let ids: Vec<u64> = others.chain([id]).collect();
        let joins = ids.iter().any(|other| *other != id);
        let id = if joins { self.cases.join(&ids).unwrap_or(id) } else { id };
        self.cases.tie(id, leads);
        (joins, id)
    }

    /// Brings the incident of a case up to date, if the case weighs enough to be one.
    fn tell(&mut self, graph: &Graph, id: u64) -> Option<usize> {
        let case = self.cases.get_mut(id)?;
        if case.score() < INCIDENT_SCORE {
            return None;
        }
        if case.incident.is_none() && self.incidents.len() >= MAX_INCIDENTS {
            self.untold += 1;
            return None;
        }
        let at = *case.incident.get_or_insert(self.incidents.len());
        if at == self.incidents.len() {
            self.incidents.push(Arc::new(case.begun()));
        }
        let incident = Arc::make_mut(&mut self.incidents[at]);
        if case.tell(graph, &self.chains, incident)
            && let Some(chain) = &incident.chain
        {
            self.mentions.note(&chain.story, id);
        }
        Some(at)
    }
}
