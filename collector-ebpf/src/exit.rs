//! A process ends.

use aya_ebpf::macros::{btf_tracepoint, map};
use aya_ebpf::maps::LruHashMap;
use aya_ebpf::programs::BtfTracePointContext;
use lanner_collector_abi::{ExitRecord, Key, kind};

use crate::kernel::task_struct;
use crate::record::header;
use crate::ring;

/// `signal_struct.flags`: the group's exit code counts, not the thread's.
const SIGNAL_GROUP_EXIT: u32 = 4;
/// `BPF_NOEXIST`.
const ONLY_NEW: u64 = 1;

/// Processes whose end was told. The last two threads may end at once on two CPUs, and both see that no other is left, be it
/// that the first is gone altogether before the second gets here.
#[map]
static ENDED: LruHashMap<Key, u8> = LruHashMap::with_max_entries(1024, 0);

/// `sched_process_exit`: in the context of every thread that ends, after it left the count of living ones.
#[btf_tracepoint(function = "sched_process_exit")]
pub fn exit(_: BtfTracePointContext) -> i32 {
    let current = task_struct::current();
    let signal = current.signal();
    if signal.live() != 0 {
        return 0;
    }
    let header = header(kind::EXIT, current);
    if ENDED.insert(header.process, 0, ONLY_NEW).is_err() {
        return 0;
    }
    let status = if signal.flags() & SIGNAL_GROUP_EXIT != 0 {
        signal.group_exit_code()
    } else {
        current.group_leader().exit_code()
    };
    let mut record = ExitRecord { header, status, zero: 0 };
    record.header.len = size_of::<ExitRecord>() as u32;
    ring::output_small(&mut record);
    0
}
