//! What a system call was asked, kept from its entry to its exit, for the exit has only the result.

use aya_ebpf::helpers::{bpf_get_current_pid_tgid, generated};
use aya_ebpf::macros::{map, tracepoint};
use aya_ebpf::maps::{HashMap, LruHashMap};
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::{AF_INET, AF_INET6, AF_UNIX, Drop, TcpRecord};

use crate::compat;
use crate::files::{self, S_IFMT, S_IFSOCK};
use crate::kernel::{Place as _, io_connect, io_kiocb, probe, sock, task_struct};
use crate::news::mix;
use crate::ring;

/// `socket.state`: never connected.
pub const UNCONNECTED: u8 = 1;
/// The port's and the address's places in `sockaddr_in` and `sockaddr_in6`.
const PORT_AT: u64 = 2;
const ADDRESS4_AT: u64 = 4;
const ADDRESS6_AT: u64 = 8;
/// Words of a `sockaddr_un`, but for its last bytes.
pub const NAME_WORDS: u64 = 13;

/// A call on a socket that a thread is inside of.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Call {
    /// The socket's `sock`.
    pub sk: u64,
    /// The address given, in the caller's memory.
    pub address: u64,
    /// The descriptor.
    pub fd: u32,
    /// Bytes of the address.
    pub len: u32,
    /// `socket.state` at the beginning.
    pub was: u8,
    /// 1 when TCP began to connect inside of it.
    pub attempts: u8,
    /// 1 when that failed inside of it, without a packet that says why.
    pub failed: u8,
    pub zero: u8,
    /// The port that was tried then.
    pub port: u16,
    pub zero2: u16,
}

/// By thread. Every call that begins ends: also when its thread is killed.
#[map]
static SOCKET_CALLS: HashMap<u64, Call> = HashMap::with_max_entries(8192, 0);

/// Sockets on which TCP began to connect outside of such a call: a ring's doing, or data that is sent with the first packet.
#[map]
static BEGUN: LruHashMap<u64, u8> = LruHashMap::with_max_entries(1024, 0);

/// The entry of connect, bind and listen.
#[tracepoint]
pub fn socket_call(ctx: TracePointContext) -> u32 {
    let [fd, address, len] = compat::of_socket(&ctx);
    let file = files::by_fd(task_struct::current(), fd as u32);
    if file.f_inode().mode() & S_IFMT != S_IFSOCK {
        return 0;
    }
    let socket = file.private_data();
    let call = Call {
        sk: socket.sk().address,
        address,
        fd: fd as u32,
        len: len as u32,
        was: socket.state() as u8,
        attempts: 0,
        failed: 0,
        zero: 0,
        port: 0,
        zero2: 0,
    };
    if SOCKET_CALLS.insert(bpf_get_current_pid_tgid(), call, 0).is_err() {
        ring::count_drop(Drop::MapFull);
    }
    0
}

/// The call that the current thread comes out of.
#[inline(always)]
pub fn take() -> Option<Call> {
    let thread = bpf_get_current_pid_tgid();
    let call = SOCKET_CALLS.get_ptr(thread)?;
    // SAFETY: the map's own element; no other thread has this key.
    let call = unsafe { *call };
    // It was there a moment ago.
    let _ = SOCKET_CALLS.remove(thread);
    Some(call)
}

/// TCP begins to connect, in the current thread.
#[inline(always)]
pub fn note_attempt(sk: sock) {
    if let Some(call) = SOCKET_CALLS.get_ptr_mut(bpf_get_current_pid_tgid()) {
        // SAFETY: the map's own element; no other thread has this key.
        unsafe { (*call).attempts = 1 };
    } else {
        // A least-recently-used map makes room for itself.
        let _ = BEGUN.insert(sk.address, 1, 0);
    }
}

/// A ring is asked to connect a socket: what happened before on one at this address does not count.
#[inline(always)]
pub fn begin_by_ring(current: task_struct, fd: u32) {
    let _ = BEGUN.remove(files::by_fd(current, fd).private_data().sk().address);
}

/// A ring, or data that is sent with the first packet, has connected a socket or failed to. Says whether TCP began to.
#[inline(always)]
pub fn end_outside(sk: sock) -> bool {
    let begun = BEGUN.get_ptr(sk.address).is_some();
    let _ = BEGUN.remove(sk.address);
    begun
}

/// What a ring was asked to connect, now that it is done, as a call.
#[inline(always)]
pub fn by_ring(request: io_kiocb) -> Option<Call> {
    let file = request.file();
    if file.f_inode().mode() & S_IFMT != S_IFSOCK {
        return None;
    }
    let (socket, asked) = (file.private_data(), io_connect::at(request.data().address));
    let sk = socket.sk().address;
    let attempts = u8::from(end_outside(socket.sk()));
    Some(Call {
        sk,
        address: asked.address(),
        fd: 0,
        len: asked.len(),
        was: socket.state() as u8,
        attempts,
        failed: 0,
        zero: 0,
        port: 0,
        zero2: 0,
    })
}

/// A connection failed. Says whether that is inside a call of the current thread on this very socket: its exit will know
/// why.
#[inline(always)]
pub fn note_failure(sk: sock) -> bool {
    let Some(call) = SOCKET_CALLS.get_ptr_mut(bpf_get_current_pid_tgid()) else { return false };
    // SAFETY: the map's own element; no other thread has this key.
    unsafe {
        if (*call).sk != sk.address || (*call).attempts == 0 {
            return false;
        }
        (*call).failed = 1;
        (*call).port = u16::from_be(sk.remote_port());
    }
    true
}

/// The socket of a call that has returned: what its descriptor leads to now, for another thread may have put another
/// there; if that is no socket, what it led to before.
#[inline(always)]
pub fn socket(call: &Call, current: task_struct) -> sock {
    let file = files::by_fd(current, call.fd);
    let now = if file.f_inode().mode() & S_IFMT == S_IFSOCK { file.private_data().sk() } else { sock::at(0) };
    if now.is_null() { sock::at(call.sk) } else { now }
}

/// Takes the internet address that the caller gave into a record; `false` when it is none. It lies in the caller's memory,
/// or, once the kernel has copied it, in the kernel's own.
#[inline(always)]
pub fn address<const COPIED: bool>(at: u64, record: &mut TcpRecord) -> bool {
    record.family = given::<u16, COPIED>(at);
    record.remote_port = u16::from_be(given::<u16, COPIED>(at + PORT_AT));
    record.remote = [0; 16];
    match record.family {
        AF_INET => record.remote[..4].copy_from_slice(&given::<u32, COPIED>(at + ADDRESS4_AT).to_ne_bytes()),
        AF_INET6 => record.remote = given::<[u8; 16], COPIED>(at + ADDRESS6_AT),
        _ => return false,
    }
    true
}

#[inline(always)]
fn given<T: Default + Copy, const COPIED: bool>(at: u64) -> T {
    if COPIED { probe(at) } else { user(at) }
}

/// Whether the caller gave the address of a unix socket.
#[inline(always)]
pub fn is_unix(call: &Call) -> bool {
    user::<u16>(call.address) == AF_UNIX
}

/// A number for the address that the caller gave, most likely another for another address.
#[inline(always)]
pub fn fingerprint(call: &Call) -> u64 {
    let mut hash = 0u64;
    for i in 0..NAME_WORDS {
        let at = i * 8;
        if at < u64::from(call.len) {
            hash = mix(hash, user(call.address + at));
        }
    }
    hash
}

/// A value of the caller's memory; zeros when it cannot be read.
#[inline(always)]
fn user<T: Default>(address: u64) -> T {
    let mut value = T::default();
    // SAFETY: the destination is a live local of the size given; the kernel checks the source and zeroes the
    // destination when it cannot be read.
    unsafe {
        generated::bpf_probe_read_user((&raw mut value).cast(), size_of::<T>() as u32, address as *const _);
    }
    value
}
