//! What is kept, and what goes when memory is short: a bound in bytes on all that is known of a node.
//!
//! A little goes with each event, so that none has to wait for much. First go processes that have ended and files and peers,
//! whichever was longest ago, so that neither crowds out the other; then processes that live, known longest first. What is held,
//! because an open incident rests on it, goes after all of that.

use super::nodes::Spot;
use super::objects::Step;
use super::shared::allocated;
use super::{Graph, Process};
use crate::event::{ContainerInfo, Image, Label, ProcessKey, Text};
use crate::persistent::Table;

/// How much memory a graph may take unless told otherwise, in bytes.
pub(super) const MEMORY: usize = 256 << 20;
/// Processes that are kept at most, whatever they take: views look through all of them.
const MAX_PROCESSES: usize = 131_072;
/// What tables keep in reserve when they grow, or keep of what went, as a part of what stands in them: measured.
const RESERVE: usize = 6;
/// Steps that are made for one event: more than it can add.
const STEPS: usize = 16;
/// How many processes that live are considered when one of them has to go.
const CONSIDERED: usize = 4_096;

impl Graph {
    /// A graph that takes at most about so many bytes of memory.
    pub fn with_memory(bytes: usize) -> Graph {
        Graph { memory: bytes, ..Graph::default() }
    }

    /// Says how many bytes of memory it may take from now on.
    pub(crate) fn bound(&mut self, bytes: usize) {
        self.memory = bytes;
    }

    /// About how many bytes of memory it takes.
    pub fn bytes(&self) -> usize {
        let entries = self.bytes_of_entries();
        entries + entries / RESERVE
    }

    fn bytes_of_entries(&self) -> usize {
        self.processes_bytes
            + self.told_bytes
            + self.texts.bytes()
            + self.contexts.bytes()
            + self.nodes.bytes()
            + self.edges.bytes()
            + self.objects.bytes()
            + self.contacts.bytes()
            + self.names.bytes()
            + self.ends.bytes()
            + self.pipes.len() * 56
            + self.containers.len() * 512
            + self.awaited.len() * 96
            + self.digests.bytes()
    }

    /// Something rests on this process and on what it has to do with: they go last. As often as it is held it must be
    /// [released](Graph::release).
    pub fn hold(&mut self, key: ProcessKey) {
        if let Some(process) = self.nodes.processes.get_mut(&key) {
            process.held += 1;
        }
    }

    /// Nothing rests on it any more.
    pub fn release(&mut self, key: ProcessKey) {
        let Some(process) = self.nodes.processes.get_mut(&key) else { return };
        process.held = process.held.saturating_sub(1);
        if process.held == 0 && !process.is_alive() {
            self.ended.push_back(key);
        }
    }

    /// Whether something rests on this process.
    pub fn is_held(&self, key: ProcessKey) -> bool {
        self.process(key).is_some_and(|process| process.held > 0)
    }

    pub(super) fn make_room(&mut self) {
        for step in 0..STEPS {
            let too_many = self.nodes.processes.len() > MAX_PROCESSES;
            if !too_many && self.bytes() <= self.memory {
                return;
            }
            // Those of processes that went stay until somebody looks, and new ones may never come.
            if step == 0 {
                self.contexts.sweep();
            }
            let gone = ((too_many || self.ended_before_objects()) && self.forget_ended())
                || self.forget_object()
                || self.forget_ended()
                || self.forget_living(false)
                || self.forget_held();
            if !gone {
                return;
            }
        }
    }

    /// Whether the process that goes next ended before the file or peer that goes next was last used.
    fn ended_before_objects(&mut self) -> bool {
        let time = |key: &ProcessKey| self.process(*key).and_then(|process| process.ended).map(|ended| ended.time);
        let Some(ended) = self.ended.iter().next().map(time) else { return false };
        self.objects.next_used(&mut self.nodes, &self.edges).is_none_or(|used| ended.unwrap_or_default() <= used)
    }

    /// Makes a step towards forgetting the process that ended longest ago; false when there is none that is not held.
    fn forget_ended(&mut self) -> bool {
        while let Some(key) = self.ended.pop_front() {
            if self.process(key).is_none_or(Process::is_alive) {
                continue;
            }
            if self.is_held(key) {
                self.ended_held.push_back(key);
            } else {
                if !self.forget(key) {
                    self.ended.push_front(key);
                }
                return true;
            }
        }
        false
    }

    fn forget_object(&mut self) -> bool {
        self.objects.evict(&mut self.nodes, &mut self.edges) != Step::Nothing
    }

    fn forget_living(&mut self, held: bool) -> bool {
        let all = || self.nodes.processes.iter().take(CONSIDERED).map(|(key, _)| *key);
        let Some(key) = all().find(|key| held || !self.is_held(*key)) else { return false };
        self.forget(key);
        true
    }

    fn forget_held(&mut self) -> bool {
        if self.objects.evict_held(&mut self.nodes, &mut self.edges) != Step::Nothing {
            return true;
        }
        if let Some(key) = self.ended_held.pop_front() {
            if self.process(key).is_some() && !self.forget(key) {
                self.ended_held.push_front(key);
            }
            return true;
        }
        self.forget_living(true)
    }

    /// Forgets a process; of one that did very much only a part of that. Says whether it is gone.
    fn forget(&mut self, key: ProcessKey) -> bool {
        let Some(place) = self.nodes.processes.place(&key) else { return true };
        if !self.edges.clear(&mut self.nodes, Spot::of_process(place)) {
            return false;
        }
        let Some((_, process)) = self.nodes.processes.take_out(place) else { return true };
        self.reaches.forget(key);
        self.evicted += 1;
        self.processes_bytes -= weight(&process);
        self.living -= usize::from(process.is_alive());
        if self.by_pid.get(&key.pid) == Some(&key) {
            self.by_pid.remove(&key.pid);
        }
        if let Some(parent) = process.parent {
            self.unlist(parent, key);
        }
        true
    }

    /// A parent that lives on must not fill its list with children that nobody can look up any more.
    pub(super) fn unlist(&mut self, parent: ProcessKey, child: ProcessKey) {
        if let Some(parent) = self.nodes.processes.get_mut(&parent) {
            parent.children.remove(child);
        }
    }
}

/// What a process takes: with its places in the indices, its images, and its share of the lists that it stands in; without
/// texts, which are shared.
pub(super) fn weight(process: &Process) -> usize {
    const OWN: usize = Table::<ProcessKey, Process>::COST + 2 * size_of::<ProcessKey>() + 32;
    let images = process.images.iter().map(|running| size_of_val(running) + of_image(&running.image)).sum::<usize>();
    OWN + images
}

fn of_image(image: &Image) -> usize {
    size_of::<Image>() + 2 * size_of::<usize>() + (image.args.list.len() + image.env.list.len()) * size_of::<Text>()
}

/// What is told of a container.
pub(super) fn of_container(info: &ContainerInfo) -> usize {
    let labels = |labels: &[Label]| {
        labels.iter().map(|label| size_of_val(label) + allocated(&label.key) + allocated(&label.value)).sum::<usize>()
    };
    let pod = info.pod.as_ref().map_or(0, |pod| {
        [&pod.name, &pod.namespace, &pod.uid, &pod.source].map(allocated).iter().sum::<usize>() + labels(&pod.labels)
    });
    let own =
        [&info.id.0, &info.why, &info.runtime, &info.name, &info.image.reference, &info.image.digest, &info.image.id];
    let mounts =
        info.mounts.iter().map(|m| size_of_val(m) + allocated(&m.host) + allocated(&m.container)).sum::<usize>();
    size_of_val(info) + own.map(allocated).iter().sum::<usize>() + pod + mounts + labels(&info.labels)
}
