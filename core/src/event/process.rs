//! Processes: what runs, as whom, and where.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use super::{Call, ContainerId, File, FileId, ProcessKey, Text};

/// A process began a new image, or was found running one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exec {
    /// As whom and where it runs, right after the exec.
    pub task: Task,
    /// What it runs.
    pub image: Image,
}

/// The circumstances of a process: who its parent is, as whom it runs, in which container and namespaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The parent now (after reparenting: the reaper). `None` when unknown or when there is none.
    pub parent: Option<ProcessKey>,
    /// The name of the thread group's leader (`comm`, at most 15 bytes).
    pub comm: Text,
    /// The pid that the process itself sees, in its own pid namespace.
    pub ns_pid: u32,
    /// The session's id, a pid of the machine.
    pub session: u32,
    /// The process group's id, a pid of the machine; 0 when unknown.
    pub group: u32,
    /// What it mostly has in common with its parent.
    pub context: Arc<Context>,
}

/// Nothing is known of it; all such share one context.
impl Default for Task {
    fn default() -> Self {
        static UNKNOWN: LazyLock<Arc<Context>> = LazyLock::new(Arc::default);
        let context = UNKNOWN.clone();
        Task { parent: None, comm: Text::default(), ns_pid: 0, session: 0, group: 0, context }
    }
}

impl Task {
    /// Its context, to be changed for this process alone.
    pub fn context_mut(&mut self) -> &mut Context {
        Arc::make_mut(&mut self.context)
    }
}

/// As whom and where a process runs: a child has its parent's, until one of the two changes its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Context {
    /// Its pid namespace and those around it, innermost first (inode numbers).
    pub pid_namespaces: Vec<u32>,
    /// As whom.
    pub creds: Credentials,
    /// The controlling terminal, such as `pts0`.
    pub tty: Option<Text>,
    /// In which namespaces.
    pub namespaces: Namespaces,
    /// Which directory is its root; unknown where the sensor could not tell.
    pub root: FileId,
    /// That directory's path, where it was seen to become one; the kernel's own events leave it out.
    pub root_path: Option<Text>,
    /// Its control group: the path's last components that the sensor read, such as `/kubepods/besteffort/podX/CONTAINER`.
    pub cgroup: Text,
    /// The container that the control group names.
    pub container: Option<ContainerId>,
}

/// As whom a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Credentials {
    /// Real user, as the initial user namespace numbers it.
    pub uid: u32,
    /// Effective user.
    pub euid: u32,
    /// Real group.
    pub gid: u32,
    /// Effective group.
    pub egid: u32,
    /// The user who logged in; `None` when nobody did (`(uid_t)-1`).
    pub login_uid: Option<u32>,
    /// Effective capabilities, a bit each (`1 << CAP_SYS_ADMIN`, ...).
    pub cap_effective: u64,
    /// Permitted capabilities.
    pub cap_permitted: u64,
}

/// The namespaces of a process, by inode number as `/proc/PID/ns/*` shows them; 0 when unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
#[allow(missing_docs)]
pub struct Namespaces {
    pub mnt: u32,
    pub pid: u32,
    pub net: u32,
    pub uts: u32,
    pub ipc: u32,
    pub cgroup: u32,
    pub user: u32,
}

/// What a process runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Image {
    /// The file that the kernel loaded: for a script its interpreter.
    pub exe: File,
    /// The file that was to be run, when the kernel ran another for it: a script, and `exe` its interpreter. The sensor tells
    /// of it when the interpreter begins; the graph also of what `env` then runs.
    pub script: Option<File>,
    /// The arguments, the program's own name first.
    pub args: Args,
    /// The working directory.
    pub cwd: Text,
    /// Standard input, output and error.
    pub stdio: [Stdio; 3],
    /// Those variables of its environment that the sensor is set to read.
    pub env: Environment,
    /// Where in an overlay the executable lies; `None` when it lies in none.
    pub layer: Option<Layer>,
    /// It is a 32-bit program on a 64-bit machine.
    pub compat: bool,
    /// What running it gave the process; `None` when its privilege before is not known.
    pub gain: Option<Gain>,
}

/// A layer of an overlay file system: what containers' root file systems are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// The writable one: in a container, the file is not in its image, or was changed or its metadata was since.
    Upper,
    /// One below: in a container, the file is as its image has it.
    Lower,
}

/// Variables of an environment, as they were when the image began.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environment {
    /// `NAME=value` each, in their order.
    pub list: Vec<Text>,
    /// There were more variables than the sensor looks at, or a value was longer.
    pub truncated: bool,
}

impl Environment {
    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.list.iter().find_map(|v| v.as_bytes().strip_prefix(name.as_bytes())?.strip_prefix(b"="))
    }
}

/// What a process had not before it ran a file: by the file's set-user-id and set-group-id bits or capabilities, or for
/// being root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Gain {
    /// The effective user before, when it is another now.
    pub user_before: Option<u32>,
    /// The effective group before, when it is another now.
    pub group_before: Option<u32>,
    /// Capabilities permitted now that were not before, a bit each.
    #[serde(serialize_with = "hex")]
    pub capabilities: u64,
}

/// As sets of capabilities are written in JSON, which has no numbers of 64 bits.
fn hex<S: serde::Serializer>(bits: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{bits:016x}"))
}

impl Gain {
    /// Whether it gained nothing.
    pub fn is_none(&self) -> bool {
        *self == Gain::default()
    }
}

/// A program's arguments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Args {
    /// The arguments that the sensor read.
    pub list: Vec<Text>,
    /// There were more, or the last one was longer.
    pub truncated: bool,
}

impl Args {
    /// The arguments with a space between each.
    pub fn joined(&self) -> Text {
        Text::from(self.list.iter().map(Text::as_bytes).collect::<Vec<_>>().join(&b' '))
    }
}

/// What a standard descriptor leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Stdio {
    /// What kind of thing.
    pub kind: StdioKind,
    /// Its inode number: two processes with the two ends of one pipe have the same one. 0 when unknown.
    pub ino: u64,
    /// For a connected TCP or UDP socket, the peer.
    pub peer: Option<SocketAddr>,
}

/// Kinds of standard descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum StdioKind {
    #[default]
    Unknown,
    Closed,
    File,
    Directory,
    Device,
    Terminal,
    Pipe,
    Socket,
}

/// A network socket became one of a process's standard descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct StdioChange {
    /// `dup`, `dup2`, `dup3` or `fcntl`.
    pub call: Call,
    /// Which: 0 input, 1 output, 2 error.
    pub fd: u32,
    /// What it leads to now.
    #[serde(flatten)]
    pub leads_to: Stdio,
}

/// A process made a child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// The child.
    pub child: ProcessKey,
    /// How it was made.
    pub how: CloneFlags,
    /// The child's circumstances; its parent is usually the event's process.
    pub task: Task,
}

/// The flags of `clone(2)` (`CLONE_*` of `linux/sched.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CloneFlags(pub u64);

impl CloneFlags {
    /// The parent waits until the child execs or ends.
    pub const VFORK: u64 = 0x4000;
    /// The child shares its parent's memory.
    pub const VM: u64 = 0x100;
    /// The child's parent is that of the caller: it becomes a sibling.
    pub const PARENT: u64 = 0x8000;

    const NAMES: [(u64, &str); 10] = [
        (Self::VFORK, "vfork"),
        (Self::PARENT, "parent"),
        (0x0002_0000, "newns"),
        (0x0200_0000, "newcgroup"),
        (0x0400_0000, "newuts"),
        (0x0800_0000, "newipc"),
        (0x1000_0000, "newuser"),
        (0x2000_0000, "newpid"),
        (0x4000_0000, "newnet"),
        (0x0000_0080, "newtime"),
    ];

    /// The names of those that tell of more than a plain fork, in lower case: `vfork`, `parent`, `newpid`, ...
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().filter(move |(bit, _)| self.0 & bit != 0).map(|(_, name)| *name)
    }

    /// Whether this flag is set.
    pub fn has(self, flag: u64) -> bool {
        self.0 & flag != 0
    }
}

impl serde::Serialize for CloneFlags {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}

/// A process's first thread took another name, and not by an exec.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Comm {
    /// The name before (`comm`, at most 15 bytes).
    pub old: Text,
    /// The name now.
    pub new: Text,
}

impl Comm {
    /// Whether it calls itself what kernel threads are called, which tools show in brackets and people pass over.
    pub fn is_like_kernel(&self) -> bool {
        const KERNEL: [&[u8]; 9] = [
            b"kworker/",
            b"ksoftirqd/",
            b"migration/",
            b"rcu_",
            b"kthreadd",
            b"kswapd",
            b"khugepaged",
            b"kcompactd",
            b"[",
        ];
        KERNEL.iter().any(|name| self.new.as_bytes().starts_with(name))
    }
}

/// A process made a system call by the 32-bit entry, which most tools do not watch; told once for each process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Compat {
    /// Its number there, as 32-bit x86 counts.
    pub call: u32,
    /// The program itself is a 64-bit one: it went out of its way.
    pub from_native: bool,
}

/// A process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Exit {
    /// The status it passed to exit, 0 to 255.
    pub code: u8,
    /// The signal that ended it; 0 for none.
    pub signal: u8,
}

/// A process is in other namespaces than before. `pid` is here, before and after, the namespace that its children will be
/// in: no call moves the caller itself to another pid namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct NamespaceChange {
    /// By which call.
    pub how: NsChangeHow,
    /// Its namespaces after the call.
    pub now: Namespaces,
    /// Its namespaces before the call; zeros when unknown.
    pub before: Namespaces,
}

/// How a process came into other namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NsChangeHow {
    /// `setns(2)`: it entered namespaces that exist.
    Setns,
    /// `unshare(2)`: it made its own.
    Unshare,
}

/// A file in memory was made with `memfd_create(2)`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct MemFd {
    /// The file; its path is `memfd:NAME`.
    pub file: File,
    /// The descriptor it got.
    pub fd: i32,
}
