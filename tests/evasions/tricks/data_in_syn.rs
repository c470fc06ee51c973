use std::io;
use std::net::TcpListener;
use std::os::fd::AsRawFd;

use lanner_core::event::Attempt;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "data_in_syn",
    idea: "data sent before there is a connection (MSG_FASTOPEN)",
    shows: "the connection",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let socket = sys::open(libc::SYS_socket, &[libc::AF_INET as usize, libc::SOCK_STREAM as usize, 0])?;
    let address = sys::loopback(port);
    let data = b"beacon";
    let flags = libc::MSG_FASTOPEN as usize;
    let all = [socket.as_raw_fd() as usize, data.as_ptr() as usize, data.len(), flags, address.as_ptr() as usize, 16];
    sys::call(libc::SYS_sendto, &all)?;
    listener.accept().map(drop)
}

fn seen(scene: &Scene) -> Result<(), String> {
    let established = |c: &lanner_core::event::Connect| c.attempt == Attempt::Established;
    scene.connects().any(established).then_some(()).ok_or_else(|| "an established connection".to_owned())
}
