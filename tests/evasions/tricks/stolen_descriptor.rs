use std::io;
use std::os::fd::AsRawFd;

use lanner_core::event::Payload;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "stolen_descriptor",
    idea: "another process's open file taken from it (pidfd_getfd)",
    shows: "whose descriptor was taken, and which file it is",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let kept = std::fs::File::create(dir.path().join("kept"))?;
    let victim = sys::waiting()?;
    let pidfd = sys::open(libc::SYS_pidfd_open, &[victim.pid as usize, 0])?;
    let taken = sys::open(libc::SYS_pidfd_getfd, &[pidfd.as_raw_fd() as usize, kept.as_raw_fd() as usize, 0]);
    victim.end()?;
    taken.map(drop)
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells("that kept was taken", |p| {
        matches!(p, Payload::Trace(t) if t.call.name() == "pidfd_getfd" && t.target == scene.cast[1]
            && t.file.as_ref().is_some_and(|f| f.path.file_name() == b"kept"))
    })
}
