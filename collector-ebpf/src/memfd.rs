//! Files in memory.

use aya_ebpf::macros::tracepoint;
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::{MemFdRecord, kind};

use crate::files;
use crate::kernel::task_struct;
use crate::open::SYS_EXIT_RET;
use crate::record::{Record, Slot, header};

/// The exit of memfd_create.
#[tracepoint]
pub fn memfd(ctx: TracePointContext) -> u32 {
    // SAFETY: within the tracepoint's arguments.
    let fd: i64 = unsafe { ctx.read_at(SYS_EXIT_RET) }.unwrap_or(-1);
    if fd < 0 {
        return 0;
    }
    let current = task_struct::current();
    let file = files::by_fd(current, fd as u32);
    let Some(record) = Record::<MemFdRecord>::begin(Slot::Hook) else { return 0 };
    record.head.header = header(kind::MEMFD, current);
    record.head.fd = fd as i32;
    record.head.zero = 0;
    files::identify(file.f_inode(), &mut record.head.file);
    files::locate(file.f_inode(), file.f_path(), &mut record.head.file, record.tail);
    record.head.header.len = size_of::<MemFdRecord>() as u32 + record.tail.used();
    record.submit();
    0
}
