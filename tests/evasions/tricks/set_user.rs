use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "set_user",
    idea: "a program whose owner it becomes when it is run (setuid)",
    shows: "whom it was, and whom it became",
    perform,
    seen,
    cannot: no_suid,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let program = dir.path().join("owned");
    sys::program(&program)?;
    std::fs::set_permissions(&program, Permissions::from_mode(0o4755))?;
    std::fs::set_permissions(dir.path(), Permissions::from_mode(0o755))?;
    sys::apart(|| {
        sys::call(libc::SYS_setresuid, &[65_534, 65_534, 65_534])?;
        Err(sys::exec(&program, &["owned"], &[]))
    })
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.ran("owned, which gave root", |e| {
        e.task.context.creds.euid == 0
            && e.task.context.creds.uid == 65_534
            && e.image.gain.as_ref().is_some_and(|gain| gain.user_before == Some(65_534))
    })
}

fn no_suid() -> Option<String> {
    let file = sys::path(std::env::temp_dir());
    // SAFETY: all zeros are a valid value, and the call fills it in.
    let mut status: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: a NUL-terminated path and a live local.
    let known = unsafe { libc::statvfs(file.as_ptr(), &raw mut status) } == 0;
    (known && status.f_flag & libc::ST_NOSUID != 0)
        .then(|| "the folder for temporary files is mounted nosuid".to_owned())
}
