use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;

use crate::scene::Scene;
use crate::trick::Trick;
use crate::{elf, sys};

pub(crate) const TRICK: Trick = Trick {
    name: "other_numbers",
    idea: "a 32-bit program, whose system calls have other numbers",
    shows: "the exec, and that it is a 32-bit program",
    perform,
    seen,
    cannot: || perform().is_err().then(|| "this kernel runs no 32-bit programs of x86".to_owned()),
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let program = dir.path().join("narrow");
    std::fs::write(&program, elf::NOTHING_32)?;
    std::fs::set_permissions(&program, Permissions::from_mode(0o755))?;
    sys::apart(|| Err(sys::exec(&program, &["narrow"], &[])))
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.ran("narrow, a 32-bit program", |e| e.image.exe.path.file_name() == b"narrow" && e.image.compat)
}
