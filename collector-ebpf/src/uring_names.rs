//! What operations of io_uring on names come to: they are remembered when they are asked for, and told when they are done,
//! as the system calls that they take the place of. The kernel has forgotten the names by then, so that those in the
//! process's memory are walked, as ever.

use aya_ebpf::macros::{btf_tracepoint, map};
use aya_ebpf::maps::LruHashMap;
use aya_ebpf::programs::BtfTracePointContext;

use crate::call::{Call, Passed};
use crate::exact;
use crate::io_uring::{LINKAT, MKDIRAT, RENAMEAT, SYMLINKAT, UNLINKAT};
use crate::kernel::{Place as _, filename, io_kiocb, io_link, io_rename, launder};
use crate::{link, make, rename, unlink};

const AT_SYMLINK_FOLLOW: u32 = 0x400;

/// By the kernel's request. One that is never done is forgotten in time.
#[map]
static RING_CALLS: LruHashMap<u64, Call> = LruHashMap::with_max_entries(1024, 0);

/// A name, and the descriptor of the directory that it starts from.
#[derive(Clone, Copy)]
pub struct Given {
    pub dir: u32,
    pub name: filename,
}

/// Remembers an operation that is asked for.
#[inline(always)]
pub fn remember(request: io_kiocb, first: Given, second: Given) {
    let operation = request.opcode();
    let data = request.data().address;
    let flags = match operation {
        RENAMEAT => io_rename::at(data).flags(),
        LINKAT => io_link::at(data).flags(),
        MKDIRAT | UNLINKAT | SYMLINKAT => 0,
        _ => return,
    };
    // Without its address, a name would stand for its directory.
    if first.name.given() == 0 || (!second.name.is_null() && second.name.given() == 0) {
        return;
    }
    let passed = |of: Given, follow| Passed { name: of.name.given(), dirfd: of.dir as i32, follow };
    let follow = u32::from(operation == LINKAT && flags & AT_SYMLINK_FOLLOW != 0);
    let looks_before = operation == RENAMEAT || operation == UNLINKAT;
    let call = Call::of(passed(first, follow), passed(second, 0), looks_before, flags);
    // A least-recently-used map makes room for itself.
    let _ = RING_CALLS.insert(request.address, call, 0);
}

/// `io_uring_complete(ctx, req, ...)`, since Linux 6.0.
#[btf_tracepoint(function = "io_uring_complete")]
pub fn uring_named(ctx: BtfTracePointContext) -> i32 {
    let request = io_kiocb::at(launder(ctx.arg::<*const u8>(1) as u64));
    let operation = request.opcode();
    if operation < RENAMEAT || operation > LINKAT {
        return 0;
    }
    let Some(call) = RING_CALLS.get_ptr(request.address) else { return 0 };
    // SAFETY: the map's own element; the request is done once.
    let call = unsafe { *call };
    let _ = RING_CALLS.remove(request.address);
    if request.result() != 0 {
        return 0;
    }
    // What the full layer remembers of this thread may be of another call.
    exact::forget();
    match operation {
        RENAMEAT => rename::tell(&call),
        UNLINKAT => unlink::tell(&call),
        MKDIRAT => make::tell(&call),
        SYMLINKAT => link::linked(&call, 1),
        _ => link::linked(&call, 0),
    };
    0
}
