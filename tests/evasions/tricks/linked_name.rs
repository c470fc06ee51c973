use std::io;
use std::os::unix::fs::symlink;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "linked_name",
    idea: "a program run by a symbolic link with a harmless name",
    shows: "the file that the link leads to",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let (program, link) = (dir.path().join("implant"), dir.path().join("ls"));
    sys::program(&program)?;
    symlink(&program, &link)?;
    sys::apart(|| Err(sys::exec(&link, &["ls"], &[])))
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.ran("implant", |e| e.image.exe.path.file_name() == b"implant")
}
