//! TCP connections: tried, established, failed, accepted, closed; and sockets that listen.

use aya_ebpf::macros::{btf_tracepoint, tracepoint};
use aya_ebpf::programs::{BtfTracePointContext, TracePointContext};
use lanner_collector_abi::{Direction, TcpRecord, TcpState, kind};

use crate::files::{self, S_IFMT, S_IFSOCK};
use crate::flow::{self, FLOWS, FlowState, NOBODY, follow, forget, fresh, is_tcp, remember, tell};
use crate::kernel::{Place as _, launder, sock, task_struct};
use crate::open::SYS_EXIT_RET;
use crate::record::{header, header_of};
use crate::ring;
use crate::socket_call as call;
use crate::turn;

const ESTABLISHED: u32 = TcpState::ESTABLISHED as u32;
const SYN_SENT: u32 = TcpState::SYN_SENT as u32;
const SYN_RECV: u32 = TcpState::SYN_RECV as u32;
const FIN_WAIT1: u32 = TcpState::FIN_WAIT1 as u32;
const CLOSE: u32 = TcpState::CLOSE as u32;
const CLOSE_WAIT: u32 = TcpState::CLOSE_WAIT as u32;
const LAST_ACK: u32 = TcpState::LAST_ACK as u32;
const LISTEN: u32 = TcpState::LISTEN as u32;

/// `inet_sock_set_state(sk, old state, new state)`: called before the socket has the new state.
#[btf_tracepoint(function = "inet_sock_set_state")]
pub fn tcp_state(ctx: BtfTracePointContext) -> i32 {
    let sk = sock::at(launder(ctx.arg::<*const u8>(0) as u64));
    if is_tcp(sk) {
        change(sk, ctx.arg(1), ctx.arg(2));
    }
    turn::had(turn_of(sk, ctx.arg(2)));
    0
}

/// The same, right after it. The kernel does not run a program on a processor on which it runs already: where a packet
/// interrupts [`tcp_state`], the change that it brings is left to this one, and where it interrupts this one, to the
/// other. What has been told is in `FLOWS`.
#[btf_tracepoint(function = "inet_sock_set_state")]
pub fn tcp_state_missed(ctx: BtfTracePointContext) -> i32 {
    let sk = sock::at(launder(ctx.arg::<*const u8>(0) as u64));
    let new = ctx.arg::<u32>(2);
    turn::takes_over(turn_of(sk, new));
    let is_told = match FLOWS.get_ptr(sk.address) {
        // SAFETY: the map's own element, changed and removed only by this socket's own state changes.
        Some(flow) => unsafe { (*flow).state == new },
        // Forgotten once it is closed; or it is no business of ours.
        None => new == CLOSE,
    };
    if !is_told && is_tcp(sk) {
        change(sk, ctx.arg(1), new);
    }
    0
}

/// A change of state: kernel addresses are aligned, and states are few.
#[inline(always)]
fn turn_of(sk: sock, new: u32) -> u64 {
    sk.address | u64::from(new)
}

#[inline(always)]
fn change(sk: sock, old: u32, new: u32) {
    match (old, new) {
        (CLOSE, SYN_SENT) => {
            call::note_attempt(sk);
            let head = header(kind::TCP_STARTED, task_struct::current());
            let flow = remember(sk, &head, head.process, Direction::OUTGOING, new);
            tell(sk, head, &flow, 0);
        }
        (SYN_SENT, ESTABLISHED) => follow(sk, kind::TCP_ESTABLISHED, new),
        (SYN_SENT, CLOSE) => {
            // No packet came that says why: the call itself will, when it returns.
            if sk.err() == 0 && call::note_failure(sk) {
                note_state(sk, new);
                return;
            }
            follow(sk, kind::TCP_FAILED, new);
            forget(sk);
        }
        (SYN_RECV, ESTABLISHED) => established(sk),
        (_, LISTEN) => {
            let head = header(kind::TCP_LISTEN, task_struct::current());
            let flow = remember(sk, &head, head.process, Direction::LISTENING, new);
            tell(sk, head, &flow, 0);
        }
        // Only close and shutdown lead here, so the current process is the owner of a socket older than the sensor, and of
        // one that it was not seen to accept.
        (_, FIN_WAIT1 | LAST_ACK) => {
            let current = task_struct::current();
            if !note_state(sk, new) {
                let head = header(0, current);
                remember(sk, &head, head.process, Direction::UNKNOWN, new);
            } else if is_nobodys(sk) && !current.mm().is_null() {
                accepted(sk, current);
            }
        }
        (LISTEN, CLOSE) => forget(sk),
        (SYN_RECV | CLOSE, CLOSE) => {}
        (_, CLOSE) => {
            closed(sk, old);
            forget(sk);
        }
        _ => {}
    }
}

/// A connection came in. Nobody has accepted it yet, unless its first packet carried data already (fast open).
#[inline(always)]
fn established(sk: sock) {
    if let Some(known) = FLOWS.get_ptr_mut(sk.address) {
        // SAFETY: the map's own element, changed and removed only by this socket's own state changes.
        unsafe {
            if (*known).owner.pid != 0 && (*known).state == SYN_RECV {
                (*known).state = ESTABLISHED;
                return;
            }
        }
    }
    remember(sk, &header_of(0, NOBODY), NOBODY, Direction::INCOMING, ESTABLISHED);
}

/// Says whether anything was remembered.
#[inline(always)]
fn note_state(sk: sock, state: u32) -> bool {
    let Some(known) = FLOWS.get_ptr_mut(sk.address) else { return false };
    // SAFETY: the map's own element, changed and removed only by this socket's own state changes.
    unsafe { (*known).state = state };
    true
}

/// The exit of accept and accept4.
#[tracepoint]
pub fn accept(ctx: TracePointContext) -> u32 {
    // SAFETY: within the tracepoint's arguments.
    let fd: i64 = unsafe { ctx.read_at(SYS_EXIT_RET) }.unwrap_or(-1);
    if fd < 0 {
        return 0;
    }
    accepted_as(fd as u32, task_struct::current());
    0
}

/// The socket behind a new descriptor was accepted.
#[inline(always)]
pub fn accepted_as(fd: u32, current: task_struct) {
    let file = files::by_fd(current, fd);
    if file.f_inode().mode() & S_IFMT == S_IFSOCK {
        let sk = file.private_data().sk();
        if is_tcp(sk) {
            accepted(sk, current);
        }
    }
}

/// A process took a connection.
#[inline(always)]
pub fn accepted(sk: sock, current: task_struct) {
    let head = header(kind::TCP_ACCEPTED, current);
    let flow = match FLOWS.get_ptr_mut(sk.address) {
        Some(known) => {
            // SAFETY: the map's own element; only this process accepts this socket, once.
            unsafe {
                if (*known).owner.pid != 0 && (*known).direction == u32::from(Direction::INCOMING) {
                    // It was told by another hook, or the iterator found its descriptor while accept was on its way out.
                    return;
                }
                (*known).owner = head.process;
                (*known).direction = u32::from(Direction::INCOMING);
                *known
            }
        }
        // It was there before the sensor. One that is closed already will never be closed again: remember nothing.
        None if sk.state() == TcpState::CLOSE => fresh(&head, head.process, Direction::INCOMING, CLOSE),
        None => remember(sk, &head, head.process, Direction::INCOMING, u32::from(sk.state())),
    };
    tell(sk, head, &flow, 0);
}

/// Whether it came in, and nobody is known to have accepted it.
#[inline(always)]
fn is_nobodys(sk: sock) -> bool {
    // SAFETY: the map's own element, changed and removed only by this socket's own state changes.
    FLOWS.get_ptr(sk.address).is_some_and(|flow| unsafe { nobodys(&*flow) })
}

#[inline(always)]
fn nobodys(flow: &FlowState) -> bool {
    flow.owner.pid == 0 && flow.direction == u32::from(Direction::INCOMING)
}

#[inline(always)]
fn closed(sk: sock, left: u32) {
    let flow = match FLOWS.get_ptr(sk.address) {
        // SAFETY: the map's own element, removed only by this socket's own state changes.
        Some(flow) => unsafe { *flow },
        None => fresh(&header_of(0, NOBODY), NOBODY, Direction::UNKNOWN, CLOSE),
    };
    // Nobody ever accepted it: for every process of this node it never was. Who was not seen to accept it has closed it, and
    // left another state by that.
    if nobodys(&flow) && matches!(left, ESTABLISHED | SYN_RECV | CLOSE_WAIT) {
        return;
    }
    tell(sk, header_of(kind::TCP_CLOSED, flow.owner), &flow, left);
}

/// connect failed with no more than a socket's state to show for it, or not even that.
#[inline(always)]
pub fn failed(sk: sock, call: &call::Call, current: task_struct, errno: u32) {
    if call.attempts == 0 {
        if call.was == call::UNCONNECTED && sk.state() == TcpState::CLOSE {
            unsent(sk, current, errno, |record| call::address::<false>(call.address, record));
        }
        return;
    }
    if call.failed == 0 {
        return;
    }
    let Some(flow) = FLOWS.get_ptr(sk.address) else { return };
    // SAFETY: the map's own element; only this call removes it.
    let flow = unsafe { *flow };
    let mut record = TcpRecord { header: header_of(kind::TCP_FAILED, flow.owner), ..TcpRecord::default() };
    record.header.tid = current.pid();
    flow::describe(sk, &flow, &mut record);
    record.errno = errno;
    // The kernel has forgotten it by now.
    record.remote_port = call.port;
    ring::output_small(&mut record);
    forget(sk);
}

/// No packet could be sent: there is no route, or a policy refused. The kernel keeps no address of such an attempt, so
/// that the caller's is told, and marked.
#[inline(always)]
pub fn unsent(sk: sock, current: task_struct, errno: u32, asked: impl FnOnce(&mut TcpRecord) -> bool) {
    let head = header(kind::TCP_FAILED, current);
    let flow = fresh(&head, head.process, Direction::OUTGOING, CLOSE);
    let mut record = TcpRecord { header: head, ..TcpRecord::default() };
    flow::describe(sk, &flow, &mut record);
    if !asked(&mut record) {
        return;
    }
    record.errno = errno;
    record.asked = 1;
    ring::output_small(&mut record);
}
