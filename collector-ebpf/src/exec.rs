//! A process begins a new image.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use lanner_collector_abi::{ExecRecord, kind};

use crate::files;
use crate::kernel::{Place as _, launder, linux_binprm, mm_struct, task_struct};
use crate::record::{Record, Slot, Tail, header};
use crate::stdio;
use crate::task;

/// Bytes of arguments that are read; more are cut.
const ARGS_MAX: u64 = 4095;

/// `sched_process_exec(task, old pid, binprm)`: in the process's own context, with its new memory.
#[btf_tracepoint(function = "sched_process_exec")]
pub fn exec(ctx: BtfTracePointContext) -> i32 {
    let binprm = linux_binprm::at(launder(ctx.arg::<*const u8>(2) as u64));
    let Some(record) = Record::<ExecRecord>::begin(Slot::Hook) else { return 0 };
    let current = task_struct::current();
    record.head.header = header(kind::EXEC, current);
    let head = &mut *record.head;
    head.kernel_thread = 0;
    head.zero = 0;
    arguments(current.mm(), head, record.tail);
    task::describe(current, &mut head.task, record.tail);
    image(current, head, record.tail);
    script(binprm, head, record.tail);
    head.header.len = size_of::<ExecRecord>() as u32 + record.tail.used();
    record.submit();
    0
}

/// Executable, working directory and standard descriptors, which can be read of any process.
#[inline(always)]
pub fn image(of: task_struct, head: &mut ExecRecord, tail: Tail) {
    let exe = of.mm().exe_file();
    files::identify(exe.f_inode(), &mut head.exe);
    files::locate(exe.f_inode(), exe.f_path(), &mut head.exe, tail);
    let pwd = of.fs().pwd();
    files::identify(pwd.dentry().inode(), &mut head.cwd);
    files::locate(pwd.dentry().inode(), pwd, &mut head.cwd, tail);
    stdio::describe(of, &mut head.stdio);
}

#[inline(always)]
fn arguments(mm: mm_struct, head: &mut ExecRecord, tail: Tail) {
    let start = mm.arg_start();
    let there = mm.arg_end().wrapping_sub(start);
    let wanted = if there > ARGS_MAX { ARGS_MAX } else { there };
    let read = tail.push_user(start, wanted as u32);
    head.args_len = tail.used() as u16;
    head.args_cut = u8::from(there > ARGS_MAX);
    head.args_unknown = u8::from(!read);
}

/// The kernel ran an interpreter when it loads another file (`interp`) than the one named to exec (`filename`).
#[inline(always)]
fn script(binprm: linux_binprm, head: &mut ExecRecord, tail: Tail) {
    let before = tail.used();
    if binprm.filename() != binprm.interp() {
        tail.push_str(binprm.filename());
    }
    head.script_len = tail.used().wrapping_sub(before) as u16;
}
