//! What is remembered of TCP sockets from one hook to the next: state changes often come in interrupts, where the current
//! process is a bystander. And how a socket is told of.

use aya_ebpf::helpers::generated;
use aya_ebpf::macros::map;
use aya_ebpf::maps::HashMap;
use lanner_collector_abi::{AF_INET, AF_INET6, Direction, Drop, Header, Key, TcpRecord, kind};

use crate::kernel::{Place as _, inet_sock, sock, tcp_sock};
use crate::record::header_of;
use crate::ring;

const IPPROTO_TCP: u16 = 6;
/// `sock_common.skc_flags`: the peer has closed its direction.
const SOCK_DONE: u64 = 1 << 1;
/// `BPF_NOEXIST`: only if nothing is known yet.
const NOEXIST: u64 = 1;
/// Both parts of a round trip time are kept in a minimum filter that begins here: nothing was measured.
const NO_RTT: u32 = u32::MAX;

/// What is remembered of a socket.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct FlowState {
    pub owner: Key,
    pub id: u64,
    pub since: u64,
    /// Bytes, both ways, when its traffic was told of last.
    pub told: u64,
    /// One of [`Direction`].
    pub direction: u32,
    /// The state that it was last told to be in.
    pub state: u32,
}

/// By the socket's address, from its first sight to its end.
#[map]
pub static FLOWS: HashMap<u64, FlowState> = HashMap::with_max_entries(32768, 0);

pub const NOBODY: Key = Key { pid: 0, zero: 0, start: 0 };

#[inline(always)]
pub fn is_tcp(sk: sock) -> bool {
    let family = sk.family();
    (family == AF_INET || family == AF_INET6) && sk.protocol() == IPPROTO_TCP
}

/// A socket that is seen for the first time.
#[inline(always)]
pub fn fresh(head: &Header, owner: Key, direction: u8, state: u32) -> FlowState {
    // Two sockets first seen in the same nanosecond are on two CPUs, whose numbers go where the time has zeros.
    let id = head.time ^ (u64::from(head.cpu) << 52);
    FlowState { owner, id, since: head.time, told: 0, direction: u32::from(direction), state }
}

#[inline(always)]
pub fn remember(sk: sock, head: &Header, owner: Key, direction: u8, state: u32) -> FlowState {
    let flow = fresh(head, owner, direction, state);
    if FLOWS.insert(sk.address, flow, 0).is_err() {
        ring::count_drop(Drop::MapFull);
    }
    flow
}

/// As [`remember`], unless something is remembered already.
#[inline(always)]
pub fn remember_first(sk: sock, flow: FlowState) -> bool {
    FLOWS.insert(sk.address, flow, NOEXIST).is_ok()
}

/// A connection's own number and its owner; zeros while nothing is known of it.
#[inline(always)]
pub fn known(socket: u64) -> (u64, Key) {
    match FLOWS.get_ptr(socket) {
        // SAFETY: the map's own element; at worst of a connection that has just ended.
        Some(flow) => unsafe { ((*flow).id, (*flow).owner) },
        None => (0, NOBODY),
    }
}

#[inline(always)]
pub fn forget(sk: sock) {
    // Most sockets that close are known; that some are not is no error.
    let _ = FLOWS.remove(sk.address);
}

/// Tells what became of a socket that this node connected.
#[inline(always)]
pub fn follow(sk: sock, kind: u16, state: u32) {
    if let Some(flow) = FLOWS.get_ptr_mut(sk.address) {
        // SAFETY: the map's own element, changed and removed only by this socket's own state changes.
        let flow = unsafe {
            (*flow).state = state;
            *flow
        };
        tell(sk, header_of(kind, flow.owner), &flow, 0);
    }
}

/// Tells of a socket; `left` is the state that it left, if that matters.
#[inline(never)]
pub fn tell(sk: sock, head: Header, flow: &FlowState, left: u32) {
    let mut record = TcpRecord { header: head, ..TcpRecord::default() };
    describe(sk, flow, &mut record);
    if left != 0 {
        record.state = left as u8;
    }
    ring::output_small(&mut record);
}

/// Fills in all but the header's kind, time and owner.
#[inline(always)]
pub fn describe(sk: sock, flow: &FlowState, record: &mut TcpRecord) {
    record.header.len = size_of::<TcpRecord>() as u32;
    record.flow = flow.id;
    record.since = flow.since;
    record.direction = flow.direction as u8;
    record.state = sk.state();
    record.family = sk.family();
    record.local_port = local_port(sk);
    record.remote_port = u16::from_be(sk.remote_port());
    record.netns = sk.net().inum();
    if record.family == AF_INET {
        record.local[..4].copy_from_slice(&sk.local4().to_ne_bytes());
        record.remote[..4].copy_from_slice(&sk.remote4().to_ne_bytes());
    } else {
        address6(sk.local6().address, &mut record.local);
        address6(sk.remote6().address, &mut record.remote);
    }
    match record.header.kind {
        kind::TCP_FAILED => {
            record.errno = sk.err();
            record.retransmits = tcp_sock::at(sk.address).retransmits();
        }
        kind::TCP_CLOSED => {
            record.errno = sk.err();
            count(sk, record);
        }
        kind::TCP_TRAFFIC => count(sk, record),
        _ => {}
    }
}

/// A socket gives its port back before it is closed, but keeps it in the headers that it sends.
#[inline(always)]
pub fn local_port(sk: sock) -> u16 {
    match sk.local_port() {
        0 => u16::from_be(inet_sock::at(sk.address).local_port()),
        port => port,
    }
}

#[inline(always)]
pub fn address6(from: u64, to: &mut [u8; 16]) {
    // SAFETY: 16 bytes are there; the kernel checks the source.
    unsafe { generated::bpf_probe_read_kernel(to.as_mut_ptr().cast(), 16, from as *const _) };
}

/// The kernel's counters take a SYN and a FIN for a byte each: take them out.
#[inline(always)]
fn count(sk: sock, record: &mut TcpRecord) {
    let tcp = tcp_sock::at(sk.address);
    let acked = tcp.acked().saturating_sub(u64::from(record.direction == Direction::OUTGOING));
    let payload = tcp.sent().saturating_sub(tcp.retransmitted());
    record.sent = if tcp.has_sent() && payload < acked { payload } else { acked };
    let received = tcp.received();
    record.received = received.saturating_sub(u64::from(sk.flags() & SOCK_DONE != 0));
    record.retransmitted = tcp.retransmitted();
    record.retransmits = tcp.retransmits();
    // The kernel keeps eight times the smoothed time, lest rounding eat it.
    record.rtt = tcp.rtt_eighths() >> 3;
    let shortest = tcp.rtt_min();
    record.rtt_min = if shortest == NO_RTT { 0 } else { shortest };
}
