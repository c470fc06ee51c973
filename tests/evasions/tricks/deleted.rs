use std::fs::File;
use std::io;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "deleted",
    idea: "a program whose file is deleted before it runs",
    shows: "the exec, with the path it had and the mark that it is gone",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let program = dir.path().join("gone");
    sys::program(&program)?;
    let file = File::open(&program)?;
    std::fs::remove_file(&program)?;
    sys::apart(|| Err(sys::exec_at(&file, "", &["sshd"], libc::AT_EMPTY_PATH)))
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.ran("gone, deleted", |e| e.image.exe.path.file_name() == b"gone" && e.image.exe.deleted)
}
