//! Records of processes.

use crate::{FileFacts, Header, Key, plain};

/// How many nested pid namespaces a record tells of, the innermost first.
pub const PID_LEVELS: usize = 4;

/// How many components of a control group's path a record tells of, the last ones.
pub const CGROUP_DEPTH: usize = 8;

/// The namespaces of a process: inode numbers, 0 when unknown.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct NsFacts {
    pub mnt: u32,
    pub pid: u32,
    pub net: u32,
    pub uts: u32,
    pub ipc: u32,
    pub cgroup: u32,
    pub user: u32,
    /// The pid namespace that children will be in: `setns` and `unshare` change this one, never `pid`.
    pub pid_for_children: u32,
}

/// Who a process is.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskFacts {
    /// Its parent now; zeros when it has none.
    pub parent: Key,
    /// Effective capabilities.
    pub cap_effective: u64,
    /// Permitted capabilities.
    pub cap_permitted: u64,
    /// Real user, as the initial user namespace numbers it; so the next three.
    pub uid: u32,
    /// Effective user.
    pub euid: u32,
    /// Real group.
    pub gid: u32,
    /// Effective group.
    pub egid: u32,
    /// Who logged in; `u32::MAX` for nobody.
    pub login_uid: u32,
    /// The session's id, a pid of the machine.
    pub session: u32,
    /// The process group's id, a pid of the machine.
    pub group: u32,
    /// How many of `pids` and `pid_ns` are filled in.
    pub pid_levels: u8,
    /// 1 when the control group's path goes on above.
    pub cgroup_cut: u8,
    /// Bytes of the control group's path in the tail: components, the last one first, a NUL after each.
    pub cgroup_len: u16,
    /// Which directory is its root: the file system's device number and the inode's.
    pub root_dev: u64,
    /// The inode's.
    pub root_ino: u64,
    /// Its namespaces.
    pub ns: NsFacts,
    /// Its pid in each of its pid namespaces, innermost first.
    pub pids: [u32; PID_LEVELS],
    /// These namespaces (inode numbers).
    pub pid_ns: [u32; PID_LEVELS],
    /// The leader's name.
    pub comm: [u8; 16],
    /// Name of the controlling terminal, empty for none.
    pub tty: [u8; 16],
}

/// What an exec can raise.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrivilegeFacts {
    /// Effective capabilities.
    pub cap_effective: u64,
    /// Permitted capabilities.
    pub cap_permitted: u64,
    /// Effective user.
    pub euid: u32,
    /// Effective group.
    pub egid: u32,
}

/// What a standard descriptor leads to.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StdioFacts {
    /// The inode's number; 0 when unknown.
    pub ino: u64,
    /// One of [`StdioTag`].
    pub tag: u8,
    /// 1 when `addr` and `port` are a TCP or UDP peer's.
    pub has_peer: u8,
    /// The peer's port.
    pub port: u16,
    /// Its address family.
    pub family: u32,
    /// Its address; IPv4 in the first four bytes.
    pub addr: [u8; 16],
}

/// Values of [`StdioFacts::tag`].
#[allow(non_snake_case, missing_docs)]
pub mod StdioTag {
    pub const UNKNOWN: u8 = 0;
    pub const CLOSED: u8 = 1;
    pub const FILE: u8 = 2;
    pub const DIRECTORY: u8 = 3;
    pub const DEVICE: u8 = 4;
    pub const TERMINAL: u8 = 5;
    pub const PIPE: u8 = 6;
    pub const SOCKET: u8 = 7;
}

/// A new image, or one found running.
///
/// Tail, in this order: arguments (as they lie in memory, a NUL after each), environment (the variables asked for,
/// `NAME=value`, a NUL after each), control group, executable's path, working directory's path (both as components, the
/// last one first, a NUL after each), script's path (so, too).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExecRecord {
    /// When and who.
    pub header: Header,
    /// As whom and where.
    pub task: TaskFacts,
    /// The executable.
    pub exe: FileFacts,
    /// The working directory.
    pub cwd: FileFacts,
    /// Descriptors 0, 1 and 2.
    pub stdio: [StdioFacts; 3],
    /// Bytes of arguments in the tail.
    pub args_len: u16,
    /// 1 when the kernel loaded another file, to run the one that exec named.
    pub is_script: u16,
    /// 1 when there were more arguments.
    pub args_cut: u8,
    /// 1 when the arguments could not be read at all.
    pub args_unknown: u8,
    /// 1 for a kernel thread, which has no image.
    pub kernel_thread: u8,
    /// 1 when there were more variables than are looked at, or one was longer.
    pub env_cut: u8,
    /// Bytes of the environment in the tail.
    pub env_len: u16,
    /// 1 when `before` is filled in.
    pub before_known: u8,
    /// 1 when the program is a 32-bit one.
    pub compat: u8,
    /// Zeros.
    pub zero: [u8; 4],
    /// Its privilege before the exec.
    pub before: PrivilegeFacts,
    /// The file that exec named, when `is_script`; without a number when it could not be found again.
    pub script: FileFacts,
}

/// A new process. Tail: its control group.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForkRecord {
    /// When, and who forked.
    pub header: Header,
    /// The child.
    pub child: Key,
    /// The flags of `clone`, `CLONE_*` without the signal in the lowest byte.
    pub flags: u64,
    /// The child's circumstances.
    pub task: TaskFacts,
}

/// A process ended. No tail.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExitRecord {
    /// When and who.
    pub header: Header,
    /// As `wait` tells it: status in bits 8 to 15, signal in bits 0 to 6.
    pub status: u32,
    /// Zero.
    pub zero: u32,
}

/// A process's first thread takes another name. No tail.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommRecord {
    /// When and who.
    pub header: Header,
    /// The name before.
    pub old: [u8; 16],
    /// The name that it takes.
    pub new: [u8; 16],
}

/// A process made its first system call by the 32-bit entry. No tail.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompatRecord {
    /// When and who.
    pub header: Header,
    /// The call's number there.
    pub call: u32,
    /// 1 when the program is a 64-bit one.
    pub from_native: u32,
}

/// A thread's namespaces changed. No tail.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NamespaceRecord {
    /// When and who.
    pub header: Header,
    /// Before the call; zeros when unknown.
    pub before: NsFacts,
    /// After it.
    pub now: NsFacts,
    /// 1: by `unshare`, 0: by `setns`.
    pub unshare: u32,
    /// Zero.
    pub zero: u32,
}

/// A socket became one of the standard descriptors. No tail.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StdioRecord {
    /// When and who.
    pub header: Header,
    /// The number of the system call.
    pub call: u32,
    /// Which descriptor: 0, 1 or 2.
    pub fd: u32,
    /// What it leads to now.
    pub leads_to: StdioFacts,
}

plain!(
    NsFacts = 32,
    TaskFacts = 176,
    PrivilegeFacts = 24,
    StdioFacts = 32,
    ExecRecord = 424,
    ForkRecord = 240,
    ExitRecord = 48,
    NamespaceRecord = 112,
    StdioRecord = 80,
    CommRecord = 72,
    CompatRecord = 48
);
