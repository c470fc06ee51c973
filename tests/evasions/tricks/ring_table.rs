use std::io;

use lanner_core::event::Through;
use lanner_tests::ring;

use crate::scene::Scene;
use crate::trick::Trick;
use crate::sys;

pub(crate) const TRICK: Trick = Trick {
    name: "ring_table",
    idea: "the same, into a table of the ring's own: it never has a descriptor",
    shows: "on the base layer the operation with the name as asked for; on the full layer the open",
    needs: &["security_file_open"],
    perform,
    seen,
    base_misses: "which file it was: the operation is told, with its name as asked for",
    cannot: ring::missing,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = sys::path(dir.path().join("slotted"));
    std::fs::write(dir.path().join("slotted"), "")?;
    sys::apart(|| ring::open(&path, ring::ASYNC, true).map(drop))
}

fn seen(scene: &Scene) -> Result<(), String> {
    let opened = |o: &lanner_core::event::Open| o.file.path.file_name() == b"slotted" && o.through == Through::IoUring;
    scene.opened("slotted, through a ring", opened)
}
