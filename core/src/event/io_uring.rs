//! io_uring: calls to the kernel that are no system calls.

use super::Text;

/// A process made a ring, through which it can do what system calls do without making any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct UringSetup {
    /// The descriptor it will get.
    pub fd: i32,
    /// How many operations may wait in it.
    pub entries: u32,
    /// `IORING_SETUP_*`. With [`UringSetup::SQPOLL`] not even `io_uring_enter` is called.
    pub flags: u32,
}

impl UringSetup {
    /// A thread of the kernel takes operations from the ring.
    pub const SQPOLL: u32 = 1 << 1;
}

/// A process asked for an operation through a ring. Those that change names or extended attributes are told each time, others
/// that take the place of a system call once for each process and kind, and reading and writing never.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UringOp {
    /// Which.
    pub operation: UringOperation,
    /// The name that it is about, as the caller put it, behind the folder that it counts from. Links in it are not
    /// followed. Or the open file that it is about.
    pub path: Option<Text>,
    /// The other name, of those that have two: the new one, or that of an extended attribute.
    pub second: Option<Text>,
}

/// An operation of io_uring (`IORING_OP_*` of `linux/io_uring.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UringOperation(pub u8);

impl UringOperation {
    const NAMES: [&str; 63] = [
        "nop",
        "readv",
        "writev",
        "fsync",
        "read_fixed",
        "write_fixed",
        "poll_add",
        "poll_remove",
        "sync_file_range",
        "sendmsg",
        "recvmsg",
        "timeout",
        "timeout_remove",
        "accept",
        "async_cancel",
        "link_timeout",
        "connect",
        "fallocate",
        "openat",
        "close",
        "files_update",
        "statx",
        "read",
        "write",
        "fadvise",
        "madvise",
        "send",
        "recv",
        "openat2",
        "epoll_ctl",
        "splice",
        "provide_buffers",
        "remove_buffers",
        "tee",
        "shutdown",
        "renameat",
        "unlinkat",
        "mkdirat",
        "symlinkat",
        "linkat",
        "msg_ring",
        "fsetxattr",
        "setxattr",
        "fgetxattr",
        "getxattr",
        "socket",
        "uring_cmd",
        "send_zc",
        "sendmsg_zc",
        "read_multishot",
        "waitid",
        "futex_wait",
        "futex_wake",
        "futex_waitv",
        "fixed_fd_install",
        "ftruncate",
        "bind",
        "listen",
        "recv_zc",
        "epoll_wait",
        "readv_fixed",
        "writev_fixed",
        "pipe",
    ];

    /// Its name, such as `openat`; `unknown` for one that is newer than this table.
    pub fn name(self) -> &'static str {
        Self::NAMES.get(usize::from(self.0)).copied().unwrap_or("unknown")
    }
}

impl serde::Serialize for UringOperation {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
