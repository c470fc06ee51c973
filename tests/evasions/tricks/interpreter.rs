use std::io;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "interpreter",
    idea: "code that is no file of its own: a shell's `-c`",
    shows: "the interpreter, with the code as its argument",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    sys::apart(|| Err(sys::exec("/bin/sh", &["sh", "-c", ": harmless; exit 0"], &[])))
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.ran("sh with the code", |e| e.image.args.list.iter().any(|a| *a == ": harmless; exit 0"))
}
