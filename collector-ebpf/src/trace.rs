//! One process reaches into another: all that the kernel allows to whom it allows ptrace. Attempts that fail are told
//! too.

use aya_ebpf::macros::tracepoint;
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::{FileFacts, OPENED_MEMORY, TraceRecord, kind};

use crate::arguments;
use crate::compat;
use crate::files;
use crate::kernel::{Place as _, file, inode, pid, proc_inode, task_struct};
use crate::often::{self, Deed};
use crate::record::{Record, Slot, header};
use crate::task;

/// Requests that do something to the other process: those that watch or steer it, call by call, are too many.
const PTRACE_TRACEME: u64 = 0;
const PTRACE_POKETEXT: u64 = 4;
const PTRACE_POKEDATA: u64 = 5;
const PTRACE_POKEUSR: u64 = 6;
const PTRACE_SETREGS: u64 = 13;
const PTRACE_SETFPREGS: u64 = 15;
const PTRACE_ATTACH: u64 = 16;
/// Of 32-bit x86 alone.
const PTRACE_SETFPXREGS: u64 = 19;
const PTRACE_SETREGSET: u64 = 0x4205;
const PTRACE_SEIZE: u64 = 0x4206;

/// The entry of ptrace.
#[tracepoint]
pub fn ptrace_enter(ctx: TracePointContext) -> u32 {
    if matches!(
        arguments::arg::<0>(&ctx) & compat::taken(),
        PTRACE_TRACEME
            | PTRACE_POKETEXT
            | PTRACE_POKEDATA
            | PTRACE_POKEUSR
            | PTRACE_SETREGS
            | PTRACE_SETFPREGS
            | PTRACE_ATTACH
            | PTRACE_SETFPXREGS
            | PTRACE_SETREGSET
            | PTRACE_SEIZE
    ) {
        arguments::keep(&ctx, [0; 2]);
    }
    0
}

/// Its exit.
#[tracepoint]
pub fn ptrace(ctx: TracePointContext) -> u32 {
    let Some(call) = arguments::take() else { return 0 };
    let request = call.args[0];
    // Who asks to be traced is traced by its parent.
    let target = if request == PTRACE_TRACEME {
        task_struct::current().real_parent()
    } else {
        task_struct::at(task::by_pid(call.args[1] as u32))
    };
    let errno = arguments::errno(arguments::result(&ctx));
    let Some(record) = begin(arguments::number(&ctx), errno, target, request as u32) else { return 0 };
    record.submit();
    0
}

/// The exit of process_vm_readv and process_vm_writev.
#[tracepoint]
pub fn process_vm(ctx: TracePointContext) -> u32 {
    let Some(call) = arguments::take() else { return 0 };
    let target = task_struct::at(task::by_pid(call.args[0] as u32));
    if target.tgid() == task_struct::current().tgid() {
        return 0;
    }
    let result = arguments::result(&ctx);
    let Some(record) = begin(arguments::number(&ctx), arguments::errno(result), target, 0) else { return 0 };
    record.head.bytes = if result > 0 { result as u64 } else { 0 };
    record.submit();
    0
}

/// The exit of pidfd_getfd.
#[tracepoint]
pub fn pidfd_getfd(ctx: TracePointContext) -> u32 {
    let Some(call) = arguments::take() else { return 0 };
    let current = task_struct::current();
    let target = task::of_pid(pid_of(files::by_fd(current, call.args[0] as u32)));
    let fd = arguments::result(&ctx);
    let Some(record) = begin(arguments::number(&ctx), arguments::errno(fd), target, 0) else { return 0 };
    if fd >= 0 {
        record.head.fd = fd as i32;
        let taken = files::by_fd(current, fd as u32);
        files::identify(taken.f_inode(), &mut record.head.file);
        files::locate(taken.f_inode(), taken.f_path(), &mut record.head.file, record.tail);
        record.head.header.len += record.tail.used();
    }
    record.submit();
    0
}

/// A file of /proc that is a process's memory was opened: called by the hook on files that are opened.
/// Whether it was told.
#[inline(never)]
pub fn memory_opened(opened: &inode, fd: u32, write: u32) -> u32 {
    let offset = proc_inode::at(0).inode().address;
    let target = task::of_pid(proc_inode::at(opened.address.wrapping_sub(offset)).pid());
    let is_own = target.tgid() == task_struct::current().tgid();
    if is_own && write == 0 {
        return 0;
    }
    let Some(record) = begin(OPENED_MEMORY, 0, target, write) else { return 0 };
    record.head.request = 0;
    record.head.fd = fd as i32;
    record.head.write = write as u8;
    record.submit();
    1
}

/// The process that a pidfd is for: kept in the file, or since Linux 6.9 in its inode.
#[inline(always)]
fn pid_of(pidfd: file) -> pid {
    let kept = pidfd.private_data().address;
    pid::at(if kept == 0 { pidfd.f_inode().private() } else { kept })
}

/// Begins a record, if what is done is worth telling again.
#[inline(always)]
fn begin(call: u32, errno: u32, target: task_struct, request: u32) -> Option<Record<TraceRecord>> {
    let current = task_struct::current();
    let header = header(kind::TRACE, current);
    let key = task::key(target);
    let what = u64::from(call) << 32 | u64::from(request) << 1 | u64::from(errno != 0);
    let count = often::count(&Deed { by: header.process, to: key, what });
    if !often::is_worth_telling(count) {
        return None;
    }
    let record = Record::<TraceRecord>::begin(Slot::Hook)?;
    let head = &mut *record.head;
    head.header = header;
    head.header.len = size_of::<TraceRecord>() as u32;
    head.call = call;
    head.errno = errno;
    head.target = key;
    head.target_tid = target.pid();
    head.request = request;
    head.bytes = 0;
    head.count = count;
    head.file = FileFacts { dev: 0, ino: 0, mode: 0, flags: 0, path_len: 0, zero: 0 };
    head.fd = -1;
    head.write = 0;
    head.zeros = [0; 3];
    Some(record)
}
