//! The processes that ran in a container, as far as they are known. To look through all that are known of a node takes many
//! frames' time: that is done when a container is first looked into, or another moment; from then on they follow what changes.

use std::collections::BTreeSet;

use lanner_core::event::{BootTime, ContainerId, ProcessKey};
use lanner_core::graph::Process;

use crate::ui::scene::Scene;

/// So many are looked for in each frame, whether they are known still: the graph does not say whom it forgot.
const AT_A_TIME: usize = 2_048;

/// The processes of the container that was looked into last.
#[derive(Debug, Default)]
pub(crate) struct Inside {
    /// Which container it is, and at which moment: the number of the event that comes next, or now.
    of: Option<(ContainerId, Option<u64>)>,
    /// All changes before this one are known.
    seen: u64,
    /// Oldest first.
    all: BTreeSet<(BootTime, u32)>,
    /// How many processes the graph had forgotten when all were last found to be known, and who is to be looked for next.
    evicted: u64,
    next: Option<(BootTime, u32)>,
}

impl Inside {
    /// Brings it up to date.
    pub(super) fn follow(&mut self, scene: &Scene<'_>, id: &ContainerId) {
        let past = scene.past();
        let same = self.of.as_ref().is_some_and(|(of, at)| of == id && *at == past);
        let changes = &scene.changes.processes;
        match changes.since(self.seen) {
            // What was does not change.
            _ if same && past.is_some() => {}
            Some(changed) if same => {
                changed.for_each(|key| self.put(key, scene.graph.process(key).is_some_and(|p| is_in(p, id))));
                self.miss(scene);
            }
            _ => {
                let all = scene.processes().filter(|process| is_in(process, id)).map(|process| age(process.key));
                (self.all, self.of) = (all.collect(), Some((id.clone(), past)));
                (self.evicted, self.next) = (scene.graph.evicted(), None);
            }
        }
        self.seen = changes.end();
    }

    fn put(&mut self, key: ProcessKey, is_inside: bool) {
        if is_inside && !key.is_unknown() {
            self.all.insert(age(key));
        } else {
            self.all.remove(&age(key));
        }
    }

    /// Drops those that the graph has forgotten, a part of them at a time where they are many.
    fn miss(&mut self, scene: &Scene<'_>) {
        let evicted = scene.graph.evicted();
        if self.evicted == evicted {
            return;
        }
        let mut looked_for = self.all.range(self.next.unwrap_or_default()..).copied();
        let part: Vec<_> = looked_for.by_ref().take(AT_A_TIME).collect();
        self.next = looked_for.next();
        for (start, pid) in part {
            if scene.graph.process(ProcessKey { pid, start }).is_none() {
                self.all.remove(&(start, pid));
            }
        }
        // Whoever went while some were looked for is missed in the next turn.
        if self.next.is_none() {
            self.evicted = evicted;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn processes(&self) -> impl Iterator<Item = ProcessKey> {
        self.all.iter().map(|(start, pid)| ProcessKey { pid: *pid, start: *start })
    }
}

fn is_in(process: &Process, id: &ContainerId) -> bool {
    process.task.context.container.as_ref() == Some(id)
}

fn age(key: ProcessKey) -> (BootTime, u32) {
    (key.start, key.pid)
}
