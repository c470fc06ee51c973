//! From a name that a system call was given to the file that the kernel found under it: a walk through the kernel's own
//! cache of names (dentries and mounts), component by component, as the kernel has just done it. Right after a call that
//! took the name, all that it passed is in that cache, so no guess is made: what is not found there is told as it was
//! passed, and marked so.
//!
//! The three functions that loop are global to the verifier, which looks at each of them once and not once for every step
//! of who calls it.

use core::ptr;

use aya_ebpf::helpers::generated;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, LruHashMap, PerCpuArray};
use lanner_collector_abi::{FileFacts, FileFlags, NameCache};

use crate::exact::Exact;
use crate::files::{self, S_IFLNK, S_IFMT};
use crate::kernel::{Place as _, dentry, inode, mount, probe, task_struct};
use crate::magic;
use crate::path::{Spot, push};
use crate::record::{Tail, bounded};

/// `AT_FDCWD`.
pub const CWD: i32 = -100;

/// Components that are walked, those of symbolic links included.
const STEPS: u32 = 64;
/// Symbolic links that are followed; the kernel allows 40.
const LINKS: u64 = 8;
/// Entries of a hash bucket that are looked at; one or two are usual.
const CHAIN: u32 = 64;
/// Mounts on a mount that are looked at.
const MOUNTS: u32 = 512;
/// Bytes of a name: the kernel's `PATH_MAX`, a power of two.
const NAME_MAX: u32 = 4096;
/// Bytes of a component and what lies behind it, in words.
const WORDS: usize = 33;

/// What came of a step, and of a walk.
pub mod outcome {
    /// There is more to walk.
    pub const GO_ON: u64 = 0;
    /// The file.
    pub const FOUND: u64 = 1;
    /// Its directory, and nothing there under its name.
    pub const ABSENT: u64 = 2;
    /// Not in the cache, or not to be read there.
    pub const LOST: u64 = 3;
}

/// A walk: too much for the stack. Names are copied from here to there by the kernel, which needs no loop.
#[repr(C, align(8))]
struct Walk {
    at: [u64; 2],
    root: [u64; 2],
    base: [u64; 2],
    /// Where in the text the next component begins.
    next: u64,
    follow: u64,
    links: u64,
    /// The text that is walked, of the two.
    text_used: u64,
    name_len: u64,
    name: [u64; WORDS],
    texts: [[u8; NAME_MAX as usize + 512]; 2],
}

#[map]
static WALK: PerCpuArray<Walk> = PerCpuArray::with_max_entries(1, 0);

/// Where the kernel's hash table of names lies, once the collector has found out; zeros before.
#[map]
static NAMES: Array<NameCache> = Array::with_max_entries(1, 0);

/// Mounts that were found: (mount, mount point) to the mount. What is found here is checked before it is believed.
#[map]
static MOUNTED: LruHashMap<[u64; 2], u64> = LruHashMap::with_max_entries(1024, 0);

/// Walks from the directory `dirfd` along the `name` in the process's memory. No name: the open file `dirfd` itself.
/// [`describe`] tells what was found.
// SAFETY: no other symbol of this name exists.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn walk(dirfd: i32, name: u64, follow: u32) -> u64 {
    let Some(w) = WALK.get_ptr_mut(0) else { return outcome::LOST };
    // SAFETY: the map's own element; programs on a CPU do not nest in process context.
    let w = unsafe { &mut *w };
    let task = task_struct::current();
    let root = Spot::of(task.fs().root());
    let mut base =
        if dirfd == CWD { Spot::of(task.fs().pwd()) } else { Spot::of(files::by_fd(task, dirfd as u32).f_path()) };
    w.texts[0][0] = 0;
    if name != 0 {
        // SAFETY: so many bytes are there; the kernel checks the source.
        let read =
            unsafe { generated::bpf_probe_read_user_str((&raw mut w.texts[0]).cast(), NAME_MAX, name as *const _) };
        if read <= 0 {
            w.base = [0; 2];
            return outcome::LOST;
        }
    }
    if w.texts[0][0] == b'/' {
        base = root;
    }
    w.root = [root.mount.address, root.dentry.address];
    w.base = [base.mount.address, base.dentry.address];
    w.at = w.base;
    w.next = 0;
    w.follow = u64::from(follow);
    w.links = 0;
    w.text_used = 0;
    w.name_len = 0;
    if base.dentry.is_null() {
        return outcome::LOST;
    }
    for _ in 0..STEPS {
        let came = walk_step();
        if came != outcome::GO_ON {
            return came;
        }
    }
    outcome::LOST
}

/// Fills in what a walk came to and appends its path. `name` is what was passed.
#[inline(never)]
pub fn describe(came: u64, name: u64, facts: &mut FileFacts, tail: Tail) {
    *facts = FileFacts { dev: 0, ino: 0, mode: 0, flags: 0, path_len: 0, zero: 0 };
    let Some(w) = WALK.get_ptr_mut(0) else { return };
    // SAFETY: as in `walk`.
    let w = unsafe { &mut *w };
    let spot = Spot { mount: mount::at(w.at[0]), dentry: dentry::at(w.at[1]) };
    if came == outcome::FOUND {
        let inode = spot.dentry.inode();
        files::identify(inode, facts);
        files::locate_at(inode, spot, facts, tail);
        return;
    }
    let before = tail.used();
    let flags = if came == outcome::ABSENT {
        tail.push_str((&raw const w.name) as u64);
        push(tail, &spot) as u16
    } else {
        tail.push_user_str(name);
        let base = Spot { mount: mount::at(w.base[0]), dentry: dentry::at(w.base[1]) };
        let from = if base.dentry.is_null() { 0 } else { push(tail, &base) };
        from as u16 | FileFlags::AS_PASSED
    };
    facts.flags = flags;
    facts.path_len = tail.used().wrapping_sub(before) as u16;
}

/// Takes what the kernel itself said for the outcome of a walk; [`outcome::LOST`] when it said nothing of use.
#[inline(always)]
pub fn take(exact: &Exact) -> u64 {
    let Some(w) = WALK.get_ptr_mut(0) else { return outcome::LOST };
    // SAFETY: as in `walk`.
    let w = unsafe { &mut *w };
    if exact.mount == 0 || (exact.absent == 0 && dentry::at(exact.dentry).inode().is_null()) {
        return outcome::LOST;
    }
    w.at = [exact.mount, exact.dentry];
    if exact.absent == 0 {
        return outcome::FOUND;
    }
    // SAFETY: both are within their maps' own elements.
    unsafe {
        generated::bpf_probe_read_kernel((&raw mut w.name).cast(), 256, exact.name.as_ptr().cast());
    }
    outcome::ABSENT
}

/// The inode that a walk found; null when it found none.
#[inline(always)]
pub fn found(came: u64) -> inode {
    match WALK.get_ptr_mut(0) {
        // SAFETY: as in `walk`.
        Some(w) if came == outcome::FOUND => dentry::at(unsafe { (*w).at[1] }).inode(),
        _ => inode::at(0),
    }
}

/// Walks one component.
// SAFETY: no other symbol of this name exists.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn walk_step() -> u64 {
    let Some(w) = WALK.get_ptr_mut(0) else { return outcome::LOST };
    // SAFETY: as in `walk`.
    let w = unsafe { &mut *w };
    let Some(hash_len) = component(w) else { return outcome::LOST };
    let len = hash_len >> 32;
    if len == 0 {
        return outcome::FOUND;
    }
    let after = w.next + len;
    let first = w.name[0];
    if len == 1 && first as u8 == b'.' {
        w.next = after;
        return outcome::GO_ON;
    }
    if len == 2 && first as u16 == u16::from_le_bytes(*b"..") {
        w.next = after;
        go_up(w);
        return outcome::GO_ON;
    }
    let is_last = is_last(w, after);
    let child = dentry::at(walk_child(w.at[1], hash_len));
    let inode = child.inode();
    if child.is_null() || inode.is_null() {
        return if is_last { outcome::ABSENT } else { outcome::LOST };
    }
    if inode.mode() & S_IFMT == S_IFLNK && (!is_last || w.follow != 0) {
        return through(w, inode, after);
    }
    w.at[1] = child.address;
    w.next = after;
    go_down(w);
    outcome::GO_ON
}

/// The entry of a directory with this `d_name.hash_len`; 0 when the cache has none. Names of one length that share a hash
/// are not made by will: the directory's address goes into it.
// SAFETY: no other symbol of this name exists.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn walk_child(directory: u64, hash_len: u64) -> u64 {
    let Some(cache) = NAMES.get(0) else { return 0 };
    if cache.table == 0 {
        return 0;
    }
    let bucket = (hash_len as u32) >> (cache.shift as u32 & 31);
    // The table's own pointers have a lock in the lowest bit.
    let mut next = probe::<u64>(cache.table.wrapping_add(u64::from(bucket) * 8)) & !1;
    let link = dentry::at(0).hash_link().address;
    for _ in 0..CHAIN {
        if next == 0 {
            break;
        }
        let entry = dentry::at(next.wrapping_sub(link));
        if entry.hash_len() == hash_len && entry.parent().address == directory {
            return entry.address;
        }
        next = probe(next);
    }
    0
}

/// The mount on top of this place of another mount; 0 when there is none.
// SAFETY: no other symbol of this name exists.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn walk_mounted(on: u64, mountpoint: u64) -> u64 {
    let key = [on, mountpoint];
    if let Some(known) = MOUNTED.get_ptr(key) {
        // SAFETY: the map's own element.
        let known = mount::at(unsafe { *known });
        if known.parent().address == on && known.mountpoint().address == mountpoint {
            return known.address;
        }
    }
    let head = mount::at(on).mounts().address;
    let link = mount::at(0).child().address;
    let mut next: u64 = probe(head);
    for _ in 0..MOUNTS {
        if next == 0 || next == head {
            break;
        }
        let entry = mount::at(next.wrapping_sub(link));
        if entry.mountpoint().address == mountpoint {
            // A least-recently-used map makes room for itself.
            let _ = MOUNTED.insert(key, entry.address, 0);
            return entry.address;
        }
        next = probe(next);
    }
    0
}

/// `d_flags`: something is mounted here, in some namespace. The bit was moved down by one in Linux 6.15, and its neighbours
/// are rare.
const DCACHE_MOUNTED: u32 = 1 << 15 | 1 << 16;
/// Mounts on top of each other that are crossed at once.
const STACKED: u32 = 4;

/// From a mount point to what is mounted there.
#[inline(always)]
fn go_down(w: &mut Walk) {
    for _ in 0..STACKED {
        if dentry::at(w.at[1]).flags() & DCACHE_MOUNTED == 0 {
            break;
        }
        let above = walk_mounted(w.at[0], w.at[1]);
        if above == 0 {
            break;
        }
        w.at = [above, mount::at(above).vfs().root().address];
    }
}

/// `..`: never above the process's root.
#[inline(always)]
fn go_up(w: &mut Walk) {
    for _ in 0..STACKED {
        if w.at[0] == w.root[0] && w.at[1] == w.root[1] {
            return;
        }
        let on = mount::at(w.at[0]);
        if w.at[1] != on.vfs().root().address {
            w.at[1] = dentry::at(w.at[1]).parent().address;
            break;
        }
        let below = on.parent();
        if below.address == on.address || below.is_null() {
            return;
        }
        w.at = [below.address, on.mountpoint().address];
    }
    go_down(w);
}

/// Reads the next component into `w.name` and makes its hash, as `hash_name` of fs/namei.c does where words are compared
/// at once: on all 64-bit architectures that we build for. File systems with a hash of their own (case folding) are not found.
#[inline(always)]
fn component(w: &mut Walk) -> Option<u64> {
    let text = (&raw const w.texts[usize::from(w.text_used != 0)]) as u64;
    let mut at = bounded::<{ NAME_MAX - 1 }>(w.next as u32);
    for _ in 0..8 {
        if probe::<u8>(text + u64::from(at)) != b'/' {
            break;
        }
        at += 1;
    }
    let at = bounded::<{ NAME_MAX - 1 }>(at);
    w.next = u64::from(at);
    // SAFETY: both are within the map's own element.
    unsafe {
        generated::bpf_probe_read_kernel(
            (&raw mut w.name).cast(),
            (WORDS * 8) as u32,
            (text + u64::from(at)) as *const _,
        );
    }
    let (mut x, mut y) = (0u64, w.at[1]);
    for i in 0..WORDS {
        // SAFETY: within the array. Volatile, so that the loop stays one.
        let word = unsafe { ptr::read_volatile(&raw const w.name[i]) };
        let ends = zero_bytes(word) | zero_bytes(word ^ SLASHES);
        if ends != 0 {
            let mask = (ends.wrapping_sub(1) & !ends) >> 7;
            x ^= word & mask;
            let len = i as u64 * 8 + (mask.wrapping_mul(0x0001_0203_0405_0608) >> 56);
            let end = bounded::<255>(len as u32) as usize;
            // SAFETY: within the array, which holds more than 256 bytes.
            unsafe { (&raw mut w.name).cast::<u8>().add(end).write_volatile(0) };
            y ^= x.wrapping_mul(GOLDEN_RATIO_64);
            y = y.wrapping_mul(GOLDEN_RATIO_64);
            w.name_len = len;
            return (len < 256).then_some(len << 32 | y >> 32);
        }
        x ^= word;
        y ^= x;
        x = x.rotate_left(12).wrapping_add(y);
        y = y.rotate_left(45).wrapping_mul(9);
    }
    None
}

const ONES: u64 = 0x0101_0101_0101_0101;
const SLASHES: u64 = ONES * b'/' as u64;
const GOLDEN_RATIO_64: u64 = 0x61c8_8646_80b5_83eb;

/// The highest bit of each byte that is zero; bytes behind the first one may be wrong.
#[inline(always)]
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & (ONES << 7)
}

/// Whether nothing but slashes follows.
#[inline(always)]
fn is_last(w: &Walk, after: u64) -> bool {
    let text = (&raw const w.texts[usize::from(w.text_used != 0)]) as u64;
    let mut at = bounded::<{ NAME_MAX - 1 }>(after as u32);
    for _ in 0..8 {
        if probe::<u8>(text + u64::from(at)) != b'/' {
            break;
        }
        at += 1;
    }
    probe::<u8>(text + u64::from(at)) == 0
}

/// Through a symbolic link whose text the kernel keeps beside the inode, or one of `/proc` that leads straight to a file.
#[inline(always)]
fn through(w: &mut Walk, link: inode, after: u64) -> u64 {
    w.links += 1;
    if w.links > LINKS {
        return outcome::LOST;
    }
    let target = link.link();
    if target.is_null() {
        let name = (w.name[0], w.name_len);
        if let Some(spot) = magic::leads_to(link, name) {
            w.at = [spot.mount.address, spot.dentry.address];
            w.next = after;
            return if spot.dentry.is_null() { outcome::LOST } else { outcome::GO_ON };
        }
    }
    let from = usize::from(w.text_used != 0);
    let rest = (&raw const w.texts[from]) as u64 + u64::from(bounded::<{ NAME_MAX - 1 }>(after as u32));
    let to = (&raw mut w.texts[1 - from]).cast::<u8>();
    let len = if target.is_null() {
        magic::own_number(link, (w.name[0], w.name_len), to)
    } else {
        // SAFETY: so many bytes are there; the kernel checks the source.
        unsafe { generated::bpf_probe_read_kernel_str(to.cast(), 256, target.address as *const _) - 1 }
    };
    if len <= 0 || len >= 255 {
        return outcome::LOST;
    }
    let end = bounded::<255>(len as u32) as usize;
    // SAFETY: what follows is appended right behind the link's text: 256 and 4096 bytes of room are there.
    unsafe { generated::bpf_probe_read_kernel_str(to.add(end).cast(), NAME_MAX - 256, rest as *const _) };
    // SAFETY: the text's first byte.
    if unsafe { to.read_volatile() } == b'/' {
        w.at = w.root;
    }
    w.next = 0;
    w.text_used = 1 - from as u64;
    outcome::GO_ON
}
