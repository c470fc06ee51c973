use std::io;
use std::os::fd::AsRawFd;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "by_folder",
    idea: "a file opened relative to the descriptor of a folder",
    shows: "its whole path",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let folder = std::fs::File::open(dir.path())?;
    let flags = (libc::O_CREAT | libc::O_WRONLY) as usize;
    let name = sys::path("dropped");
    sys::open(libc::SYS_openat, &[folder.as_raw_fd() as usize, name.as_ptr() as usize, flags, 0o600]).map(drop)
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.opened("dropped", |o| o.file.path.file_name() == b"dropped" && o.file.path.as_bytes().starts_with(b"/"))
}
