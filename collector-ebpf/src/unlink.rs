//! Names that are removed. What had the name is looked up before: afterwards it may be gone.

use aya_ebpf::macros::tracepoint;
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::{FileFlags, UnlinkRecord, kind};

use crate::call::{self, Call, Layout, Name};
use crate::kernel::task_struct;
use crate::record::{Record, Slot, header};

/// The entry of unlink(name) and rmdir(name).
#[tracepoint]
pub fn unlink_plain(ctx: TracePointContext) -> u32 {
    call::begin(&ctx, Layout { first: Name::Plain(0), before: true, ..Layout::NOTHING })
}

/// The entry of unlinkat(directory, name, flags).
#[tracepoint]
pub fn unlink_at(ctx: TracePointContext) -> u32 {
    call::begin(&ctx, Layout { first: Name::At(0, 1), before: true, ..Layout::NOTHING })
}

/// The exit of all of them.
#[tracepoint]
pub fn unlink(ctx: TracePointContext) -> u32 {
    call::end(&ctx).map_or(0, |call| tell(&call))
}

/// Tells of one that came to something.
#[inline(always)]
pub fn tell(call: &Call) -> u32 {
    let Some(record) = Record::<UnlinkRecord>::begin(Slot::Hook) else { return 0 };
    let head = &mut *record.head;
    call.first().describe(&mut head.file, record.tail);
    // Someone may have made a new file of this name already.
    head.file.dev = u64::from(call.before.dev);
    head.file.ino = call.before.ino;
    head.file.mode = call.before.mode as u16;
    head.file.flags &= !FileFlags::DELETED;
    head.links = call.before.links;
    head.zero = 0;
    head.header = header(kind::UNLINK, task_struct::current());
    head.header.len = size_of::<UnlinkRecord>() as u32 + record.tail.used();
    record.submit();
    0
}
