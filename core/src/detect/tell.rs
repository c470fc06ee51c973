//! What is told of a case once it is an incident: what has changed is put into what was told before, for a case may have
//! thousands of processes, and known stories are looked for only when something came that can belong to one.

use super::case::Case;
use super::chain::{self, Chain, Scene};
use super::{Incident, ProcessSummary, Severity, Stage, Status, because};
use crate::event::ProcessKey;
use crate::graph::Graph;
use crate::hash::{HashSet, IndexSet};

/// What of a case is not as it was told; of one that was never told, all.
#[derive(Debug, Clone)]
pub(super) struct News {
    /// Something is.
    pub(super) any: bool,
    /// Nothing of what was told holds any more: it is another case than it was.
    all: bool,
    /// Members that are new, or changed.
    members: IndexSet<ProcessKey>,
    /// Ties that were told already are worded otherwise.
    pub(super) ties: bool,
    /// It may follow another story than it did, or the same with other words.
    pub(super) story: bool,
    /// Who matters to that: whoever did something in it, and those above them.
    cast: HashSet<ProcessKey>,
}

impl Default for News {
    fn default() -> Self {
        let (members, cast) = (IndexSet::default(), HashSet::default());
        News { any: true, all: true, members, ties: true, story: true, cast }
    }
}

impl News {
    /// A member is new, or another than it was.
    pub(super) fn of_member(&mut self, key: ProcessKey) {
        self.any = true;
        if !self.all {
            self.members.insert(key);
            self.story |= self.cast.contains(&key);
        }
    }

    /// A tie is new that leads to this process.
    pub(super) fn of_tie(&mut self, to: ProcessKey) {
        self.any = true;
        self.story |= self.cast.contains(&to);
    }
}

impl Case {
    /// An incident of which nothing is told yet.
    pub(super) fn begun(&self) -> Incident {
        Incident {
            id: String::new(),
            revision: 0,
            name: String::new(),
            severity: Severity::Low,
            score: 0,
            because: String::new(),
            status: Status::Ongoing,
            first_time: self.last_time,
            last_time: self.last_time,
            stages: Vec::new(),
            processes: Vec::new(),
            files: Vec::new(),
            peers: Vec::new(),
            links: Vec::new(),
            links_left_out: 0,
            chain: None,
            merged_into: None,
        }
    }

    /// Makes a revision of what was told. Gives whether it may follow another story than before.
    pub(super) fn tell(&mut self, graph: &Graph, chains: &[Chain], told: &mut Incident) -> bool {
        let is_due = self.revise(graph, chains, told);
        debug_assert!(self.is_told(graph, chains, told), "{told:?} is not all that there is of {self:?}");
        is_due
    }

    fn revise(&mut self, graph: &Graph, chains: &[Chain], told: &mut Incident) -> bool {
        if std::mem::take(&mut self.news.all) {
            *told = Incident { id: self.name.clone(), revision: told.revision, ..self.begun() };
            self.members.values().for_each(|member| told.processes.push(member.clone()));
            told.processes.sort_by_key(order);
            self.news.members.clear();
        }
        let known = told.stages.len();
        self.tell_stages(told);
        if told.stages.len() != known {
            told.severity = because::severity(&told.stages);
            told.because = because::words(&told.stages);
            told.score = self.score();
        }
        for member in self.news.members.drain(..).filter_map(|key| self.members.get(&key)) {
            note(&mut told.processes, member);
        }
        told.files.extend(self.files.iter().skip(told.files.len()).cloned());
        told.peers.extend(self.peers.iter().skip(told.peers.len()).copied());
        let ties = self.ties.as_slice();
        if std::mem::take(&mut self.news.ties) || ties.len() < told.links.len() {
            told.links.clear();
        }
        told.links.extend_from_slice(&ties[told.links.len()..]);
        told.links_left_out = self.ties.left_out();
        told.status = if self.living.is_empty() { Status::Over } else { Status::Ongoing };
        told.first_time = told.stages.first().map(|stage| stage.time).unwrap_or_default();
        told.last_time = self.last_time;
        told.revision += 1;
        self.news.any = false;
        let is_due = std::mem::take(&mut self.news.story);
        if is_due {
            let scene = Scene::new(&told.stages, &self.members, ties);
            let chain = chain::best(chains, &scene, graph);
            self.news.cast = scene.cast();
            told.name = chain.as_ref().map_or_else(|| most_telling(&told.stages), |chain| chain.name.clone());
            told.chain = chain;
        }
        is_due
    }

    /// Whether what was told bit by bit is what would be told at once. (A container may have another name in a story by now.)
    fn is_told(&self, graph: &Graph, chains: &[Chain], told: &Incident) -> bool {
        let mut whole = Incident { revision: told.revision - 1, ..self.begun() };
        Case { news: News::default(), ..self.clone() }.revise(graph, chains, &mut whole);
        let chain =
            |incident: &Incident| incident.chain.as_ref().map(|chain| (chain.name.clone(), chain.parts.clone()));
        chain(&whole) == chain(told) && whole == Incident { chain: whole.chain.clone(), ..told.clone() }
    }

    fn tell_stages(&mut self, told: &mut Incident) {
        for (at, step) in self.stages.iter_mut().enumerate() {
            match told.stages.get_mut(at) {
                None => told.stages.push(step.stage.clone()),
                Some(stage) if step.changed => stage.clone_from(&step.stage),
                Some(_) => {}
            }
            step.changed = false;
        }
    }
}

fn order(process: &ProcessSummary) -> (crate::event::BootTime, u32) {
    (process.key.start, process.key.pid)
}

/// Puts a process among others, which stand in the order in which they started; or tells it anew.
fn note(processes: &mut Vec<ProcessSummary>, process: &ProcessSummary) {
    match processes.binary_search_by_key(&order(process), order) {
        Ok(at) => processes[at] = process.clone(),
        Err(at) => processes.insert(at, process.clone()),
    }
}

/// The gravest stage names an incident that follows no known chain; of several the earliest.
fn most_telling(stages: &[Stage]) -> String {
    let gravest = stages.iter().reduce(|best, next| if next.severity > best.severity { next } else { best });
    gravest.map(|s| s.signal.clone()).unwrap_or_default()
}
