//! What the in-kernel programs and the collector agree on: the records that travel through the ring buffer, the settings
//! that go the other way, and the table of kernel fields whose places the loader looks up. No code runs here.
//!
//! A record is a fixed part ([`ExecRecord`], [`OpenRecord`], ...) that begins with a [`Header`], followed by a tail of
//! bytes whose sections' lengths stand in the fixed part. `Header::len` counts both. Both sides are on one machine, so
//! numbers are in its byte order.
#![no_std]

mod code;
mod config;
mod credentials;
mod dns;
mod fields;
mod file;
mod io_uring;
mod mount;
mod name;
mod net;
mod process;
mod trace;
mod udp;

pub use code::{BpfRecord, KernelRecord};
pub use config::{COMPAT_CALLS, Config, Drop, NameCache, NameSample, Variable, Watched};
pub use credentials::{CredFacts, CredentialsRecord, GROUPS};
pub use dns::{DNS_PAYLOAD, DnsRecord};
pub use fields::{At, Const, END, FIELDS, Field, FieldSize, MISSING, OFFSET_WORDS, Offsets, Ptr, layout};
pub use file::{FileFacts, FileFlags, MemFdRecord, OpenRecord, SealRecord, Through};
pub use io_uring::{UringOpRecord, UringSetupRecord};
pub use mount::{MountRecord, RootRecord};
pub use name::{AttributeRecord, LinkRecord, MakeRecord, RENAME_EXCHANGE, RenameRecord, UnlinkRecord};
pub use net::{
    AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX, BindRecord, Direction, SocketRecord, TcpRecord, TcpState,
    UnixRecord,
};
pub use process::{
    CGROUP_DEPTH, CommRecord, CompatRecord, ExecRecord, ExitRecord, ForkRecord, NamespaceRecord, NsFacts, PID_LEVELS,
    PrivilegeFacts, StdioFacts, StdioRecord, StdioTag, TaskFacts,
};
pub use trace::{OPENED_MEMORY, SignalRecord, TraceRecord};
pub use udp::{UDP_FLOWS, UdpCounts, UdpKey, UdpRecord, UdpReleaseRecord};

/// What a record tells, in [`Header::kind`]. Each family has its own range of ten.
pub mod kind {
    /// [`crate::ExecRecord`]: a new image.
    pub const EXEC: u16 = 10;
    /// [`crate::ExecRecord`] from the iterator: what already runs.
    pub const ALIVE: u16 = 11;
    /// [`crate::ForkRecord`].
    pub const FORK: u16 = 12;
    /// [`crate::ExitRecord`].
    pub const EXIT: u16 = 13;
    /// [`crate::OpenRecord`].
    pub const OPEN: u16 = 20;
    /// [`crate::MemFdRecord`].
    pub const MEMFD: u16 = 21;
    /// [`crate::TcpRecord`]: a connection is tried.
    pub const TCP_STARTED: u16 = 30;
    /// [`crate::TcpRecord`]: it is established.
    pub const TCP_ESTABLISHED: u16 = 31;
    /// [`crate::TcpRecord`]: it failed.
    pub const TCP_FAILED: u16 = 32;
    /// [`crate::TcpRecord`]: one was accepted.
    pub const TCP_ACCEPTED: u16 = 33;
    /// [`crate::TcpRecord`]: a socket listens.
    pub const TCP_LISTEN: u16 = 34;
    /// [`crate::TcpRecord`]: a connection ended.
    pub const TCP_CLOSED: u16 = 35;
    /// [`crate::NamespaceRecord`].
    pub const NAMESPACE: u16 = 40;
    /// [`crate::RenameRecord`].
    pub const RENAME: u16 = 50;
    /// [`crate::LinkRecord`].
    pub const LINK: u16 = 51;
    /// [`crate::UnlinkRecord`].
    pub const UNLINK: u16 = 52;
    /// [`crate::MakeRecord`].
    pub const MAKE: u16 = 53;
    /// [`crate::AttributeRecord`]: permissions.
    pub const MODE: u16 = 54;
    /// [`crate::AttributeRecord`]: user and group.
    pub const OWNER: u16 = 55;
    /// [`crate::AttributeRecord`]: an extended attribute was set.
    pub const XATTR_SET: u16 = 56;
    /// [`crate::AttributeRecord`]: one was removed.
    pub const XATTR_REMOVED: u16 = 57;
    /// [`crate::AttributeRecord`]: the length.
    pub const SIZE: u16 = 58;
    /// [`crate::TcpRecord`]: how far a connection that lives has got.
    pub const TCP_TRAFFIC: u16 = 70;
    /// [`crate::TcpRecord`] from the iterator: a connection was there before.
    pub const TCP_FOUND: u16 = 71;
    /// [`crate::TcpRecord`] from the iterator: a socket listened before.
    pub const TCP_FOUND_LISTEN: u16 = 72;
    /// [`crate::UnixRecord`]: a unix socket was connected to, or could not be.
    pub const UNIX_CONNECT: u16 = 73;
    /// [`crate::UnixRecord`]: a unix socket listens.
    pub const UNIX_LISTEN: u16 = 74;
    /// [`crate::UnixRecord`] from the iterator: one was connected before.
    pub const UNIX_FOUND_CONNECT: u16 = 75;
    /// [`crate::UnixRecord`] from the iterator: one listened before.
    pub const UNIX_FOUND_LISTEN: u16 = 76;
    /// [`crate::SocketRecord`].
    pub const SOCKET: u16 = 77;
    /// [`crate::BindRecord`].
    pub const BIND: u16 = 78;
    /// [`crate::UdpRecord`]: a flow's first datagram.
    pub const UDP: u16 = 90;
    /// [`crate::UdpReleaseRecord`]: a UDP socket was closed.
    pub const UDP_RELEASED: u16 = 91;
    /// [`crate::DnsRecord`]: a message to or from a name server.
    pub const DNS: u16 = 100;
    /// [`crate::CredentialsRecord`].
    pub const CREDENTIALS: u16 = 110;
    /// [`crate::RootRecord`].
    pub const ROOT: u16 = 111;
    /// [`crate::MountRecord`].
    pub const MOUNT: u16 = 112;
    /// [`crate::TraceRecord`].
    pub const TRACE: u16 = 113;
    /// [`crate::SignalRecord`].
    pub const SIGNAL: u16 = 114;
    /// [`crate::KernelRecord`].
    pub const KERNEL: u16 = 115;
    /// [`crate::BpfRecord`].
    pub const BPF: u16 = 116;
    /// [`crate::StdioRecord`].
    pub const STDIO: u16 = 117;
    /// [`crate::CommRecord`].
    pub const COMM: u16 = 140;
    /// [`crate::SealRecord`].
    pub const SEAL: u16 = 141;
    /// [`crate::UringSetupRecord`].
    pub const URING_SETUP: u16 = 142;
    /// [`crate::UringOpRecord`].
    pub const URING_OP: u16 = 143;
    /// [`crate::CompatRecord`].
    pub const COMPAT: u16 = 144;
}

/// A process: its pid on the machine and when its thread group's leader started (`start_boottime`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Key {
    /// The thread group's id.
    pub pid: u32,
    /// Zero: keeps the padding defined, for keys are compared as bytes in maps.
    pub zero: u32,
    /// Nanoseconds since boot.
    pub start: u64,
}

/// The beginning of every record.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// One of [`kind`].
    pub kind: u16,
    /// 1: within a 32-bit system call of the thread that did it.
    pub compat: u16,
    /// Bytes of the whole record, tail included.
    pub len: u32,
    /// When, in nanoseconds since boot (suspend included).
    pub time: u64,
    /// The processor it happened on.
    pub cpu: u32,
    /// The thread that did it; 0 when unknown.
    pub tid: u32,
    /// The process that did it; zeros when unknown.
    pub process: Key,
}

/// Types that any bytes of their size are a valid value of, and that have no padding.
///
/// # Safety
/// Implementors are `repr(C)`, hold only integers and arrays of them or of `Plain` types, and have no padding.
#[allow(unsafe_code)]
pub unsafe trait Plain: Copy + 'static {}

/// Marks records as [`Plain`] and pins their sizes, so that a change of layout is a decision and not an accident.
macro_rules! plain {
    ($($name:ident = $size:literal),* $(,)?) => {
        $(
            const _: () = assert!(core::mem::size_of::<$name>() == $size, stringify!($name));
            const _: () = assert!(core::mem::align_of::<$name>() <= 8, "ring buffer records are aligned to 8 bytes");
            // SAFETY: repr(C), of integers alone; every padding byte is a named field, as the size asserted above shows.
            #[allow(unsafe_code)]
            unsafe impl crate::Plain for $name {}
        )*
    };
}
pub(crate) use plain;

plain!(Key = 16, Header = 40);
