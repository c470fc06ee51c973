//! Roots and mounts.

use super::{Call, File, Text};

/// A process has another root directory, or asked for one in vain.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RootChange {
    /// `chroot` or `pivot_root`.
    pub call: Call,
    /// The root now: its path as the mount namespace shows it, which is `/` after pivot_root. Of a call that failed, what was
    /// asked for, as its name leads there after the call.
    pub now: File,
    /// The root before, where it lies now.
    pub before: File,
    /// The mount namespace (inode number).
    pub namespace: u32,
    /// Why it failed; 0: it did not.
    pub errno: u32,
}

/// A call that mounts, unmounts, or prepares it, whether it succeeded or not. Which fields a call has, `docs/events.md`
/// tells; the others are empty.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Mount {
    /// `mount`, `umount2`, `fsopen`, `fsconfig`, `fsmount`, `open_tree`, `move_mount` or `mount_setattr`.
    pub call: Call,
    /// What is mounted: a device, a directory, or what its file system calls it.
    pub source: Text,
    /// Where: of a mount its root, of what was unmounted what lay beneath.
    pub place: File,
    /// The file system's type.
    pub fs_type: Text,
    /// The call's flags; for `fsconfig` its command, for `mount_setattr` the attributes that it sets.
    pub flags: u64,
    /// For `fsconfig` the option's name.
    pub key: Text,
    /// Options; for `fsconfig` the option's value.
    pub options: Text,
    /// The mount namespace (inode number) of the caller.
    pub namespace: u32,
    /// Why it failed; 0: it did not.
    pub errno: u32,
}
