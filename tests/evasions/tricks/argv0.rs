use std::io;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "argv0",
    idea: "a program that calls itself by another's name from its first argument on",
    shows: "the file that runs, whatever the first argument says",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let program = dir.path().join("miner");
    sys::program(&program)?;
    sys::apart(|| Err(sys::exec(&program, &["[kworker/0:1]"], &[])))
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.ran("miner, as [kworker/0:1]", |e| {
        e.image.exe.path.file_name() == b"miner" && e.image.args.list.iter().any(|a| *a == "[kworker/0:1]")
    })
}
