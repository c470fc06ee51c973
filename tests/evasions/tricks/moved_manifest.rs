use lanner_core::event::Payload;
use std::io;

use crate::scene::Scene;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "moved_manifest",
    idea: "a file moved into place, complete, by one rename",
    shows: "both names, and that it is the file that was written",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let manifests = dir.path().join("manifests");
    std::fs::create_dir(&manifests)?;
    let written = dir.path().join("x");
    std::fs::write(&written, "kind: Pod")?;
    std::fs::rename(&written, manifests.join("web.yaml"))
}

fn seen(scene: &Scene) -> Result<(), String> {
    let written =
        scene.opens().find(|o| o.access.write && o.file.path.file_name() == b"x").ok_or("an open of x")?.file.id;
    scene.tells("the rename of that file", |p| {
        matches!(p, Payload::Rename(r) if r.file.id == written && r.from.path.file_name() == b"x"
            && r.file.path.to_string().ends_with("/manifests/web.yaml"))
    })
}
