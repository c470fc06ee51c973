//! Sockets that were there before the sensor: an iterator finds the descriptors that lead to them, and the first process
//! that holds one becomes its owner, so that what the hooks see of it later has one.

use core::ffi::c_void;

use lanner_collector_abi::{AF_UNIX, Direction, Header, TcpState, kind};

use crate::alive::IterMeta;
use crate::files::{S_IFMT, S_IFSOCK};
use crate::flow::{FLOWS, forget, fresh, is_tcp, remember_first, tell};
use crate::kernel::{Place as _, file, launder, sock, task_struct, tcp_sock, unix_sock};
use crate::news::is_news;
use crate::record::{Slot, header_of};
use crate::unix::Ends;
use crate::{task, unix};

/// How often counters that move while they are read are read again.
const TRIES: u32 = 4;

/// `struct bpf_iter__task_file`.
#[repr(C)]
pub struct IterTaskFile {
    meta: *const IterMeta,
    task: *const c_void,
    fd: u32,
    file: *const c_void,
}

/// Called once for every descriptor of every thread.
// SAFETY: the loader finds the program by section and name; nothing else defines them.
#[unsafe(link_section = "iter/task_file")]
// SAFETY: as above.
#[unsafe(no_mangle)]
pub extern "C" fn sockets(ctx: *mut IterTaskFile) -> i32 {
    // SAFETY: the context of this program type; the verifier checks each of these loads.
    let (holder, found) = unsafe { ((*ctx).task, (*ctx).file) };
    if holder.is_null() || found.is_null() {
        return 0;
    }
    let found = file::at(launder(found as u64));
    if found.f_inode().mode() & S_IFMT != S_IFSOCK {
        return 0;
    }
    let holder = task_struct::at(launder(holder as u64));
    if holder.pid() != holder.tgid() {
        return 0;
    }
    let sk = found.private_data().sk();
    let head = header_of(0, task::key(holder));
    if is_tcp(sk) {
        tcp(sk, head);
    } else if sk.family() == AF_UNIX {
        unix_socket(sk, head);
    }
    0
}

#[inline(always)]
fn tcp(sk: sock, mut head: Header) {
    let state = sk.state();
    if state == TcpState::CLOSE {
        return;
    }
    if let Some(known) = FLOWS.get_ptr_mut(sk.address) {
        // SAFETY: the map's own element.
        let flow = unsafe { &mut *known };
        // It came in while the sensor began. If accept is on its way out, it leaves this to us.
        if flow.owner.pid == 0 && flow.direction == u32::from(Direction::INCOMING) {
            flow.owner = head.process;
            let flow = *flow;
            head.kind = kind::TCP_FOUND;
            tell(sk, head, &flow, 0);
        }
        return;
    }
    let direction = match state {
        TcpState::LISTEN => Direction::LISTENING,
        TcpState::SYN_SENT => Direction::OUTGOING,
        TcpState::SYN_RECV => Direction::INCOMING,
        _ => direction(tcp_sock::at(sk.address), state),
    };
    let flow = fresh(&head, head.process, direction, u32::from(state));
    if !remember_first(sk, flow) {
        return;
    }
    if sk.state() == TcpState::CLOSE {
        // It was closed meanwhile.
        forget(sk);
        return;
    }
    head.kind = if direction == Direction::LISTENING { kind::TCP_FOUND_LISTEN } else { kind::TCP_FOUND };
    tell(sk, head, &flow, 0);
}

/// Which way a connection was opened: to the kernel's counters its SYN is a byte that the peer acknowledged, but not one
/// that was sent. Whoever opened it has acknowledged or under way one byte more than sent.
#[inline(always)]
fn direction(tcp: tcp_sock, state: u8) -> u8 {
    // A FIN is such a byte too. Whether it is under way yet is known when it has been acknowledged.
    let fin = match state {
        TcpState::ESTABLISHED | TcpState::CLOSE_WAIT => 0,
        TcpState::FIN_WAIT2 => 1,
        _ => return Direction::UNKNOWN,
    };
    if !tcp.has_sent() || !tcp.has_next() {
        return Direction::UNKNOWN;
    }
    for _ in 0..TRIES {
        let (sent, acked) = (tcp.sent(), tcp.acked());
        let under_way = tcp.next().wrapping_sub(tcp.unacked());
        let payload = sent.wrapping_sub(tcp.retransmitted());
        if tcp.sent() != sent || tcp.acked() != acked {
            continue;
        }
        return match acked.wrapping_add(u64::from(under_way)).wrapping_sub(payload + fin) {
            0 => Direction::INCOMING,
            1 => Direction::OUTGOING,
            _ => Direction::UNKNOWN,
        };
    }
    Direction::UNKNOWN
}

#[inline(always)]
fn unix_socket(sk: sock, mut head: Header) {
    let (own, ends) = (unix_sock::at(sk.address), Ends { sk, knows: sk });
    if sk.state() == TcpState::LISTEN {
        // Told apart from a call to the same socket by the same process.
        if !own.addr().is_null() && is_news(head.process, !unix::identity(&own, &ends)) {
            head.kind = kind::UNIX_FOUND_LISTEN;
            unix::tell(&own, &ends, &head, Slot::Iterator);
        }
        return;
    }
    // The end that was accepted has the name that it was called by; the one that called mostly has none.
    let peer = own.peer();
    if own.addr().is_null() && !peer.addr().is_null() && is_news(head.process, unix::identity(&peer, &ends)) {
        head.kind = kind::UNIX_FOUND_CONNECT;
        unix::tell(&peer, &ends, &head, Slot::Iterator);
    }
}
