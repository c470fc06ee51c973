use std::io;

use lanner_core::event::Payload;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "own_mounts",
    idea: "files on a file system that only one process has mounted",
    shows: "the path as that process sees it, and which file it is",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    sys::apart(|| {
        sys::call(libc::SYS_unshare, &[libc::CLONE_NEWNS as usize])?;
        let (root, none) = (c"/".as_ptr() as usize, c"none".as_ptr() as usize);
        sys::call(libc::SYS_mount, &[none, root, 0, (libc::MS_REC | libc::MS_PRIVATE) as usize, 0])?;
        let (folder, tmpfs) = (sys::path(dir.path()), c"tmpfs".as_ptr() as usize);
        sys::call(libc::SYS_mount, &[none, folder.as_ptr() as usize, tmpfs, 0, 0])?;
        let program = dir.path().join("private");
        sys::program(&program)?;
        Err(sys::exec(&program, &["private"], &[]))
    })
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells("its own mount namespace", |p| matches!(p, Payload::Namespace(n) if n.now.mnt != n.before.mnt))?;
    scene.ran("private", |e| e.image.exe.path.file_name() == b"private" && e.image.exe.id.is_known())
}
