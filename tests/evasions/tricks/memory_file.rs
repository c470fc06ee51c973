use std::io;
use std::io::Read;
use std::os::fd::AsRawFd;

use lanner_core::event::Payload;

use crate::sys;
use crate::scene::Scene;
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
    let (mut wait, go) = std::io::pipe()?;
    let go_fd = go.as_raw_fd() as usize;
    let victim = sys::fork(|| {
        sys::call(libc::SYS_close, &[go_fd])?;
        wait.read_to_end(&mut Vec::new()).map(drop)
    })?;
    let opened = std::fs::OpenOptions::new().write(true).open(format!("/proc/{victim}/mem"));
    drop(go);
    sys::wait(victim)?;
    opened.map(drop)
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells("its child's memory opened", |p| {
        matches!(p, Payload::Trace(t) if t.call.name() == "proc_mem" && t.write && t.target == scene.cast[1])
    })
}
