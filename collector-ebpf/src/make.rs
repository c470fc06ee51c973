//! Directories, devices, pipes and sockets that are made.

use aya_ebpf::macros::tracepoint;
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::{MakeRecord, kind};

use crate::call::{self, Call, Layout, Name};
use crate::files::{S_IFBLK, S_IFCHR, S_IFMT};
use crate::kernel::task_struct;
use crate::record::{Record, Slot, header};

/// The entry of mkdir(name) and mknod(name).
#[tracepoint]
pub fn make_plain(ctx: TracePointContext) -> u32 {
    call::begin(&ctx, Layout { first: Name::Plain(0), ..Layout::NOTHING })
}

/// The entry of mkdirat(directory, name) and mknodat(directory, name).
#[tracepoint]
pub fn make_at(ctx: TracePointContext) -> u32 {
    call::begin(&ctx, Layout { first: Name::At(0, 1), ..Layout::NOTHING })
}

/// The exit of all of them.
#[tracepoint]
pub fn make(ctx: TracePointContext) -> u32 {
    call::end(&ctx).map_or(0, |call| tell(&call))
}

/// Tells of one that came to something.
#[inline(always)]
pub fn tell(call: &Call) -> u32 {
    let Some(record) = Record::<MakeRecord>::begin(Slot::Hook) else { return 0 };
    let head = &mut *record.head;
    let walked = call.first();
    let made = walked.inode();
    walked.describe(&mut head.file, record.tail);
    let file_type = made.mode() & S_IFMT;
    head.rdev = if file_type == S_IFCHR || file_type == S_IFBLK { made.rdev() } else { 0 };
    head.zero = 0;
    head.header = header(kind::MAKE, task_struct::current());
    head.header.len = size_of::<MakeRecord>() as u32 + record.tail.used();
    record.submit();
    0
}
