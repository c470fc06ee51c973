//! The families of events: one row each.

use std::fmt;

use super::{
    Accept, Accounts, Attribute, AttributeChange, Bind, Bpf, Close, Comm, Compat, Connect, ContainerInfo,
    CredentialsChange, Digest, Dns, Exec, Exit, Fork, KernelLoad, Link, Listen, MadeKind, Make, MemFd, Mount,
    NamespaceChange, NsChangeHow, Open, Rename, RootChange, Seal, SignalSent, Socket, StdioChange, Trace, Traffic, Udp,
    UdpStage, Unix, UnixAct, Unlink, UringOp, UringSetup,
};

macro_rules! families {
    ($($(#[doc = $doc:literal])+ $family:ident($payload:ty) = $name:literal $event_types:expr;)*) => {
        /// What happened. `docs/events.md` tells each family's hook.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Payload { $($(#[doc = $doc])+ $family($payload),)* }

        /// What kind of event: [`Payload`] without its content.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Family { $($(#[doc = $doc])+ $family,)* }

        impl Family {
            /// All, in the order of [`Payload`].
            pub const ALL: &[Family] = &[$(Family::$family),*];

            /// The family of an event.
            pub fn of(payload: &Payload) -> Family {
                match payload { $(Payload::$family(_) => Family::$family,)* }
            }

            /// Its name, as `events --json` and `lanner.event` give it.
            pub fn name(self) -> &'static str {
                match self { $(Family::$family => $name,)* }
            }

            /// What `evt.type` can be for its events: the names of system calls, as Falco has them.
            pub fn event_types(self) -> &'static [&'static str] {
                match self { $(Family::$family => &$event_types,)* }
            }
        }
    };
}

// New families go to the end: the order is that of `Family`'s values. A bit each in `FamilySet`: 64 at most.
families! {
    /// The process began a new image. `header.process` is the process.
    Exec(Box<Exec>) = "exec" ["execve"];
    /// A process that was already running when it was first seen; always [`super::Origin::Backfill`].
    Alive(Box<Exec>) = "alive" ["alive"];
    /// `header.process` made a child.
    Fork(Box<Fork>) = "fork" ["clone"];
    /// The process ended (its last thread did).
    Exit(Exit) = "exit" ["procexit"];
    /// A file was opened for writing, or one worth knowing for reading.
    Open(Box<Open>) = "open" ["openat"];
    /// A TCP connection was tried, was established or failed.
    Connect(Connect) = "connect" ["connect"];
    /// A TCP connection was accepted.
    Accept(Accept) = "accept" ["accept"];
    /// A TCP socket began to listen.
    Listen(Listen) = "listen" ["listen"];
    /// A TCP connection ended.
    Close(Close) = "close" ["close"];
    /// The process moved to other namespaces.
    Namespace(NamespaceChange) = "namespace" ["setns", "unshare"];
    /// An anonymous file in memory was made.
    MemFd(MemFd) = "memfd" ["memfd_create"];
    /// A file got another name.
    Rename(Box<Rename>) = "rename" ["rename"];
    /// A file got one more name, or a symbolic link was made.
    Link(Box<Link>) = "link" ["link", "symlink"];
    /// A name was removed.
    Unlink(Box<Unlink>) = "unlink" ["unlink", "rmdir"];
    /// A directory, device, pipe or socket was made.
    Make(Box<Make>) = "make" ["mkdir", "mknod"];
    /// Permissions, owner, an extended attribute or the length of a file was set.
    Attribute(Box<Attribute>) = "attribute" ["chmod", "chown", "setxattr", "removexattr", "truncate"];
    /// A TCP connection that lives has got so far.
    Traffic(Traffic) = "traffic" ["traffic"];
    /// The process connected to a unix socket, or began to listen on one.
    Unix(Box<Unix>) = "unix" ["connect", "listen"];
    /// The process asked for a socket of a kind worth knowing.
    Socket(Socket) = "socket" ["socket"];
    /// The process gave a socket an address.
    Bind(Bind) = "bind" ["bind"];
    /// A thread's users, groups or capabilities changed by a call other than exec.
    Credentials(Box<CredentialsChange>) = "credentials" [
        "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "setfsuid", "setfsgid", "capset",
        "user_namespace"
    ];
    /// The process has another root directory.
    Root(Box<RootChange>) = "root" ["chroot", "pivot_root"];
    /// Something was mounted or unmounted, or that was tried.
    Mount(Box<Mount>) = "mount" [
        "mount", "umount2", "fsopen", "fsconfig", "fsmount", "open_tree", "move_mount", "mount_setattr"
    ];
    /// The process reached into another, or tried.
    Trace(Box<Trace>) = "trace" ["ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "proc_mem"];
    /// The process sent a signal to another.
    Signal(SignalSent) = "signal" ["kill"];
    /// Code was given to the kernel to run with its own rights, or that was tried.
    Kernel(Box<KernelLoad>) = "kernel" [
        "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load"
    ];
    /// A BPF program or map was made or attached, or that was tried.
    Bpf(Box<Bpf>) = "bpf" ["bpf"];
    /// A network socket became standard input, output or error.
    Stdio(StdioChange) = "stdio" ["dup", "dup2", "dup3", "fcntl"];
    /// Datagrams pass between a UDP socket and a peer.
    Udp(Box<Udp>) = "udp" ["udp", "sendto", "recvfrom", "connect", "close"];
    /// A name server was asked.
    Dns(Box<Dns>) = "dns" ["dns"];
    /// A container was named by those who run it, or by nobody. `header.process` is the first that was seen in it.
    Container(Box<ContainerInfo>) = "container" ["container"];
    /// The process took another name.
    Comm(Comm) = "comm" ["prctl"];
    /// Seals were asked for on a file in memory.
    Seal(Box<Seal>) = "seal" ["fcntl"];
    /// The process made a ring for io_uring.
    UringSetup(UringSetup) = "io_uring_setup" ["io_uring_setup"];
    /// An operation that takes the place of a system call was asked for through a ring.
    UringOp(Box<UringOp>) = "io_uring" ["io_uring_enter"];
    /// The process made a 32-bit system call.
    Compat(Compat) = "compat" ["compat"];
    /// Users and groups have names, in a container or on the node; always [`super::Origin::Backfill`].
    Accounts(Box<Accounts>) = "accounts" ["accounts"];
    /// The content of a file that the process ran was read; always [`super::Origin::Backfill`].
    Digest(Box<Digest>) = "digest" ["digest"];
}
const _: () = assert!(Family::ALL.len() <= 64, "a set of families has a bit for each");

impl Payload {
    /// The family's name.
    pub fn family(&self) -> &'static str {
        Family::of(self).name()
    }

    /// `evt.type`: the system call that did it. A family with several names tells them apart here.
    pub fn event_type(&self) -> &'static str {
        match self {
            Payload::Credentials(change) => change.call.name(),
            Payload::Root(change) => change.call.name(),
            Payload::Mount(mount) => mount.call.name(),
            Payload::Trace(trace) => trace.call.name(),
            Payload::Kernel(load) => load.call.name(),
            Payload::Stdio(change) => change.call.name(),
            Payload::Namespace(change) if change.how == NsChangeHow::Unshare => "unshare",
            Payload::Link(link) if link.symbolic => "symlink",
            Payload::Unlink(unlink) if unlink.directory == Some(true) => "rmdir",
            Payload::Make(make) if make.kind != MadeKind::Directory => "mknod",
            Payload::Attribute(attribute) => match attribute.change {
                AttributeChange::Mode { .. } => "chmod",
                AttributeChange::Owner { .. } => "chown",
                AttributeChange::Extended { removed: false, .. } => "setxattr",
                AttributeChange::Extended { removed: true, .. } => "removexattr",
                AttributeChange::Size { .. } => "truncate",
            },
            Payload::Unix(unix) if unix.act == UnixAct::Listening => "listen",
            Payload::Udp(udp) => match udp.stage {
                // What Falco would have seen of it: connecting a UDP socket sends nothing by itself.
                UdpStage::Started if !udp.outgoing => "recvfrom",
                UdpStage::Started if udp.connected => "connect",
                UdpStage::Started => "sendto",
                UdpStage::Continues | UdpStage::Silent => "udp",
                UdpStage::Closed => "close",
            },
            _ => Family::of(self).event_types()[0],
        }
    }
}

/// A set of families.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FamilySet(u64);

impl FamilySet {
    /// No family.
    pub const NONE: FamilySet = FamilySet(0);
    /// Every family.
    pub const ALL: FamilySet = FamilySet::of(Family::ALL);

    /// These families.
    pub const fn of(families: &[Family]) -> FamilySet {
        let mut bits = 0u64;
        let mut i = 0;
        while i < families.len() {
            bits |= 1 << families[i] as u16;
            i += 1;
        }
        FamilySet(bits)
    }

    /// Whether this family is in it.
    pub const fn has(self, family: Family) -> bool {
        self.0 & (1 << family as u16) != 0
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: FamilySet) -> FamilySet {
        FamilySet(self.0 & other.0)
    }

    /// What is in either.
    #[must_use]
    pub const fn or(self, other: FamilySet) -> FamilySet {
        FamilySet(self.0 | other.0)
    }

    /// What is not in it.
    #[must_use]
    pub const fn not(self) -> FamilySet {
        FamilySet(Self::ALL.0 & !self.0)
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its families, in order.
    pub fn iter(self) -> impl Iterator<Item = Family> {
        Family::ALL.iter().copied().filter(move |f| self.has(*f))
    }
}

impl fmt::Debug for FamilySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Family::name)).finish()
    }
}
