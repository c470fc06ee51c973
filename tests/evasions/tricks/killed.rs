use std::io;
use std::io::Read;
use std::os::fd::AsRawFd;

use lanner_core::event::Payload;

use crate::sys;
use crate::scene::Scene;
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
    let (mut wait, go) = std::io::pipe()?;
    let go_fd = go.as_raw_fd() as usize;
    let watchman = sys::fork(|| {
        sys::call(libc::SYS_close, &[go_fd])?;
        wait.read_to_end(&mut Vec::new()).map(drop)
    })?;
    sys::call(libc::SYS_kill, &[watchman as usize, libc::SIGKILL as usize])?;
    if sys::wait(watchman).is_err() { Ok(()) } else { Err(io::Error::other("it was to be killed")) }
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells("the signal", |p| matches!(p, Payload::Signal(s) if s.signal == 9 && s.target == scene.cast[1]))
}
