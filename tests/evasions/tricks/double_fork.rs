use std::io;
use std::io::Read;
use std::os::fd::AsRawFd;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "double_fork",
    idea: "a daemon: forked twice, in a session of its own, its parents gone",
    shows: "all of its forks, so that it still descends from who began it",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let program = dir.path().join("daemon");
    sys::program(&program)?;
    // Reading from the first ends when all who could write are gone, the daemon's parent last; from the second, when the
    // daemon runs: the pipes are closed on exec.
    let (mut orphaned, parents) = std::io::pipe()?;
    let (mut running, daemons) = std::io::pipe()?;
    let parents_end = parents.as_raw_fd() as usize;
    sys::apart(|| {
        sys::call(libc::SYS_setsid, &[])?;
        sys::fork(|| {
            sys::call(libc::SYS_close, &[parents_end])?;
            orphaned.read_to_end(&mut Vec::new())?;
            Err(sys::exec(&program, &["daemon"], &[]))
        })?;
        Ok(())
    })?;
    drop((parents, daemons));
    running.read_to_end(&mut Vec::new()).map(drop)
}

fn seen(scene: &Scene) -> Result<(), String> {
    if scene.cast.len() != 3 {
        return Err(format!("three generations, not {}", scene.cast.len()));
    }
    scene.ran("daemon", |e| e.image.exe.path.file_name() == b"daemon")
}
