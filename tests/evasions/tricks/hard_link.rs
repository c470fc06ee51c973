use std::io;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "hard_link",
    idea: "a file written by one name and run by another (hard link)",
    shows: "that what is run is the file that was written",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let (written, run) = (dir.path().join("notes.txt"), dir.path().join("runme"));
    sys::program(&written)?;
    std::fs::hard_link(&written, &run)?;
    sys::apart(|| Err(sys::exec(&run, &["runme"], &[])))
}

fn seen(scene: &Scene) -> Result<(), String> {
    let written = scene.opens().find(|o| o.access.write && o.file.path.file_name() == b"notes.txt");
    let written = written.ok_or("an open of notes.txt")?.file.id;
    scene.ran("that file", |e| e.image.exe.id == written && e.image.exe.path.file_name() == b"runme")
}
