use std::io;

use lanner_core::event::{Domain, Payload};
use lanner_tests::ring::{self, Entry, Ring};

use crate::scene::Scene;
use crate::trick::Trick;

/// `IORING_OP_SOCKET`.
const SOCKET: u8 = 45;
const ETH_P_ALL: u32 = 0x0300;

pub(crate) const TRICK: Trick = Trick {
    name: "ring_sniffer",
    idea: "a packet socket made without a system call for it (io_uring)",
    shows: "the socket",
    needs: &["io_uring_complete (sockets)"],
    perform,
    seen,
    cannot,
    ..Trick::PLAIN
};

fn sniff() -> io::Result<()> {
    let (fd, off) = (libc::AF_PACKET, libc::SOCK_RAW as u64);
    match Ring::new(1, 0)?.ask(Entry { opcode: SOCKET, fd, off, len: ETH_P_ALL, ..Entry::default() })? {
        error @ ..0 => Err(io::Error::from_raw_os_error(-error)),
        _ => Ok(()),
    }
}

fn perform() -> io::Result<()> {
    sniff()
}

fn cannot() -> Option<String> {
    // A kernel that has rings need not have such an operation.
    ring::missing().or_else(|| {
        sniff().err().filter(|e| e.raw_os_error() == Some(libc::EINVAL)).map(|_| "rings make no sockets here".to_owned())
    })
}

fn seen(scene: &Scene) -> Result<(), String> {
    let packet = Domain(libc::AF_PACKET as u32);
    scene.tells("a packet socket", |p| matches!(p, Payload::Socket(s) if s.domain == packet && s.fd > 2))
}
