//! Files that get another name.

use aya_ebpf::macros::tracepoint;
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::{RENAME_EXCHANGE, RenameRecord, kind};

use crate::call::{self, Call, Layout, Name};
use crate::kernel::task_struct;
use crate::record::{Record, Slot, header};

/// What is renamed is looked up before the call too: should it not be found under its new name, it is known still.
const KEEPS: Layout = Layout { before: true, ..Layout::NOTHING };

/// The entry of rename(old, new).
#[tracepoint]
pub fn rename_plain(ctx: TracePointContext) -> u32 {
    call::begin(&ctx, Layout { first: Name::Plain(0), second: Name::Plain(1), ..KEEPS })
}

/// The entry of renameat(old directory, old, new directory, new).
#[tracepoint]
pub fn rename_at(ctx: TracePointContext) -> u32 {
    call::begin(&ctx, Layout { first: Name::At(0, 1), second: Name::At(2, 3), ..KEEPS })
}

/// The entry of renameat2, which takes flags too.
#[tracepoint]
pub fn rename_at2(ctx: TracePointContext) -> u32 {
    call::begin(&ctx, Layout { first: Name::At(0, 1), second: Name::At(2, 3), flags: Some(4), ..KEEPS })
}

/// The exit of all of them.
#[tracepoint]
pub fn rename(ctx: TracePointContext) -> u32 {
    call::end(&ctx).map_or(0, |call| tell(&call))
}

/// Tells of one that came to something.
#[inline(always)]
pub fn tell(call: &Call) -> u32 {
    let Some(record) = Record::<RenameRecord>::begin(Slot::Hook) else { return 0 };
    let head = &mut *record.head;
    call.second().describe(&mut head.to, record.tail);
    call.first().describe(&mut head.from, record.tail);
    if head.to.ino == 0 {
        head.to.dev = u64::from(call.before.dev);
        head.to.ino = call.before.ino;
        head.to.mode = call.before.mode as u16;
    }
    // Both are names of one file: then the kernel does nothing, and says that it did.
    let same = head.to.ino != 0 && head.to.ino == head.from.ino && head.to.dev == head.from.dev;
    if same && call.flags & RENAME_EXCHANGE == 0 {
        return 0;
    }
    head.header = header(kind::RENAME, task_struct::current());
    head.flags = call.flags;
    head.zero = 0;
    head.header.len = size_of::<RenameRecord>() as u32 + record.tail.used();
    record.submit();
    0
}
