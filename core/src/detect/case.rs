//! Cases: signals that evidence joins. A case that weighs enough is an incident.

use std::net::SocketAddr;

use super::hold::Held;
use super::lead::Lead;
use super::occurrence;
use super::step::{Step, Worth};
use super::tell::News;
use super::tie::{Tie, Ties};
use super::{Link, ProcessSummary, Signal, Tactic, words};
use crate::event::{BootTime, ContainerId, ContainerInfo, Event, ProcessKey, Text};
use crate::graph::Graph;
use crate::hash::{HashMap, HashSet, IndexMap, IndexSet};

/// Processes, files and peers that are listed of one case.
pub(super) const MAX_MEMBERS: usize = 16_384;

/// Signals that belong together.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) id: u64,
    /// The id it has as an incident.
    pub(super) name: String,
    pub(super) stages: Vec<Step>,
    pub(super) members: IndexMap<ProcessKey, ProcessSummary>,
    /// Members that only lie on the way to what happened, each with the child by which that goes: whoever started an
    /// attack's first process does other things too. Those stand here, until they turn out to have started more of it.
    pub(super) passages: HashMap<ProcessKey, ProcessKey>,
    /// Members that have not ended. A set, since an end may be told twice, or before its process became a member.
    pub(super) living: HashSet<ProcessKey>,
    pub(super) files: IndexSet<Text>,
    pub(super) peers: IndexSet<SocketAddr>,
    /// What ties its processes to each other.
    pub(super) ties: Ties,
    pub(super) last_time: BootTime,
    /// What of it changed since it was last told.
    pub(super) news: News,
    pub(super) held: Held,
    /// To who wrote what it runs and is not known to belong to it, and by which ways when that was last asked.
    pub(super) sought: Vec<Lead>,
    pub(super) sought_in: (usize, usize),
    /// The origins and containers that lead to it.
    pub(super) origins: IndexSet<ProcessKey>,
    pub(super) containers: IndexSet<ContainerId>,
    /// Where it stands among the incidents, once it is one.
    pub(super) incident: Option<usize>,
    /// What it took when that was last looked at, in bytes.
    pub(super) took: usize,
}

impl Case {
    /// A case that begins with this signal.
    pub(super) fn new(id: u64, signal: &Signal) -> Case {
        Case {
            id,
            name: name(signal),
            stages: Vec::new(),
            members: IndexMap::default(),
            passages: HashMap::default(),
            living: HashSet::default(),
            files: IndexSet::default(),
            peers: IndexSet::default(),
            ties: Ties::default(),
            last_time: signal.time,
            news: News::default(),
            held: Held::default(),
            sought: Vec::new(),
            sought_in: (0, 0),
            origins: IndexSet::default(),
            containers: IndexSet::default(),
            incident: None,
            took: 0,
        }
    }

    /// What its stages weigh together: each counts once, however often it was seen.
    pub(super) fn score(&self) -> u32 {
        self.stages.iter().map(|s| s.stage.severity.weight()).sum()
    }

    /// Bytes of memory, about, with what is told of it as an incident.
    pub(super) fn bytes(&self) -> usize {
        let people = self.members.len() * 400 + self.held.processes.len() * 32;
        let objects = self.files.len() * 160 + self.peers.len() * 128 + self.ties.as_slice().len() * 640;
        2_048 + people + objects + self.stages.len() * 2_048
    }

    /// How many origins lead to it, and how many lie merely on the way: what it hangs together with changes as these do.
    pub(super) fn ways(&self) -> (usize, usize) {
        (self.origins.len(), self.passages.len())
    }

    /// Makes a process part of the case, with what it wrote and whom it called.
    pub(super) fn include(&mut self, graph: &Graph, key: ProcessKey) {
        if self.members.len() >= MAX_MEMBERS || self.members.contains_key(&key) {
            return;
        }
        let Some(process) = graph.process(key) else { return };
        self.members.insert(key, summary(graph, key));
        self.news.of_member(key);
        if process.is_alive() {
            self.living.insert(key);
        }
        if !self.passages.contains_key(&key) {
            self.note_doings(graph, key);
        }
    }

    /// Notes what a process wrote and whom it called.
    pub(super) fn note_doings(&mut self, graph: &Graph, key: ProcessKey) {
        let (written, peers) = graph.made_and_called(key);
        for id in written {
            if let Some(file) = graph.file(id) {
                self.note_file(&file.path);
            }
        }
        for peer in peers {
            self.note_peer(peer);
        }
    }

    pub(super) fn note_file(&mut self, path: &Text) {
        if self.files.len() < MAX_MEMBERS {
            self.files.insert(path.clone());
        }
    }

    pub(super) fn note_peer(&mut self, peer: SocketAddr) {
        if self.peers.len() < MAX_MEMBERS {
            self.peers.insert(peer);
        }
    }

    /// Notes an exec of a member: it is called otherwise now.
    pub(super) fn note_image(&mut self, graph: &Graph, key: ProcessKey) {
        self.members.insert(key, summary(graph, key));
        self.news.of_member(key);
    }

    pub(super) fn note_tie(&mut self, tie: Tie) {
        let to = tie.to;
        if self.ties.add(tie) {
            self.news.of_tie(to);
        }
    }

    /// Whether it keeps why a signal belongs to it: not of what the same process did before.
    pub(super) fn asks_for_link(&self, signal: &Signal) -> bool {
        let known = self.stages.iter().map(|step| &step.stage).find(|stage| *stage.signal == *signal.rule);
        known.is_none_or(|stage| occurrence::is_new(&stage.times, signal.process))
    }

    /// Takes in a signal: a new stage, or one more time of a stage that is there. Gives whether that is worth telling at
    /// once: each stage is, each of the first to do it, and ever fewer of many times.
    pub(super) fn add(
        &mut self,
        graph: &Graph,
        event: &Event,
        signal: &Signal,
        tactic: Tactic,
        link: Option<Link>,
    ) -> bool {
        self.last_time = self.last_time.max(signal.time);
        self.news.any = true;
        let (worth, count) = match self.stages.iter_mut().find(|s| *s.stage.signal == *signal.rule) {
            Some(step) => (step.more(event, signal, link), step.stage.count),
            None => {
                self.stages.push(Step::new(graph, event, signal, tactic, link));
                (Worth::Stage, 1)
            }
        };
        self.news.story |= worth != Worth::Time;
        worth != Worth::Time || count.is_power_of_two()
    }

    /// Puts a container's name where so far its id stood. Gives whether that changed anything.
    pub(super) fn name_container(&mut self, info: &ContainerInfo) -> bool {
        let renames = |sentence: &mut String| match words::renamed(sentence, info) {
            Some(words) => {
                *sentence = words;
                true
            }
            None => false,
        };
        let mut renamed = false;
        for step in &mut self.stages {
            let mut changed = renames(&mut step.stage.sentence);
            step.links_mut().for_each(|link| changed |= renames(&mut link.why));
            step.changed |= changed;
            renamed |= changed;
        }
        self.ties.iter_mut().for_each(|tie| renamed |= renames(&mut tie.why));
        if renamed {
            self.news.any = true;
            self.news.ties = true;
            self.news.story = true;
        }
        renamed
    }

    /// Takes in another case. Stages keep their order within either case, so that links lead back, also where times do
    /// not; what one rule found in both is one stage.
    pub(super) fn absorb(&mut self, other: Case) {
        let mut both: Vec<(BootTime, u64, usize, Step)> = Vec::new();
        for (id, list) in [(self.id, std::mem::take(&mut self.stages)), (other.id, other.stages)] {
            let mut latest = BootTime::default();
            for (i, step) in list.into_iter().enumerate() {
                latest = latest.max(step.stage.time);
                both.push((latest, id, i, step));
            }
        }
        both.sort_by_key(|(time, id, i, _)| (*time, *id, *i));
        let mut places: HashMap<(u64, usize), usize> = HashMap::default();
        let mut rules: Vec<&str> = Vec::new();
        for (_, id, i, step) in &both {
            let rule = step.stage.signal.as_str();
            let place = rules.iter().position(|known| *known == rule).unwrap_or(rules.len());
            if place == rules.len() {
                rules.push(rule);
            }
            places.insert((*id, *i), place);
        }
        for (_, id, i, mut step) in both {
            for link in step.links_mut() {
                link.to_stage = places.get(&(id, link.to_stage)).copied().unwrap_or(0);
            }
            match self.stages.get_mut(places[&(id, i)]) {
                Some(stage) => stage.again(step),
                None => self.stages.push(step),
            }
        }
        for (key, member) in other.members {
            if self.members.len() < MAX_MEMBERS {
                self.members.insert(key, member);
            }
        }
        for (key, child) in other.passages {
            if self.members.contains_key(&key) {
                self.passages.insert(key, child);
            }
        }
        self.ties.absorb(other.ties);
        let members = &self.members;
        self.living.extend(other.living.into_iter().filter(|key| members.contains_key(key)));
        other.files.iter().for_each(|path| self.note_file(path));
        other.peers.into_iter().for_each(|peer| self.note_peer(peer));
        self.origins.extend(other.origins);
        self.sought.extend(other.sought);
        self.sought_in = (0, 0);
        self.containers.extend(other.containers);
        self.last_time = self.last_time.max(other.last_time);
        self.news = News::default();
    }
}

/// What an incident says of a process.
pub(super) fn summary(graph: &Graph, key: ProcessKey) -> ProcessSummary {
    let process = graph.process(key);
    let image = process.and_then(|p| p.image());
    ProcessSummary {
        key,
        exe: image.map(|i| i.exe.path.clone()).unwrap_or_default(),
        args: image.map(|i| i.args.joined()).unwrap_or_default(),
        container: process.and_then(|p| p.task.context.container.clone()),
        parent: process.and_then(|p| p.parent),
    }
}

/// A name for what begins with this signal, the same in every replay: FNV-1a over what identifies it.
fn name(signal: &Signal) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let words = [u64::from(signal.process.pid), signal.process.start.0, signal.time.0];
    for byte in words.iter().flat_map(|w| w.to_le_bytes()).chain(signal.rule.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("inc-{:08x}", (hash >> 32) ^ (hash & 0xffff_ffff))
}
