use std::io;
use std::os::fd::AsRawFd;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "by_handle",
    idea: "a file opened by a handle and not by a name, as from outside of a container's root",
    shows: "the file that it is",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("handled");
    std::fs::write(&path, "x")?;
    let name = sys::path(&path);
    let at = libc::AT_FDCWD as usize;
    // struct file_handle: how many bytes it may have, its type, 128 bytes.
    let mut handle = [0u32; 34];
    handle[0] = 128;
    let mut mount = 0i32;
    let all = [at, name.as_ptr() as usize, handle.as_mut_ptr() as usize, &raw mut mount as usize, 0];
    sys::call(libc::SYS_name_to_handle_at, &all)?;
    let folder = std::fs::File::open(dir.path())?;
    let flags = (libc::O_RDWR | libc::O_TRUNC) as usize;
    sys::open(libc::SYS_open_by_handle_at, &[folder.as_raw_fd() as usize, handle.as_ptr() as usize, flags]).map(drop)
}

fn seen(scene: &Scene) -> Result<(), String> {
    let by_handle =
        |o: &&lanner_core::event::Open| o.file.path.file_name() == b"handled" && o.access.read && o.access.write;
    scene.opens().find(by_handle).map(drop).ok_or_else(|| "an open of handled".to_owned())
}
