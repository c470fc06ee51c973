//! Cases: signals that evidence joins. A case that weighs enough is an incident.

use std::net::SocketAddr;
use std::sync::Arc;

use super::lead::Lead;
use super::occurrence::{self, Occurrence};
use super::tie::Ties;
use super::{Link, LinkKind, ProcessSummary, Severity, Signal, Tactic, words};
use crate::event::{BootTime, ContainerId, ContainerInfo, Event, ProcessKey, Text};
use crate::graph::Graph;
use crate::hash::{HashMap, HashSet, IndexMap, IndexSet};
use crate::persistent::{Queue, Sealed, Table};

/// Cases that are kept. Those that are no incident go first, oldest first.
const MAX_CASES: usize = 4_096;
/// Origins and containers that lead to cases; the oldest go first.
const MAX_WAYS: usize = 65_536;
/// Processes, files and peers that are listed of one case.
pub(super) const MAX_MEMBERS: usize = 16_384;
/// Processes that are part of cases, of all together.
pub(super) const MAX_ALL_MEMBERS: usize = 131_072;
/// Times of a stage of which each is told at once.
const FEW: u64 = 16;
/// Events that a stage rests on and that are listed.
pub(super) const MAX_EVIDENCE: usize = 32;

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
    /// Something of it changed since it was last told.
    pub(super) changed: bool,
    /// Members that are new, or changed, since then.
    pub(super) news: IndexSet<ProcessKey>,
    /// Nothing of what was told holds any more: it is another case than it was.
    pub(super) anew: bool,
    /// Those that are held for it in the graph, in the order in which they came to be.
    pub(super) held: IndexSet<ProcessKey>,
    /// How many members were looked at for that.
    looked_at: usize,
    /// It is on the list of those that are to be released.
    is_to_release: bool,
    /// To who wrote what it runs and is not known to belong to it, and by which ways when that was last asked.
    pub(super) sought: Vec<Lead>,
    pub(super) sought_in: (usize, usize),
    /// The origins and containers that lead to it.
    pub(super) origins: IndexSet<ProcessKey>,
    pub(super) containers: IndexSet<ContainerId>,
    /// Where it stands among the incidents, once it is one.
    pub(super) incident: Option<usize>,
    /// What it took when that was last looked at, in bytes.
    took: usize,
}

/// A stage in the making.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) tactic: Tactic,
    pub(super) technique: String,
    pub(super) rule: String,
    pub(super) severity: Severity,
    pub(super) time: BootTime,
    pub(super) last_time: BootTime,
    pub(super) count: u64,
    pub(super) process: ProcessSummary,
    /// Who, the last time.
    pub(super) last_process: ProcessKey,
    pub(super) sentence: String,
    pub(super) evidence: Vec<u64>,
    pub(super) link: Option<Link>,
    pub(super) times: Vec<Occurrence>,
}

impl Case {
    /// What its stages weigh together: each counts once, however often it was seen.
    pub(super) fn score(&self) -> u32 {
        self.stages.iter().map(|s| s.severity.weight()).sum()
    }

    /// Bytes of memory, about, with what is told of it as an incident.
    fn bytes(&self) -> usize {
        2_048 + self.members.len() * 400 + self.files.len() * 160 + self.peers.len() * 128 + self.stages.len() * 2_048
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
        self.news.insert(key);
        if process.is_alive() {
            self.living.insert(key);
        }
        if !self.passages.contains_key(&key) {
            self.note_doings(graph, key);
        }
    }

    /// Notes what a process wrote and whom it called.
    pub(super) fn note_doings(&mut self, graph: &Graph, key: ProcessKey) {
        let (written, peers) = graph.did_lately(key);
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

    /// Takes in a signal: a new stage, or one more time of a stage that is there. Gives whether that is worth telling at
    /// once: each time of a few is, and of many ever fewer. To tell is to copy all that the case has.
    pub(super) fn add(
        &mut self,
        graph: &Graph,
        event: &Event,
        signal: &Signal,
        tactic: Tactic,
        link: Option<Link>,
    ) -> bool {
        self.last_time = self.last_time.max(signal.time);
        self.changed = true;
        if let Some(step) = self.stages.iter_mut().find(|s| *s.rule == *signal.rule) {
            step.count += 1;
            step.last_time = step.last_time.max(signal.time);
            step.last_process = signal.process;
            if step.evidence.len() < MAX_EVIDENCE {
                step.evidence.push(signal.seq);
            }
            occurrence::note(&mut step.times, event, link);
            return is_news(step.count);
        }
        let mut evidence = vec![signal.seq];
        evidence.extend(link.iter().flat_map(|l| l.evidence.iter().copied()).filter(|seq| *seq != 0));
        evidence.sort_unstable();
        evidence.dedup();
        self.stages.push(Step {
            tactic,
            technique: signal.technique.to_string(),
            rule: signal.rule.to_string(),
            severity: signal.severity,
            time: signal.time,
            last_time: signal.time,
            count: 1,
            process: summary(graph, signal.process),
            last_process: signal.process,
            sentence: signal.sentence.clone(),
            evidence,
            link,
            times: vec![Occurrence::of(event, None)],
        });
        true
    }

    /// Puts a container's name where so far its id stood.
    pub(super) fn name_container(&mut self, info: &ContainerInfo) {
        for step in &mut self.stages {
            let link = step.link.as_mut().map(|link| &mut link.why);
            let again = step.times.iter_mut().filter_map(|t| t.link.as_mut()).map(|link| &mut link.why);
            for sentence in [Some(&mut step.sentence), link].into_iter().flatten().chain(again) {
                if let Some(words) = words::renamed(sentence, info) {
                    *sentence = words;
                    self.changed = true;
                }
            }
        }
        for tie in self.ties.iter_mut() {
            if let Some(words) = words::renamed(&tie.why, info) {
                tie.why = words;
                self.changed = true;
            }
        }
    }

    /// Takes in another case. Stages keep their order within either case, so that links lead back, also where times do
    /// not; what one rule found in both is one stage.
    fn absorb(&mut self, other: Case) {
        let mut both: Vec<(BootTime, u64, usize, Step)> = Vec::new();
        for (id, list) in [(self.id, std::mem::take(&mut self.stages)), (other.id, other.stages)] {
            let mut latest = BootTime::default();
            for (i, step) in list.into_iter().enumerate() {
                latest = latest.max(step.time);
                both.push((latest, id, i, step));
            }
        }
        both.sort_by_key(|(time, id, i, _)| (*time, *id, *i));
        let mut places: HashMap<(u64, usize), usize> = HashMap::default();
        let mut rules: Vec<&str> = Vec::new();
        for (_, id, i, step) in &both {
            let place = rules.iter().position(|rule| *rule == step.rule).unwrap_or(rules.len());
            if place == rules.len() {
                rules.push(&step.rule);
            }
            places.insert((*id, *i), place);
        }
        for (_, id, i, mut step) in both {
            let again = step.times.iter_mut().filter_map(|t| t.link.as_mut());
            for link in step.link.iter_mut().chain(again) {
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
        self.changed = true;
        self.anew = true;
    }

    /// Whether it is an incident of which somebody lives.
    pub(super) fn goes_on(&self) -> bool {
        self.incident.is_some() && !self.living.is_empty()
    }

    /// What an incident that goes on rests on is held: its members, and their ancestors. Tells `hold` whom to hold from now on.
    pub(super) fn hold(&mut self, graph: &Graph, mut hold: impl FnMut(ProcessKey)) {
        for key in self.members.keys().skip(self.looked_at) {
            // Above one that is held already all are.
            let line = std::iter::once(*key).chain(graph.ancestors(*key).map(|p| p.key));
            let fresh = line.filter(|key| graph.process(*key).is_some()).take_while(|key| self.held.insert(*key));
            fresh.for_each(&mut hold);
        }
        self.looked_at = self.members.len();
    }

    /// Whether what it rests on is to be released later, and nobody has been told so yet.
    pub(super) fn waits_to_release(&mut self) -> bool {
        !self.held.is_empty() && !std::mem::replace(&mut self.is_to_release, true)
    }

    /// Tells `release` whom to let loose, unless it goes on again.
    pub(super) fn release(&mut self, release: impl FnMut(ProcessKey)) {
        self.is_to_release = false;
        if !self.goes_on() {
            self.held.drain(..).for_each(release);
            self.looked_at = 0;
        }
    }
}

impl Step {
    /// Takes in what the same rule found later in another case.
    fn again(&mut self, later: Step) {
        self.count += later.count;
        self.time = self.time.min(later.time);
        if later.last_time >= self.last_time {
            self.last_time = later.last_time;
            self.last_process = later.last_process;
        }
        let room = MAX_EVIDENCE.saturating_sub(self.evidence.len());
        self.evidence.extend(later.evidence.into_iter().take(room));
        occurrence::absorb(&mut self.times, later.times, later.link);
    }
}

/// Whether there still is a case, and it is no incident.
fn is_lesser(cases: &Table<u64, Arc<Case>>, id: u64) -> bool {
    cases.get(&id).is_some_and(|case| case.incident.is_none())
}

/// Whether the time of this number is worth telling at once.
pub(super) fn is_news(count: u64) -> bool {
    count <= FEW || count.is_power_of_two()
}

/// What an incident says of a process.
pub(super) fn summary(graph: &Graph, key: ProcessKey) -> ProcessSummary {
    let process = graph.process(key);
    let image = process.and_then(|p| p.image());
    ProcessSummary {
        key,
        exe: image.map(|i| i.exe.path.clone()).unwrap_or_default(),
        args: image.map(|i| i.args.joined()).unwrap_or_default(),
        container: process.and_then(|p| p.task.container.clone()),
        parent: process.and_then(|p| p.parent),
    }
}

/// All cases, and whose they are.
#[derive(Debug, Clone, Default)]
pub(super) struct Cases {
    pub(super) cases: Table<u64, Arc<Case>>,
    /// Those that were no incident when this was last looked through, oldest first.
    lesser: Queue<u64>,
    next: u64,
    pub(super) of_process: Table<ProcessKey, u64>,
    pub(super) of_origin: Table<ProcessKey, u64>,
    pub(super) of_container: Table<ContainerId, u64>,
    /// Incidents that became part of an older one.
    merged: Vec<(usize, u64)>,
    /// What was held for cases that are no more.
    loose: Vec<ProcessKey>,
    /// What all take, in bytes.
    took: usize,
    /// Cases that were forgotten.
    pub(super) forgotten: u64,
    /// How often a process that belongs to a case was not made part of it, for there are too many.
    pub(super) unlisted: u64,
}

impl Cases {
    /// Lets clones share all of it from now on. Gives about how many bytes the next clone takes.
    pub(super) fn seal(&mut self) -> Sealed {
        self.cases.seal()
            + self.lesser.seal()
            + self.of_process.seal()
            + self.of_origin.seal()
            + self.of_container.seal()
    }

    /// The case that a process is part of.
    pub(super) fn of(&self, key: ProcessKey) -> Option<&Case> {
        self.cases.get(self.of_process.get(&key)?).map(Arc::as_ref)
    }

    /// The case that a process is part of, or that others of its lineage are.
    pub(super) fn of_lineage(&self, graph: &Graph, key: ProcessKey) -> Option<&Case> {
        self.of(key).or_else(|| self.cases.get(self.of_origin.get(&graph.origin_of(key))?).map(Arc::as_ref))
    }

    /// The case that weighs most of those seen in a container.
    pub(super) fn of_container(&self, id: &ContainerId) -> Option<&Case> {
        self.cases.get(self.of_container.get(id)?).map(Arc::as_ref)
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Case> {
        self.cases.get_mut(&id).map(Arc::make_mut)
    }

    pub(super) fn of_mut(&mut self, key: ProcessKey) -> Option<&mut Case> {
        self.cases.get_mut(self.of_process.get(&key)?).map(Arc::make_mut)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Case> {
        self.cases.values().map(Arc::as_ref)
    }

    /// Bytes of memory, about, with what is told of the incidents.
    pub(super) fn bytes(&self) -> usize {
        self.took + self.of_process.len() * 40
    }

    /// Looks again at what a case takes: something has changed.
    pub(super) fn weigh(&mut self, id: u64) {
        let Some(took) = self.cases.get(&id).map(|case| case.bytes()) else { return };
        let Some(case) = self.cases.get_mut(&id).filter(|case| case.took != took).map(Arc::make_mut) else { return };
        self.took = self.took - case.took + took;
        case.took = took;
    }

    /// Forgets cases that are no incidents, oldest first, until all take so many bytes at most.
    pub(super) fn bound(&mut self, bytes: usize) {
        while self.bytes() > bytes && self.evict_lesser() {}
    }

    /// Begins a case with its first signal.
    pub(super) fn open(&mut self, signal: &Signal) -> u64 {
        if self.cases.len() >= MAX_CASES {
            self.evict();
        }
        self.next += 1;
        let case = Case {
            id: self.next,
            name: name(signal),
            stages: Vec::new(),
            members: IndexMap::default(),
            passages: HashMap::default(),
            living: HashSet::default(),
            files: IndexSet::default(),
            peers: IndexSet::default(),
            ties: Ties::default(),
            last_time: signal.time,
            changed: true,
            news: IndexSet::default(),
            anew: true,
            held: IndexSet::default(),
            looked_at: 0,
            is_to_release: false,
            sought: Vec::new(),
            sought_in: (0, 0),
            origins: IndexSet::default(),
            containers: IndexSet::default(),
            incident: None,
            took: 0,
        };
        self.cases.insert(self.next, Arc::new(case));
        self.note_lesser(self.next);
        self.next
    }

    fn note_lesser(&mut self, id: u64) {
        if self.lesser.len() >= 2 * MAX_CASES {
            let mut standing = Queue::default();
            self.lesser.iter().filter(|id| is_lesser(&self.cases, **id)).for_each(|id| standing.push_back(*id));
            self.lesser = standing;
        }
        self.lesser.push_back(id);
    }

    fn evict_lesser(&mut self) -> bool {
        let lesser = std::iter::from_fn(|| self.lesser.pop_front()).find(|id| is_lesser(&self.cases, *id));
        lesser.is_some_and(|id| self.forget(id))
    }

    fn evict(&mut self) {
        if self.evict_lesser() {
            return;
        }
        let oldest = self.cases.keys().next().copied();
        if let Some(id) = oldest {
            self.forget(id);
        }
    }

    fn forget(&mut self, id: u64) -> bool {
        let Some(case) = self.cases.remove(&id) else { return false };
        self.took -= case.took;
        self.forgotten += 1;
        for key in case.members.keys() {
            self.of_process.remove(key);
        }
        for origin in case.origins.iter().filter(|origin| self.of_origin.get(*origin) == Some(&id)).collect::<Vec<_>>()
        {
            self.of_origin.remove(origin);
        }
        let own = |container: &&ContainerId| self.of_container.get(*container) == Some(&id);
        for container in case.containers.iter().filter(own).collect::<Vec<_>>() {
            self.of_container.remove(container);
        }
        self.loose.extend(case.held.iter().copied());
        true
    }

    /// Makes cases one: the oldest takes in the others. Gives its id.
    pub(super) fn join(&mut self, ids: &[u64]) -> Option<u64> {
        let oldest = *ids.iter().min()?;
        for id in ids.iter().filter(|id| **id != oldest) {
            let Some(other) = self.cases.remove(id) else { continue };
            self.took -= other.took;
            for key in other.members.keys() {
                self.of_process.insert(*key, oldest);
            }
            for origin in &other.origins {
                self.of_origin.get_mut(origin).filter(|case| *case == id).into_iter().for_each(|case| *case = oldest);
            }
            for container in &other.containers {
                let led = self.of_container.get_mut(container).filter(|case| *case == id);
                led.into_iter().for_each(|case| *case = oldest);
            }
            self.loose.extend(other.held.iter().copied());
            // What became part of it with this very event goes on with it.
            self.merged.iter_mut().filter(|(_, into)| into == id).for_each(|(_, into)| *into = oldest);
            let Some(case) = self.cases.get_mut(&oldest).map(Arc::make_mut) else { continue };
            if case.incident.is_some() {
                self.merged.extend(other.incident.map(|incident| (incident, oldest)));
            } else if other.incident.is_some() {
                // What has been told under a name keeps it.
                case.incident = other.incident;
                case.name.clone_from(&other.name);
            }
            case.absorb(Arc::unwrap_or_clone(other));
        }
        Some(oldest)
    }

    /// Whether a lead joins the cases of both its ends: it is hard evidence, and neither is a mere way.
    pub(super) fn joins(&self, lead: &Lead) -> bool {
        let is_hard = !lead.weak && lead.tie.kind <= LinkKind::WroteRead;
        is_hard
            && [lead.tie.from, lead.tie.to]
                .iter()
                .all(|key| self.of(*key).is_some_and(|case| !case.passages.contains_key(key)))
    }

    /// Keeps the evidence between members of a case.
    pub(super) fn tie(&mut self, id: u64, leads: Vec<Lead>) {
        for Lead { tie, .. } in leads {
            let both = [tie.from, tie.to].iter().all(|key| self.of_process.get(key) == Some(&id));
            if both && let Some(case) = self.get_mut(id) {
                case.changed |= case.ties.add(tie);
            }
        }
    }

    /// What was held for cases that are no more, since this was last asked.
    pub(super) fn take_loose(&mut self) -> Vec<ProcessKey> {
        std::mem::take(&mut self.loose)
    }

    /// Incidents that became part of a case since this was last asked.
    pub(super) fn take_merged(&mut self) -> Vec<(usize, u64)> {
        std::mem::take(&mut self.merged)
    }
}

/// Makes room for one more way to a case: the oldest goes.
pub(super) fn bound<K: std::hash::Hash + Eq + Clone>(ways: &mut Table<K, u64>) {
    if ways.len() >= MAX_WAYS {
        ways.pop_first();
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
