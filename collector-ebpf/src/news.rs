//! What was told already: some programs do the same thing all day, and once is enough.

use aya_ebpf::macros::map;
use aya_ebpf::maps::LruHashMap;
use lanner_collector_abi::Key;

/// A process and what it did.
#[repr(C)]
#[derive(Clone, Copy)]
struct Deed {
    process: Key,
    /// The address in the kernel of what it did it to, or a number that no address has.
    to: u64,
}

/// The least recently repeated is forgotten first, and told again.
#[map]
static TOLD: LruHashMap<Deed, u8> = LruHashMap::with_max_entries(16384, 0);

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
