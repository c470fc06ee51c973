use std::io;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "bound_name",
    idea: "a program run through a bind mount that gives it another path",
    shows: "the path that was used, and that it is the file that was written",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let (there, here) = (dir.path().join("there"), dir.path().join("here"));
    std::fs::create_dir(&there)?;
    std::fs::create_dir(&here)?;
    sys::program(there.join("bound"))?;
    sys::apart(|| {
        sys::call(libc::SYS_unshare, &[libc::CLONE_NEWNS as usize])?;
        let (root, none) = (c"/".as_ptr() as usize, c"none".as_ptr() as usize);
        sys::call(libc::SYS_mount, &[none, root, 0, (libc::MS_REC | libc::MS_PRIVATE) as usize, 0])?;
        let (from, to) = (sys::path(&there), sys::path(&here));
        let bind = libc::MS_BIND as usize;
        sys::call(libc::SYS_mount, &[from.as_ptr() as usize, to.as_ptr() as usize, 0, bind, 0])?;
        Err(sys::exec(here.join("bound"), &["bound"], &[]))
    })
}

fn seen(scene: &Scene) -> Result<(), String> {
    let written = scene.opens().find(|o| o.access.write && o.file.path.file_name() == b"bound");
    let written = written.ok_or("an open of bound")?.file.id;
    scene.ran("that file, below here", |e| {
        e.image.exe.id == written && e.image.exe.path.to_string().ends_with("/here/bound")
    })
}
