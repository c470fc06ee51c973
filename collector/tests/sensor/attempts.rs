//! Connections that do not come about: which errors are told, and what was tried.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::Duration;

use lanner_core::event::{Attempt, Connect, Header, Payload};

use super::network::{
    TRIES, address, apart, bind, connect, give_up_after, in_own_network, ip, never_waits, send_to, set,
    silent_neighbour, tcp,
};
use super::stage::{Stage, expect, is_me, stage};

/// What is told of attempts to reach `remote` from this network, until it has failed.
fn until_failed(stage: Stage, netns: u32, remote: SocketAddr) -> (Header, Connect) {
    until_one_failed(stage, netns, &[remote])
}

fn until_one_failed(stage: Stage, netns: u32, remotes: &[SocketAddr]) -> (Header, Connect) {
    expect(stage, &format!("{remotes:?} could not be reached"), |e| match e.payload {
        Payload::Connect(c) if remotes.contains(&c.flow.remote) && c.flow.netns == netns => {
            matches!(c.attempt, Attempt::Failed(_)).then_some((e.header, c))
        }
        _ => None,
    })
}

/// An attempt that nobody waits for.
fn begin(remote: SocketAddr) -> OwnedFd {
    let socket = tcp();
    never_waits(&socket);
    give_up_after(&socket, Duration::from_millis(100));
    assert_eq!(connect(&socket, remote), libc::EINPROGRESS);
    socket
}

fn started(stage: Stage, netns: u32, remote: SocketAddr) -> Option<Connect> {
    stage.seen().iter().find_map(|e| match e.payload {
        Payload::Connect(c) if c.flow.remote == remote && c.flow.netns == netns && c.attempt == Attempt::Started => {
            Some(c)
        }
        _ => None,
    })
}

/// Connects to an address that no packet can be sent to, and expects to be told so.
fn fails_before_a_packet(prepare: &[&str], remote: SocketAddr, errno: i32) {
    let Some(stage) = stage() else { return };
    in_own_network(|netns| {
        prepare.iter().for_each(|command| ip(command));
        assert_eq!(connect(&tcp(), remote), errno);
        let (header, failed) = until_failed(stage, netns, remote);
        assert!(is_me(header.process) && header.tid != header.process.pid, "{header:?}");
        assert_eq!(failed.attempt, Attempt::Failed(errno as u32));
        assert!(failed.asked, "no address but the caller's");
        assert_eq!(started(stage, netns, remote), None, "it never began");
    });
}

#[test]
fn where_no_route_leads_nothing_is_sent_and_that_is_told() {
    fails_before_a_packet(&[], address([10, 77, 0, 1], 4001), libc::ENETUNREACH);
}

#[test]
fn a_forbidden_route_is_told() {
    fails_before_a_packet(&["route add prohibit 10.77.0.2/32"], address([10, 77, 0, 2], 4002), libc::EACCES);
}

#[test]
fn an_unreachable_route_is_told() {
    fails_before_a_packet(&["route add unreachable 10.77.0.3/32"], address([10, 77, 0, 3], 4003), libc::EHOSTUNREACH);
}

#[test]
fn a_broadcast_address_is_told_as_asked_for() {
    fails_before_a_packet(&["addr add 10.77.4.1/24 dev lo"], address([10, 77, 4, 255], 4004), libc::ENETUNREACH);
}

#[test]
fn when_no_port_is_left_the_call_says_what_the_socket_does_not() {
    let Some(stage) = stage() else { return };
    in_own_network(|netns| {
        let listener = TcpListener::bind("127.0.0.1:45999").expect("a port");
        let remote = listener.local_addr().expect("its address");
        fs::write("/proc/sys/net/ipv4/ip_local_port_range", "45100 45100").expect("one port for all");
        let first = tcp();
        assert_eq!(connect(&first, remote), 0);
        assert_eq!(connect(&tcp(), remote), libc::EADDRNOTAVAIL);
        let (header, failed) = until_failed(stage, netns, remote);
        assert!(is_me(header.process) && header.tid != 0);
        assert_eq!(failed.attempt, Attempt::Failed(libc::EADDRNOTAVAIL as u32));
        assert!(!failed.asked, "the kernel had taken the address for its own");
    });
}

#[test]
fn what_nobody_answers_times_out() {
    let Some(stage) = stage() else { return };
    in_own_network(|netns| {
        silent_neighbour();
        let remote = address([10, 77, 9, 2], 4005);
        // One SYN, and one second.
        let _others: Vec<_> = (1..TRIES).map(|_| (begin(remote), apart())).collect();
        let socket = tcp();
        give_up_after(&socket, Duration::from_millis(100));
        assert_eq!(connect(&socket, remote), libc::ETIMEDOUT);
        let (header, failed) = until_failed(stage, netns, remote);
        assert!(is_me(header.process));
        let began = stage.seen().into_iter().any(|e| match e.payload {
            Payload::Connect(c) => c.flow.id == failed.flow.id && c.attempt == Attempt::Started,
            _ => false,
        });
        assert!(began, "its beginning is told: {failed:?}");
        assert_eq!((failed.attempt, failed.asked), (Attempt::Failed(libc::ETIMEDOUT as u32), false));
        assert_eq!(failed.flow.local.ip(), address([10, 77, 9, 1], 0).ip());
    });
}

#[test]
fn a_neighbour_that_is_not_there_is_unreachable() {
    let Some(stage) = stage() else { return };
    in_own_network(|netns| {
        silent_neighbour();
        fs::write("/proc/sys/net/ipv4/neigh/v0/retrans_time_ms", "20").expect("ask quickly");
        // The clock gives up each neighbour by itself.
        let remotes: Vec<_> = (3..3 + TRIES).map(|last| address([10, 77, 9, last], 4006)).collect();
        let _others: Vec<_> = remotes[1..].iter().map(|remote| (begin(*remote), apart())).collect();
        assert_eq!(connect(&tcp(), remotes[0]), libc::EHOSTUNREACH);
        let (_, failed) = until_one_failed(stage, netns, &remotes);
        assert_eq!(failed.attempt, Attempt::Failed(libc::EHOSTUNREACH as u32));
        assert!(!failed.asked);
    });
}

#[test]
fn giving_up_is_told_without_an_error() {
    let Some(stage) = stage() else { return };
    in_own_network(|netns| {
        silent_neighbour();
        let remote = address([10, 77, 9, 2], 4007);
        let socket = tcp();
        never_waits(&socket);
        assert_eq!(connect(&socket, remote), libc::EINPROGRESS);
        drop(socket);
        let (_, failed) = until_failed(stage, netns, remote);
        assert_eq!((failed.attempt, failed.asked), (Attempt::Failed(0), false));
    });
}

/// A second connect on a socket that does not block asks how the first one went: one attempt, told once.
#[test]
fn asking_how_it_went_is_no_attempt() {
    let Some(stage) = stage() else { return };
    in_own_network(|netns| {
        let remote = address([127, 0, 0, 1], 4008);
        let socket = tcp();
        never_waits(&socket);
        assert_eq!(connect(&socket, remote), libc::EINPROGRESS);
        let mut refused = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
        // SAFETY: one live structure. The answer may be on its way still.
        assert_eq!(unsafe { libc::poll(&raw mut refused, 1, -1) }, 1);
        assert_eq!(connect(&socket, remote), libc::ECONNREFUSED);
        until_failed(stage, netns, remote);
        // Whatever comes after has its place behind all of it.
        let last = address([127, 0, 0, 1], 4009);
        connect(&tcp(), last);
        until_failed(stage, netns, last);
        let told = stage.seen();
        let told = told.iter().filter(|e| match e.payload {
            Payload::Connect(c) => c.flow.remote == remote && c.flow.netns == netns,
            _ => false,
        });
        assert_eq!(told.count(), 2, "begun and failed");
    });
}

#[test]
fn data_sent_with_the_first_packet_connects_too() {
    let Some(stage) = stage() else { return };
    in_own_network(|netns| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let remote = listener.local_addr().expect("its address");
        let socket = tcp();
        assert_eq!(send_to(&socket, b"hello", remote), 0);
        let (mut accepted, _) = listener.accept().expect("accepted");
        let mut buffer = [0; 5];
        accepted.read_exact(&mut buffer).expect("read");
        let (header, connected) = expect(stage, "it connects", |e| match e.payload {
            Payload::Connect(c)
                if c.flow.remote == remote && c.flow.netns == netns && c.attempt == Attempt::Established =>
            {
                Some((e.header, c))
            }
            _ => None,
        });
        assert!(is_me(header.process));
        assert_eq!(started(stage, netns, remote).map(|c| c.flow.id), Some(connected.flow.id));
    });
}

#[test]
fn a_connection_that_waits_for_its_first_data_is_told() {
    let Some(stage) = stage() else { return };
    in_own_network(|netns| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let remote = listener.local_addr().expect("its address");
        let socket = tcp();
        set(&socket, libc::IPPROTO_TCP, libc::TCP_FASTOPEN_CONNECT, 1);
        assert_eq!(connect(&socket, remote), 0);
        let mut stream = TcpStream::from(socket);
        stream.write_all(b"x").expect("sent");
        expect(stage, "it connects", |e| match e.payload {
            Payload::Connect(c) if c.flow.remote == remote && c.flow.netns == netns => {
                (c.attempt == Attempt::Established && is_me(e.header.process)).then_some(())
            }
            _ => None,
        });
    });
}

/// The address that a socket is bound to says where it would have come from.
#[test]
fn a_bound_socket_says_from_where() {
    let Some(stage) = stage() else { return };
    in_own_network(|netns| {
        let (local, remote) = (address([127, 0, 0, 7], 4710), address([10, 77, 0, 8], 4010));
        let socket = tcp();
        assert_eq!(bind(&socket, local), 0);
        assert_ne!(connect(&socket, remote), 0);
        let (_, failed) = until_failed(stage, netns, remote);
        assert_eq!((failed.flow.local, failed.asked), (local, true));
    });
}
