use std::io;

use lanner_core::event::{AttributeChange, Payload};

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "emptied",
    idea: "a log emptied without being opened (truncate)",
    shows: "that its length was set, and by whom",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let log = dir.path().join("auth.log");
    std::fs::write(&log, "evidence")?;
    let name = sys::path(&log);
    sys::call(libc::SYS_truncate, &[name.as_ptr() as usize, 0]).map(drop)
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells("a length of 0", |p| {
        matches!(p, Payload::Attribute(a) if a.file.path.file_name() == b"auth.log"
            && matches!(a.change, AttributeChange::Size { .. }))
    })
}
