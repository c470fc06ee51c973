use std::io;
use std::io::Read;
use std::os::fd::AsRawFd;

use lanner_core::event::Payload;

use crate::sys;
use crate::scene::Scene;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "injected",
    idea: "memory written into another process (process_vm_writev)",
    shows: "who wrote into whom, and how much",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let (mut wait, go) = std::io::pipe()?;
    let go_fd = go.as_raw_fd() as usize;
    let there = Box::new([0u8; 16]);
    let victim = sys::fork(|| {
        sys::call(libc::SYS_close, &[go_fd])?;
        wait.read_to_end(&mut Vec::new()).map(drop)
    })?;
    let here = [1u8; 16];
    // struct iovec: address, length.
    let (from, to) = ([here.as_ptr() as usize, 16], [there.as_ptr() as usize, 16]);
    let all = [victim as usize, from.as_ptr() as usize, 1, to.as_ptr() as usize, 1, 0];
    let written = sys::call(libc::SYS_process_vm_writev, &all);
    drop(go);
    sys::wait(victim)?;
    written.map(drop)
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells("a write into its child", |p| {
        matches!(p, Payload::Trace(t) if t.call.name() == "process_vm_writev" && t.write && t.target == scene.cast[1]
            && t.bytes == 16 && t.errno == 0)
    })
}
