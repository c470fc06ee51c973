use std::io;

use lanner_core::event::Payload;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "killed",
    idea: "a watchman ended by a signal",
    shows: "who sent which signal to whom",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let watchman = sys::waiting()?;
    sys::call(libc::SYS_kill, &[watchman.pid as usize, libc::SIGKILL as usize])?;
    if watchman.end().is_err() { Ok(()) } else { Err(io::Error::other("it was to be killed")) }
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells("the signal", |p| matches!(p, Payload::Signal(s) if s.signal == 9 && s.target == scene.cast[1]))
}
