use crate::scene::Scene;
use crate::trick::Trick;
use std::io;
use std::os::fd::AsRawFd;

pub(crate) const TRICK: Trick = Trick {
    name: "through_proc",
    idea: "a file opened through /proc/self/root and /proc/self/fd",
    shows: "the file that it is, not the way to it",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("stolen");
    std::fs::write(format!("/proc/self/root{}", path.display()), "x")?;
    let open = std::fs::File::open(&path)?;
    std::fs::write(format!("/proc/self/fd/{}", open.as_raw_fd()), "y")
}

fn seen(scene: &Scene) -> Result<(), String> {
    let opens = scene.opens().filter(|o| {
        o.access.write && o.file.path.file_name() == b"stolen" && !o.file.path.as_bytes().starts_with(b"/proc")
    });
    if opens.count() == 2 { Ok(()) } else { Err("two opens of the file itself".to_owned()) }
}
