//! Paths, from the file up to the root of its mount namespace. `d_path` is not available to these programs, so they walk
//! dentries and cross mounts themselves. What they find is the file that was used, whatever name was passed for it.

use lanner_collector_abi::{CGROUP_DEPTH, FileFlags};

use crate::kernel::{
    Place as _, cgroup_subsys_id, cgroup_subsys_state, css_set, dentry, kernfs_node, mount, path, probe, task_struct,
    vfsmount,
};
use crate::record::Tail;

/// Components and mounts that are walked.
const STEPS: u32 = 48;
/// Bytes after which no further component is read.
const BYTES: u32 = 3072;

/// A place in the tree of names: what the kernel calls a path.
#[derive(Clone, Copy)]
pub struct Spot {
    pub mount: mount,
    pub dentry: dentry,
}

impl Spot {
    /// The place that a `struct path` holds.
    #[inline(always)]
    pub fn of(at: path) -> Self {
        Spot { mount: mount_of(at.mnt()), dentry: at.dentry() }
    }
}

/// Appends a path's components, the last one first; returns how many bytes, and `FileFlags`.
#[inline(never)]
pub fn push(tail: Tail, at: &Spot) -> u32 {
    let start = tail.used();
    let mut dentry = at.dentry;
    let mut mount = at.mount;
    let mut root = mount.vfs().root();
    let mut flags = FileFlags::CUT;
    for _ in 0..STEPS {
        if dentry.address == root.address {
            let above = mount.parent();
            if above.address == mount.address || above.is_null() {
                flags = 0;
                break;
            }
            dentry = mount.mountpoint();
            mount = above;
            root = mount.vfs().root();
            continue;
        }
        if tail.used().wrapping_sub(start) > BYTES {
            break;
        }
        let parent = dentry.parent();
        if tail.push_str(dentry.name().address) == 0 {
            break;
        }
        if parent.address == dentry.address {
            flags = FileFlags::UNMOUNTED;
            break;
        }
        dentry = parent;
    }
    (tail.used().wrapping_sub(start)) << 16 | u32::from(flags)
}

/// The mount around what other code knows as a `vfsmount`.
#[inline(always)]
pub fn mount_of(vfs: vfsmount) -> mount {
    let offset = mount::at(0).vfs().address;
    mount::at(vfs.address.wrapping_sub(offset))
}

/// Appends the last components of a process's control group, the last one first; returns how many bytes, and 1 in the
/// lowest bit when it goes on above.
#[inline(never)]
pub fn push_cgroup(tail: Tail, task: &task_struct) -> u32 {
    let start = tail.used();
    let set = task.cgroups();
    // Where version 2 is in use, its tree tells all; on hybrid hosts it is empty and a version 1 controller tells.
    let mut node = set.default().kn();
    if node.parent().is_null() {
        node = node_of(set, cgroup_subsys_id::at(0).pids());
        if node.parent().is_null() {
            node = node_of(set, cgroup_subsys_id::at(0).memory());
        }
    }
    let mut cut = 1;
    for _ in 0..CGROUP_DEPTH + 1 {
        let above = node.parent();
        if above.is_null() {
            cut = 0;
            break;
        }
        if tail.push_str(node.name().address) == 0 {
            break;
        }
        node = above;
    }
    (tail.used().wrapping_sub(start)) << 16 | cut
}

#[inline(always)]
fn node_of(set: css_set, id: u32) -> kernfs_node {
    // The kernel has at most 16 controllers; an absent one's id is `MISSING`.
    if id >= 32 || set.subsys().is_null() {
        return kernfs_node::at(0);
    }
    cgroup_subsys_state::at(probe(set.subsys().address + u64::from(id) * 8)).cgroup().kn()
}
