use std::io;

use lanner_core::event::Payload;

use crate::scene::Scene;
use crate::sys;
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
    let there = Box::new([0u8; 16]);
    let victim = sys::waiting()?;
    let here = [1u8; 16];
    // struct iovec: address, length.
    let (from, to) = ([here.as_ptr() as usize, 16], [there.as_ptr() as usize, 16]);
    let all = [victim.pid as usize, from.as_ptr() as usize, 1, to.as_ptr() as usize, 1, 0];
    let written = sys::call(libc::SYS_process_vm_writev, &all);
    victim.end()?;
    written.map(drop)
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells("a write into its child", |p| {
        matches!(p, Payload::Trace(t) if t.call.name() == "process_vm_writev" && t.write && t.target == scene.cast[1]
            && t.bytes == 16 && t.errno == 0)
    })
}
