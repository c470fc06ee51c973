//! Files that are opened: all for writing; for reading those that another process opened for writing before, and those
//! that have, or lie under, a watched name.

use aya_ebpf::helpers::generated;
use aya_ebpf::macros::{map, tracepoint};
use aya_ebpf::maps::{HashMap, LruHashMap};
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::{FileFacts, OpenRecord, Through, Watched, kind};

use crate::files::{self, S_IFDIR, S_IFMT, S_IFREG};
use crate::kernel::{dentry, file, probe, task_struct};
use crate::passed::{self, Passed};
use crate::record::{Record, Slot, header};
use crate::ring;
use crate::trace;

/// `file.f_mode`.
const FMODE_READ: u32 = 1;
const FMODE_WRITE: u32 = 2;
const FMODE_PATH: u32 = 1 << 14;
pub const FMODE_CREATED: u32 = 1 << 20;

/// The file system of /proc, and what `/proc/PID/mem` is there: a regular file that only its owner may use.
const PROC_SUPER_MAGIC: u64 = 0x9fa0;
const MEMORY_MODE: u16 = S_IFREG | 0o600;

/// Where the return value lies in a `sys_exit_*` tracepoint.
pub const SYS_EXIT_RET: usize = 16;
/// The name itself and so many directories above it are compared with the watched names.
const WATCHED_DEPTH: u32 = 4;

/// Which file. Numbers of deleted files are used again; the generation tells one use from the next.
#[repr(C)]
#[derive(Clone, Copy)]
struct FileKey {
    dev: u32,
    generation: u32,
    ino: u64,
}

/// The last process that opened a file for writing, and the last that was told to read it after.
#[repr(C)]
#[derive(Clone, Copy)]
struct Written {
    writer: u32,
    reader: u32,
}

/// Files opened for writing, the least recently used forgotten first.
#[map]
static WRITTEN: LruHashMap<FileKey, Written> = LruHashMap::with_max_entries(16384, 0);

/// Filled in by the loader.
#[map]
static WATCHED: HashMap<Watched, u8> = HashMap::with_max_entries(256, 0);

/// The exit of open, openat, openat2, creat and open_by_handle_at.
#[tracepoint]
pub fn open(ctx: TracePointContext) -> u32 {
    // SAFETY: within the tracepoint's arguments.
    let fd: i64 = unsafe { ctx.read_at(SYS_EXIT_RET) }.unwrap_or(-1);
    if fd >= 0 {
        let current = task_struct::current();
        let opened = Opened {
            file: files::by_fd(current, fd as u32),
            fd: fd as i32,
            through: Through::CALL,
            passed: Passed::NOTHING,
        };
        tell(current, opened, Slot::Hook);
    }
    0
}

/// A file that was just opened, and how.
#[derive(Clone, Copy)]
pub struct Opened {
    pub file: file,
    pub fd: i32,
    /// One of [`Through`].
    pub through: u32,
    /// What was passed, unless by a system call: that is looked up when the open is told.
    pub passed: Passed,
}

/// Tells of it, if it is worth it.
#[inline(always)]
pub fn tell(current: task_struct, opened: Opened, slot: Slot) {
    let file = opened.file;
    let mode = file.f_mode();
    let inode = file.f_inode();
    let type_and_mode = inode.mode();
    let file_type = type_and_mode & S_IFMT;
    if mode & FMODE_PATH != 0 || (file_type != S_IFREG && file_type != S_IFDIR) {
        return;
    }
    let sb = inode.sb();
    let mut memory_told = false;
    // The memory of a process, as /proc shows it; few other files have these permissions.
    if type_and_mode == MEMORY_MODE && sb.magic() == PROC_SUPER_MAGIC && is_memory(file.f_path().dentry()) {
        memory_told = trace::memory_opened(&inode, opened.fd as u32, u32::from(mode & FMODE_WRITE != 0)) != 0;
    }
    let key = FileKey { dev: sb.dev(), generation: inode.generation(), ino: inode.ino() };
    let tgid = current.tgid();
    let mut written_before = 0;
    let by_another = WRITTEN.get_ptr_mut(key);
    if mode & FMODE_WRITE != 0 {
        // Writing to the kernel's own files is everyday business, except where a name is watched.
        if is_pseudo(sb.magic()) {
            if !memory_told && !is_watched(file.f_path().dentry()) {
                return;
            }
        } else if let Some(known) = by_another {
            // SAFETY: the map's own element; a race with another CPU leaves either writer.
            unsafe {
                // Not every file system has generations: what this open made, nobody wrote before.
                written_before = u8::from((*known).writer != tgid && mode & FMODE_CREATED == 0);
                (*known).writer = tgid;
                (*known).reader = 0;
            }
        } else {
            // A least-recently-used map makes room for itself: nothing is lost but the oldest memory.
            let _ = WRITTEN.insert(key, Written { writer: tgid, reader: 0 }, 0);
        }
    } else {
        let mut wanted = memory_told;
        if let (Some(known), S_IFREG) = (by_another, file_type) {
            // SAFETY: as above; at worst a reader is told twice.
            unsafe {
                written_before = u8::from((*known).writer != tgid);
                wanted = written_before == 1 && (*known).reader != tgid;
                (*known).reader = tgid;
            }
        }
        if !wanted && !is_watched(file.f_path().dentry()) {
            return;
        }
    }
    let Some(record) = Record::<OpenRecord>::begin(slot) else { return };
    record.head.header = header(kind::OPEN, current);
    record.head.fd = opened.fd;
    record.head.through = opened.through;
    record.head.read = u8::from(mode & FMODE_READ != 0);
    record.head.write = u8::from(mode & FMODE_WRITE != 0);
    record.head.created = u8::from(mode & FMODE_CREATED != 0);
    record.head.written_before = written_before;
    record.head.file =
        FileFacts { dev: u64::from(key.dev), ino: key.ino, mode: type_and_mode, flags: 0, path_len: 0, zero: 0 };
    files::locate(inode, file.f_path(), &mut record.head.file, record.tail);
    let passed = if opened.through == Through::CALL { passed::to_open(current) } else { opened.passed };
    record.head.flags = passed.flags;
    record.head.mode = passed.mode;
    record.head.known = passed.known;
    record.head.name_len = if passed.name == 0 { 0 } else { record.tail.push_user_str(passed.name) };
    record.head.header.len = size_of::<OpenRecord>() as u32 + record.tail.used();
    record.submit();
}

/// File systems whose regular files are views of the kernel: proc, sysfs, cgroup 1 and 2, debugfs, tracefs, securityfs.
#[inline(always)]
fn is_pseudo(magic: u64) -> bool {
    matches!(magic, 0x9fa0 | 0x6265_6572 | 0x0027_e0eb | 0x6367_7270 | 0x6462_6720 | 0x7472_6163 | 0x7363_6673)
}

/// Whether the name is `mem`.
#[inline(always)]
fn is_memory(leaf: dentry) -> bool {
    leaf.name_len() == 3 && probe::<[u8; 3]>(leaf.name().address) == *b"mem"
}

/// Whether the file's name, or one of the directories next above, is watched.
#[inline(always)]
fn is_watched(leaf: dentry) -> bool {
    let mut at = leaf;
    for _ in 0..WATCHED_DEPTH {
        if is_name_watched(&at) {
            return true;
        }
        let parent = at.parent();
        if parent.address == at.address {
            break;
        }
        at = parent;
    }
    false
}

#[inline(never)]
fn is_name_watched(at: &dentry) -> bool {
    // Most names have no watched length: that costs one short read.
    let len = at.name_len();
    if len >= size_of::<Watched>() as u32 || !ring::is_watched_length(len) {
        return false;
    }
    let mut name: Watched = [0; 32];
    // SAFETY: 32 bytes are there; the kernel checks the source.
    unsafe { generated::bpf_probe_read_kernel_str(name.as_mut_ptr().cast(), 32, at.name().address as *const _) };
    WATCHED.get_ptr(name).is_some()
}
