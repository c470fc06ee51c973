use lanner_core::event::Payload;
use std::io;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "chained_roots",
    idea: "out of a chroot: the working directory stays outside, and a way up from it",
    shows: "each new root, where it really lies",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let inner = dir.path().join("inner");
    std::fs::create_dir(&inner)?;
    sys::apart(|| {
        std::os::unix::fs::chroot(dir.path())?;
        std::env::set_current_dir("/")?;
        std::os::unix::fs::chroot("inner")?;
        std::env::set_current_dir("../../../..")?;
        std::os::unix::fs::chroot(".")
    })
}

fn seen(scene: &Scene) -> Result<(), String> {
    let roots: Vec<_> =
        scene.events.iter().filter_map(|e| if let Payload::Root(r) = &e.payload { Some(r) } else { None }).collect();
    let [_, inner, outside] = roots[..] else { return Err("three changes of the root".to_owned()) };
    if inner.now.path.file_name() == b"inner" && outside.now.path == "/" {
        Ok(())
    } else {
        Err("the way to inner and out of it".to_owned())
    }
}
