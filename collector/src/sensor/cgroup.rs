//! The root of the control groups (version 2): what is attached there sees the sockets of all processes. Version 1 may
//! hold the controllers, as long as version 2 is mounted or can be; the root is enough, it needs no groups below it.
#![allow(unsafe_code)]

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Where it is mounted on most machines: with version 2 alone, and beside version 1.
const PLACES: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
/// `CGROUP2_SUPER_MAGIC`.
const MAGIC: i64 = 0x6367_7270;
/// The inode number of the hierarchy's root, whatever part of it a mount shows.
const ROOT_INODE: u64 = 1;

/// Opens the root; an error says in words why it cannot be had.
pub(super) fn root() -> Result<OwnedFd, String> {
    if let Some(root) = PLACES.iter().find_map(|place| open(Path::new(place)).filter(is_root)) {
        return Ok(root);
    }
    let mounted = mount().map_err(|e| format!("no control groups of version 2 are mounted, nor can they be: {e}"))?;
    if is_root(&mounted) {
        return Ok(mounted);
    }
    Err("the collector runs in a control group namespace of its own and does not see the root".to_owned())
}

fn open(place: &Path) -> Option<OwnedFd> {
    let path = CString::new(place.as_os_str().as_bytes()).ok()?;
    let mut about = std::mem::MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the path is NUL-terminated, and the pointer leads to room for the struct.
    if unsafe { libc::statfs(path.as_ptr(), about.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: the call succeeded and has filled it in.
    let kind = unsafe { about.assume_init() }.f_type;
    #[allow(clippy::unnecessary_cast)] // Not every architecture has the same type here.
    let is_cgroup = kind as i64 == MAGIC;
    is_cgroup.then(|| File::open(place).ok().map(Into::into))?
}

fn is_root(at: &OwnedFd) -> bool {
    fs::metadata(format!("/proc/self/fd/{}", at.as_raw_fd())).is_ok_and(|file| file.ino() == ROOT_INODE)
}

/// Mounts the hierarchy where nobody sees it: the mount goes away with the descriptor.
fn mount() -> io::Result<OwnedFd> {
    let owned = |fd: libc::c_long| {
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just made it, and nobody else owns it.
        Ok(unsafe { OwnedFd::from_raw_fd(i32::try_from(fd).unwrap_or(-1)) })
    };
    const CLOSE_ON_EXEC: libc::c_long = 1;
    const CREATE: libc::c_long = 6;
    // SAFETY: the name is NUL-terminated.
    let context = owned(unsafe { libc::syscall(libc::SYS_fsopen, c"cgroup2".as_ptr(), CLOSE_ON_EXEC) })?;
    let none = std::ptr::null::<libc::c_char>();
    // SAFETY: this command takes neither a key nor a value.
    if unsafe { libc::syscall(libc::SYS_fsconfig, context.as_raw_fd(), CREATE, none, none, 0) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: no pointers.
    owned(unsafe { libc::syscall(libc::SYS_fsmount, context.as_raw_fd(), CLOSE_ON_EXEC, 0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hierarchy_that_is_not_mounted_can_be_opened_all_the_same() {
        match mount() {
            Ok(mounted) => assert!(fs::metadata(format!("/proc/self/fd/{}/cgroup.procs", mounted.as_raw_fd())).is_ok()),
            Err(error) => lanner_tests::not_run(error),
        }
    }

    #[test]
    fn other_file_systems_are_not_taken_for_it() {
        assert!(open(Path::new("/proc")).is_none());
        assert!(open(Path::new("/missing")).is_none());
    }
}
