use lanner_core::event::Payload;
use std::io;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "sniffer",
    idea: "a packet socket, which hears and speaks below every connection",
    shows: "the socket",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let protocol = usize::from(3u16.to_be());
    sys::open(libc::SYS_socket, &[libc::AF_PACKET as usize, libc::SOCK_RAW as usize, protocol]).map(drop)
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells("a packet socket", |p| {
        matches!(p, Payload::Socket(s) if s.domain.0 == libc::AF_PACKET as u32 && s.socket_type.0 == libc::SOCK_RAW as u32)
    })
}
