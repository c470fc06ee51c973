//! Who descends from whom.

use super::{Graph, Process};
use crate::event::{Origin, ProcessKey};

/// How far lineage is followed. Real trees are far shallower; a forged or damaged history may be a cycle.
pub(crate) const MAX_ANCESTORS: usize = 64;

/// `kthreadd`, from which the kernel's threads descend, and the programs that the kernel itself runs.
const KTHREADD: u32 = 2;

/// How many supervisors may have been started by one another.
const MAX_NESTED: usize = 8;

/// Programs that start unrelated things for others: what their children do is not one doing. Container runtimes,
/// service managers, session makers and schedulers.
const SUPERVISORS: &[&[u8]] = &[
    b"systemd",
    b"init",
    b"tini",
    b"dumb-init",
    b"docker-init",
    b"catatonit",
    b"runit",
    b"s6-svscan",
    b"supervisord",
    b"containerd",
    b"dockerd",
    b"crio",
    b"conmon",
    b"kubelet",
    b"k3s",
    b"podman",
    b"runc",
    b"crun",
    b"sshd",
    b"sshd-session",
    b"login",
    b"cron",
    b"crond",
    b"atd",
];

impl Graph {
    /// The known ancestors of a process, nearest first, without the process itself; at most 64.
    pub fn ancestors(&self, key: ProcessKey) -> impl Iterator<Item = &Process> {
        let mut next = self.process(key).and_then(|p| p.parent);
        std::iter::from_fn(move || {
            let process = self.process(next?)?;
            next = process.parent;
            Some(process)
        })
        .take(MAX_ANCESTORS)
    }

    /// Whether `key` is `ancestor` or descends from it.
    pub fn descends(&self, key: ProcessKey, ancestor: ProcessKey) -> bool {
        key == ancestor || self.ancestors(key).any(|p| p.key == ancestor)
    }

    /// Whether it is one of the kernel's threads, a program that the kernel itself ran (a helper named in a setting, such as
    /// the one that takes core dumps), or descends from such a program.
    pub fn is_of_kernel(&self, key: ProcessKey) -> bool {
        let is_kthreadd = |key: ProcessKey| key.pid == KTHREADD;
        let has_it_above = |process: &Process| process.parent.is_some_and(is_kthreadd);
        is_kthreadd(key) || self.process(key).is_some_and(has_it_above) || self.ancestors(key).any(has_it_above)
    }

    /// The process that began what `key` does: its topmost ancestor on this side of a boundary. Boundaries are
    /// supervisors, a pid namespace's first process, and the way into a container.
    pub fn origin_of(&self, key: ProcessKey) -> ProcessKey {
        let mut origin = key;
        for parent in self.ancestors(key) {
            if self.process(origin).is_none_or(|child| self.is_boundary(parent, child)) {
                break;
            }
            origin = parent.key;
        }
        origin
    }

    /// Whether what `child` does is no part of what `parent` does.
    pub(crate) fn is_boundary(&self, parent: &Process, child: &Process) -> bool {
        let enters_container =
            child.task.context.container.is_some() && child.task.context.container != parent.task.context.container;
        // Inside a container pid 1 is its program and belongs to what happens there; elsewhere it adopts everybody.
        let is_init = parent.key.pid == 1 || (parent.task.ns_pid == 1 && parent.task.context.container.is_none());
        enters_container || is_init || is_kernel_thread(parent) || self.supervises(parent, MAX_NESTED)
    }

    /// Whether a process starts unrelated things for others.
    pub fn is_supervisor(&self, key: ProcessKey) -> bool {
        self.process(key).is_some_and(|process| self.supervises(process, MAX_NESTED))
    }

    /// A name alone makes no supervisor: whoever was seen to be started out of an ordinary lineage goes on with that, under
    /// whatever name. What was there before, or was started by another supervisor, is believed.
    fn supervises(&self, process: &Process, depth: usize) -> bool {
        if depth == 0 || !is_supervisor(process.name()) {
            return false;
        }
        let Some(parent) = process.parent.and_then(|key| self.process(key)) else { return true };
        let enters_container =
            process.task.context.container.is_some() && process.task.context.container != parent.task.context.container;
        process.origin == Origin::Backfill
            || enters_container
            || parent.key.pid == 1
            || is_kernel_thread(parent)
            || self.supervises(parent, depth - 1)
    }

    /// The nearest common ancestor of two processes that is not beyond a boundary.
    pub fn common_ancestor(&self, a: ProcessKey, b: ProcessKey) -> Option<ProcessKey> {
        if self.origin_of(a) != self.origin_of(b) {
            return None;
        }
        let of_b: Vec<ProcessKey> = std::iter::once(b).chain(self.ancestors(b).map(|p| p.key)).collect();
        std::iter::once(a).chain(self.ancestors(a).map(|p| p.key)).find(|key| of_b.contains(key))
    }
}

fn is_supervisor(name: &[u8]) -> bool {
    SUPERVISORS.contains(&name) || name.starts_with(b"containerd-shim")
}

/// A program that the kernel runs is `kthreadd`'s child too, but it has an executable, and what it does belongs together.
fn is_kernel_thread(process: &Process) -> bool {
    let runs_a_file = || process.image().is_some_and(|image| !image.exe.path.as_bytes().is_empty());
    process.key.pid == KTHREADD || (process.parent.is_some_and(|p| p.pid == KTHREADD) && !runs_a_file())
}
