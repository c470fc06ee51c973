//! The full layer of sockets: the kernel asks its security modules whoever connects and accepts, by whatever way.

use aya_ebpf::macros::{fentry, fexit};
use aya_ebpf::programs::{FEntryContext, FExitContext};

use lanner_collector_abi::TcpState;

use crate::connect::EINPROGRESS;
use crate::flow::is_tcp;
use crate::kernel::{Place as _, launder, sock, socket, task_struct};
use crate::socket_call as call;
use crate::{tcp, unix};

/// `security_sock_graft(sk, socket)`: a connection gets a socket of its own, for somebody accepts it.
#[fentry(function = "security_sock_graft")]
pub fn sock_graft(ctx: FEntryContext) -> i32 {
    let sk = sock::at(launder(ctx.arg::<*const u8>(0) as u64));
    if is_tcp(sk) {
        tcp::accepted(sk, task_struct::current());
    }
    0
}

/// `security_unix_stream_connect(sk, other, new sk)` has returned: all that can fail has been tried before.
#[fexit(function = "security_unix_stream_connect")]
pub fn unix_stream_connect(ctx: FExitContext) -> i32 {
    // Behind the arguments stands what it returned: a refusal, or 0.
    if ctx.arg::<i32>(3) == 0 {
        let [sk, other] = [0, 1].map(|n| sock::at(launder(ctx.arg::<*const u8>(n) as u64)));
        unix::joins(sk, other, task_struct::current());
    }
    0
}

/// `__inet_stream_connect(socket, address, length, flags, for data)` has returned. Data that is sent with the first packet
/// connects here, without a call to connect; where no packet could be sent, nothing else shows it.
#[fexit(function = "__inet_stream_connect")]
pub fn stream_connect(ctx: FExitContext) -> i32 {
    let (for_data, result) = (ctx.arg::<i32>(4), i64::from(ctx.arg::<i32>(5)));
    if for_data == 0 {
        return 0;
    }
    let sk = socket::at(launder(ctx.arg::<*const u8>(0) as u64)).sk();
    let begun = call::end_outside(sk);
    if result < 0 && result != EINPROGRESS && !begun && is_tcp(sk) && sk.state() == TcpState::CLOSE {
        let asked = launder(ctx.arg::<*const u8>(1) as u64);
        let errno = result.wrapping_neg() as u32;
        tcp::unsent(sk, task_struct::current(), errno, |record| call::address::<true>(asked, record));
    }
    0
}
