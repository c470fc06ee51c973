use std::fs::File;
use std::io::{self, Read as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use lanner_core::event::Payload;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

/// Bytes of the file, which fit in a pipe.
const SIZE: usize = 4096;

pub(crate) const TRICK: Trick = Trick {
    name: "spliced",
    idea: "a file sent away that the process never has in its memory (splice through a pipe)",
    shows: "that the file is opened by who did not write it, and how many bytes its connection sent",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let loot = dir.path().join("loot");
    std::fs::write(&loot, vec![7; SIZE])?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let there = listener.local_addr()?;
    let thief = sys::fork(|| {
        let (loot, out) = (File::open(&loot)?, TcpStream::connect(there)?);
        let (end, way) = io::pipe()?;
        let [loot, way, end, out] = [loot.as_raw_fd(), way.as_raw_fd(), end.as_raw_fd(), out.as_raw_fd()];
        sys::call(libc::SYS_splice, &[loot as usize, 0, way as usize, 0, SIZE, 0])?;
        sys::call(libc::SYS_splice, &[end as usize, 0, out as usize, 0, SIZE, 0]).map(drop)
    })?;
    let read = listener.accept()?.0.read_to_end(&mut Vec::new())?;
    sys::wait(thief)?;
    if read == SIZE { Ok(()) } else { Err(io::Error::other(format!("{read} bytes arrived"))) }
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.opened("loot, which another process wrote", |o| {
        o.file.path.file_name() == b"loot" && o.access.read && o.written_before
    })?;
    scene.tells("the bytes that were sent", |p| matches!(p, Payload::Close(c) if c.sent == SIZE as u64))
}
