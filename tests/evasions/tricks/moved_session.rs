use std::io;

use lanner_core::event::Payload;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "moved_session",
    idea: "a shell that leaves its session, and with it its terminal",
    shows: "the exec, in a session of its own",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let program = dir.path().join("leader");
    sys::program(&program)?;
    sys::apart(|| {
        sys::call(libc::SYS_setsid, &[])?;
        Err(sys::exec(&program, &["leader"], &[]))
    })
}

fn seen(scene: &Scene) -> Result<(), String> {
    let leads = |e: &&lanner_core::event::Event| matches!(&e.payload, Payload::Exec(exec) if exec.task.session == e.header.process.pid);
    scene.events.iter().any(|e| leads(&e)).then_some(()).ok_or_else(|| "an exec of a session's leader".to_owned())
}
