//! System calls by the 32-bit entry of x86, which the kernel hides from the tracepoints of single calls. A 64-bit program
//! can use it too (`int 0x80`).
//!
//! The tracepoints of all calls show them, with the arguments laid out as those of single calls have them. So what is
//! seen here goes on to the very programs that stand on the call's own tracepoints: the loader fills in which of them has
//! which number. To look at every system call costs each of them, so the sensor attaches this only while it is needed.

use aya_ebpf::helpers::{bpf_get_current_pid_tgid, generated};
use aya_ebpf::macros::{map, tracepoint};
use aya_ebpf::maps::{LruHashMap, ProgramArray};
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::{COMPAT_CALLS, CompatRecord, Key, kind};

use crate::arguments;
use crate::kernel::task_struct;
use crate::record::header;
use crate::ring;

/// `TS_COMPAT` of `thread_info.status`: within a 32-bit call (arch/x86/include/asm/thread_info.h).
const TS_COMPAT: u32 = 2;
/// No 32-bit program can address more.
const SIZE_32: u64 = 1 << 32;

/// `socketcall(which, arguments)`: many calls by one number.
const SOCKETCALL: u32 = 102;

/// By the call's 32-bit number: what stands on its entry, and on its exit.
#[map]
static COMPAT_ENTERS: ProgramArray = ProgramArray::with_max_entries(COMPAT_CALLS, 0);
#[map]
static COMPAT_EXITS: ProgramArray = ProgramArray::with_max_entries(COMPAT_CALLS, 0);

/// Processes of which it was told.
#[map]
static COMPAT: LruHashMap<Key, u8> = LruHashMap::with_max_entries(1024, 0);

/// By thread: the direct call that a socketcall stands for.
#[map]
static SOCKETCALLS: LruHashMap<u64, u32> = LruHashMap::with_max_entries(1024, 0);

/// Whether a thread runs a 32-bit program.
#[inline(always)]
pub fn is_compat(of: task_struct) -> bool {
    let size = of.mm().task_size();
    size != 0 && size <= SIZE_32
}

/// Whether the current thread is within a 32-bit call.
#[inline(always)]
pub fn is_call(current: task_struct) -> bool {
    current.call_flags() & TS_COMPAT != 0
}

/// What the kernel takes of an argument of the call that the current thread is in: a 64-bit program can leave anything in
/// the upper halves of registers.
#[inline(always)]
pub fn taken() -> u64 {
    if is_call(task_struct::current()) { 0xffff_ffff } else { u64::MAX }
}

/// The first three arguments of a call on sockets, by whichever number it was made.
#[inline(always)]
pub fn of_socket(ctx: &TracePointContext) -> [u64; 3] {
    let all = arguments::first(ctx);
    if !is_call(task_struct::current()) {
        return all;
    }
    let mut narrow = [all[0] as u32, all[1] as u32, all[2] as u32];
    if arguments::number(ctx) == SOCKETCALL {
        let from = u64::from(narrow[1]);
        // SAFETY: as many bytes as the local has; the kernel checks the source, and writes zeros where it cannot be read.
        unsafe { generated::bpf_probe_read_user(narrow.as_mut_ptr().cast(), 12, from as *const _) };
    }
    narrow.map(u64::from)
}

/// The current thread is within a 32-bit call: that is told once of each process.
#[inline(always)]
pub fn note(current: task_struct, call: u32) {
    let header = header(kind::COMPAT, current);
    if COMPAT.get_ptr(header.process).is_some() {
        return;
    }
    // A least-recently-used map makes room for itself: one that is forgotten is told again.
    let _ = COMPAT.insert(header.process, 0, 0);
    let mut record = CompatRecord { header, call, from_native: u32::from(!is_compat(current)) };
    record.header.len = size_of::<CompatRecord>() as u32;
    ring::output_small(&mut record);
}

/// The entry of every system call: everything but the first test is for few.
#[tracepoint]
pub fn compat_enter(ctx: TracePointContext) -> u32 {
    let current = task_struct::current();
    if !is_call(current) {
        return 0;
    }
    let mut call = arguments::number(&ctx);
    note(current, call);
    if call == SOCKETCALL {
        // The direct calls that do the same (include/uapi/linux/net.h, arch/x86/entry/syscalls/syscall_32.tbl).
        call = match arguments::arg::<0>(&ctx) as u32 {
            1 => 359,
            2 => 361,
            3 => 362,
            4 => 363,
            5 | 18 => 364,
            _ => return 0,
        };
        // A least-recently-used map makes room for itself.
        let _ = SOCKETCALLS.insert(bpf_get_current_pid_tgid(), call, 0);
    }
    // SAFETY: nothing here wants to be dropped; where there is no such program, it comes back.
    unsafe { COMPAT_ENTERS.tail_call(&ctx, call) };
    0
}

/// The exit of every system call.
#[tracepoint]
pub fn compat_exit(ctx: TracePointContext) -> u32 {
    if !is_call(task_struct::current()) {
        return 0;
    }
    let mut call = arguments::number(&ctx);
    if call == SOCKETCALL {
        let thread = bpf_get_current_pid_tgid();
        let Some(direct) = SOCKETCALLS.get_ptr(thread) else { return 0 };
        // SAFETY: the map's own element; no other thread has this key.
        call = unsafe { *direct };
        let _ = SOCKETCALLS.remove(thread);
    }
    // SAFETY: as at the entry.
    unsafe { COMPAT_EXITS.tail_call(&ctx, call) };
    0
}
