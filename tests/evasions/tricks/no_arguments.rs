use std::io;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "no_arguments",
    idea: "an exec without any argument, not even a name",
    shows: "the exec",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let program = dir.path().join("nameless");
    sys::program(&program)?;
    sys::apart(|| Err(sys::exec(&program, &[], &[])))
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.ran("nameless", |e| e.image.exe.path.file_name() == b"nameless")
}
