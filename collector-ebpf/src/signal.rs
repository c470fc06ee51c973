//! Signals that one process sends to another.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use lanner_collector_abi::{SignalRecord, kind};

use crate::kernel::{Place as _, kernel_siginfo, launder, task_struct};
use crate::often::{self, Deed};
use crate::record::header;
use crate::ring;
use crate::task;

/// `siginfo.si_code` of signals that a process sends: kill, sigqueue, tgkill. The kernel's own (a child's end, a fault, a
/// terminal's job control, a timer) have others.
const SI_USER: i32 = 0;
const SI_QUEUE: i32 = -1;
const SI_TKILL: i32 = -6;
/// `SEND_SIG_NOINFO`: from a process, without particulars. `SEND_SIG_PRIV`, from the kernel, is 1.
const SEND_SIG_NOINFO: u64 = 0;

/// `signal_generate(signal, info, task, group, result)`: in the context of the sender, maybe with interrupts off.
#[btf_tracepoint(function = "signal_generate")]
pub fn signal(ctx: BtfTracePointContext) -> i32 {
    let info = ctx.arg::<*const u8>(1) as u64;
    if info == 1 {
        return 0;
    }
    let info = launder(info);
    if info != SEND_SIG_NOINFO && !matches!(kernel_siginfo::at(info).code() as i32, SI_USER | SI_QUEUE | SI_TKILL) {
        return 0;
    }
    let target = task_struct::at(launder(ctx.arg::<*const u8>(2) as u64));
    let current = task_struct::current();
    // An idle processor's task has no number: what runs then is the kernel.
    let sender = current.tgid();
    if sender == 0 || target.tgid() == sender {
        return 0;
    }
    let mut record = SignalRecord {
        header: header(kind::SIGNAL, current),
        target: task::key(target),
        target_tid: target.pid(),
        signal: ctx.arg::<u32>(0),
        count: 0,
        result: ctx.arg::<u32>(4),
        thread: u32::from(ctx.arg::<u32>(3) == 0),
    };
    let deed = Deed { by: record.header.process, to: record.target, what: record.signal.into() };
    record.count = often::count(&deed);
    if !often::is_worth_telling(record.count) {
        return 0;
    }
    record.header.len = size_of::<SignalRecord>() as u32;
    ring::output_small(&mut record);
    0
}
