use std::io;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "relative_path",
    idea: "a program run by a path full of detours",
    shows: "its path without any",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    std::fs::create_dir(dir.path().join("sub"))?;
    sys::program(dir.path().join("detour"))?;
    std::env::set_current_dir(dir.path().join("sub"))?;
    let ran = sys::apart(|| Err(sys::exec("./../sub/.././/detour", &["x"], &[])));
    std::env::set_current_dir("/")?;
    ran
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.ran("detour, its path resolved", |e| {
        let path = e.image.exe.path.to_string();
        path.starts_with('/') && path.ends_with("/detour") && !path.contains("/sub") && !path.contains("..")
    })
}
