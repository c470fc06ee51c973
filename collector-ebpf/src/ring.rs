//! The way out: the ring buffer, the counters of what did not fit, and the settings.

use core::ffi::c_void;
use core::ptr;

use aya_ebpf::bindings::{BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP};
use aya_ebpf::helpers::generated;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{PerCpuArray, RingBuf};
use lanner_collector_abi::{Config, Drop, Plain};

use crate::kernel::task_struct;
use crate::task;

/// `BPF_RB_AVAIL_DATA` of `bpf_ringbuf_query`.
const AVAILABLE: u64 = 0;

/// The loader sets its size.
#[map]
static EVENTS: RingBuf = RingBuf::with_byte_size(4096, 0);

/// How many records were lost, by [`Drop`].
#[map]
static DROPS: PerCpuArray<u64> = PerCpuArray::with_max_entries(Drop::COUNT, 0);

// SAFETY: no other symbol of this name exists.
#[unsafe(no_mangle)]
static CONFIG: Config =
    Config { wake_mark: u64::MAX, watched_lengths: 0, traffic_age: u64::MAX, own_pid: 0, own_pid_ns: 0, variables: 0 };

/// Whether variables of the environment are asked for.
#[inline(always)]
pub fn wants_variables() -> bool {
    // SAFETY: reads one word of a static; volatile, for the loader overrides it.
    unsafe { ptr::read_volatile(&raw const CONFIG.variables) != 0 }
}

/// Whether a watched name has this many bytes.
#[inline(always)]
pub fn is_watched_length(len: u32) -> bool {
    // SAFETY: reads one word of a static; volatile, for the loader overrides it.
    let lengths = unsafe { ptr::read_volatile(&raw const CONFIG.watched_lengths) };
    len < 64 && lengths & (1 << len) != 0
}

/// How long a connection must have lived before its traffic is told of.
#[inline(always)]
pub fn traffic_age() -> u64 {
    // SAFETY: reads one word of a static; volatile, for the loader overrides it.
    unsafe { ptr::read_volatile(&raw const CONFIG.traffic_age) }
}

/// Whether this is a thread of the collector.
#[inline(always)]
pub fn is_own(task: task_struct) -> bool {
    // SAFETY: reads words of a static; volatile, for the loader overrides it.
    let (pid, ns) =
        unsafe { (ptr::read_volatile(&raw const CONFIG.own_pid), ptr::read_volatile(&raw const CONFIG.own_pid_ns)) };
    let own = task::innermost(task.group_leader());
    own.nr() == pid && own.ns().inum() == ns
}

/// Counts a lost record.
#[inline(always)]
pub fn count_drop(cause: Drop) {
    if let Some(counter) = DROPS.get_ptr_mut(cause as u32) {
        // SAFETY: the map's own element of this CPU. An interrupt may count between load and store, so add atomically;
        // the result is not used, for only then does the oldest instruction set have it.
        unsafe { core::arch::asm!("lock *(u64 *)({c} + 0) += {one}", c = in(reg) counter, one = in(reg) 1u64) };
    }
}

/// Waking the reader costs more than the rest of the event, so it is done only where the fill mark is crossed.
#[inline(always)]
fn wake_flags(len: u64) -> u64 {
    // SAFETY: reads one word of a static; volatile, for the loader overrides it.
    let mark = unsafe { ptr::read_volatile(&raw const CONFIG.wake_mark) };
    let waiting = EVENTS.query(AVAILABLE);
    if waiting < mark && waiting + len >= mark { u64::from(BPF_RB_FORCE_WAKEUP) } else { u64::from(BPF_RB_NO_WAKEUP) }
}

/// The ring itself, for records that are put together in it.
#[inline(always)]
pub fn events() -> *mut c_void {
    (&raw const EVENTS).cast_mut().cast()
}

/// Sends a record that has no tail and lies on the stack. Says whether there was room.
#[inline(always)]
pub fn output_small<R: Plain>(record: &mut R) -> bool {
    // SAFETY: the record is live and of this size.
    unsafe { output(ptr::from_mut(record).cast(), size_of::<R>() as u64) }
}

/// Copies `len` bytes at `data` into the ring. Says whether there was room; that there was none is counted.
///
/// # Safety
/// `data` points to `len` readable bytes.
#[inline(always)]
pub unsafe fn output(data: *mut u8, len: u64) -> bool {
    let flags = wake_flags(len);
    // SAFETY: the caller's promise; the first argument is the map itself.
    let result = unsafe { generated::bpf_ringbuf_output(events(), data.cast(), len, flags) };
    if result < 0 {
        count_drop(Drop::RingFull);
    }
    result >= 0
}
