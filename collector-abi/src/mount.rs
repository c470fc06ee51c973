//! Records of roots and mounts.

use crate::{FileFacts, Header, plain};

/// A process has another root directory, or asked for one in vain. Tail: the path of the new one, then that of the old one.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RootRecord {
    /// When and who.
    pub header: Header,
    /// The number of the system call.
    pub call: u32,
    /// The mount namespace's inode number.
    pub namespace: u32,
    /// Why it failed; 0: it did not.
    pub errno: u32,
    /// Zero.
    pub zero: u32,
    /// The root now; of a call that failed, what was asked for.
    pub now: FileFacts,
    /// The root before, where it lies now.
    pub before: FileFacts,
}

/// A call of the mount family. Tail, in this order: the place's path, the source's path, the source in the kernel's words
/// or the caller's, the file system's type, an option's name, its value. What is in words ends with a NUL.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MountRecord {
    /// When and who.
    pub header: Header,
    /// The number of the system call.
    pub call: u32,
    /// Why it failed; 0: it did not.
    pub errno: u32,
    /// The call's flags.
    pub flags: u64,
    /// The mount namespace's inode number.
    pub namespace: u32,
    /// Bytes of the source in words.
    pub source_len: u16,
    /// Bytes of the file system's type.
    pub type_len: u16,
    /// Bytes of the option's name.
    pub key_len: u16,
    /// Bytes of its value.
    pub value_len: u16,
    /// Zero.
    pub zero: u32,
    /// The place.
    pub place: FileFacts,
    /// The source, where it is a file.
    pub source: FileFacts,
}

plain!(RootRecord = 104, MountRecord = 120);
