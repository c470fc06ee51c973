//! TCP connections. State changes often come in interrupts, where the current process is a bystander: a socket's owner
//! is remembered when it connects or accepts.

use aya_ebpf::helpers::generated;
use aya_ebpf::macros::{btf_tracepoint, map, tracepoint};
use aya_ebpf::maps::HashMap;
use aya_ebpf::programs::{BtfTracePointContext, TracePointContext};
use lanner_collector_abi::{AF_INET, AF_INET6, Direction, Drop, Header, Key, TcpRecord, kind};

use crate::files::{self, S_IFMT, S_IFSOCK};
use crate::kernel::{Place as _, inet_sock, launder, sock, task_struct, tcp_sock};
use crate::open::SYS_EXIT_RET;
use crate::record::{header, header_of};
use crate::ring;

const IPPROTO_TCP: u16 = 6;

/// `sock_common.skc_state`.
const ESTABLISHED: u32 = 1;
const SYN_SENT: u32 = 2;
const SYN_RECV: u32 = 3;
const FIN_WAIT1: u32 = 4;
const CLOSE: u32 = 7;
const LAST_ACK: u32 = 9;
const LISTEN: u32 = 10;

/// `sock_common.skc_flags`: the peer has closed its direction.
const SOCK_DONE: u64 = 1 << 1;

/// What is remembered of a socket.
#[repr(C)]
#[derive(Clone, Copy)]
struct FlowState {
    owner: Key,
    id: u64,
    since: u64,
    direction: u64,
}

/// By the socket's address, from its first sight to its end.
#[map]
static FLOWS: HashMap<u64, FlowState> = HashMap::with_max_entries(32768, 0);

/// `inet_sock_set_state(sk, old state, new state)`.
#[btf_tracepoint(function = "inet_sock_set_state")]
pub fn tcp_state(ctx: BtfTracePointContext) -> i32 {
    let sk = sock::at(launder(ctx.arg::<*const u8>(0) as u64));
    let (old, new) = (ctx.arg::<u32>(1), ctx.arg::<u32>(2));
    if !is_tcp(sk) {
        return 0;
    }
    match (old, new) {
        (CLOSE, SYN_SENT) => {
            let head = header(kind::TCP_STARTED, task_struct::current());
            let flow = remember(sk, &head, head.process, Direction::OUTGOING);
            tell(sk, head, &flow);
        }
        (SYN_SENT, ESTABLISHED) => follow(sk, kind::TCP_ESTABLISHED),
        (SYN_SENT, CLOSE) => {
            follow(sk, kind::TCP_FAILED);
            let _ = FLOWS.remove(sk.address);
        }
        // A connection that came in; nobody has accepted it yet.
        (SYN_RECV, ESTABLISHED) => {
            remember(sk, &header_of(0, NOBODY), NOBODY, Direction::INCOMING);
        }
        (_, LISTEN) => tell(sk, header(kind::TCP_LISTEN, task_struct::current()), &NEW),
        // Only close and shutdown lead here, so the current process is the owner of a socket older than the sensor.
        (_, FIN_WAIT1 | LAST_ACK) => {
            if FLOWS.get_ptr(sk.address).is_none() {
                let head = header(0, task_struct::current());
                remember(sk, &head, head.process, Direction::UNKNOWN);
            }
        }
        (LISTEN | SYN_RECV | CLOSE, CLOSE) => {}
        (_, CLOSE) => {
            closed(sk);
            let _ = FLOWS.remove(sk.address);
        }
        _ => {}
    }
    0
}

/// The exit of accept and accept4.
#[tracepoint]
pub fn accept(ctx: TracePointContext) -> u32 {
    // SAFETY: within the tracepoint's arguments.
    let fd: i64 = unsafe { ctx.read_at(SYS_EXIT_RET) }.unwrap_or(-1);
    if fd < 0 {
        return 0;
    }
    let current = task_struct::current();
    let file = files::by_fd(current, fd as u32);
    if file.f_inode().mode() & S_IFMT != S_IFSOCK {
        return 0;
    }
    let sk = file.private_data().sk();
    if !is_tcp(sk) {
        return 0;
    }
    let head = header(kind::TCP_ACCEPTED, current);
    let flow = match FLOWS.get_ptr_mut(sk.address) {
        Some(known) => {
            // SAFETY: the map's own element; only this process accepts this socket.
            unsafe {
                (*known).owner = head.process;
                *known
            }
        }
        // It was there before the sensor. One that is closed already will never be closed again: remember nothing.
        None if u32::from(sk.state()) == CLOSE => fresh(&head, head.process, Direction::INCOMING),
        None => remember(sk, &head, head.process, Direction::INCOMING),
    };
    tell(sk, head, &flow);
    0
}

const NOBODY: Key = Key { pid: 0, zero: 0, start: 0 };
const NEW: FlowState = FlowState { owner: NOBODY, id: 0, since: 0, direction: Direction::UNKNOWN as u64 };

#[inline(always)]
fn is_tcp(sk: sock) -> bool {
    let family = sk.family();
    (family == AF_INET || family == AF_INET6) && sk.protocol() == IPPROTO_TCP
}

#[inline(always)]
fn fresh(head: &Header, owner: Key, direction: u8) -> FlowState {
    // Two sockets first seen in the same nanosecond are on two CPUs, whose numbers go where the time has zeros.
    let id = head.time ^ (u64::from(head.cpu) << 52);
    FlowState { owner, id, since: head.time, direction: u64::from(direction) }
}

#[inline(always)]
fn remember(sk: sock, head: &Header, owner: Key, direction: u8) -> FlowState {
    let flow = fresh(head, owner, direction);
    if FLOWS.insert(sk.address, flow, 0).is_err() {
        ring::count_drop(Drop::MapFull);
    }
    flow
}

/// Tells what became of a socket that this node connected.
#[inline(always)]
fn follow(sk: sock, kind: u16) {
    if let Some(flow) = FLOWS.get_ptr(sk.address) {
        // SAFETY: the map's own element, removed only by this socket's own state changes.
        let flow = unsafe { *flow };
        tell(sk, header_of(kind, flow.owner), &flow);
    }
}

#[inline(always)]
fn closed(sk: sock) {
    let flow = match FLOWS.get_ptr(sk.address) {
        // SAFETY: the map's own element, removed only by this socket's own state changes.
        Some(flow) => unsafe { *flow },
        None => fresh(&header_of(0, NOBODY), NOBODY, Direction::UNKNOWN),
    };
    // Nobody ever accepted it: for every process of this node it never was.
    if flow.owner.pid == 0 && flow.direction == u64::from(Direction::INCOMING) {
        return;
    }
    tell(sk, header_of(kind::TCP_CLOSED, flow.owner), &flow);
}

#[inline(never)]
fn tell(sk: sock, head: Header, flow: &FlowState) {
    let mut record = TcpRecord { header: head, ..TcpRecord::default() };
    record.header.len = size_of::<TcpRecord>() as u32;
    record.flow = flow.id;
    record.since = flow.since;
    record.direction = flow.direction as u8;
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
        kind::TCP_FAILED => record.errno = sk.err(),
        kind::TCP_CLOSED => count(sk, &mut record),
        _ => {}
    }
    ring::output_small(&mut record);
}

/// A socket gives its port back before it is closed, but keeps it in the headers that it sends.
#[inline(always)]
fn local_port(sk: sock) -> u16 {
    match sk.local_port() {
        0 => u16::from_be(inet_sock::at(sk.address).local_port()),
        port => port,
    }
}

#[inline(always)]
fn address6(from: u64, to: &mut [u8; 16]) {
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
}
