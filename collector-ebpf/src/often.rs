//! What one process does to another again and again is told ever less often: the first time, the second, the fourth, ...
//! with how many times it was.

use aya_ebpf::macros::map;
use aya_ebpf::maps::LruHashMap;
use lanner_collector_abi::Key;

/// Who did what to whom.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Deed {
    pub by: Key,
    pub to: Key,
    /// A number of the family's own.
    pub what: u64,
}

/// How often each was done, the least recently done forgotten first.
#[map]
static DEEDS: LruHashMap<Deed, u64> = LruHashMap::with_max_entries(4096, 0);

/// How often it was done, this time included. Two at once on two CPUs may count as one.
#[inline(always)]
pub fn count(deed: &Deed) -> u64 {
    if let Some(times) = DEEDS.get_ptr_mut(deed) {
        // SAFETY: the map's own element; a race loses a count.
        unsafe {
            *times += 1;
            return *times;
        }
    }
    // A least-recently-used map makes room for itself.
    let _ = DEEDS.insert(deed, 1, 0);
    1
}

/// Powers of two.
#[inline(always)]
pub fn is_worth_telling(count: u64) -> bool {
    count & count.wrapping_sub(1) == 0
}
