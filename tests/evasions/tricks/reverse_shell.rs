use std::io;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use lanner_core::event::Payload;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "reverse_shell",
    idea: "a shell whose input and output are a connection",
    shows: "the connection put in the place of standard input, with its peer",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let child = sys::fork(|| {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        for fd in 0..3 {
            sys::call(libc::SYS_dup3, &[stream.as_raw_fd() as usize, fd, 0])?;
        }
        Err(sys::exec("/bin/sh", &["sh"], &[]))
    })?;
    listener.accept()?.0.write_all(b"exit\n")?;
    sys::wait(child)
}

fn seen(scene: &Scene) -> Result<(), String> {
    for fd in 0..3 {
        scene.tells(
            "a connection as a standard descriptor",
            |p| matches!(p, Payload::Stdio(s) if s.fd == fd && s.leads_to.peer.is_some_and(|p| p.ip().is_loopback())),
        )?;
    }
    scene.ran("a shell on it", |e| e.image.stdio.iter().all(|s| s.peer.is_some()))
}
