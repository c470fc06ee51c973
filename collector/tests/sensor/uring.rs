//! Connections made through `io_uring`, without a system call of their own.
//!
//! <https://kernel.dk/io_uring.pdf>: a ring of requests, a ring of results, both shared with the kernel.

use std::net::TcpListener;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{io, ptr};

use lanner_core::event::{Attempt, Payload};

use super::network::{in_own_network, sockaddr, tcp};
use super::stage::{expect, is_me, stage};

const IORING_SETUP_SQPOLL: u32 = 1 << 1;
const IORING_ENTER_GETEVENTS: u32 = 1;
const IORING_ENTER_SQ_WAKEUP: u32 = 1 << 1;
const IORING_OP_CONNECT: u8 = 16;
const IOSQE_ASYNC: u8 = 1 << 4;
const IORING_OFF_SQ_RING: i64 = 0;
const IORING_OFF_SQES: i64 = 0x1000_0000;
/// Bytes that are mapped of each part: more than a ring of one request has, as much as any page.
const PART: usize = 4096;

/// `struct io_uring_params`.
#[repr(C)]
#[derive(Default)]
struct Params {
    sq_entries: u32,
    cq_entries: u32,
    flags: u32,
    sq_thread_cpu: u32,
    sq_thread_idle: u32,
    features: u32,
    wq_fd: u32,
    reserved: [u32; 3],
    /// Offsets: head, tail, mask, entries, flags, dropped, array.
    sq: [u32; 10],
    /// Offsets: head, tail, mask, entries, overflow, results.
    cq: [u32; 10],
}

/// `struct io_uring_sqe`.
#[repr(C)]
#[derive(Default)]
struct Request {
    opcode: u8,
    flags: u8,
    ioprio: u16,
    fd: i32,
    /// For connect, the address's length.
    off: u64,
    addr: u64,
    rest: [u64; 5],
}

fn map(ring: &OwnedFd, offset: i64) -> *mut u8 {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_POPULATE);
    // SAFETY: a new mapping wherever the kernel likes; it stays until the process ends.
    let at = unsafe { libc::mmap(ptr::null_mut(), PART, protection, flags, ring.as_raw_fd(), offset) };
    assert_ne!(at, libc::MAP_FAILED, "{}", io::Error::last_os_error());
    at.cast()
}

/// Hands the kernel one request and returns its result; the error when `io_uring` is not to be had.
fn perform(setup: u32, request: Request) -> io::Result<i32> {
    let mut params = Params { flags: setup, sq_thread_idle: 1000, ..Params::default() };
    // SAFETY: the pointer is to a live value that is laid out as the kernel takes it.
    let fd = unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, &raw mut params) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just made, and owned by nobody else.
    let ring = unsafe { OwnedFd::from_raw_fd(i32::try_from(fd).expect("a descriptor")) };
    let (queue, requests) = (map(&ring, IORING_OFF_SQ_RING), map(&ring, IORING_OFF_SQES));
    // SAFETY: the offsets are the kernel's, into the part that was mapped; both rings are in one since Linux 5.4.
    let counter = |offset: u32| unsafe { &*queue.add(offset as usize).cast::<AtomicU32>() };
    // SAFETY: as above; nobody reads the request before the tail moves.
    unsafe { requests.cast::<Request>().write(request) };
    counter(params.sq[6]).store(0, Ordering::Relaxed);
    counter(params.sq[1]).store(1, Ordering::Release);
    let flags = IORING_ENTER_GETEVENTS | if setup & IORING_SETUP_SQPOLL != 0 { IORING_ENTER_SQ_WAKEUP } else { 0 };
    // SAFETY: no signal mask.
    let entered = unsafe { libc::syscall(libc::SYS_io_uring_enter, ring.as_raw_fd(), 1, 1, flags, 0, 0) };
    assert!(entered >= 0, "{}", io::Error::last_os_error());
    assert_eq!(counter(params.cq[1]).load(Ordering::Acquire), 1, "one result");
    // The number that was given to the request, then the result.
    Ok(counter(params.cq[5] + 8).load(Ordering::Relaxed) as i32)
}

/// Connects through the ring; the process of the thread that the kernel does it with is this one.
fn connects(setup: u32, flags: u8) {
    let Some(stage) = stage() else { return };
    in_own_network(|netns| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let remote = listener.local_addr().expect("its address");
        let (socket, to) = (tcp(), sockaddr(remote));
        let request = Request {
            opcode: IORING_OP_CONNECT,
            flags,
            fd: socket.as_raw_fd(),
            off: size_of_val(&to) as u64,
            addr: ptr::from_ref(&to) as u64,
            ..Request::default()
        };
        match perform(setup, request) {
            Ok(result) => assert_eq!(result, 0),
            Err(error) => return lanner_tests::not_run(format!("no io_uring: {error}")),
        }
        for wanted in [Attempt::Started, Attempt::Established] {
            let header = expect(stage, &format!("{wanted:?}"), |e| match e.payload {
                Payload::Connect(c)
                    if (c.flow.remote, c.flow.netns, c.attempt, c.asked) == (remote, netns, wanted, false) =>
                {
                    Some(e.header)
                }
                _ => None,
            });
            assert!(is_me(header.process), "{header:?}");
        }
    });
}

#[test]
fn a_connection_of_the_calling_thread_is_told() {
    connects(0, 0);
}

#[test]
fn a_connection_of_a_worker_thread_is_told_as_its_processs() {
    connects(0, IOSQE_ASYNC);
}

#[test]
fn a_connection_of_the_polling_thread_is_told_as_its_processs() {
    connects(IORING_SETUP_SQPOLL, 0);
}
