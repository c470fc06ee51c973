//! All cases, and whose they are.

use std::sync::Arc;

use super::case::Case;
use super::lead::Lead;
use super::{LinkKind, Signal};
use crate::event::{ContainerId, ProcessKey};
use crate::graph::Graph;
use crate::persistent::{Queue, Stock, Table};

/// Cases that are kept. Those that are no incident go first, oldest first.
const MAX_CASES: usize = 4_096;
/// Origins and containers that lead to cases; the oldest go first.
const MAX_WAYS: usize = 65_536;
/// Processes that are part of cases, of all together.
pub(super) const MAX_ALL_MEMBERS: usize = 131_072;

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
    /// About how many bytes a clone takes that is taken now; what changes after it counts anew.
    pub(super) fn take_stock(&mut self) -> Stock {
        self.cases.take_stock()
            + self.lesser.take_stock()
            + self.of_process.take_stock()
            + self.of_origin.take_stock()
            + self.of_container.take_stock()
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
        let case = Case::new(self.next, signal);
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
        self.loose.extend(case.held.processes.iter().copied());
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
            self.loose.extend(other.held.processes.iter().copied());
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
                case.note_tie(tie);
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

/// Whether there still is a case, and it is no incident.
fn is_lesser(cases: &Table<u64, Arc<Case>>, id: u64) -> bool {
    cases.get(&id).is_some_and(|case| case.incident.is_none())
}
