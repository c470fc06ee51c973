use std::io;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "openat2",
    idea: "a file opened by a newer call than the sensor may know (openat2)",
    shows: "the open",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let name = sys::path(dir.path().join("newer"));
    // struct open_how: flags, mode, resolve.
    let how = [(libc::O_CREAT | libc::O_WRONLY) as u64, 0o600, 0];
    let at = libc::AT_FDCWD as usize;
    sys::open(libc::SYS_openat2, &[at, name.as_ptr() as usize, how.as_ptr() as usize, size_of_val(&how)]).map(drop)
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.opened("newer", |o| o.file.path.file_name() == b"newer" && o.created)
}
