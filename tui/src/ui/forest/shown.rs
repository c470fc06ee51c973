//! Which processes the tree shows: those that live, those that ended lately, and those that a rule spoke of or that are part of
//! an incident. What has changed is looked at, and nothing else; only where that is not known is all looked through.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use lanner_core::event::{BootTime, ProcessKey};
use lanner_core::graph::Process;

use super::branches::{Branches, Own};
use super::group_of;
use crate::ui::scene::Scene;

/// An ended process stays for this long; one of an incident, or with a signal, for as long as it is known.
pub(crate) const LINGER: Duration = Duration::from_secs(20);

/// The processes that are shown, and what must be known to go on from there.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) branches: Branches,
    /// Of which moment it is: the number of the event that comes next, or now.
    of: Option<Option<u64>>,
    /// All changes before this one are known.
    seen: u64,
    /// When time alone changes something, and about whom.
    due: BTreeSet<(BootTime, ProcessKey)>,
    /// The members of incidents, and what tells whether they are others now.
    involved: HashSet<ProcessKey>,
    revisions: u64,
    /// How many processes the graph had forgotten, and the second in which that was looked at.
    evicted: (u64, u64),
    /// Those that have changed since [`Shown::follow`] was called last; `None`: any.
    pub(super) changed: Option<Vec<ProcessKey>>,
}

impl Shown {
    /// Brings it up to date. Says whether anything may have changed.
    pub(super) fn follow(&mut self, scene: &Scene<'_>) -> bool {
        let past = scene.past();
        let same = self.of == Some(past);
        let mut changed: Option<Vec<ProcessKey>> = match past {
            _ if !same => None,
            // What was does not change.
            Some(_) => Some(Vec::new()),
            None => scene.changes.processes.since(self.seen).map(Iterator::collect),
        };
        (self.of, self.seen) = (Some(past), scene.changes.processes.end());
        match &mut changed {
            Some(changed) => {
                self.involve(scene, changed);
                self.wait(scene, changed);
                self.miss(scene, changed);
                changed.sort_unstable();
                changed.dedup();
                changed.iter().for_each(|key| self.look_at(scene, *key));
            }
            None => self.begin(scene),
        }
        self.changed = changed;
        self.changed.as_ref().is_none_or(|changed| !changed.is_empty())
    }

    fn begin(&mut self, scene: &Scene<'_>) {
        (self.branches, self.due, self.involved) = Default::default();
        self.revisions = 0;
        self.involve(scene, &mut Vec::new());
        self.evicted = (scene.graph.evicted(), second(scene));
        let mut shown: Vec<(&Process, Own)> =
            scene.graph.processes().filter_map(|process| self.wanted(scene, process)).collect();
        shown.sort_unstable_by_key(|(process, _)| (process.key.start, process.key.pid));
        for (process, own) in shown {
            self.branches.grow(scene.graph, process, &group_of(scene.graph, process), own);
        }
    }

    /// Who is part of an incident, if that may be others than before.
    fn involve(&mut self, scene: &Scene<'_>, changed: &mut Vec<ProcessKey>) {
        let revisions = scene.incidents.iter().map(|i| u64::from(i.revision) + 1).sum();
        if revisions != self.revisions {
            let involved = scene.incidents().iter().flat_map(|i| i.processes.iter().map(|p| p.key)).collect();
            let before = std::mem::replace(&mut self.involved, involved);
            changed.extend(self.involved.symmetric_difference(&before));
            self.revisions = revisions;
        }
    }

    /// Whom the passing of time changes.
    fn wait(&mut self, scene: &Scene<'_>, changed: &mut Vec<ProcessKey>) {
        while self.due.first().is_some_and(|(at, _)| *at <= scene.now()) {
            changed.extend(self.due.pop_first().map(|(_, key)| key));
        }
    }

    /// Whom the graph has forgotten. It does not say whom, so that is looked at once a second. Whoever stood below keeps its
    /// place, though nobody could tell any more that it descends from there.
    fn miss(&mut self, scene: &Scene<'_>, changed: &mut Vec<ProcessKey>) {
        let now = (scene.graph.evicted(), second(scene));
        if now.0 != self.evicted.0 && now.1 != self.evicted.1 {
            let shown = self.branches.processes().map(|(_, key)| key);
            changed.extend(shown.filter(|key| scene.graph.process(*key).is_none()));
            self.evicted = now;
        }
    }

    fn look_at(&mut self, scene: &Scene<'_>, key: ProcessKey) {
        match scene.graph.process(key).and_then(|process| self.wanted(scene, process)) {
            Some((process, own)) => {
                self.branches.put(scene.graph, process, &group_of(scene.graph, process), own);
            }
            None => self.branches.remove(scene.graph, key),
        }
    }

    /// Whether a process is shown, and as what. When time alone will change that, it is noted.
    fn wanted<'a>(&mut self, scene: &Scene<'_>, process: &'a Process) -> Option<(&'a Process, Own)> {
        let (key, now) = (process.key, scene.now());
        if key.is_unknown() {
            return None;
        }
        let end = process.ended.map(|end| end.time);
        let until =
            end.or_else(|| scene.gone.get(&key).filter(|since| **since <= now).copied()).map(|t| t.after(LINGER));
        let due = [Some(key.start), end, until].into_iter().flatten().filter(|time| *time > now).min();
        self.due.extend(due.map(|time| (time, key)));
        let worst = scene.marks.of(key).worst;
        let involved = worst.is_some() || self.involved.contains(&key);
        let shown = key.start <= now && (involved || until.is_none_or(|until| until > now));
        shown.then(|| (process, Own { living: scene.is_alive(process), worst, involved }))
    }
}

fn second(scene: &Scene<'_>) -> u64 {
    scene.now().0 / 1_000_000_000
}
