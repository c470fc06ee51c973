use std::io;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "preload",
    idea: "a library that the loader is told to load first (LD_PRELOAD)",
    shows: "the variable, with the exec",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let program = dir.path().join("preloaded");
    sys::program(&program)?;
    sys::apart(|| Err(sys::exec(&program, &["preloaded"], &["TERM=dumb", "LD_PRELOAD=/tmp/libimplant.so"])))
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.ran("preloaded, with LD_PRELOAD", |e| e.image.env.list.iter().any(|v| *v == "LD_PRELOAD=/tmp/libimplant.so"))
}
