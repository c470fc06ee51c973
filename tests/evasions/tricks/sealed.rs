use std::fs::File;
use std::io;
use std::io::Write;
use std::os::fd::AsRawFd;

use lanner_core::event::Payload;

use crate::scene::Scene;
use crate::trick::Trick;
use crate::{elf, sys};

pub(crate) const TRICK: Trick = Trick {
    name: "sealed",
    idea: "a program in memory that nobody can change or look into by writing (seals)",
    shows: "the file, its seals, and that it runs",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let flags = libc::MFD_ALLOW_SEALING as usize;
    let memory = sys::open(libc::SYS_memfd_create, &[c"sealed".as_ptr() as usize, flags])?;
    let mut file = File::from(memory);
    file.write_all(&elf::nothing())?;
    let seals = (libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE | libc::F_SEAL_SEAL) as usize;
    sys::call(libc::SYS_fcntl, &[file.as_raw_fd() as usize, libc::F_ADD_SEALS as usize, seals])?;
    sys::apart(|| Err(sys::exec_at(&file, "", &["sealed"], libc::AT_EMPTY_PATH)))
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells("its seals", |p| {
        matches!(p, Payload::Seal(s) if s.file.path == "memfd:sealed" && s.added.names().any(|name| name == "write"))
    })?;
    scene.ran("that file", |e| e.image.exe.path == "memfd:sealed")
}
