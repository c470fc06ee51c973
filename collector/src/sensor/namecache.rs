//! Where the kernel keeps the names that it has met. The programs look names up in its hash table of dentries, whose place
//! is no secret kept from root, but not told by every kernel either: `/proc/kallsyms` mostly leaves data out. It shows in
//! the names themselves: the first of each bucket points back to the bucket, and its hash says which bucket that is.

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::OpenOptionsExt;

use aya::maps::{Array, MapData};
use aya::programs::Iter;
use aya::{Btf, Ebpf};
use lanner_collector_abi::{NameCache, NameSample};

use super::hooks::words;
use super::{iterate, load, with_causes};

/// The iterator's program.
const PROGRAM: &str = "names";
/// Files that every system has, of which so many are opened, and most of whose names must agree.
const FOLDERS: [&str; 6] = ["/proc", "/proc/sys/kernel", "/", "/dev", "/sys/kernel", "/etc"];
const SAMPLES: usize = 160;
const ENOUGH: usize = 16;

/// Finds the table and tells the programs. The error says in words why it could not.
pub(super) fn find(ebpf: &mut Ebpf, btf: &Btf) -> Result<(), String> {
    let held = some_files();
    let samples = samples(ebpf, btf)?;
    drop(held);
    let cache = solve(&samples).ok_or("the names that the kernel has met do not show where it keeps them")?;
    let map = ebpf.map_mut("NAMES").ok_or("the object has no map NAMES")?;
    let mut map: Array<&mut MapData, [u64; 2]> = map.try_into().map_err(|e| with_causes(&e))?;
    map.set(0, [cache.table, cache.shift], 0).map_err(|e| with_causes(&e))
}

/// Descriptors that only name files.
fn some_files() -> Vec<File> {
    let entries = FOLDERS.into_iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let is_number = |name: &std::ffi::OsStr| name.as_encoded_bytes().iter().all(u8::is_ascii_digit);
    let open = |entry: fs::DirEntry| {
        if is_number(&entry.file_name()) {
            return None;
        }
        fs::OpenOptions::new().read(true).custom_flags(libc::O_PATH | libc::O_NOFOLLOW).open(entry.path()).ok()
    };
    entries.filter_map(open).take(SAMPLES).collect()
}

fn samples(ebpf: &mut Ebpf, btf: &Btf) -> Result<Vec<NameSample>, String> {
    let program = ebpf.program_mut(PROGRAM).ok_or("the object has no such program")?;
    let program: &mut Iter = program.try_into().map_err(words)?;
    load::persist(|| program.load("task", btf)).map_err(words)?;
    let stream = iterate::all(ebpf, PROGRAM)?;
    let word = |bytes: &[u8]| bytes.try_into().map(u64::from_ne_bytes).unwrap_or_default();
    let sample = |bytes: &[u8]| NameSample { hash: word(&bytes[..8]), linked_from: word(&bytes[8..]) };
    Ok(stream.chunks_exact(size_of::<NameSample>()).map(sample).collect())
}

/// The table's place and shift on which most samples agree. One that is not the first of its bucket agrees with none.
fn solve(samples: &[NameSample]) -> Option<NameCache> {
    let mut best = (0, NameCache::default());
    for shift in 1..32 {
        let mut votes: HashMap<u64, usize> = HashMap::new();
        for sample in samples {
            *votes.entry(sample.linked_from.wrapping_sub((sample.hash >> shift) * 8)).or_default() += 1;
        }
        for (table, count) in votes {
            if count > best.0 {
                best = (count, NameCache { table, shift });
            }
        }
    }
    let (count, cache) = best;
    (count >= ENOUGH && count * 2 > samples.len() && cache.table % 8 == 0).then_some(cache)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: u64 = 0xffff_8880_0400_0000;

    /// Names as a table of 2^20 buckets would hold them, every fifth behind another one of its bucket.
    fn some(count: u64) -> Vec<NameSample> {
        let hash = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let place =
            |n: u64| if n.is_multiple_of(5) { 0xffff_8881_1234_0000 + n * 192 } else { TABLE + (hash(n) >> 12) * 8 };
        (1..=count).map(|n| NameSample { hash: hash(n), linked_from: place(n) }).collect()
    }

    #[test]
    fn names_show_where_their_table_lies() {
        assert_eq!(solve(&some(100)), Some(NameCache { table: TABLE, shift: 12 }));
    }

    #[test]
    fn what_does_not_agree_is_not_believed() {
        assert_eq!(solve(&some(10)), None, "too few");
        let mut liars = some(100);
        liars.iter_mut().step_by(2).for_each(|sample| sample.linked_from ^= sample.hash << 8);
        assert_eq!(solve(&liars), None);
        assert_eq!(solve(&[]), None);
    }
}
