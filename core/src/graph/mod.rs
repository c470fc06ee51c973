//! What is known of a node: its processes, files, peers and containers, and what happened between them. One event at a
//! time goes in ([`Graph::apply`]); everything else only asks.
//!
//! - [`Process`], [`Container`]: what stands in the graph.
//! - `facts`: what follows from it: who entered a container, whose namespaces are the host's, who fed a pipe.

mod container;
mod process;

use std::collections::HashMap;

use indexmap::IndexMap;

use crate::event::{ContainerId, Event, ProcessKey};

pub use container::Container;
pub use process::{Ended, Process, Running};

/// How far lineage is followed. Real trees are far shallower; a forged or damaged history may be a cycle.
const MAX_ANCESTORS: usize = 64;

/// Everything known of one node.
#[derive(Debug, Default)]
pub struct Graph {
    processes: IndexMap<ProcessKey, Process>,
    /// The process that has a pid now, or had it last.
    by_pid: HashMap<u32, ProcessKey>,
    containers: IndexMap<ContainerId, Container>,
}

impl Graph {
    /// Takes in what an event says.
    pub fn apply(&mut self, event: &Event) {
        let _ = event;
    }

    /// The process, if it is known (and not evicted).
    pub fn process(&self, key: ProcessKey) -> Option<&Process> {
        self.processes.get(&key)
    }

    /// All processes, living and ended, in the order in which they became known.
    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        self.processes.values()
    }

    /// The process that has this pid now, or had it last.
    pub fn by_pid(&self, pid: u32) -> Option<&Process> {
        self.by_pid.get(&pid).and_then(|key| self.process(*key))
    }

    /// The known ancestors of a process, nearest first, without the process itself. At most 64.
    pub fn ancestors(&self, key: ProcessKey) -> impl Iterator<Item = &Process> {
        let mut next = self.process(key).and_then(|p| p.task.parent);
        std::iter::from_fn(move || {
            let process = self.process(next?)?;
            next = process.task.parent;
            Some(process)
        })
        .take(MAX_ANCESTORS)
    }

    /// The container, if any of its processes is known.
    pub fn container(&self, id: &ContainerId) -> Option<&Container> {
        self.containers.get(id)
    }

    /// All containers, in the order in which they became known.
    pub fn containers(&self) -> impl Iterator<Item = &Container> {
        self.containers.values()
    }
}
