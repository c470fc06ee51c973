use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "copied_within",
    idea: "a file copied without being read or written by the process (sendfile, copy_file_range)",
    shows: "that the copy is opened for writing, and the original as the reader of what was written",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let (from, to) = (dir.path().join("loot"), dir.path().join("loot.copy"));
    std::fs::write(&from, vec![7; 4096])?;
    sys::apart(|| {
        let (from, to) = (File::open(&from)?, File::create(&to)?);
        let (from, to) = (from.as_raw_fd() as usize, to.as_raw_fd() as usize);
        sys::call(libc::SYS_copy_file_range, &[from, 0, to, 0, 1024, 0])?;
        sys::call(libc::SYS_sendfile, &[to, from, 0, 1024]).map(drop)
    })
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.opened("loot, which another process wrote", |o| {
        o.file.path.file_name() == b"loot" && o.access.read && o.written_before
    })?;
    scene.opened("its copy", |o| o.file.path.file_name() == b"loot.copy" && o.access.write && o.created)
}
