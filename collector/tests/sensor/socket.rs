//! Sockets of kinds worth knowing, and addresses given to sockets.

use std::io;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsRawFd;

use lanner_core::event::{Bind, BindAddress, Domain, Event, Payload, Socket, SocketType};

use super::network::{in_own_network, socket};
use super::stage::{expect, helper, is_me, namespace, perform, stage};

const ETH_P_ALL: i32 = 0x0300;

fn asked(life: &[Event]) -> Vec<Socket> {
    life.iter().filter_map(|e| if let Payload::Socket(socket) = e.payload { Some(socket) } else { None }).collect()
}

fn bound(life: &[Event]) -> Vec<Bind> {
    life.iter().filter_map(|e| if let Payload::Bind(bind) = e.payload { Some(bind) } else { None }).collect()
}

#[test]
fn raw_and_packet_sockets_are_told_and_everyday_ones_are_not() {
    let Some(stage) = stage() else { return };
    let (_, life) = perform(stage, &mut helper("socket::opens_all_kinds"));
    let told: Vec<_> =
        asked(&life).iter().map(|s| (s.domain.to_string(), s.socket_type.to_string(), s.protocol, s.fd > 2)).collect();
    let expected = [
        ("AF_PACKET", "SOCK_RAW", ETH_P_ALL as u32),
        ("AF_PACKET", "SOCK_DGRAM", 0),
        ("AF_INET", "SOCK_RAW", 1),
        ("AF_INET6", "SOCK_RAW", 58),
    ];
    assert_eq!(told, expected.map(|(domain, kind, protocol)| (domain.to_owned(), kind.to_owned(), protocol, true)));
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn opens_all_kinds() {
    let open = |domain, kind, protocol| socket(domain, kind, protocol).expect("a socket");
    let _held = [
        open(libc::AF_PACKET, libc::SOCK_RAW, ETH_P_ALL),
        open(libc::AF_INET, libc::SOCK_STREAM, 0),
        open(libc::AF_PACKET, libc::SOCK_DGRAM, 0),
        open(libc::AF_INET, libc::SOCK_DGRAM, 0),
        open(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP),
        open(libc::AF_UNIX, libc::SOCK_STREAM, 0),
        open(libc::AF_NETLINK, libc::SOCK_RAW, 0),
        open(libc::AF_INET6, libc::SOCK_RAW, libc::IPPROTO_ICMPV6),
    ];
}

#[test]
fn what_is_not_allowed_is_told_with_its_error() {
    let Some(stage) = stage() else { return };
    let (_, life) = perform(stage, &mut helper("socket::opens_as_nobody"));
    let [refused] = asked(&life)[..] else { panic!("one socket: {life:?}") };
    let packet = Domain(libc::AF_PACKET as u32);
    let raw = SocketType(libc::SOCK_RAW as u32);
    assert_eq!(refused, Socket { domain: packet, socket_type: raw, protocol: 0, fd: -libc::EPERM });
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn opens_as_nobody() {
    // SAFETY: no pointers.
    assert_eq!(unsafe { libc::setuid(65534) }, 0);
    let refused = socket(libc::AF_PACKET, libc::SOCK_RAW, 0).expect_err("not allowed");
    assert_eq!(refused.raw_os_error(), Some(libc::EPERM));
}

#[test]
fn the_interface_that_a_packet_socket_watches_is_told() {
    let Some(stage) = stage() else { return };
    in_own_network(|netns| {
        let packet_family = Domain(libc::AF_PACKET as u32);
        let packet = socket(libc::AF_PACKET, libc::SOCK_RAW, 0).expect("a socket");
        let to = libc::sockaddr_ll {
            sll_family: libc::AF_PACKET as u16,
            sll_protocol: ETH_P_ALL as u16,
            sll_ifindex: 1,
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        };
        // SAFETY: the pointer is to a live address of the size given.
        let result =
            unsafe { libc::bind(packet.as_raw_fd(), (&raw const to).cast(), size_of_val(&to) as libc::socklen_t) };
        assert_eq!(result, 0, "{}", io::Error::last_os_error());
        let (header, bind) = expect(stage, "it is bound", |e| match e.payload {
            Payload::Bind(bind) if bind.netns == netns && bind.domain == packet_family => Some((e.header, bind)),
            _ => None,
        });
        assert!(is_me(header.process));
        let expected = Bind {
            domain: packet_family,
            socket_type: SocketType(libc::SOCK_RAW as u32),
            to: BindAddress::Packet { interface: 1, protocol: 3 },
            netns,
        };
        assert_eq!(bind, expected);
    });
}

#[test]
fn the_port_is_the_one_that_the_kernel_chose() {
    let Some(stage) = stage() else { return };
    let (_, life) = perform(stage, &mut helper("socket::binds"));
    let told = bound(&life);
    let netns = namespace("self", "net");
    let [tcp, udp] = told[..] else { panic!("two: {told:?}") };
    let inet = Domain(libc::AF_INET as u32);
    let BindAddress::Inet { local, protocol: 6 } = tcp.to else { panic!("TCP: {tcp:?}") };
    assert!(local.ip().is_loopback() && local.port() != 0, "{local}");
    let stream = SocketType(libc::SOCK_STREAM as u32);
    assert_eq!(tcp, Bind { domain: inet, socket_type: stream, to: tcp.to, netns });
    let BindAddress::Inet { local, protocol: 17 } = udp.to else { panic!("UDP: {udp:?}") };
    assert!(local.ip().is_loopback() && local.port() != 0, "{local}");
    assert_eq!(udp.socket_type, SocketType(libc::SOCK_DGRAM as u32));
}

/// The second UDP socket takes one of the kernel's ports again: a resolver does nothing else all day.
#[test]
#[ignore = "what another test runs as a process of its own"]
fn binds() {
    let tcp = TcpListener::bind("127.0.0.1:0").expect("bound");
    let udp = [0, 1].map(|_| UdpSocket::bind("127.0.0.1:0").expect("bound"));
    assert_ne!(udp[0].local_addr().expect("bound").port(), udp[1].local_addr().expect("bound").port());
    drop(tcp);
}
