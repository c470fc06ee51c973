//! A process makes a child.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use lanner_collector_abi::{ForkRecord, kind};

use crate::kernel::{Place as _, launder, task_struct};
use crate::record::{Record, Slot, header};
use crate::task;

/// `task_newtask(child, clone_flags)`: in the parent's context, before the child first runs. New threads are no news.
#[btf_tracepoint(function = "task_newtask")]
pub fn fork(ctx: BtfTracePointContext) -> i32 {
    let child = task_struct::at(launder(ctx.arg::<*const u8>(0) as u64));
    if child.pid() != child.tgid() {
        return 0;
    }
    let Some(record) = Record::<ForkRecord>::begin(Slot::Hook) else { return 0 };
    record.head.header = header(kind::FORK, task_struct::current());
    record.head.child = task::key(child);
    record.head.flags = ctx.arg::<u64>(1);
    task::describe(child, &mut record.head.task, record.tail);
    record.head.header.len = size_of::<ForkRecord>() as u32 + record.tail.used();
    record.submit();
    0
}
