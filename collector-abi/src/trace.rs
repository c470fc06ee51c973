//! Records of what one process does to another.

use crate::{FileFacts, Header, Key, plain};

/// In [`TraceRecord::call`]: the memory of a process was opened as a file of /proc.
pub const OPENED_MEMORY: u32 = u32::MAX;

/// A process reached into another: ptrace, process_vm_readv and writev, /proc/PID/mem, pidfd_getfd. Tail: the path of
/// the file that was taken.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TraceRecord {
    /// When and who.
    pub header: Header,
    /// The number of the system call, or [`OPENED_MEMORY`].
    pub call: u32,
    /// Why it failed; 0: it did not.
    pub errno: u32,
    /// The process that it was done to; zeros when there is none.
    pub target: Key,
    /// The thread that it was done to, a pid of the machine.
    pub target_tid: u32,
    /// ptrace's request.
    pub request: u32,
    /// Bytes read or written.
    pub bytes: u64,
    /// How often this process did this to that one, this time included.
    pub count: u64,
    /// The file whose descriptor was taken.
    pub file: FileFacts,
    /// The descriptor: of the file that was taken, or of the opened memory; else -1.
    pub fd: i32,
    /// 1 when the memory may be written.
    pub write: u8,
    /// Zeros.
    pub zeros: [u8; 3],
}

/// A signal was sent to another process. No tail.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignalRecord {
    /// When, and who sent it.
    pub header: Header,
    /// To whom.
    pub target: Key,
    /// To which thread, a pid of the machine.
    pub target_tid: u32,
    /// The signal's number.
    pub signal: u32,
    /// How often it was sent by this process to that one, this time included.
    pub count: u64,
    /// What the kernel did with it: 0 delivered, 1 ignored, 2 already pending, 3 and 4 lost for lack of room.
    pub result: u32,
    /// 1 when it was sent to the thread alone.
    pub thread: u32,
}

plain!(TraceRecord = 120, SignalRecord = 80);
