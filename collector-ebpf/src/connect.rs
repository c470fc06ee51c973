//! The exits of connect and listen, for what state changes of sockets do not tell: attempts that fail before a packet is
//! sent, and unix sockets.

use aya_ebpf::macros::tracepoint;
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::AF_UNIX;

use crate::flow::is_tcp;
use crate::kernel::{sock, task_struct};
use crate::open::SYS_EXIT_RET;
use crate::socket_call::{self as call, Call};
use crate::{tcp, unix};

pub const EINPROGRESS: i64 = -115;
/// Results from here down are the kernel's own: the call goes on or is begun anew.
const ERESTARTSYS: i64 = -512;

/// The exit of connect.
#[tracepoint]
pub fn connect(ctx: TracePointContext) -> u32 {
    let Some(call) = call::take() else { return 0 };
    // SAFETY: within the tracepoint's arguments.
    let result: i64 = unsafe { ctx.read_at(SYS_EXIT_RET) }.unwrap_or(0);
    let current = task_struct::current();
    done(&call, call::socket(&call, current), current, result);
    0
}

/// What became of it.
#[inline(always)]
pub fn done(call: &Call, sk: sock, current: task_struct, result: i64) {
    if result == EINPROGRESS || result <= ERESTARTSYS {
        return;
    }
    let errno = result.wrapping_neg() as u32;
    if sk.family() == AF_UNIX {
        if result == 0 {
            unix::connected(sk, current);
        } else {
            unix::refused(sk, call, current, errno);
        }
    } else if result < 0 && is_tcp(sk) {
        tcp::failed(sk, call, current, errno);
    }
}

/// The exit of listen.
#[tracepoint]
pub fn listen(ctx: TracePointContext) -> u32 {
    let Some(call) = call::take() else { return 0 };
    // SAFETY: within the tracepoint's arguments.
    if unsafe { ctx.read_at::<i64>(SYS_EXIT_RET) }.unwrap_or(-1) != 0 {
        return 0;
    }
    let current = task_struct::current();
    let sk = call::socket(&call, current);
    if sk.family() == AF_UNIX {
        unix::listens(sk, current);
    }
    0
}
