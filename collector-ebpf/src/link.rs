//! Files that get one more name, and symbolic links.

use aya_ebpf::macros::tracepoint;
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::{FileFacts, LinkRecord, kind};

use crate::call::{self, Call, Follow, Layout, Name};
use crate::kernel::task_struct;
use crate::record::{Record, Slot, header};

/// The entry of link(old, new), and of symlink(text, new).
#[tracepoint]
pub fn link_plain(ctx: TracePointContext) -> u32 {
    call::begin(&ctx, Layout { first: Name::Plain(0), second: Name::Plain(1), ..Layout::NOTHING })
}

/// The entry of linkat(old directory, old, new directory, new, flags).
#[tracepoint]
pub fn link_at(ctx: TracePointContext) -> u32 {
    call::begin(
        &ctx,
        Layout {
            first: Name::At(0, 1),
            second: Name::At(2, 3),
            flags: Some(4),
            follow: Follow::Asked(false),
            ..Layout::NOTHING
        },
    )
}

/// The entry of symlinkat(text, new directory, new).
#[tracepoint]
pub fn symlink_at(ctx: TracePointContext) -> u32 {
    call::begin(&ctx, Layout { first: Name::Plain(0), second: Name::At(1, 2), ..Layout::NOTHING })
}

/// The exit of link and linkat.
#[tracepoint]
pub fn link(ctx: TracePointContext) -> u32 {
    let Some(call) = call::end(&ctx) else { return 0 };
    linked(&call, 0)
}

/// The exit of symlink and symlinkat.
#[tracepoint]
pub fn symlink(ctx: TracePointContext) -> u32 {
    let Some(call) = call::end(&ctx) else { return 0 };
    linked(&call, 1)
}

/// Tells of one that came to something.
#[inline(always)]
pub fn linked(call: &Call, symbolic: u32) -> u32 {
    let Some(record) = Record::<LinkRecord>::begin(Slot::Hook) else { return 0 };
    let head = &mut *record.head;
    call.second().describe(&mut head.file, record.tail);
    if symbolic == 0 {
        call.first().describe(&mut head.target, record.tail);
    } else {
        head.target = FileFacts { dev: 0, ino: 0, mode: 0, flags: 0, path_len: 0, zero: 0 };
        head.target.path_len = record.tail.push_user_str(call.first.name) as u16;
    }
    head.header = header(kind::LINK, task_struct::current());
    head.symbolic = symbolic;
    head.zero = 0;
    head.header.len = size_of::<LinkRecord>() as u32 + record.tail.used();
    record.submit();
    0
}
