//! What io_uring does with sockets is told as what the system calls do.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::ptr;

use lanner_core::event::{
    Attempt, Bind, BindAddress, Connect, Domain, Event, File, Payload, Socket, SocketType, Unix, UnixAct, UnixName,
};
use lanner_tests::ring::{ASYNC, Entry, Ring, SQPOLL};

use super::network::{address, in_own_network, sockaddr, socket, tcp};
use super::stage::{Stage, expect, file_id, helper, is_me, namespace, perform, stage};

/// `IORING_OP_*`.
pub(crate) const ACCEPT: u8 = 13;
pub(crate) const CONNECT: u8 = 16;
const SOCKET: u8 = 45;
const BIND: u8 = 56;
const LISTEN: u8 = 57;
/// `IORING_ACCEPT_MULTISHOT`.
pub(crate) const GOES_ON: u16 = 1;

/// Whether operations of rings on sockets are seen here; a word why, when not.
fn sees(stage: Stage) -> bool {
    let sees = stage.has("io_uring_complete (sockets)");
    if !sees {
        lanner_tests::not_here("this kernel does not tell when io_uring is done");
    }
    sees
}

fn ask(setup: u32, entry: Entry) -> i32 {
    Ring::new(1, setup).and_then(|mut ring| ring.ask(entry)).expect("a result")
}

pub(crate) fn unix_address(path: &Path) -> Vec<u8> {
    [&(libc::AF_UNIX as u16).to_ne_bytes(), path.as_os_str().as_bytes(), &[0]].concat()
}

/// An operation on a socket with an address.
pub(crate) fn with_address(operation: u8, socket: &OwnedFd, to: &[u8]) -> Entry {
    let (fd, off, addr) = (socket.as_raw_fd(), to.len() as u64, to.as_ptr() as u64);
    Entry { opcode: operation, fd, off, addr, ..Entry::default() }
}

fn bytes(of: &libc::sockaddr_in) -> &[u8] {
    // SAFETY: a plain struct without padding, for as long as it lives.
    unsafe { std::slice::from_raw_parts(ptr::from_ref(of).cast(), size_of_val(of)) }
}

fn told(life: &[Event]) -> Vec<&Unix> {
    life.iter().filter_map(|e| if let Payload::Unix(unix) = &e.payload { Some(unix.as_ref()) } else { None }).collect()
}

#[test]
fn a_unix_socket_that_a_ring_connects_to_is_told_as_by_the_call() {
    let Some(stage) = stage() else { return };
    if !sees(stage) {
        return;
    }
    for (setup, flags) in [(0, 0), (0, ASYNC), (SQPOLL, 0)] {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("docker.sock");
        let _listener = UnixListener::bind(&path).expect("bound");
        let mut command = helper("uring_sockets::calls_through_a_ring");
        command.env("CALL", &path).env("HOW", format!("{setup} {flags}"));
        let (_, life) = perform(stage, &mut command);
        let [connected] = told(&life)[..] else { panic!("told once: {life:?}") };
        let id = file_id(&path);
        assert!(connected.peer.is_some_and(is_me), "{connected:?}");
        assert_eq!(
            *connected,
            Unix {
                act: UnixAct::Connected,
                socket_type: SocketType(libc::SOCK_STREAM as u32),
                name: UnixName::Path(File::new(path.to_str().expect("a path"), id.dev, id.ino)),
                peer: connected.peer,
                asked: false,
                netns: namespace("self", "net"),
            }
        );
    }
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn calls_through_a_ring() {
    let how = std::env::var("HOW").expect("another test sets it");
    let (setup, flags) = how.split_once(' ').expect("two numbers");
    let path = std::env::var_os("CALL").expect("another test sets it");
    let socket = socket(libc::AF_UNIX, libc::SOCK_STREAM, 0).expect("a socket");
    let to = unix_address(Path::new(&path));
    let entry = Entry { flags: flags.parse().expect("a number"), ..with_address(CONNECT, &socket, &to) };
    assert_eq!(ask(setup.parse().expect("a number"), entry), 0);
}

#[test]
fn a_unix_socket_that_a_ring_cannot_connect_to_is_told_as_asked_for() {
    let Some(stage) = stage() else { return };
    if !sees(stage) {
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("dead-for-rings.sock");
    drop(UnixListener::bind(&path).expect("bound"));
    let socket = socket(libc::AF_UNIX, libc::SOCK_STREAM, 0).expect("a socket");
    assert_eq!(ask(0, with_address(CONNECT, &socket, &unix_address(&path))), -libc::ECONNREFUSED);
    let name = UnixName::Path(File { path: path.to_str().expect("a path").into(), ..File::default() });
    let (header, refused) = expect(stage, "it is refused", |e| match &e.payload {
        Payload::Unix(unix) if unix.name == name => Some((e.header, unix.as_ref().clone())),
        _ => None,
    });
    assert!(is_me(header.process));
    assert_eq!((refused.act, refused.asked), (UnixAct::Failed(libc::ECONNREFUSED as u32), true));
}

/// All that was told of connecting to an address.
fn attempts(stage: Stage, netns: u32, remote: SocketAddr) -> Vec<Connect> {
    let of = |e: &Event| match e.payload {
        Payload::Connect(c) if (c.flow.remote, c.flow.netns) == (remote, netns) => Some(c),
        _ => None,
    };
    stage.seen().iter().filter_map(of).collect()
}

#[test]
fn attempts_through_a_ring_that_fail_are_told_once_whether_or_not_a_packet_was_sent() {
    let Some(stage) = stage() else { return };
    if !sees(stage) {
        return;
    }
    in_own_network(|netns| {
        let (nowhere, refused) = (address([10, 77, 0, 1], 4021), address([127, 0, 0, 1], 4022));
        for (remote, errno) in
            [(nowhere, libc::ENETUNREACH), (refused, libc::ECONNREFUSED), (nowhere, libc::ENETUNREACH)]
        {
            assert_eq!(ask(0, with_address(CONNECT, &tcp(), bytes(&sockaddr(remote)))), -errno);
        }
        // Whatever comes after has its place behind all of it.
        let last = address([127, 0, 0, 1], 4023);
        drop(TcpStream::connect(last));
        let header = expect(stage, "all of it", |e| match e.payload {
            Payload::Connect(c) if (c.flow.remote, c.flow.netns) == (last, netns) => {
                matches!(c.attempt, Attempt::Failed(_)).then_some(e.header)
            }
            _ => None,
        });
        assert!(is_me(header.process));
        let what = |remote| attempts(stage, netns, remote).iter().map(|c| (c.attempt, c.asked)).collect::<Vec<_>>();
        let unsent = (Attempt::Failed(libc::ENETUNREACH as u32), true);
        assert_eq!(what(nowhere), [unsent, unsent], "no address but the caller's");
        let failed = (Attempt::Failed(libc::ECONNREFUSED as u32), false);
        assert_eq!(what(refused), [(Attempt::Started, false), failed]);
    });
}

#[test]
fn raw_sockets_that_a_ring_makes_are_told_and_everyday_ones_are_not() {
    let Some(stage) = stage() else { return };
    if !sees(stage) {
        return;
    }
    let (_, life) = perform(stage, &mut helper("uring_sockets::opens_through_a_ring"));
    let sockets: Vec<Socket> =
        life.iter().filter_map(|e| if let Payload::Socket(socket) = e.payload { Some(socket) } else { None }).collect();
    let [packet, refused] = sockets[..] else { panic!("two: {life:?}") };
    assert!(packet.fd > 2, "{packet:?}");
    let (domain, raw) = (Domain(libc::AF_PACKET as u32), SocketType(libc::SOCK_RAW as u32));
    assert_eq!(packet, Socket { domain, socket_type: raw, protocol: 0x0300, fd: packet.fd });
    assert_eq!(refused, Socket { protocol: 1, domain: Domain(libc::AF_INET as u32), fd: -libc::EPERM, ..packet });
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn opens_through_a_ring() {
    let open = |domain: i32, kind: i32, protocol: u32| {
        ask(0, Entry { opcode: SOCKET, fd: domain, off: kind as u64, len: protocol, ..Entry::default() })
    };
    assert!(open(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0x0300) > 2);
    assert!(open(libc::AF_INET, libc::SOCK_STREAM, 0) > 2);
    // SAFETY: no pointers.
    assert_eq!(unsafe { libc::setuid(65534) }, 0, "{}", io::Error::last_os_error());
    assert_eq!(open(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP as u32), -libc::EPERM);
}

#[test]
fn addresses_that_a_ring_gives_are_told_and_so_are_unix_sockets_that_listen_by_it() {
    let Some(stage) = stage() else { return };
    if !sees(stage) {
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("by-a-ring.sock");
    in_own_network(|netns| {
        let local = address([127, 0, 0, 1], 4024);
        let inet = tcp();
        let bound = ask(0, with_address(BIND, &inet, bytes(&sockaddr(local))));
        if bound == -libc::EINVAL {
            return lanner_tests::not_here("rings bind since Linux 6.11");
        }
        assert_eq!(bound, 0);
        let unix = socket(libc::AF_UNIX, libc::SOCK_STREAM, 0).expect("a socket");
        assert_eq!(ask(0, with_address(BIND, &unix, &unix_address(&path))), 0);
        let listen = |fd: &OwnedFd| Entry { opcode: LISTEN, fd: fd.as_raw_fd(), len: 1, ..Entry::default() };
        assert_eq!((ask(0, listen(&inet)), ask(0, listen(&unix))), (0, 0));

        let to = BindAddress::Inet { local, protocol: 6 };
        let (header, bind) = expect(stage, "it is bound", |e| match e.payload {
            Payload::Bind(bind) if (bind.netns, bind.to) == (netns, to) => Some((e.header, bind)),
            _ => None,
        });
        assert!(is_me(header.process));
        let (domain, stream) = (Domain(libc::AF_INET as u32), SocketType(libc::SOCK_STREAM as u32));
        assert_eq!(bind, Bind { domain, socket_type: stream, to, netns });
        let header = expect(stage, "it listens", |e| match e.payload {
            Payload::Listen(listen) if (listen.local, listen.netns) == (local, netns) => Some(e.header),
            _ => None,
        });
        assert!(is_me(header.process));
        let id = file_id(&path);
        let name = UnixName::Path(File::new(path.to_str().expect("a path"), id.dev, id.ino));
        let (header, listens) = expect(stage, "the other listens", |e| match &e.payload {
            Payload::Unix(unix) if unix.name == name => Some((e.header, unix.as_ref().clone())),
            _ => None,
        });
        assert!(is_me(header.process));
        assert_eq!((listens.act, listens.peer, listens.netns), (UnixAct::Listening, None, netns));
        drop(UnixStream::connect(&path).expect("connects"));
    });
}

/// Accepts through a ring, closes what was accepted, and expects to be told of both.
fn accepts(priority: u16) {
    let Some(stage) = stage() else { return };
    if !sees(stage) {
        return;
    }
    in_own_network(|netns| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let local = listener.local_addr().expect("its address");
        let client = TcpStream::connect(local).expect("connects");
        let remote = client.local_addr().expect("its address");
        let mut ring = Ring::new(1, 0).expect("a ring");
        let entry = Entry { opcode: ACCEPT, priority, fd: listener.as_raw_fd(), ..Entry::default() };
        let fd = ring.ask(entry).expect("a result");
        assert!(fd > 2, "{fd}");
        // SAFETY: just made, and owned by nobody else.
        drop(unsafe { OwnedFd::from_raw_fd(fd) });
        let (header, flow) = expect(stage, "it is accepted", |e| match e.payload {
            Payload::Accept(a) if (a.flow.local, a.flow.remote, a.flow.netns) == (local, remote, netns) => {
                Some((e.header, a.flow))
            }
            _ => None,
        });
        assert!(is_me(header.process) && header.tid != 0);
        drop(client);
        let (header, close) = expect(stage, "it is closed", |e| match e.payload {
            Payload::Close(close) if close.flow == flow => Some((e.header, close)),
            _ => None,
        });
        assert!(is_me(header.process));
        assert_eq!(close.outgoing, Some(false));
    });
}

#[test]
fn a_connection_that_a_ring_accepts_has_an_owner() {
    accepts(0);
}

#[test]
fn a_connection_that_a_ring_accepts_as_one_of_many_has_an_owner_when_it_is_closed() {
    accepts(GOES_ON);
}
