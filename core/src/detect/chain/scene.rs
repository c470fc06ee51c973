//! What of an incident a chain is held against: who did what when, who made whom, and the links between them.

use std::net::SocketAddr;

use super::relation::RelationKind;
use crate::detect::{LinkKind, Occurrence, ProcessSummary, Stage, Tie};
use crate::event::{ContainerId, ProcessKey};
use crate::hash::{HashMap, HashSet, IndexMap};

/// How far lineage is followed within an incident.
const MAX_ANCESTORS: usize = 64;

/// An incident's stages, each of its times by itself, in the order of time.
pub(in crate::detect) struct Scene<'a> {
    pub(super) stages: &'a [Stage],
    pub(super) members: &'a IndexMap<ProcessKey, ProcessSummary>,
    /// Those that lead to somebody who does something here, or to what he descends from; no others make any relation hold.
    pub(super) ties: Vec<&'a Tie>,
    /// Stage, and which of its times.
    pub(super) times: Vec<(usize, usize)>,
    /// Those that do something here, each with its ancestors, itself first.
    lineages: HashMap<ProcessKey, Vec<ProcessKey>>,
}

impl<'a> Scene<'a> {
    pub(in crate::detect) fn new(
        stages: &'a [Stage],
        members: &'a IndexMap<ProcessKey, ProcessSummary>,
        ties: &'a [Tie],
    ) -> Scene<'a> {
        let mut times: Vec<(usize, usize)> =
            stages.iter().enumerate().flat_map(|(i, s)| (0..s.times.len()).map(move |n| (i, n))).collect();
        times.sort_by_key(|(i, n)| (stages[*i].times[*n].time, stages[*i].times[*n].event, *i));
        let mut lineages: HashMap<ProcessKey, Vec<ProcessKey>> = HashMap::default();
        for key in stages.iter().flat_map(|s| s.times.iter().map(|t| t.process)) {
            // Mostly the same few do all of it.
            lineages.entry(key).or_insert_with(|| lineage(members, key));
        }
        let above: HashSet<ProcessKey> = lineages.values().flatten().copied().collect();
        let ties: Vec<&Tie> = ties.iter().filter(|tie| above.contains(&tie.to)).collect();
        for key in ties.iter().flat_map(|tie| [tie.from, tie.to]) {
            lineages.entry(key).or_insert_with(|| lineage(members, key));
        }
        Scene { stages, members, ties, times, lineages }
    }

    /// Those whose lineage, place or name any relation or story may depend on: who does something, those above them in the
    /// incident, and who would be next above, were it a member.
    pub(in crate::detect) fn cast(&self) -> HashSet<ProcessKey> {
        let next = |line: &[ProcessKey]| self.members.get(line.last()?).and_then(|top| top.parent);
        self.lineages.values().flat_map(|line| line.iter().copied().chain(next(line))).collect()
    }

    pub(super) fn stage(&self, at: usize) -> &Stage {
        &self.stages[self.times[at].0]
    }

    pub(super) fn time(&self, at: usize) -> &Occurrence {
        let (stage, n) = self.times[at];
        &self.stages[stage].times[n]
    }

    fn descends(&self, key: ProcessKey, ancestor: ProcessKey) -> bool {
        key == ancestor || self.lineages.get(&key).is_some_and(|line| line.contains(&ancestor))
    }

    /// Whether two descend from one process of the incident.
    fn are_kin(&self, a: ProcessKey, b: ProcessKey) -> bool {
        let line = |key| self.lineages.get(&key).map_or(&[][..], Vec::as_slice);
        line(a).iter().any(|key| line(b).contains(key))
    }

    /// Whether `this` stands in a relation to `that`; both are places in [`Scene::times`].
    pub(super) fn holds(&self, kind: RelationKind, this: usize, that: usize) -> bool {
        let (a, b) = (self.time(that), self.time(this));
        match kind {
            RelationKind::SameProcess => a.process == b.process,
            RelationKind::Descends => self.descends(b.process, a.process),
            RelationKind::SameLineage => self.are_kin(a.process, b.process),
            RelationKind::SameContainer => self.container(a) == self.container(b),
            RelationKind::OtherContainer => self.container(a) != self.container(b),
            RelationKind::SamePeer => a.peer.is_some() && a.peer.map(|p| p.ip()) == b.peer.map(|p| p.ip()),
            _ => self.tie(kind, this, that).is_some(),
        }
    }

    /// The link because of which a relation holds.
    pub(super) fn tie(&self, kind: RelationKind, this: usize, that: usize) -> Option<&Tie> {
        let (a, b) = (self.time(that).process, self.time(this).process);
        let is = |tie: &Tie, kinds: &[LinkKind]| kinds.contains(&tie.kind);
        let takes = [LinkKind::WroteExecuted, LinkKind::WroteStarted, LinkKind::WroteLoaded, LinkKind::WroteRead];
        self.ties.iter().copied().find(|tie| {
            let forward = self.are_kin(tie.from, a) && self.descends(b, tie.to);
            let backward = || self.are_kin(tie.from, b) && self.descends(a, tie.to);
            match kind {
                RelationKind::WroteExecuted => is(tie, &[LinkKind::WroteExecuted]) && forward,
                RelationKind::WroteStarted => is(tie, &[LinkKind::WroteStarted]) && forward,
                RelationKind::WroteLoaded => is(tie, &[LinkKind::WroteLoaded]) && forward,
                RelationKind::WroteRead => is(tie, &[LinkKind::WroteRead]) && forward,
                RelationKind::Delivered => is(tie, &takes) && tie.delivered_by.is_some() && forward,
                RelationKind::AskedStarted => is(tie, &[LinkKind::AskedStarted]) && forward,
                RelationKind::ConnectsTo => is(tie, &[LinkKind::Connected]) && (forward || backward()),
                RelationKind::Traced => is(tie, &[LinkKind::Traced]) && (forward || backward()),
                RelationKind::Piped => is(tie, &[LinkKind::Pipe]) && (forward || backward()),
                _ => false,
            }
        })
    }

    /// The link of this kind that leads to who did this.
    pub(super) fn tie_to(&self, kind: LinkKind, this: usize) -> Option<&Tie> {
        let who = self.time(this).process;
        self.ties.iter().copied().find(|tie| tie.kind == kind && self.descends(who, tie.to))
    }

    /// The first remote end that a stage by this process was about.
    pub(super) fn peer_of(&self, key: ProcessKey) -> Option<SocketAddr> {
        (0..self.times.len()).map(|at| self.time(at)).filter(|t| t.process == key).find_map(|t| t.peer)
    }

    fn container(&self, time: &Occurrence) -> Option<&ContainerId> {
        self.members.get(&time.process).and_then(|m| m.container.as_ref())
    }
}

fn lineage(members: &IndexMap<ProcessKey, ProcessSummary>, key: ProcessKey) -> Vec<ProcessKey> {
    let mut line = vec![key];
    let mut at = key;
    while let Some(parent) = members.get(&at).and_then(|m| m.parent) {
        // Whoever is no member is beyond where the incident began.
        if line.len() == MAX_ANCESTORS || line.contains(&parent) || !members.contains_key(&parent) {
            break;
        }
        line.push(parent);
        at = parent;
    }
    line
}
