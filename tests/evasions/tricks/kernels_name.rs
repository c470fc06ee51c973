use std::io;

use lanner_core::event::Payload;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "kernels_name",
    idea: "a process that takes the name of a kernel thread (prctl)",
    shows: "the name before and after",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    sys::apart(|| {
        let (option, name) = (libc::PR_SET_NAME as usize, c"kworker/u8:3".as_ptr() as usize);
        sys::call(libc::SYS_prctl, &[option, name]).map(drop)
    })
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells(
        "the kernel thread's name",
        |p| matches!(p, Payload::Comm(c) if c.new == "kworker/u8:3" && c.is_like_kernel() && !c.old.is_empty()),
    )
}
