//! Two programs on one tracepoint, the second of which tells what the first was not run for. Here the second learns whether
//! the first had its turn, so that what neither was run for can be counted.

use aya_ebpf::macros::map;
use aya_ebpf::maps::PerCpuArray;

/// What the first was run for, on one processor.
#[repr(C)]
#[derive(Clone, Copy)]
struct Turn {
    /// Last, until the second one takes it.
    last: u64,
    /// Before that: what was interrupted between the two.
    outer: u64,
}

/// How often the second one was run without the first. The collector reads it.
#[map]
static TAKEN_OVER: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);

#[map]
static TURN: PerCpuArray<Turn> = PerCpuArray::with_max_entries(1, 0);

/// The first program was run for this.
#[inline(always)]
pub fn had(what: u64) {
    let Some(turn) = TURN.get_ptr_mut(0) else { return };
    // SAFETY: this processor's own element. What interrupts the first program is not told by it, but by the second, which
    // takes only what it finds.
    unsafe {
        (*turn).outer = (*turn).last;
        (*turn).last = what;
    }
}

/// The second program is run for this: takes over, if the first had no turn. It must be called in each of its runs.
#[inline(always)]
pub fn takes_over(what: u64) {
    let Some(turn) = TURN.get_ptr_mut(0) else { return };
    // SAFETY: as above; this program does not interrupt itself.
    unsafe {
        if (*turn).last == what {
            // Between the two another change may have had both its turns.
            (*turn).last = (*turn).outer;
            (*turn).outer = 0;
        } else {
            if let Some(count) = TAKEN_OVER.get_ptr_mut(0) {
                *count += 1;
            }
        }
    }
}
