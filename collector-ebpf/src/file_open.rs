//! Full layer: files that are opened without a system call that says so.

use aya_ebpf::helpers::generated;
use aya_ebpf::macros::fexit;
use aya_ebpf::programs::FExitContext;
use lanner_collector_abi::Through;

use crate::compat;
use crate::kernel::{Place as _, file, launder, probe, pt_regs, task_struct};
use crate::open::{self, FMODE_CREATED, Opened};
use crate::passed::Passed;
use crate::record::Slot;

/// `task_struct.flags` (include/linux/sched.h): a thread that does a ring's work, since Linux 5.12 one of the process's.
const PF_IO_WORKER: u32 = 0x10;
/// A kernel thread.
const PF_KTHREAD: u32 = 0x0020_0000;
/// `file.f_mode` (include/linux/fs.h): opened by a file system that stands on another, for a file that was opened there.
const FMODE_NOACCOUNT: u32 = 1 << 29;
/// (include/uapi/asm-generic/fcntl.h)
const O_NONBLOCK: u32 = 0o4000;
/// The system call's number, the same on every architecture.
const IO_URING_ENTER: u32 = 426;

/// `security_file_open(file)` has returned: every open asks it, and the base layer tells of those by system calls.
#[fexit(function = "security_file_open")]
pub fn file_open(ctx: FExitContext) -> i32 {
    // Behind the argument stands what it returned: a refusal, or 0.
    if ctx.arg::<i32>(1) != 0 {
        return 0;
    }
    let current = task_struct::current();
    // The sensor does not look at every system call for a 64-bit program that makes such calls: here is where one shows.
    if compat::is_call(current) {
        compat::note(current, system_call());
    }
    let flags = current.flags();
    let (through, added) = if flags & PF_IO_WORKER != 0 {
        (Through::IO_URING, 0)
    } else if flags & PF_KTHREAD != 0 {
        (Through::KERNEL, 0)
    } else if system_call() == IO_URING_ENTER {
        // The caller's thread must not wait: it may do so in its own name only.
        (Through::IO_URING, O_NONBLOCK)
    } else {
        return 0;
    };
    let file = file::at(launder(ctx.arg::<*const u8>(0) as u64));
    if file.f_mode() & FMODE_NOACCOUNT == 0 {
        let passed = if through == Through::IO_URING { passed(file, added) } else { Passed::NOTHING };
        open::tell(current, Opened { file, fd: -1, through, passed }, Slot::Function);
    }
    0
}

/// What was passed, as the file shows it: it loses the flags that only opening has after this. The permissions that it got
/// are those that it was to get, but for what the process takes from all.
#[inline(always)]
fn passed(file: file, added: u32) -> Passed {
    let made = file.f_mode() & FMODE_CREATED != 0;
    Passed {
        flags: file.f_flags() & !added,
        mode: if made { file.f_inode().mode() & 0o7777 } else { 0 },
        known: 1,
        ..Passed::NOTHING
    }
}

/// The number of the system call that the current thread is in.
#[inline(always)]
fn system_call() -> u32 {
    // SAFETY: the one helper takes what the other gives.
    let registers = unsafe { generated::bpf_task_pt_regs(generated::bpf_get_current_task_btf()) };
    // Four bytes where x86 has eight: both begin with the low ones.
    probe(pt_regs::at(launder(registers as u64)).number().address)
}
