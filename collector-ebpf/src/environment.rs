//! The environment that a new image begins with: of all its variables, those that were asked for.

use aya_ebpf::macros::map;
use aya_ebpf::maps::HashMap;
use lanner_collector_abi::{ExecRecord, Variable};

use crate::kernel::mm_struct;
use crate::record::Tail;
use crate::ring;

/// Variables that are looked at.
const VARIABLES: u32 = 512;
/// Bytes that are kept of one, with a NUL.
const VARIABLE_MAX: u32 = 1024;
/// After so many bytes no further variable is kept.
const KEPT_MAX: u32 = 4096;

/// Filled in by the loader.
#[map]
static ENVIRONMENT: HashMap<Variable, u8> = HashMap::with_max_entries(64, 0);

/// Appends the variables that were asked for, a NUL after each.
#[inline(always)]
pub fn push(mm: mm_struct, head: &mut ExecRecord, tail: Tail) {
    head.env_len = 0;
    head.env_cut = 0;
    if !ring::wants_variables() {
        return;
    }
    let before = tail.used();
    let end = mm.env_end();
    let mut at = mm.env_start();
    // Within a variable that is longer than one read.
    let mut within = false;
    let mut cut = 1;
    for _ in 0..VARIABLES {
        if at >= end {
            cut = head.env_cut;
            break;
        }
        let len = tail.peek_user_str::<VARIABLE_MAX>(at);
        if len <= 0 {
            break;
        }
        let long = len == i64::from(VARIABLE_MAX);
        let wanted = !within && ENVIRONMENT.get_ptr(beginning(tail.peek_word())).is_some();
        let full = tail.used().wrapping_sub(before) >= KEPT_MAX;
        if wanted && !full {
            tail.keep(len);
        }
        if wanted && (long || full) {
            head.env_cut = 1;
        }
        // A NUL ends what was read, but in a long variable it stands for the byte that did not fit.
        at += if long { len as u64 - 1 } else { len as u64 };
        within = long;
    }
    head.env_cut = cut;
    head.env_len = tail.used().wrapping_sub(before) as u16;
}

/// The bytes of a word up to the first `=`, that one included; all when there is none.
#[inline(always)]
fn beginning(word: u64) -> Variable {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // The lowest byte that is zero after this has its highest bit set in `found`; borrows reach higher bytes only.
    let differs = word ^ (ONES * b'=' as u64);
    let found = differs.wrapping_sub(ONES) & !differs & HIGH;
    if found == 0 {
        return word;
    }
    let lowest = found & found.wrapping_neg();
    word & lowest.wrapping_shl(1).wrapping_sub(1)
}
