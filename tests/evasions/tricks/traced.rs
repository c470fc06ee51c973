use std::io;

use lanner_core::event::Payload;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "traced",
    idea: "another process taken over by ptrace",
    shows: "who attached to whom, and what was changed in it",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let there = Box::new([0usize; 2]);
    let victim = sys::waiting()?;
    let trace = |request: libc::c_uint, address: usize, data: usize| {
        sys::call(libc::SYS_ptrace, &[request as usize, victim.pid as usize, address, data]).map(drop)
    };
    trace(libc::PTRACE_ATTACH, 0, 0)?;
    sys::stopped(victim.pid)?;
    trace(libc::PTRACE_POKEDATA, there.as_ptr() as usize, 42)?;
    trace(libc::PTRACE_DETACH, 0, 0)?;
    victim.end()
}

fn seen(scene: &Scene) -> Result<(), String> {
    for request in ["PTRACE_ATTACH", "PTRACE_POKEDATA"] {
        scene.tells(request, |p| {
            matches!(p, Payload::Trace(t) if t.request_name() == Some(request) && t.target == scene.cast[1] && t.errno == 0)
        })?;
    }
    Ok(())
}
