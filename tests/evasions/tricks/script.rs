use std::io;
use std::os::unix::fs::PermissionsExt;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "script",
    idea: "a script, which the kernel runs by running something else",
    shows: "the interpreter and the script, both",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let script = dir.path().join("update.sh");
    std::fs::write(&script, "#!/bin/sh\nexit 0\n")?;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
    sys::apart(|| Err(sys::exec(&script, &["update.sh"], &[])))
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.ran("update.sh, by a shell", |e| {
        e.image.script.as_ref().is_some_and(|s| s.path.file_name() == b"update.sh")
            && e.image.exe.path.file_name() != b"update.sh"
    })
}
