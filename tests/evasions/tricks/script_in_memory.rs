use std::io::{self, Write as _};

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "script_in_memory",
    idea: "a script that is never in any file system, run by its descriptor alone (execveat without a path)",
    shows: "the interpreter, and that the script lies in memory",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    // Left open: the interpreter opens it again, by its number.
    let fd = sys::open(libc::SYS_memfd_create, &[c"update".as_ptr() as usize, 0])?;
    let mut file = std::fs::File::from(fd);
    file.write_all(b"#!/bin/sh\nexit 0\n")?;
    sys::apart(|| Err(sys::exec_at(&file, "", &["update"], libc::AT_EMPTY_PATH)))
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.ran("a script in memory, by a shell", |e| {
        let script = e.image.script.as_ref();
        script.is_some_and(|s| s.is_memfd() && s.path == "memfd:update" && s.id.is_known() && !s.as_passed)
            && !e.image.exe.is_memfd()
            && e.image.args.list.get(1).is_some_and(|name| name.as_bytes().starts_with(b"/dev/fd/"))
    })
}
