use std::io;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "other_root",
    idea: "a program in a folder that chroot made the root",
    shows: "the exec, with its path below that root and the file's identity",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    sys::program(dir.path().join("jailed"))?;
    sys::apart(|| {
        std::os::unix::fs::chroot(dir.path())?;
        std::env::set_current_dir("/")?;
        Err(sys::exec("/jailed", &["jailed"], &[]))
    })
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.ran("jailed", |e| e.image.exe.path.file_name() == b"jailed" && e.image.exe.id.is_known())
}
