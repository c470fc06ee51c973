use lanner_core::event::Payload;
use std::io;
use std::path::Path;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "kernel_module",
    idea: "code loaded into the kernel from memory (init_module)",
    shows: "the attempt, and how it ended",
    perform,
    seen,
    cannot: || (!Path::new("/proc/modules").exists()).then(|| "this kernel takes no modules".to_owned()),
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    // Nothing that is a module: the kernel refuses it.
    let image = [0u8; 64];
    let refused = sys::call(libc::SYS_init_module, &[image.as_ptr() as usize, image.len(), c"".as_ptr() as usize]);
    if refused.is_err() { Ok(()) } else { Err(io::Error::other("it was to be refused")) }
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells(
        "a module's load",
        |p| matches!(p, Payload::Kernel(k) if k.call.name() == "init_module" && k.errno != 0 && k.size == 64),
    )
}
