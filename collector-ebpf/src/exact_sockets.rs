//! The full layer of sockets: the kernel asks its security modules whoever connects and accepts, by whatever way.

use aya_ebpf::macros::{fentry, fexit};
use aya_ebpf::programs::{FEntryContext, FExitContext};

use crate::flow::is_tcp;
use crate::kernel::{Place as _, launder, sock, task_struct};
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
