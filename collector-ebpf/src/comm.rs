//! A process takes another name.

use aya_ebpf::helpers::generated;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use lanner_collector_abi::{CommRecord, kind};

use crate::kernel::{Place as _, launder, task_struct};
use crate::record::header;
use crate::ring;
use crate::task;

/// `task_rename(task, new name)`: before the name is set, by prctl, a write to /proc/self/comm, or exec.
#[btf_tracepoint(function = "task_rename")]
pub fn comm(ctx: BtfTracePointContext) -> i32 {
    let renamed = task_struct::at(launder(ctx.arg::<*const u8>(0) as u64));
    // Threads name themselves all the time. A kernel thread has no memory, and one that execs has new memory already but
    // no arguments in it yet (`begin_new_exec`, fs/exec.c).
    if renamed.pid() != renamed.tgid() || renamed.mm().arg_start() == 0 {
        return 0;
    }
    let mut record = CommRecord { header: header(kind::COMM, task_struct::current()), old: [0; 16], new: [0; 16] };
    record.header.process = task::key(renamed);
    record.header.len = size_of::<CommRecord>() as u32;
    let new = launder(ctx.arg::<*const u8>(1) as u64);
    // SAFETY: 16 bytes are there in each; the kernel checks the sources.
    unsafe {
        generated::bpf_probe_read_kernel_str(record.old.as_mut_ptr().cast(), 16, renamed.comm().address as *const _);
        generated::bpf_probe_read_kernel_str(record.new.as_mut_ptr().cast(), 16, new as *const _);
    }
    if u128::from_ne_bytes(record.old) != u128::from_ne_bytes(record.new) {
        ring::output_small(&mut record);
    }
    0
}
