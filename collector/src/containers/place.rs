//! Where a runtime lives, and for whose containers it may speak.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use lanner_core::event::{ContainerId, ProcessKey};

use super::root::Root;
use crate::sensor::Proc;

/// Processes that are looked through for one in a mount namespace.
const MAX_PROCESSES: usize = 65_536;

/// Where a runtime's process lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The process, and its pid here; `None` when it lives in the collector's own mount namespace.
    pub(super) process: Option<(ProcessKey, u32)>,
    /// Its mount namespace; 0 is the collector's.
    pub(super) mnt: u32,
    /// The container that it runs in, which is a node then.
    pub(super) node: Option<ContainerId>,
    /// As whom it runs.
    pub(super) owner: u32,
}

/// Whose a container is, as its control group tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Whose {
    /// The container round it, which is its node then.
    pub(super) node: Option<ContainerId>,
    /// The user in whose slice it runs.
    pub(super) user: Option<u32>,
}

impl Whose {
    /// Whether who announced a container with these words may have meant the one that was seen with those.
    pub(super) fn may_be(&self, seen: &Whose) -> bool {
        self.node == seen.node && (self.user.is_none() || self.user == seen.user)
    }
}

impl Place {
    /// The collector's own surroundings.
    pub(super) fn own() -> Self {
        Place { process: None, mnt: 0, node: None, owner: 0 }
    }

    /// Whether a runtime here may say who this container is. One in a container speaks for those inside of it; one of a
    /// user's, for that user's.
    pub(super) fn may_speak_for(&self, whose: &Whose) -> bool {
        self.node == whose.node && (self.owner == 0 || Some(self.owner) == whose.user)
    }

    /// The file system that it sees. Some runtimes end as soon as their container runs: then that of anybody else in the
    /// same mount namespace.
    pub(super) fn root(&self) -> io::Result<Root> {
        let Some((key, pid)) = self.process else { return Root::of(None) };
        if let Ok(root) = Root::of(Some(pid))
            // Asked after: the pid was this process's when its root was opened.
            && Proc::is_process(pid, key.start)
        {
            return Ok(root);
        }
        let stand_in = stand_in(self.mnt).ok_or_else(|| io::Error::other("the runtime has ended"))?;
        let root = Root::of(Some(stand_in))?;
        if lives_in(stand_in, self.mnt) { Ok(root) } else { Err(io::Error::other("the runtime has ended")) }
    }

    /// Whether its process has ended.
    pub(super) fn is_gone(&self) -> bool {
        self.process.is_some_and(|(key, pid)| !Proc::is_process(pid, key.start))
    }
}

/// A process in this mount namespace.
fn stand_in(mnt: u32) -> Option<u32> {
    let pids = fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.take(MAX_PROCESSES).find(|pid| lives_in(*pid, mnt))
}

fn lives_in(pid: u32, mnt: u32) -> bool {
    fs::metadata(format!("/proc/{pid}/ns/mnt")).is_ok_and(|file| file.ino() == u64::from(mnt))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_speaks_for_its_own_containers_alone() {
        let node = Some(ContainerId("node".into()));
        let (host, inside) = (Place::own(), Place { node: node.clone(), ..Place::own() });
        let (plain, nested) = (Whose::default(), Whose { node, user: None });
        assert!(host.may_speak_for(&plain) && !host.may_speak_for(&nested));
        assert!(inside.may_speak_for(&nested) && !inside.may_speak_for(&plain));
        let users = Place { owner: 1000, ..Place::own() };
        let of = |user| Whose { node: None, user };
        assert!(users.may_speak_for(&of(Some(1000))));
        assert!(!users.may_speak_for(&of(Some(1001))) && !users.may_speak_for(&of(None)));
        assert!(host.may_speak_for(&of(Some(1000))));
    }

    #[test]
    fn nobody_announces_what_is_not_theirs() {
        let of = |node: Option<&str>, user| Whose { node: node.map(|id| ContainerId(id.into())), user };
        let roots = of(None, None);
        assert!(roots.may_be(&roots) && roots.may_be(&of(None, Some(1000))));
        let users = of(None, Some(1000));
        assert!(users.may_be(&users) && !users.may_be(&roots) && !users.may_be(&of(None, Some(1001))));
        assert!(!roots.may_be(&of(Some("node"), None)) && !of(Some("node"), None).may_be(&roots));
    }
}
