use std::io;
use std::os::fd::AsRawFd;

use lanner_core::event::Payload;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "moved_mount",
    idea: "a file system mounted by the new calls (open_tree, move_mount), which old sensors do not know",
    shows: "what was mounted, and where",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    std::fs::create_dir(&from)?;
    std::fs::create_dir(&to)?;
    sys::apart(|| {
        sys::call(libc::SYS_unshare, &[libc::CLONE_NEWNS as usize])?;
        let (root, none) = (c"/".as_ptr() as usize, c"none".as_ptr() as usize);
        sys::call(libc::SYS_mount, &[none, root, 0, (libc::MS_REC | libc::MS_PRIVATE) as usize, 0])?;
        let (from, to) = (sys::path(&from), sys::path(&to));
        let at = libc::AT_FDCWD as usize;
        // OPEN_TREE_CLONE, MOVE_MOUNT_F_EMPTY_PATH.
        let tree = sys::open(libc::SYS_open_tree, &[at, from.as_ptr() as usize, 1])?;
        let empty = c"".as_ptr() as usize;
        sys::call(libc::SYS_move_mount, &[tree.as_raw_fd() as usize, empty, at, to.as_ptr() as usize, 4]).map(drop)
    })
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells("a mount at to", |p| {
        matches!(p, Payload::Mount(m) if m.call.name() == "move_mount" && m.errno == 0
            && m.place.path.file_name() == b"to")
    })
}
