use std::io;

use lanner_core::event::Through;
use lanner_tests::ring;

use crate::scene::Scene;
use crate::trick::Trick;
use crate::sys;

pub(crate) const TRICK: Trick = Trick {
    name: "ring",
    idea: "a file opened without a system call for it (io_uring)",
    shows: "the open, and that a ring did it",
    needs: &["io_uring_complete", "security_file_open"],
    perform,
    seen,
    cannot: ring::missing,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = sys::path(dir.path().join("ringed"));
    std::fs::write(dir.path().join("ringed"), "")?;
    sys::apart(|| ring::open(&path, 0, false).map(drop))
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.opened("ringed, through a ring", |o| {
        o.file.path.file_name() == b"ringed" && o.access.write && o.through == Through::IoUring
    })
}
