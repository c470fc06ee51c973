//! System calls by the 32-bit entry of x86, which the kernel hides from the system call tracepoints. A 64-bit program can
//! use it too (`int 0x80`).
//!
//! To look at every system call costs each of them about 35 ns, so the sensor attaches this program once it is needed.

use aya_ebpf::macros::{btf_tracepoint, map};
use aya_ebpf::maps::LruHashMap;
use aya_ebpf::programs::BtfTracePointContext;
use lanner_collector_abi::{CompatRecord, Key, Through, kind};

use crate::files;
use crate::kernel::{Place as _, launder, probe, pt_regs, task_struct};
use crate::open::{self, Opened};
use crate::record::{Slot, header};
use crate::ring;

/// `TS_COMPAT` of `thread_info.status`: within a 32-bit call (arch/x86/include/asm/thread_info.h).
const TS_COMPAT: u32 = 2;
/// No 32-bit program can address more.
const SIZE_32: u64 = 1 << 32;

/// Processes of which it was told.
#[map]
static COMPAT: LruHashMap<Key, u8> = LruHashMap::with_max_entries(1024, 0);

/// Whether a thread runs a 32-bit program.
#[inline(always)]
pub fn is_compat(of: task_struct) -> bool {
    let size = of.mm().task_size();
    size != 0 && size <= SIZE_32
}

/// `sys_exit(regs, result)`: of every system call, so that everything but the first test is for few.
#[btf_tracepoint(function = "sys_exit")]
pub fn compat(ctx: BtfTracePointContext) -> i32 {
    let current = task_struct::current();
    if current.call_flags() & TS_COMPAT == 0 {
        return 0;
    }
    // Four bytes of eight: the low ones come first.
    let call: u32 = probe(pt_regs::at(launder(ctx.arg::<*const u8>(0) as u64)).number().address);
    let header = header(kind::COMPAT, current);
    if COMPAT.get_ptr(header.process).is_none() {
        // A least-recently-used map makes room for itself: one that is forgotten is told again.
        let _ = COMPAT.insert(header.process, 0, 0);
        let from_native = u32::from(!is_compat(current));
        let mut record = CompatRecord { header, call, from_native };
        record.header.len = size_of::<CompatRecord>() as u32;
        ring::output_small(&mut record);
    }
    // open, creat, openat, openat2 (arch/x86/entry/syscalls/syscall_32.tbl).
    let fd = ctx.arg::<i64>(1) as i32;
    if matches!(call, 5 | 8 | 295 | 437) && fd >= 0 {
        let file = files::by_fd(current, fd as u32);
        open::tell(current, Opened { file, fd, through: Through::CALL }, Slot::Hook);
    }
    0
}
