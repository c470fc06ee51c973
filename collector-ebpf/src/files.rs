//! Open files and what they are.

use lanner_collector_abi::{FileFacts, FileFlags};

use crate::kernel::{Place as _, file, inode, path, probe, task_struct};
use crate::path::{Spot, push};
use crate::record::Tail;
use crate::task::nth_pointer;

/// `inode.i_mode`'s file types.
pub const S_IFMT: u16 = 0o170_000;
pub const S_IFSOCK: u16 = 0o140_000;
pub const S_IFLNK: u16 = 0o120_000;
pub const S_IFREG: u16 = 0o100_000;
pub const S_IFBLK: u16 = 0o060_000;
pub const S_IFDIR: u16 = 0o040_000;
pub const S_IFCHR: u16 = 0o020_000;
pub const S_IFIFO: u16 = 0o010_000;

/// `super_block.s_magic` of overlayfs (include/uapi/linux/magic.h).
const OVERLAYFS_MAGIC: u64 = 0x794c_7630;

/// The open file behind a descriptor of a thread; null when there is none.
#[inline(always)]
pub fn by_fd(task: task_struct, fd: u32) -> file {
    let table = task.files().fdt();
    if fd >= table.max_fds() {
        return file::at(0);
    }
    file::at(nth_pointer(table.fd().address, u64::from(fd)))
}

/// Fills in which file an inode is.
#[inline(always)]
pub fn identify(of: inode, facts: &mut FileFacts) {
    facts.dev = u64::from(of.sb().dev());
    facts.ino = of.ino();
    facts.mode = of.mode();
    facts.flags = 0;
    facts.path_len = 0;
    facts.zero = 0;
}

/// Appends a file's path, once [`identify`] has filled in the rest.
#[inline(always)]
pub fn locate(of: inode, at: path, facts: &mut FileFacts, tail: Tail) {
    locate_at(of, Spot::of(at), facts, tail);
}

/// As [`locate`], of a place that was found otherwise.
#[inline(always)]
pub fn locate_at(of: inode, at: Spot, facts: &mut FileFacts, tail: Tail) {
    if of.is_null() {
        return;
    }
    let walked = push(tail, &at);
    facts.path_len = (walked >> 16) as u16;
    facts.flags = walked as u16;
    // An unlinked file that is still open has no link left; an unlinked directory is not in the dentry hash any more. A
    // file system's root never was.
    let dentry = at.dentry;
    let is_in_directory = facts.mode & S_IFMT == S_IFDIR && dentry.parent().address != dentry.address;
    if of.nlink() == 0 || (is_in_directory && dentry.hashed() == 0) {
        facts.flags |= FileFlags::DELETED;
    }
    facts.flags |= layer(of);
}

/// In which layer of an overlay an inode lies. `struct ovl_inode` (fs/overlayfs/ovl_entry.h) has since Linux 4.13 the
/// upper dentry right behind the inode itself; overlay may be a module, whose types vmlinux does not describe.
#[inline(always)]
fn layer(of: inode) -> u16 {
    if of.sb().magic() != OVERLAYFS_MAGIC {
        return 0;
    }
    if probe::<u64>(of.end().address) != 0 { FileFlags::UPPER } else { FileFlags::LOWER }
}
