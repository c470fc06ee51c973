use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixListener;

use lanner_core::event::{Payload, Unix, UnixAct, UnixName};
use lanner_tests::ring::{self, ASYNC, Entry, Ring};

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

/// `IORING_OP_CONNECT`.
const CONNECT: u8 = 16;

pub(crate) const TRICK: Trick = Trick {
    name: "ring_runtime_socket",
    idea: "a container runtime's socket called without a system call for it (io_uring)",
    shows: "the name that the runtime gave it, and the runtime",
    needs: &["io_uring_complete (sockets)", "security_unix_stream_connect"],
    perform,
    seen,
    cannot: ring::missing,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("docker.sock");
    let listener = UnixListener::bind(&path)?;
    let child = sys::fork(|| {
        let socket = sys::open(libc::SYS_socket, &[libc::AF_UNIX as usize, libc::SOCK_STREAM as usize, 0])?;
        let to = [&(libc::AF_UNIX as u16).to_ne_bytes(), path.as_os_str().as_bytes(), &[0]].concat();
        let (fd, off, addr) = (socket.as_raw_fd(), to.len() as u64, to.as_ptr() as u64);
        match Ring::new(1, 0)?.ask(Entry { opcode: CONNECT, flags: ASYNC, fd, off, addr, ..Entry::default() })? {
            0 => Ok(()),
            error => Err(io::Error::from_raw_os_error(-error)),
        }
    })?;
    listener.accept()?;
    sys::wait(child)
}

fn seen(scene: &Scene) -> Result<(), String> {
    let real = |u: &Unix| {
        matches!(&u.name, UnixName::Path(file) if file.path.file_name() == b"docker.sock")
            && u.act == UnixAct::Connected
            && u.peer == Some(scene.cast[0])
    };
    scene.tells("a connection to docker.sock", |p| matches!(p, Payload::Unix(u) if real(u)))
}
