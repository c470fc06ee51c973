//! Network sockets that become standard descriptors.

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd as _;

use lanner_core::event::{Call, Event, Family, Payload, Stdio, StdioChange, StdioKind};

use super::stage::{after, done, perform, stage};

fn changes(life: &[Event]) -> Vec<StdioChange> {
    life.iter().filter_map(|e| if let Payload::Stdio(change) = e.payload { Some(change) } else { None }).collect()
}

fn inode(of: &impl std::os::fd::AsRawFd) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(format!("/proc/self/fd/{}", of.as_raw_fd())).expect("a descriptor").ino()
}

#[test]
fn a_socket_on_a_standard_descriptor_is_told_with_its_peer() {
    let Some(stage) = stage() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let socket = TcpStream::connect(listener.local_addr().expect("its address")).expect("connects");
    let (fd, other) = (socket.as_raw_fd(), listener.as_raw_fd());
    let (_, life) = perform(
        stage,
        &mut after(move || {
            // SAFETY: calls that take numbers.
            unsafe {
                done(libc::dup2(fd, 1).into())?;
                done(libc::dup3(fd, 2, 0).into())?;
                libc::close(0);
                done(libc::dup(fd).into())?;
                libc::close(2);
                done(libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 1).into())?;
                // Elsewhere, and something else: no news.
                done(libc::fcntl(fd, libc::F_DUPFD, 100).into())?;
                done(libc::dup2(fd, 101).into())?;
                let mut pipe = [0; 2];
                done(libc::pipe(pipe.as_mut_ptr()).into())?;
                done(libc::dup2(pipe[1], 1).into())?;
                // Listens only: it has no peer.
                done(libc::dup2(other, 0).into())?;
            }
            Ok(())
        }),
    );
    let leads_to =
        Stdio { kind: StdioKind::Socket, ino: inode(&socket), peer: Some(socket.peer_addr().expect("a peer")) };
    let change = |name, fd| StdioChange { call: Call::of(Family::Stdio, name).expect("a call"), fd, leads_to };
    let listens = Stdio { ino: inode(&listener), peer: None, ..leads_to };
    let expected = [
        change("dup2", 1),
        change("dup3", 2),
        change("dup", 0),
        change("fcntl", 2),
        StdioChange { leads_to: listens, ..change("dup2", 0) },
    ];
    assert_eq!(changes(&life), expected);
}

#[test]
fn datagrams_have_peers_too() {
    let Some(stage) = stage() else { return };
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let peer = socket.local_addr().expect("its address");
    socket.connect(peer).expect("to itself");
    let fd = socket.as_raw_fd();
    // SAFETY: a call that takes numbers.
    let (_, life) = perform(stage, &mut after(move || unsafe { done(libc::dup2(fd, 0).into()).map(|_| ()) }));
    let [change] = changes(&life)[..] else { panic!("one change: {life:?}") };
    assert_eq!((change.fd, change.leads_to.peer), (0, Some(peer)));
}
