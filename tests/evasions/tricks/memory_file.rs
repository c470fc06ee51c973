use std::io;

use lanner_core::event::Payload;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "memory_file",
    idea: "another process's memory written through /proc/PID/mem",
    shows: "who opened whose memory to write",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let victim = sys::waiting()?;
    let opened = std::fs::OpenOptions::new().write(true).open(format!("/proc/{}/mem", victim.pid));
    victim.end()?;
    opened.map(drop)
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells(
        "its child's memory opened",
        |p| matches!(p, Payload::Trace(t) if t.call.name() == "proc_mem" && t.write && t.target == scene.cast[1]),
    )
}
