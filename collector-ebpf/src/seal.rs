//! Seals on files in memory.

use lanner_collector_abi::{SealRecord, kind};

use crate::files;
use crate::kernel::{Place as _, inode, shmem_inode_info, task_struct};
use crate::record::{Record, Slot, header};

/// `F_ADD_SEALS` and the seal that forbids more of them (include/uapi/linux/fcntl.h).
pub const ADD_SEALS: u32 = 1033;
const SEAL_SEAL: u32 = 1;
const FMODE_WRITE: u32 = 2;
/// `super_block.s_magic` of tmpfs, where files in memory live.
const TMPFS_MAGIC: u64 = 0x0102_1994;

/// fcntl is to add seals: called at its entry.
#[inline(always)]
pub fn asked(fd: u32, added: u32) {
    let current = task_struct::current();
    let file = files::by_fd(current, fd);
    let of = file.f_inode();
    if of.sb().magic() != TMPFS_MAGIC {
        return;
    }
    let before = seals(of);
    // The kernel will refuse it.
    if before & SEAL_SEAL != 0 || file.f_mode() & FMODE_WRITE == 0 {
        return;
    }
    let Some(record) = Record::<SealRecord>::begin(Slot::Hook) else { return };
    record.head.header = header(kind::SEAL, current);
    record.head.fd = fd as i32;
    record.head.added = added;
    record.head.before = before;
    record.head.zero = 0;
    files::identify(of, &mut record.head.file);
    files::locate(of, file.f_path(), &mut record.head.file, record.tail);
    record.head.header.len = size_of::<SealRecord>() as u32 + record.tail.used();
    record.submit();
}

/// The seals of a tmpfs's inode, which lies inside of what holds them.
#[inline(always)]
fn seals(of: inode) -> u32 {
    let offset = shmem_inode_info::at(0).inode().address;
    shmem_inode_info::at(of.address.wrapping_sub(offset)).seals()
}
