//! What was told already: some programs do the same thing all day, and once is enough.

use aya_ebpf::macros::map;
use aya_ebpf::maps::LruHashMap;
use lanner_collector_abi::Key;

/// A process and what it did.
#[repr(C)]
#[derive(Clone, Copy)]
struct Deed {
    process: Key,
    /// A number for what it did to what; see [`mix`].
    to: u64,
}

/// The least recently repeated is forgotten first, and told again.
#[map]
static TOLD: LruHashMap<Deed, u8> = LruHashMap::with_max_entries(16384, 0);

/// Folds one more word into a number that stands for all of them.
#[inline(always)]
pub fn mix(hash: u64, word: u64) -> u64 {
    (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)
}

/// Whether this is the first time that a process does this, as far as is remembered.
#[inline(always)]
pub fn is_news(process: Key, to: u64) -> bool {
    let deed = Deed { process, to };
    if TOLD.get_ptr(deed).is_some() {
        return false;
    }
    // A least-recently-used map makes room for itself.
    let _ = TOLD.insert(deed, 1, 0);
    true
}
