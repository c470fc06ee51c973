use std::io;
use std::io::Read;

use lanner_core::event::Payload;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "vfork_orphan",
    idea: "a child of vfork that runs something after its parent was killed",
    shows: "the exec, by a process whose parent is known",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let program = dir.path().join("orphan");
    sys::program(&program)?;
    let (mut running, end) = std::io::pipe()?;
    let parent = sys::fork(|| {
        // The parent sleeps in vfork until its child runs something; the child kills it first.
        sys::vfork_to_kill(|parent| {
            sys::call(libc::SYS_kill, &[parent as usize, libc::SIGKILL as usize])?;
            Err(sys::exec(&program, &["orphan"], &[]))
        })
    })?;
    drop(end);
    let killed = sys::wait(parent).is_err();
    running.read_to_end(&mut Vec::new())?;
    if killed { Ok(()) } else { Err(io::Error::other("the parent was to be killed")) }
}

fn seen(scene: &Scene) -> Result<(), String> {
    let orphan = scene
        .events
        .iter()
        .find(|e| matches!(&e.payload, Payload::Exec(exec) if exec.image.exe.path.file_name() == b"orphan"));
    let orphan = orphan.ok_or("an exec of orphan")?.header.process;
    let forked = |p: &Payload| matches!(p, Payload::Fork(fork) if fork.child == orphan);
    scene.tells("the vfork", forked)
}
