//! What is mounted where: the mount that has become the namespace's youngest, or that a descriptor leads to. Where there is
//! none such, the names that were passed are walked. Attempts that fail are told too.

use aya_ebpf::helpers::generated;
use aya_ebpf::macros::tracepoint;
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::{FileFacts, MountRecord, kind};

use crate::arguments::{self, Call};
use crate::call::Passed;
use crate::exact;
use crate::files;
use crate::kernel::{Place as _, file, fs_context, inode, mnt_namespace, mount as Mount, rb_node, task_struct};
use crate::path::{Spot, mount_of};
use crate::record::{Record, Slot, Tail, header};
use crate::walk::CWD;

/// As a directory's descriptor: the working directory.
const HERE: u64 = CWD as u64;
/// How an end of a mount is found: a symbolic link at the end of its name is followed; by the first, or the second, of what
/// the kernel was handed.
const FOLLOW: u32 = 1;
const FIRST: u32 = 2;
const SECOND: u32 = 4;
/// How deep a balanced tree of all the mounts that Linux allows can be.
const TREE_DEPTH: u32 = 36;
/// `open_tree`: a copy of what is mounted there. Else it only opens a path.
const OPEN_TREE_CLONE: u64 = 1;
/// `move_mount`: what is moved is the descriptor itself.
const MOVE_MOUNT_F_EMPTY_PATH: u64 = 4;
/// Commands of fsconfig whose value is a string.
const FSCONFIG_SET_STRING: u64 = 1;
const FSCONFIG_SET_PATH: u64 = 3;
const FSCONFIG_SET_PATH_EMPTY: u64 = 4;
/// umount2: a symbolic link is not followed.
const UMOUNT_NOFOLLOW: u64 = 8;
/// umount without flags, by its 32-bit number.
const OLD_UMOUNT: u32 = 22;
/// Flags of mount(2). With these no new mount is made: to change one, to move it, to change what it shares with others.
const NO_NEW_MOUNT: u64 = 1 << 5 | MS_MOVE | 0b1111 << 17;
const MS_MOVE: u64 = 1 << 13;
/// What is mounted is a directory, or a file.
const MS_BIND: u64 = 1 << 12;

/// The entry of mount.
#[tracepoint]
pub fn mount_enter(ctx: TracePointContext) -> u32 {
    exact::forget();
    arguments::keep(&ctx, [youngest(&task_struct::current().nsproxy().mnt()), 0]);
    0
}

/// The exit of mount(source, target, type, flags, data).
#[tracepoint]
pub fn mount(ctx: TracePointContext) -> u32 {
    let Some((call, mut record)) = begin(&ctx) else { return 0 };
    let flags = call.args[3];
    record.head.flags = flags;
    let makes_one = record.head.errno == 0 && flags & NO_NEW_MOUNT == 0;
    let made = youngest(&task_struct::current().nsproxy().mnt());
    // Others may mount in the same namespace at the same time: then this may be theirs, of which there is an event too.
    let kind = if makes_one && made != call.note[0] {
        place(&mut record, Mount::at(made));
        Mount::at(made).vfs().root().inode()
    } else {
        // What was made or moved there lies above what the kernel was handed.
        let stays = record.head.errno != 0 || flags & NO_NEW_MOUNT & !MS_MOVE != 0;
        let how = if stays { FOLLOW | SECOND } else { FOLLOW };
        inode::at(named(&mut record.head.place, record.tail, HERE, call.args[1], how))
    };
    let kind = kind.sb().kind().name().address;
    if flags & (MS_BIND | MS_MOVE) != 0 {
        named(&mut record.head.source, record.tail, HERE, call.args[0], FOLLOW);
    } else if makes_one && made != call.note[0] {
        source(&mut record, Mount::at(made));
    } else {
        record.head.source_len = record.tail.push_user_str(call.args[0]) as u16;
    }
    record.head.type_len =
        if makes_one { record.tail.push_str(kind) } else { record.tail.push_user_str(call.args[2]) } as u16;
    record.head.value_len = record.tail.push_user_str(call.args[4]) as u16;
    end(record)
}

/// The exit of umount2(target, flags), and of the 32-bit umount(target).
#[tracepoint]
pub fn umount(ctx: TracePointContext) -> u32 {
    let Some((call, record)) = begin(&ctx) else { return 0 };
    let has_flags = record.head.header.compat == 0 || record.head.call != OLD_UMOUNT;
    let flags = if has_flags { arguments::int(call.args[1]) } else { 0 };
    record.head.flags = flags;
    let follow = if flags & UMOUNT_NOFOLLOW == 0 { FOLLOW } else { 0 };
    let which = if record.head.errno == 0 { FIRST } else { SECOND };
    named(&mut record.head.place, record.tail, HERE, call.args[0], follow | which);
    end(record)
}

/// The exit of fsopen(type, flags).
#[tracepoint]
pub fn fsopen(ctx: TracePointContext) -> u32 {
    let Some((call, record)) = begin(&ctx) else { return 0 };
    record.head.flags = call.args[1];
    record.head.type_len = record.tail.push_user_str(call.args[0]) as u16;
    end(record)
}

/// The exit of fsconfig(fd, command, key, value, other descriptor).
#[tracepoint]
pub fn fsconfig(ctx: TracePointContext) -> u32 {
    let Some((call, record)) = begin(&ctx) else { return 0 };
    let command = arguments::int(call.args[1]);
    record.head.flags = command;
    let context = fs_context::at(behind(call.args[0]).private_data().address);
    record.head.type_len = record.tail.push_str(context.kind().name().address) as u16;
    record.head.key_len = record.tail.push_user_str(call.args[2]) as u16;
    if matches!(command, FSCONFIG_SET_STRING | FSCONFIG_SET_PATH | FSCONFIG_SET_PATH_EMPTY) {
        record.head.value_len = record.tail.push_user_str(call.args[3]) as u16;
    }
    end(record)
}

/// The exit of fsmount(fd, flags, attributes).
#[tracepoint]
pub fn fsmount(ctx: TracePointContext) -> u32 {
    let Some((call, mut record)) = begin(&ctx) else { return 0 };
    record.head.flags = call.args[2];
    if record.head.errno == 0 {
        let made = mount_of(behind(arguments::result(&ctx) as u64).f_path().mnt());
        source(&mut record, made);
        kind_of(&mut record, made);
    }
    end(record)
}

/// The entry of open_tree(directory, path, flags).
#[tracepoint]
pub fn open_tree_enter(ctx: TracePointContext) -> u32 {
    if arguments::arg::<2>(&ctx) & OPEN_TREE_CLONE != 0 {
        arguments::keep(&ctx, [0; 2]);
    }
    0
}

/// Its exit. The copy hangs nowhere yet: what is told is what was copied.
#[tracepoint]
pub fn open_tree(ctx: TracePointContext) -> u32 {
    let Some((call, record)) = begin(&ctx) else { return 0 };
    record.head.flags = call.args[2];
    named(&mut record.head.source, record.tail, call.args[0], call.args[1], FOLLOW);
    end(record)
}

/// The exit of move_mount(from directory, from path, to directory, to path, flags).
#[tracepoint]
pub fn move_mount(ctx: TracePointContext) -> u32 {
    let Some((call, mut record)) = begin(&ctx) else { return 0 };
    let flags = arguments::int(call.args[4]);
    record.head.flags = flags;
    if record.head.errno == 0 && flags & MOVE_MOUNT_F_EMPTY_PATH != 0 {
        let moved = mount_of(behind(call.args[0]).f_path().mnt());
        place(&mut record, moved);
        source(&mut record, moved);
        kind_of(&mut record, moved);
    } else {
        // What was moved lies at its new place by now; at the old one there is something else.
        let (place, source) = if record.head.errno == 0 { (FIRST, 0) } else { (SECOND, FIRST) };
        let (to, from) = ((call.args[2], call.args[3]), (call.args[0], call.args[1]));
        named(&mut record.head.place, record.tail, to.0, to.1, FOLLOW | place);
        named(&mut record.head.source, record.tail, from.0, from.1, FOLLOW | source);
    }
    end(record)
}

/// The exit of mount_setattr(directory, path, flags, attributes, size): its flags are the attributes that are set.
#[tracepoint]
pub fn mount_setattr(ctx: TracePointContext) -> u32 {
    let Some((call, record)) = begin(&ctx) else { return 0 };
    let mut set = 0u64;
    // SAFETY: the destination is a live local of this size; the kernel checks the source.
    unsafe { generated::bpf_probe_read_user((&raw mut set).cast(), 8, call.args[3] as *const _) };
    record.head.flags = set;
    named(&mut record.head.place, record.tail, call.args[0], call.args[1], FOLLOW);
    end(record)
}

#[inline(always)]
fn begin(ctx: &TracePointContext) -> Option<(Call, Record<MountRecord>)> {
    let call = arguments::take()?;
    let record = Record::<MountRecord>::begin(Slot::Hook)?;
    let current = task_struct::current();
    let head = &mut *record.head;
    *head = MountRecord {
        header: header(kind::MOUNT, current),
        call: arguments::number(ctx),
        errno: arguments::errno(arguments::result(ctx)),
        flags: 0,
        namespace: current.nsproxy().mnt().inum(),
        zero: 0,
        place: FileFacts { dev: 0, ino: 0, mode: 0, flags: 0, path_len: 0, zero: 0 },
        source: FileFacts { dev: 0, ino: 0, mode: 0, flags: 0, path_len: 0, zero: 0 },
        source_len: 0,
        type_len: 0,
        key_len: 0,
        value_len: 0,
    };
    Some((call, record))
}

#[inline(always)]
fn end(record: Record<MountRecord>) -> u32 {
    record.head.header.len = size_of::<MountRecord>() as u32 + record.tail.used();
    record.submit();
    0
}

/// The file that a descriptor of the current thread leads to.
#[inline(always)]
fn behind(fd: u64) -> file {
    files::by_fd(task_struct::current(), fd as u32)
}

/// Where a mount is.
#[inline(always)]
fn place(record: &mut Record<MountRecord>, of: Mount) {
    let root = of.vfs().root();
    files::identify(root.inode(), &mut record.head.place);
    files::locate_at(root.inode(), Spot { mount: of, dentry: root }, &mut record.head.place, record.tail);
}

/// What its file system calls what is mounted.
#[inline(always)]
fn source(record: &mut Record<MountRecord>, of: Mount) {
    record.head.source_len = record.tail.push_str(of.device().address) as u16;
}

/// Of which type its file system is.
#[inline(always)]
fn kind_of(record: &mut Record<MountRecord>, of: Mount) {
    record.head.type_len = record.tail.push_str(of.vfs().root().inode().sb().kind().name().address) as u16;
}

/// One end of a mount by what the kernel was handed, where that is wanted and known; else by the name that was passed for
/// it. Without a name it is what the descriptor leads to. Gives its inode's address.
#[inline(never)]
fn named(facts: &mut FileFacts, tail: Tail, dirfd: u64, name: u64, how: u32) -> u64 {
    let mut first = 0u8;
    // SAFETY: the destination is a live local of this size; the kernel checks the source.
    unsafe { generated::bpf_probe_read_user((&raw mut first).cast(), 1, name as *const _) };
    let name = if first == 0 && dirfd as i32 != CWD { 0 } else { name };
    let passed = Passed { name, dirfd: dirfd as i32, follow: how & FOLLOW };
    let walked = match exact::of_call() {
        Some(both) if how & FIRST != 0 => passed.walk_unless(&both.first),
        Some(both) if how & SECOND != 0 => passed.walk_unless(&both.second),
        _ => passed.walk(),
    };
    walked.describe(facts, tail);
    walked.inode().address
}

/// The mount that was made last in a namespace: its mounts stand in a tree, ordered by numbers that only grow. Null on
/// kernels before 6.8, which keep a list.
#[inline(never)]
fn youngest(of: &mnt_namespace) -> u64 {
    let mut found = of.mounts();
    for _ in 0..TREE_DEPTH {
        let right = rb_node::at(found).right();
        if found == 0 || right == 0 {
            break;
        }
        found = right;
    }
    let offset = Mount::at(0).node().address;
    if found == 0 { 0 } else { found.wrapping_sub(offset) }
}
