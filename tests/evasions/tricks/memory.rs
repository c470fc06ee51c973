use std::fs::File;
use std::io;
use std::io::Write;

use lanner_core::event::Payload;

use crate::scene::Scene;
use crate::trick::Trick;
use crate::{elf, sys};

pub(crate) const TRICK: Trick = Trick {
    name: "memory",
    idea: "a program that is never in any file system (memfd_create, fexecve)",
    shows: "that the file in memory is made, and that it runs",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let memory = sys::open(libc::SYS_memfd_create, &[c"kernel-worker".as_ptr() as usize, 0])?;
    let mut file = File::from(memory);
    file.write_all(&elf::nothing())?;
    sys::apart(|| Err(sys::exec_at(&file, "", &["kernel-worker"], libc::AT_EMPTY_PATH)))
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells("a file in memory", |p| matches!(p, Payload::MemFd(m) if m.file.path == "memfd:kernel-worker"))?;
    scene.ran("that file", |e| e.image.exe.is_memfd() && e.image.exe.deleted)
}
