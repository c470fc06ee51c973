//! io_uring: what processes ask of the kernel without a system call.

use aya_ebpf::macros::{btf_tracepoint, map};
use aya_ebpf::maps::LruHashMap;
use aya_ebpf::programs::BtfTracePointContext;
use lanner_collector_abi::{FileFacts, Key, Through, UringOpRecord, UringSetupRecord, kind};

use crate::files;
use crate::kernel::{
    Place as _, filename, io_kiocb, io_link, io_mkdir, io_open, io_rename, io_unlink, io_xattr, launder, probe,
    task_struct,
};
use crate::open::{self, Opened};
use crate::passed::Passed;
use crate::record::{Record, Slot, Tail, header};
use crate::ring;
use crate::socket_call;
use crate::task;
use crate::uring_names::{self, Given};

/// `IORING_OP_*` (include/uapi/linux/io_uring.h).
const OPENAT: u8 = 18;
const OPENAT2: u8 = 28;
pub const ACCEPT: u8 = 13;
pub const CONNECT: u8 = 16;
pub const SOCKET: u8 = 45;
pub const BIND: u8 = 56;
pub const LISTEN: u8 = 57;
pub const RENAMEAT: u8 = 35;
pub const UNLINKAT: u8 = 36;
pub const MKDIRAT: u8 = 37;
pub const SYMLINKAT: u8 = 38;
pub const LINKAT: u8 = 39;
const FSETXATTR: u8 = 41;
const SETXATTR: u8 = 42;
/// Told once for each process: sendmsg, recvmsg, accept, connect, openat, send, recv, openat2, splice, tee, socket,
/// uring_cmd, send_zc, sendmsg_zc, ftruncate, bind, listen.
const ONCE: u64 = 1 << 9
    | 1 << 10
    | 1 << ACCEPT
    | 1 << CONNECT
    | 1 << OPENAT
    | 1 << 26
    | 1 << 27
    | 1 << OPENAT2
    | 1 << 30
    | 1 << 33
    | 1 << SOCKET
    | 1 << 46
    | 1 << 47
    | 1 << 48
    | 1 << 55
    | 1 << BIND
    | 1 << LISTEN;
/// Told each time: they change names, and what no open of the file tells.
const ALWAYS: u64 =
    1 << RENAMEAT | 1 << UNLINKAT | 1 << MKDIRAT | 1 << SYMLINKAT | 1 << LINKAT | 1 << FSETXATTR | 1 << SETXATTR;

/// Told when they are done.
const WHEN_DONE: u64 = 1 << ACCEPT | 1 << CONNECT | 1 << OPENAT | 1 << OPENAT2 | 1 << SOCKET | 1 << BIND | 1 << LISTEN;

const AT_FDCWD: i32 = -100;
/// `IOSQE_CQE_SKIP_SUCCESS`: nobody is to hear when it is done, and so `io_uring_complete` does not either.
const SILENT: u32 = 1 << 6;
/// `IOSQE_FIXED_FILE`: the descriptor is a place in the ring's own table.
const FIXED: u32 = 1 << 0;

/// The operations that were told of a process, a bit each.
#[map]
static URING_TOLD: LruHashMap<Key, u64> = LruHashMap::with_max_entries(4096, 0);

/// `io_uring_create(fd, ctx, sq_entries, cq_entries, flags)`.
#[btf_tracepoint(function = "io_uring_create")]
pub fn uring_setup(ctx: BtfTracePointContext) -> i32 {
    let mut record = UringSetupRecord {
        header: header(kind::URING_SETUP, task_struct::current()),
        fd: ctx.arg::<i32>(0),
        entries: ctx.arg::<u32>(2),
        flags: ctx.arg::<u32>(4),
        zero: 0,
    };
    record.header.len = size_of::<UringSetupRecord>() as u32;
    ring::output_small(&mut record);
    0
}

/// `io_uring_submit_req(req)`, or since Linux 6.0 `io_uring_submit_sqe(req, ...)`: when it is about to be done, with names
/// copied from the caller's memory already. The loader sees to it that the arguments are these.
#[btf_tracepoint(function = "io_uring_submit_req")]
pub fn uring_submit(ctx: BtfTracePointContext) -> i32 {
    let request = io_kiocb::at(launder(ctx.arg::<*const u8>(0) as u64));
    let operation = request.opcode();
    if operation >= 64 || (ONCE | ALWAYS) >> operation & 1 == 0 {
        return 0;
    }
    let current = task_struct::current();
    let flags: u32 = probe(request.flags().address);
    if operation == CONNECT && flags & FIXED == 0 {
        socket_call::begin_by_ring(current, request.fd());
    }
    // What would be told when it is done, and will not be, is told each time that it is asked for.
    let is_last_word = flags & SILENT != 0 && WHEN_DONE >> operation & 1 != 0;
    if ALWAYS >> operation & 1 == 0 && !is_last_word && was_told(task::key(current), operation) {
        return 0;
    }
    let Some(record) = Record::<UringOpRecord>::begin(Slot::Hook) else { return 0 };
    let (head, tail) = (&mut *record.head, record.tail);
    head.header = header(kind::URING_OP, current);
    head.operation = u32::from(operation);
    let data = request.data().address;
    let (dir, name, second_dir, second) = match operation {
        OPENAT | OPENAT2 => one(io_open::at(data).dir(), io_open::at(data).name()),
        UNLINKAT => one(io_unlink::at(data).dir(), io_unlink::at(data).name()),
        MKDIRAT => one(io_mkdir::at(data).dir(), io_mkdir::at(data).name()),
        RENAMEAT => {
            let of = io_rename::at(data);
            (of.old_dir(), of.old(), of.new_dir(), of.new())
        }
        SYMLINKAT | LINKAT => {
            let of = io_link::at(data);
            (of.old_dir(), of.old(), of.new_dir(), of.new())
        }
        SETXATTR => one(AT_FDCWD as u32, io_xattr::at(data).name()),
        _ => one(0, filename::at(0)),
    };
    // A symbolic link's target is text: it counts from nowhere.
    let counts = operation != SYMLINKAT;
    let (given, also_given) = (Given { dir, name }, Given { dir: second_dir, name: second });
    head.name_len = push(current, dir, name, counts, &mut head.dir, tail);
    if operation == FSETXATTR && flags & FIXED == 0 {
        let file = files::by_fd(current, request.fd());
        files::identify(file.f_inode(), &mut head.dir);
        files::locate(file.f_inode(), file.f_path(), &mut head.dir, tail);
    }
    head.second_len = push(current, second_dir, second, true, &mut head.second_dir, tail);
    if operation == FSETXATTR || operation == SETXATTR {
        head.second_len = tail.push_str(io_xattr::at(data).attribute().address) as u16;
    }
    head.header.len = size_of::<UringOpRecord>() as u32 + tail.used();
    record.submit();
    uring_names::remember(request, given, also_given);
    0
}

/// `io_uring_complete(ctx, req, ...)`, since Linux 6.0: a file that was opened is an open file like any other.
#[btf_tracepoint(function = "io_uring_complete")]
pub fn uring_complete(ctx: BtfTracePointContext) -> i32 {
    let request = io_kiocb::at(launder(ctx.arg::<*const u8>(1) as u64));
    let operation = request.opcode();
    if operation != OPENAT && operation != OPENAT2 {
        return 0;
    }
    let fd = request.result() as i32;
    // One that goes into the ring's own table has no descriptor.
    if fd < 0 || io_open::at(request.data().address).slot() != 0 {
        return 0;
    }
    let current = task_struct::current();
    let file = files::by_fd(current, fd as u32);
    // The name is gone by now. What the request says besides stands until it is used again.
    let how = io_open::at(request.data().address);
    let passed = if how.has_flags() {
        Passed { flags: how.flags() as u32, mode: how.mode() as u16, known: 1, ..Passed::NOTHING }
    } else {
        Passed::NOTHING
    };
    open::tell(current, Opened { file, fd, through: Through::IO_URING, passed }, Slot::Hook);
    0
}

#[inline(always)]
fn one(dir: u32, name: filename) -> (u32, filename, u32, filename) {
    (dir, name, 0, filename::at(0))
}

/// Whether an operation of this process was told before; from now on it was.
#[inline(always)]
fn was_told(process: Key, operation: u8) -> bool {
    let bit = 1u64 << operation;
    if let Some(told) = URING_TOLD.get_ptr_mut(process) {
        // SAFETY: the map's own element; at worst, a race with another CPU tells once more.
        unsafe {
            let before = *told;
            *told = before | bit;
            return before & bit != 0;
        }
    }
    // A least-recently-used map makes room for itself: one that is forgotten is told again.
    let _ = URING_TOLD.insert(process, bit, 0);
    false
}

/// Appends the folder that a name counts from, unless the name is absolute, and the name; returns the name's length.
#[inline(always)]
fn push(current: task_struct, dir: u32, name: filename, counts: bool, facts: &mut FileFacts, tail: Tail) -> u16 {
    *facts = FileFacts { dev: 0, ino: 0, mode: 0, flags: 0, path_len: 0, zero: 0 };
    if name.is_null() {
        return 0;
    }
    if counts && probe::<u8>(name.name().address) != b'/' {
        let at = if dir as i32 == AT_FDCWD { current.fs().pwd() } else { files::by_fd(current, dir).f_path() };
        let of = at.dentry().inode();
        files::identify(of, facts);
        files::locate(of, at, facts, tail);
    }
    tail.push_long_str(name.name().address) as u16
}
