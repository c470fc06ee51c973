use std::io;
use std::net::TcpListener;
use std::os::fd::AsRawFd;

use lanner_core::event::Attempt;
use lanner_tests::ring::{self, ASYNC, Entry, Ring};

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

/// `IORING_OP_CONNECT`.
const CONNECT: u8 = 16;

pub(crate) const TRICK: Trick = Trick {
    name: "ring_connect",
    idea: "a connection made without a system call for it, by a thread of the kernel's (io_uring)",
    shows: "the connection, as the process's own",
    perform,
    seen,
    cannot: ring::missing,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = sys::loopback(listener.local_addr()?.port());
    let socket = sys::open(libc::SYS_socket, &[libc::AF_INET as usize, libc::SOCK_STREAM as usize, 0])?;
    let request = Entry {
        opcode: CONNECT,
        flags: ASYNC,
        fd: socket.as_raw_fd(),
        off: address.len() as u64,
        addr: address.as_ptr() as u64,
        ..Entry::default()
    };
    match Ring::new(1, 0)?.ask(request)? {
        0 => listener.accept().map(drop),
        error => Err(io::Error::from_raw_os_error(-error)),
    }
}

fn seen(scene: &Scene) -> Result<(), String> {
    let established = |c: &lanner_core::event::Connect| c.attempt == Attempt::Established;
    scene.connects().any(established).then_some(()).ok_or_else(|| "an established connection".to_owned())
}
