use std::io;

use lanner_core::event::Payload;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "thread_exec",
    idea: "an exec by a thread that is not the process's first",
    shows: "the exec, by the process that it always was",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let program = dir.path().join("threaded");
    sys::program(&program)?;
    sys::apart(|| {
        let thread = std::thread::spawn(move || sys::exec(&program, &["threaded"], &[]));
        Err(thread.join().unwrap_or_else(|_| io::Error::other("the thread panicked")))
    })
}

fn seen(scene: &Scene) -> Result<(), String> {
    let by: Vec<_> = scene.events.iter().filter(|e| matches!(e.payload, Payload::Exec(_))).skip(1).collect();
    let [event] = by[..] else { return Err("one exec".to_owned()) };
    if event.header.process == scene.cast[1] { Ok(()) } else { Err("that process's exec".to_owned()) }
}
