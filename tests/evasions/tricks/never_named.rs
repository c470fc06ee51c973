use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};

use crate::scene::Scene;
use crate::trick::Trick;
use crate::{elf, sys};

pub(crate) const TRICK: Trick = Trick {
    name: "never_named",
    idea: "a program in a file that never had a name (O_TMPFILE)",
    shows: "the exec, with the mark that its file has no name",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).custom_flags(libc::O_TMPFILE).open(std::env::temp_dir())?;
    file.write_all(&elf::nothing())?;
    file.set_permissions(Permissions::from_mode(0o755))?;
    // A file that is open for writing is busy: open it once more, for reading.
    let name = format!("/proc/self/fd/{}", file.as_raw_fd());
    let again = File::open(&name)?;
    drop(file);
    sys::apart(|| Err(sys::exec_at(&again, "", &["cron"], libc::AT_EMPTY_PATH)))
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.ran("a file without a name", |e| e.image.exe.deleted && e.image.exe.id.is_known() && !e.image.exe.is_memfd())
}
