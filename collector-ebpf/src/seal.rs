//! Seals on files in memory.

use aya_ebpf::macros::tracepoint;
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::{SealRecord, kind};

use crate::files;
use crate::kernel::{Place as _, inode, shmem_inode_info, task_struct};
use crate::record::{Record, Slot, header};

/// `F_ADD_SEALS` and the seal that forbids more of them (include/uapi/linux/fcntl.h).
const ADD_SEALS: u64 = 1033;
const SEAL_SEAL: u32 = 1;
const FMODE_WRITE: u32 = 2;
/// `super_block.s_magic` of tmpfs, where files in memory live.
const TMPFS_MAGIC: u64 = 0x0102_1994;

/// Where the arguments lie in a `sys_enter_*` tracepoint.
const DESCRIPTOR: usize = 16;
const COMMAND: usize = 24;
const ARGUMENT: usize = 32;

/// The entry of fcntl.
#[tracepoint]
pub fn seal(ctx: TracePointContext) -> u32 {
    // SAFETY: within the tracepoint's arguments.
    if unsafe { ctx.read_at::<u64>(COMMAND) }.unwrap_or(0) & 0xffff_ffff != ADD_SEALS {
        return 0;
    }
    // SAFETY: as above.
    let (fd, added) = unsafe {
        (ctx.read_at::<u64>(DESCRIPTOR).unwrap_or(0) as u32, ctx.read_at::<u64>(ARGUMENT).unwrap_or(0) as u32)
    };
    let current = task_struct::current();
    let file = files::by_fd(current, fd);
    let of = file.f_inode();
    if of.sb().magic() != TMPFS_MAGIC {
        return 0;
    }
    let before = seals(of);
    // The kernel will refuse it.
    if before & SEAL_SEAL != 0 || file.f_mode() & FMODE_WRITE == 0 {
        return 0;
    }
    let Some(record) = Record::<SealRecord>::begin(Slot::Hook) else { return 0 };
    record.head.header = header(kind::SEAL, current);
    record.head.fd = fd as i32;
    record.head.added = added;
    record.head.before = before;
    record.head.zero = 0;
    files::identify(of, &mut record.head.file);
    files::locate(of, file.f_path(), &mut record.head.file, record.tail);
    record.head.header.len = size_of::<SealRecord>() as u32 + record.tail.used();
    record.submit();
    0
}

/// The seals of a tmpfs's inode, which lies inside of what holds them.
#[inline(always)]
fn seals(of: inode) -> u32 {
    let offset = shmem_inode_info::at(0).inode().address;
    shmem_inode_info::at(of.address.wrapping_sub(offset)).seals()
}
