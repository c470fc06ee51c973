//! Containers without a control group of their own: a user's where version 1 is in use or no systemd of the user's runs, and
//! those that were told to do without (`podman run --cgroups=disabled`). Their processes stay in the group of who started
//! them.
//!
//! What such a container's supervisor starts, and is in another mount namespace than the supervisor, is in the container;
//! so are its children, wherever they go. Who goes in from outside, past the supervisor, is not.
//!
//! A process in a container with a group, or in one without, cannot claim one here.

use std::collections::HashMap;

use lanner_core::event::{ContainerId, Origin, ProcessKey, Task};

use super::place::Whose;

/// Processes at one time. Those that find no room are told as in no container, and so are their children.
const MAX_PROCESSES: usize = 16_384;

/// What supervisors started and still lives.
#[derive(Debug, Default)]
pub(super) struct Groupless {
    processes: HashMap<ProcessKey, Standing>,
}

#[derive(Debug, Clone)]
struct Standing {
    container: ContainerId,
    whose: Whose,
    /// The supervisor's mount namespace.
    outside: u32,
    inside: bool,
}

impl Groupless {
    /// A program that starts or looks after a container.
    pub(super) fn supervise(&mut self, key: ProcessKey, task: &Task, container: &ContainerId, whose: &Whose) {
        if task.context.container.is_none() && task.context.namespaces.mnt != 0 {
            let outside = task.context.namespaces.mnt;
            let standing = Standing { container: container.clone(), whose: whose.clone(), outside, inside: false };
            self.insert(key, standing);
        }
    }

    /// A new process, told by who made it. When it is in a container, it is put there; returns whose that is.
    pub(super) fn fork(&mut self, maker: ProcessKey, child: ProcessKey, task: &mut Task) -> Option<Whose> {
        let standing = self.processes.get(&maker)?.clone();
        self.insert(child, standing);
        self.place(child, task)
    }

    /// As [`Self::fork`], of a process that runs a program.
    pub(super) fn run(&mut self, key: ProcessKey, task: &mut Task, origin: Origin) -> Option<Whose> {
        // It was there before anybody looked: whose child it is now tells as much.
        if origin == Origin::Backfill
            && !self.processes.contains_key(&key)
            && let Some(standing) = task.parent.and_then(|parent| self.processes.get(&parent).cloned())
        {
            self.insert(key, standing);
        }
        self.place(key, task)
    }

    pub(super) fn exit(&mut self, key: ProcessKey) {
        self.processes.remove(&key);
    }

    fn place(&mut self, key: ProcessKey, task: &mut Task) -> Option<Whose> {
        if task.context.container.is_some() {
            self.processes.remove(&key);
            return None;
        }
        let standing = self.processes.get_mut(&key)?;
        standing.inside |= task.context.namespaces.mnt != 0 && task.context.namespaces.mnt != standing.outside;
        standing.inside.then(|| {
            task.context_mut().container = Some(standing.container.clone());
            standing.whose.clone()
        })
    }

    fn insert(&mut self, key: ProcessKey, standing: Standing) {
        if self.processes.len() < MAX_PROCESSES || self.processes.contains_key(&key) {
            self.processes.insert(key, standing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lanner_core::event::{Context, Namespaces};

    const HOST: u32 = 1;
    const INSIDE: u32 = 2;

    fn key(pid: u32) -> ProcessKey {
        ProcessKey::new(pid, u64::from(pid))
    }

    fn task(mnt: u32) -> Task {
        Task {
            context: Context { namespaces: Namespaces { mnt, ..Namespaces::default() }, ..Context::default() }.into(),
            ..Task::default()
        }
    }

    /// Process 10 looks after container `web` of user 1000.
    fn supervised() -> Groupless {
        let mut groupless = Groupless::default();
        let whose = Whose { node: None, user: Some(1000) };
        groupless.supervise(key(10), &task(HOST), &ContainerId("web".into()), &whose);
        groupless
    }

    fn forked(groupless: &mut Groupless, maker: u32, child: u32, mnt: u32) -> Option<String> {
        let mut task = task(mnt);
        let whose = groupless.fork(key(maker), key(child), &mut task);
        assert_eq!(whose.map(|whose| whose.user), task.context.container.as_ref().map(|_| Some(1000)));
        task.context.container.as_ref().map(ToString::to_string)
    }

    fn ran(groupless: &mut Groupless, pid: u32, mnt: u32) -> Option<String> {
        let mut task = task(mnt);
        groupless.run(key(pid), &mut task, Origin::Live);
        task.context.container.as_ref().map(ToString::to_string)
    }

    #[test]
    fn what_its_supervisor_starts_elsewhere_is_the_containers() {
        let mut groupless = supervised();
        let web = Some("web".to_owned());
        assert_eq!(forked(&mut groupless, 10, 11, HOST), None, "the runtime");
        assert_eq!(forked(&mut groupless, 11, 12, HOST), None, "on its way in");
        assert_eq!(ran(&mut groupless, 12, INSIDE), web);
        assert_eq!(forked(&mut groupless, 12, 13, INSIDE), web);
        assert_eq!(ran(&mut groupless, 13, HOST), web, "it broke out");
        assert_eq!(forked(&mut groupless, 13, 14, HOST), web, "and so did its child");
        assert_eq!(ran(&mut groupless, 10, HOST), None, "the supervisor");
        assert_eq!(forked(&mut groupless, 20, 21, INSIDE), None, "somebody else went in");
        groupless.exit(key(12));
        assert_eq!(forked(&mut groupless, 12, 15, INSIDE), None, "that was another process");
    }

    #[test]
    fn a_control_group_tells_better() {
        let mut groupless = supervised();
        forked(&mut groupless, 10, 11, HOST);
        let mut inside = task(INSIDE);
        inside.context_mut().container = Some(ContainerId("group".into()));
        assert_eq!(groupless.run(key(11), &mut inside, Origin::Live), None);
        assert_eq!(inside.context.container, Some(ContainerId("group".into())));
        let mut left = Task { parent: Some(key(10)), ..task(INSIDE) };
        assert_eq!(groupless.run(key(11), &mut left, Origin::Live), None, "that it left its group is not hidden");
        groupless.supervise(key(11), &inside, &ContainerId("own".into()), &Whose::default());
        assert_eq!(forked(&mut groupless, 11, 12, HOST), None, "who is in one claims none");
    }

    #[test]
    fn what_was_there_before_is_known_by_its_parent() {
        let mut groupless = supervised();
        let mut first = Task { parent: Some(key(10)), ..task(INSIDE) };
        assert!(groupless.run(key(12), &mut first, Origin::Backfill).is_some());
        let mut second = Task { parent: Some(key(12)), ..task(INSIDE) };
        assert!(groupless.run(key(13), &mut second, Origin::Backfill).is_some());
        assert_eq!(second.context.container, Some(ContainerId("web".into())));
    }

    #[test]
    fn what_is_known_is_bounded() {
        let mut groupless = supervised();
        for pid in 100..100 + 2 * MAX_PROCESSES as u32 {
            forked(&mut groupless, 10, pid, HOST);
        }
        assert_eq!(groupless.processes.len(), MAX_PROCESSES);
        assert_eq!(forked(&mut groupless, 10, 1, INSIDE), None);
        groupless.exit(key(100));
        assert_eq!(forked(&mut groupless, 10, 2, INSIDE), Some("web".to_owned()), "there is room again");
    }
}
