//! What operations of io_uring on sockets come to: told when they are done, as the system calls that they take the place of.
//! State changes of TCP tell of themselves, whoever brings them about.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use lanner_collector_abi::AF_UNIX;

use crate::connect;
use crate::files::{S_IFMT, S_IFSOCK};
use crate::io_uring::{ACCEPT, BIND, CONNECT, LISTEN, SOCKET};
use crate::kernel::{Place as _, io_accept, io_kiocb, io_socket, launder, sock, task_struct};
use crate::{socket, socket_call, tcp, unix};

/// `io_uring_complete(ctx, req, ...)`, since Linux 6.0. Of an accept that goes on for ever, what it takes comes without the
/// request.
#[btf_tracepoint(function = "io_uring_complete")]
pub fn uring_socket(ctx: BtfTracePointContext) -> i32 {
    let request = io_kiocb::at(launder(ctx.arg::<*const u8>(1) as u64));
    let operation = request.opcode();
    if !matches!(operation, ACCEPT | CONNECT | SOCKET | BIND | LISTEN) {
        return 0;
    }
    let current = task_struct::current();
    // What its process leaves behind is ended by a thread of the kernel's own.
    if current.mm().is_null() {
        return 0;
    }
    let result = request.result() as i32;
    let data = request.data().address;
    match operation {
        CONNECT => {
            if let Some(call) = socket_call::by_ring(request) {
                connect::done(&call, sock::at(call.sk), current, i64::from(result));
            }
        }
        SOCKET => socket::by_ring(current, io_socket::at(data), result),
        // One that goes into a table of the ring's own has no descriptor.
        ACCEPT if result >= 0 && io_accept::at(data).slot() == 0 => tcp::accepted_as(result as u32, current),
        BIND if result == 0 => socket::bound(of(request), current),
        LISTEN if result == 0 => {
            let sk = of(request);
            if sk.family() == AF_UNIX {
                unix::listens(sk, current);
            }
        }
        _ => {}
    }
    0
}

/// The socket that it was about.
#[inline(always)]
fn of(request: io_kiocb) -> sock {
    let file = request.file();
    if file.f_inode().mode() & S_IFMT == S_IFSOCK { file.private_data().sk() } else { sock::at(0) }
}
