use std::io;

use lanner_core::event::Payload;
use lanner_tests::calls::Call;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "narrow_unlink",
    idea: "a 64-bit program removes a file by the 32-bit entry",
    shows: "which file it was, as long as 32-bit calls are watched",
    perform,
    seen,
    cannot: sys::no_narrow_calls,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let log = dir.path().join("log");
    std::fs::write(&log, "traces")?;
    let path = log.to_str().ok_or_else(|| io::Error::other("a path in UTF-8"))?;
    sys::narrow(&[Call(87, 10, vec![path.into()])])
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells_narrow("the file that is removed", |payload| match payload {
        Payload::Unlink(gone) => gone.file.path.file_name() == b"log" && gone.file.id.is_known(),
        _ => false,
    })
}
