use std::io;
use std::os::fd::AsRawFd;

use lanner_core::event::Attempt;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "data_to_nowhere",
    idea: "data sent before there is a connection (MSG_FASTOPEN), to where no route leads: what cannot be reached is tried out without a call to connect",
    shows: "the attempt, where to, and its error",
    base_misses: "no packet is sent and no call to connect is made: nothing but the call's own error tells",
    perform,
    seen,
    ..Trick::PLAIN
};

/// In a network of its own, where there is nothing.
fn perform() -> io::Result<()> {
    sys::call(libc::SYS_unshare, &[libc::CLONE_NEWNET as usize])?;
    let socket = sys::open(libc::SYS_socket, &[libc::AF_INET as usize, libc::SOCK_STREAM as usize, 0])?;
    let address = sys::loopback(4711);
    let data = b"beacon";
    let flags = libc::MSG_FASTOPEN as usize;
    let all = [socket.as_raw_fd() as usize, data.as_ptr() as usize, data.len(), flags, address.as_ptr() as usize, 16];
    match sys::call(libc::SYS_sendto, &all) {
        Err(error) if error.raw_os_error() == Some(libc::ENETUNREACH) => Ok(()),
        other => Err(io::Error::other(format!("no route leads there: {other:?}"))),
    }
}

fn seen(scene: &Scene) -> Result<(), String> {
    let unreachable = Attempt::Failed(libc::ENETUNREACH as u32);
    let is_it = |c: &lanner_core::event::Connect| c.attempt == unreachable && c.asked && c.flow.remote.port() == 4711;
    scene.connects().any(is_it).then_some(()).ok_or_else(|| "an attempt that failed".to_owned())
}
