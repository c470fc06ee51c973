//! Rings of io_uring, for one operation at a time (include/uapi/linux/io_uring.h).
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{io, ptr};

/// `IORING_SETUP_SQPOLL`: a thread of the kernel takes operations from the ring.
pub const SQPOLL: u32 = 1 << 1;
/// `IOSQE_ASYNC`: a thread of the ring's does it, not the caller.
pub const ASYNC: u8 = 1 << 4;
/// `IOSQE_IO_LINK`: the next operation waits for this one.
const LINK: u8 = 1 << 2;
/// `IOSQE_CQE_SKIP_SUCCESS`: nobody is told when it is done.
const SILENT: u8 = 1 << 6;

const OPENAT: u8 = 18;
const OFF_SQES: libc::off_t = 0x1000_0000;
const ENTER_GETEVENTS: u32 = 1;
const ENTER_SQ_WAKEUP: u32 = 1 << 1;
const REGISTER_FILES: u32 = 2;
/// Bytes that are mapped of each part: more than a small ring has, as much as any page.
const PART: usize = 4096;

/// `struct io_uring_params`.
#[repr(C)]
#[derive(Debug, Default)]
struct Params {
    entries: [u32; 2],
    flags: u32,
    thread: [u32; 2],
    features: u32,
    reserved: [u32; 4],
    /// Offsets: head, tail, mask, entries, flags, dropped, array.
    submissions: [u32; 10],
    /// Offsets: head, tail, mask, entries, overflow, results.
    completions: [u32; 10],
}

/// `struct io_uring_sqe`: what is asked for.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct Entry {
    /// `IORING_OP_*`.
    pub opcode: u8,
    /// `IOSQE_*`.
    pub flags: u8,
    /// Zero.
    pub priority: u16,
    /// A descriptor, or the folder that a name counts from.
    pub fd: i32,
    /// An offset, the second name's address, an address's length.
    pub off: u64,
    /// The address of what is read or written, or of a name.
    pub addr: u64,
    /// A length, permissions, the second name's folder.
    pub len: u32,
    /// The operation's own flags.
    pub how: u32,
    /// Zeros.
    pub unused: [u32; 3],
    /// A place in the ring's own table, counted from 1; 0: none.
    pub slot: u32,
    /// Zeros.
    pub rest: [u64; 2],
}

/// A ring. What is mapped of it stays until the process ends.
#[derive(Debug)]
pub struct Ring {
    fd: OwnedFd,
    queues: *mut u8,
    entries: *mut Entry,
    params: Params,
}

impl Ring {
    /// Makes one with room for `entries`, and `IORING_SETUP_*` flags. The error when this kernel has none to give.
    pub fn new(entries: u32, setup: u32) -> io::Result<Ring> {
        let mut params = Params { flags: setup, thread: [0, 1000], ..Params::default() };
        // SAFETY: the parameters are of the size that the kernel knows.
        let fd = unsafe { libc::syscall(libc::SYS_io_uring_setup, entries, &raw mut params) };
        let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0).ok_or_else(io::Error::last_os_error)?;
        // SAFETY: just made, and owned by nobody else.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let (queues, entries) = (map(&fd, 0)?, map(&fd, OFF_SQES)?.cast());
        Ok(Ring { fd, queues, entries, params })
    }

    /// Gives it a table of one empty slot for files of its own.
    pub fn add_table(&self) -> io::Result<()> {
        let empty = [-1i32];
        // SAFETY: one number, which the kernel copies.
        let done = unsafe {
            libc::syscall(libc::SYS_io_uring_register, self.fd.as_raw_fd(), REGISTER_FILES, empty.as_ptr(), 1)
        };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Asks for an operation and waits for its result: below zero, an error's number.
    pub fn ask(&mut self, entry: Entry) -> io::Result<i32> {
        self.push(entry);
        self.submit(1)
    }

    /// Asks for an operation without a word of its end, unless it fails, and waits until it is done. The ring needs room for
    /// two.
    pub fn ask_silently(&mut self, entry: Entry) -> io::Result<i32> {
        self.push(Entry { flags: entry.flags | SILENT | LINK, ..entry });
        self.push(Entry::default());
        self.submit(2)
    }

    /// Puts an operation into the queue.
    fn push(&mut self, entry: Entry) {
        let submissions = &self.params.submissions;
        let tail = self.word(submissions[1]).load(Ordering::Relaxed);
        let at = tail & self.word(submissions[2]).load(Ordering::Relaxed);
        // SAFETY: within the mapping of the entries; nobody reads it before the tail moves.
        unsafe { self.entries.add(at as usize).write(entry) };
        self.word(submissions[6] + at * 4).store(at, Ordering::Relaxed);
        self.word(submissions[1]).store(tail + 1, Ordering::Release);
    }

    /// A word that the kernel shares. Both queues lie in one mapping since Linux 5.4.
    fn word(&self, offset: u32) -> &AtomicU32 {
        // SAFETY: the offset is the kernel's, into what was mapped.
        unsafe { &*self.queues.add(offset as usize).cast::<AtomicU32>() }
    }

    /// Hands over what was put into the queue; the first result.
    fn submit(&mut self, count: u32) -> io::Result<i32> {
        let polled = self.params.flags & SQPOLL != 0;
        let flags = ENTER_GETEVENTS | if polled { ENTER_SQ_WAKEUP } else { 0 };
        // SAFETY: no signal mask.
        let entered = unsafe { libc::syscall(libc::SYS_io_uring_enter, self.fd.as_raw_fd(), count, 1, flags, 0, 0) };
        if entered < 0 {
            return Err(io::Error::last_os_error());
        }
        let completions = &self.params.completions;
        let head = self.word(completions[0]).load(Ordering::Relaxed);
        if self.word(completions[1]).load(Ordering::Acquire) == head {
            return Err(io::Error::other("the kernel gave no result"));
        }
        let at = head & self.word(completions[2]).load(Ordering::Relaxed);
        // 16 bytes each: what the caller called it, the result, flags.
        let result = self.word(completions[5] + at * 16 + 8).load(Ordering::Relaxed);
        self.word(completions[0]).store(head + 1, Ordering::Release);
        Ok(result.cast_signed())
    }
}

/// Opens a file for writing, as a ring does it: into a descriptor, which is returned, or into the first slot of the ring's
/// own table, which gives 0.
pub fn open(path: &CStr, flags: u8, own_table: bool) -> io::Result<i32> {
    let mut ring = Ring::new(1, 0)?;
    if own_table {
        ring.add_table()?;
    }
    let result = ring.ask(Entry { flags, slot: u32::from(own_table), ..creating(path) })?;
    if result < 0 { Err(io::Error::from_raw_os_error(-result)) } else { Ok(result) }
}

/// What opens a file for writing, and makes it.
pub fn creating(path: &CStr) -> Entry {
    let how = (libc::O_WRONLY | libc::O_CREAT).cast_unsigned();
    Entry { opcode: OPENAT, fd: libc::AT_FDCWD, addr: path.as_ptr() as u64, len: 0o600, how, ..Entry::default() }
}

/// Why this kernel has no such rings, or lets nobody have them.
pub fn missing() -> Option<String> {
    open(c"/dev/null", 0, false).err().map(|error| format!("no io_uring: {error}"))
}

fn map(ring: &OwnedFd, offset: libc::off_t) -> io::Result<*mut u8> {
    let (access, shared) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_POPULATE);
    // SAFETY: a new mapping, which stays until the process ends.
    let at = unsafe { libc::mmap(ptr::null_mut(), PART, access, shared, ring.as_raw_fd(), offset) };
    if at == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(at.cast()) }
}
