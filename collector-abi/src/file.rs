//! Records of files.

use crate::{Header, plain};

/// Which file it is. Its path is in the tail, as components, the last one first, a NUL after each.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileFacts {
    /// The file system's device, as the kernel numbers it.
    pub dev: u64,
    /// Its inode number; 0: unknown.
    pub ino: u64,
    /// Type and permissions.
    pub mode: u16,
    /// A set of [`FileFlags`].
    pub flags: u16,
    /// Bytes of the path in the tail.
    pub path_len: u16,
    /// Zero.
    pub zero: u16,
}

/// Bits of [`FileFacts::flags`].
#[allow(non_snake_case)]
pub mod FileFlags {
    /// The path goes on above.
    pub const CUT: u16 = 1;
    /// It has no name any more, or never had one.
    pub const DELETED: u16 = 2;
    /// It hangs on no mount: its only component is a name such as `memfd:x`.
    pub const UNMOUNTED: u16 = 4;
    /// The last component is the name that the caller passed, slashes and all; the others are the directory from which
    /// the kernel took it.
    pub const AS_PASSED: u16 = 8;
    /// It lies in the upper, writable layer of an overlay: it is not in a container's image, or was changed since.
    pub const UPPER: u16 = 16;
    /// It lies in a lower layer of an overlay only: a container's image has it.
    pub const LOWER: u16 = 32;
}

/// A file was opened. Tail: its path, then the name that was passed.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenRecord {
    /// When and who.
    pub header: Header,
    /// Which file.
    pub file: FileFacts,
    /// The descriptor; -1: it has none, or not yet.
    pub fd: i32,
    /// 1 when it may be read.
    pub read: u8,
    /// 1 when it may be written.
    pub write: u8,
    /// 1 when this open made it.
    pub created: u8,
    /// 1 when another process opened it for writing before.
    pub written_before: u8,
    /// One of [`Through`].
    pub through: u32,
    /// The `O_*` flags that were passed.
    pub flags: u32,
    /// Bytes of the name in the tail, with a NUL at its end; 0: there is none, or it cannot be read any more.
    pub name_len: u32,
    /// The permissions that were passed for a file to be made.
    pub mode: u16,
    /// 1 when flags and permissions are known.
    pub known: u16,
}

/// Values of [`OpenRecord::through`].
#[allow(non_snake_case)]
pub mod Through {
    /// A system call of the process.
    pub const CALL: u32 = 0;
    /// A ring of io_uring.
    pub const IO_URING: u32 = 1;
    /// The kernel did it, in a thread of its own.
    pub const KERNEL: u32 = 2;
}

/// A file in memory was made. Tail: its path.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemFdRecord {
    /// When and who.
    pub header: Header,
    /// The file.
    pub file: FileFacts,
    /// The descriptor.
    pub fd: i32,
    /// Zero.
    pub zero: u32,
}

/// Seals are asked for on a file in memory. Tail: its path.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SealRecord {
    /// When and who.
    pub header: Header,
    /// The file.
    pub file: FileFacts,
    /// The descriptor.
    pub fd: i32,
    /// The seals asked for, `F_SEAL_*`.
    pub added: u32,
    /// Those it has.
    pub before: u32,
    /// Zero.
    pub zero: u32,
}

plain!(FileFacts = 24, OpenRecord = 88, MemFdRecord = 72, SealRecord = 80);
