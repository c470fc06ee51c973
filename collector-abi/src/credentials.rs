//! Records of what a thread may do.

use crate::{Header, plain};

/// How many supplementary groups a record tells of.
pub const GROUPS: usize = 16;

/// The credentials of a thread; users and groups as the initial user namespace numbers them.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct CredFacts {
    pub uid: u32,
    pub euid: u32,
    pub suid: u32,
    pub fsuid: u32,
    pub gid: u32,
    pub egid: u32,
    pub sgid: u32,
    pub fsgid: u32,
    /// Capabilities, a bit each.
    pub cap_effective: u64,
    pub cap_permitted: u64,
    pub cap_inheritable: u64,
    pub cap_bounding: u64,
    pub cap_ambient: u64,
    /// The user namespace's inode number.
    pub user_ns: u32,
    /// How many supplementary groups there are.
    pub group_count: u32,
    /// The first of them; zeros after the last.
    pub groups: [u32; GROUPS],
}

/// A thread's credentials changed. No tail.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CredentialsRecord {
    /// When and who.
    pub header: Header,
    /// The number of the system call.
    pub call: u32,
    /// Zero.
    pub zero: u32,
    /// Before the call.
    pub before: CredFacts,
    /// After it.
    pub now: CredFacts,
}

plain!(CredFacts = 144, CredentialsRecord = 336);
