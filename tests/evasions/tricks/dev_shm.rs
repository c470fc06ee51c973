use std::io;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "dev_shm",
    idea: "a program in a file system in memory, gone with the next boot",
    shows: "the exec, with its path in /dev/shm",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let program = "/dev/shm/.lanner-evasion";
    sys::program(program)?;
    let ran = sys::apart(|| Err(sys::exec(program, &["-bash"], &[])));
    std::fs::remove_file(program)?;
    ran
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.ran("a file in /dev/shm", |e| e.image.exe.path == "/dev/shm/.lanner-evasion")
}
