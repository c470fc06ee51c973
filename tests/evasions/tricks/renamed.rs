use std::io;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "renamed",
    idea: "a file written by one name, moved, and run by another",
    shows: "that what is run is the file that was written",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let (written, run) = (dir.path().join("download.part"), dir.path().join("tool"));
    sys::program(&written)?;
    std::fs::rename(&written, &run)?;
    sys::apart(|| Err(sys::exec(&run, &["tool"], &[])))
}

fn seen(scene: &Scene) -> Result<(), String> {
    let written = scene.opens().find(|o| o.access.write && o.file.path.file_name() == b"download.part");
    let written = written.ok_or("an open of download.part")?.file.id;
    scene.ran("that file", |e| e.image.exe.id == written && e.image.exe.path.file_name() == b"tool")
}
