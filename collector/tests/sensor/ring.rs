//! A ring of io_uring that does one thing (include/uapi/linux/io_uring.h).

use std::ffi::CStr;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::{io, ptr};

const OFF_SQES: libc::off_t = 0x1000_0000;
const OP_OPENAT: u8 = 18;
const ENTER_GETEVENTS: u32 = 1;
const REGISTER_FILES: u32 = 2;
/// A thread of the ring's does it, not the caller.
pub(crate) const ASYNC: u8 = 1 << 4;

#[repr(C)]
#[derive(Default)]
struct Offsets {
    head: u32,
    tail: u32,
    mask: u32,
    entries: u32,
    /// Of submissions: flags, dropped, array. Of completions: overflow, the entries, flags.
    rest: [u32; 3],
    reserved: [u32; 3],
}

#[repr(C)]
#[derive(Default)]
struct Params {
    entries: [u32; 2],
    flags: u32,
    thread: [u32; 2],
    features: u32,
    reserved: [u32; 4],
    submissions: Offsets,
    completions: Offsets,
}

#[repr(C)]
struct Submission {
    op: u8,
    flags: u8,
    priority: u16,
    fd: i32,
    offset: u64,
    address: u64,
    mode: u32,
    open_flags: i32,
    user_data: u64,
    buffer: u16,
    personality: u16,
    slot: u32,
    reserved: [u64; 2],
}

/// Opens a file for writing, as the ring does it: into a descriptor, which is returned, or into the first slot of the
/// ring's own table, which gives 0.
pub(crate) fn open(path: &CStr, flags: u8, own_table: bool) -> io::Result<i32> {
    let mut params = Params::default();
    // SAFETY: the parameters are of the size that the kernel knows.
    let fd = unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, &raw mut params) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just made, and owned by nobody else.
    let ring = unsafe { OwnedFd::from_raw_fd(fd as i32) };
    if own_table {
        // SAFETY: a table of one empty slot.
        let done = unsafe {
            libc::syscall(libc::SYS_io_uring_register, ring.as_raw_fd(), REGISTER_FILES, &raw const EMPTY, 1)
        };
        if done < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    let rings = map(&ring, 0)?;
    let entry = map(&ring, OFF_SQES)?.cast::<Submission>();
    let submission = Submission {
        op: OP_OPENAT,
        flags,
        priority: 0,
        fd: libc::AT_FDCWD,
        offset: 0,
        address: path.as_ptr() as u64,
        mode: 0o600,
        open_flags: libc::O_WRONLY | libc::O_CREAT,
        user_data: 7,
        buffer: 0,
        personality: 0,
        slot: u32::from(own_table),
        reserved: [0; 2],
    };
    let at = |offset: u32| rings.wrapping_add(offset as usize).cast::<u32>();
    // SAFETY: within what is mapped, which nobody else uses; the kernel reads it in the call below.
    unsafe {
        entry.write(submission);
        at(params.submissions.rest[2]).write_volatile(0);
        at(params.submissions.tail).write_volatile(1);
        let done =
            libc::syscall(libc::SYS_io_uring_enter, ring.as_raw_fd(), 1, 1, ENTER_GETEVENTS, ptr::null::<u8>(), 0);
        if done != 1 {
            return Err(io::Error::last_os_error());
        }
        // The first completion: what the caller called it, then the result.
        let result = at(params.completions.rest[1]).add(2).read_volatile() as i32;
        if result < 0 { Err(io::Error::from_raw_os_error(-result)) } else { Ok(result) }
    }
}

static EMPTY: [i32; 1] = [-1];

/// More than either region has; the kernel maps no more than there is.
fn map(ring: &OwnedFd, offset: libc::off_t) -> io::Result<*mut u8> {
    let (access, shared) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_POPULATE);
    // SAFETY: a new mapping, which stays until the process ends.
    let at = unsafe { libc::mmap(ptr::null_mut(), 64, access, shared, ring.as_raw_fd(), offset) };
    if at == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(at.cast()) }
}

/// Why this kernel has no such rings, or lets nobody have them.
#[allow(dead_code)] // Not every test that makes rings asks.
pub(crate) fn missing() -> Option<String> {
    open(c"/dev/null", 0, false).err().map(|error| format!("no io_uring: {error}"))
}
