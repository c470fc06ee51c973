//! TCP connections, over loopback.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use lanner_core::event::{Accept, Attempt, Close, Connect, End, Event, Flow, Header, Listen, Payload, Quality};

use super::network::{address, in_own_network};
use super::stage::{Stage, expect, is_me, namespace, stage};

/// Other tests have networks of their own, with the same addresses in them.
fn is_mine(flow: &Flow) -> bool {
    flow.netns == namespace("self", "net")
}

fn connect(stage: Stage, remote: SocketAddr, wanted: fn(Attempt) -> bool) -> (Header, Connect) {
    expect(stage, &format!("a connection to {remote}"), |e| match e.payload {
        Payload::Connect(c) if c.flow.remote == remote && wanted(c.attempt) && is_mine(&c.flow) => Some((e.header, c)),
        _ => None,
    })
}

fn close(stage: Stage, local: SocketAddr, remote: SocketAddr) -> (Header, Close) {
    expect(stage, &format!("{local} - {remote} closed"), |e: &Event| match e.payload {
        Payload::Close(c) if c.flow.local == local && c.flow.remote == remote && is_mine(&c.flow) => {
            Some((e.header, c))
        }
        _ => None,
    })
}

/// Both ends' whole lives: 5 bytes one way, 3 the other; the end that connected closes first or last.
fn converse(bind: &str, client_first: bool) {
    let Some(stage) = stage() else { return };
    let listener = TcpListener::bind(bind).expect("a port");
    let server = listener.local_addr().expect("its address");
    let mut out = TcpStream::connect(server).expect("connects");
    let (mut accepted, client) = listener.accept().expect("accepts");
    let mut buffer = [0; 16];
    out.write_all(b"hello").expect("sent");
    assert_eq!(accepted.read(&mut buffer).expect("read"), 5);
    accepted.write_all(b"yes").expect("sent");
    assert_eq!(out.read(&mut buffer).expect("read"), 3);
    let (first, mut second) = if client_first { (out, accepted) } else { (accepted, out) };
    first.shutdown(Shutdown::Write).expect("closes");
    assert_eq!(second.read(&mut buffer).expect("read"), 0, "the end");
    drop(second);
    drop(first);

    let netns = namespace("self", "net");
    let listen = expect(stage, "it listens", |e| match e.payload {
        Payload::Listen(l) if l.local == server && l.netns == netns => Some((e.header, l)),
        _ => None,
    });
    assert!(is_me(listen.0.process));
    assert_eq!(listen.1, Listen { local: server, netns });

    let (header, started) = connect(stage, server, |a| a == Attempt::Started);
    assert!(is_me(header.process) && header.tid != 0);
    let flow = Flow { id: started.flow.id, local: client, remote: server, netns };
    // Its port is chosen after that.
    let local = SocketAddr::new(client.ip(), 0);
    assert_eq!(started, Connect { flow: Flow { local, ..flow }, attempt: Attempt::Started, asked: false });
    let (header, established) = connect(stage, server, |a| a == Attempt::Established);
    assert!(is_me(header.process), "{header:?}");
    assert_eq!(established, Connect { flow, attempt: Attempt::Established, asked: false });

    let (header, accept) = expect(stage, "it accepts", |e| match e.payload {
        Payload::Accept(a) if (a.flow.local, a.flow.remote) == (server, client) && is_mine(&a.flow) => {
            Some((e.header, a))
        }
        _ => None,
    });
    assert!(is_me(header.process));
    assert_eq!(accept, Accept { flow: Flow { id: accept.flow.id, local: server, remote: client, netns } });
    assert_ne!(accept.flow.id, started.flow.id, "each end is a flow of its own");

    let (header, closed) = close(stage, client, server);
    assert!(is_me(header.process));
    let measured = |closed: &Close| {
        let (quality, lasted) = (closed.quality, closed.lasted);
        assert!(quality.rtt > Duration::ZERO && quality.rtt < Duration::from_secs(1), "{closed:?}");
        assert!(quality.rtt_min > Duration::ZERO && quality.rtt_min < Duration::from_secs(1), "{closed:?}");
        assert!(lasted > Duration::ZERO && lasted < Duration::from_secs(60), "{closed:?}");
        Quality { retransmits: 0, retransmitted: 0, rtt: quality.rtt, rtt_min: quality.rtt_min }
    };
    let (end, lasted) = (End::Finished, closed.lasted);
    let quality = measured(&closed);
    let expected = Close { flow, outgoing: Some(true), sent: 5, received: 3, quality, end, lasted };
    assert_eq!(closed, expected);
    let (header, closed) = close(stage, server, client);
    assert!(is_me(header.process));
    let (quality, lasted) = (measured(&closed), closed.lasted);
    let expected = Close { flow: accept.flow, outgoing: Some(false), sent: 3, received: 5, quality, end, lasted };
    assert_eq!(closed, expected);
}

#[test]
fn a_connection_is_told_from_both_ends_when_the_client_closes_first() {
    converse("127.0.0.1:0", true);
}

#[test]
fn a_connection_is_told_from_both_ends_when_the_server_closes_first() {
    converse("127.0.0.1:0", false);
}

#[test]
fn connections_over_ipv6_are_told_too() {
    if TcpListener::bind("[::1]:0").is_err() {
        lanner_tests::not_run("no IPv6 on the loopback interface");
        return;
    }
    converse("[::1]:0", true);
}

#[test]
fn ipv4_through_an_ipv6_socket_is_told_as_ipv4() {
    let Some(stage) = stage() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let server = listener.local_addr().expect("its address");
    let mapped = match server.ip() {
        IpAddr::V4(ip) => SocketAddr::new(IpAddr::V6(ip.to_ipv6_mapped()), server.port()),
        IpAddr::V6(_) => unreachable!(),
    };
    let Ok(out) = TcpStream::connect(mapped) else {
        lanner_tests::not_run("no IPv6");
        return;
    };
    let (_, established) = connect(stage, server, |a| a == Attempt::Established);
    assert_eq!(
        established.flow.local,
        SocketAddr::new(
            out.local_addr().expect("its own").ip().to_canonical(),
            out.local_addr().expect("its own").port()
        )
    );
    assert_ne!(established.flow.local.ip(), IpAddr::V6(Ipv6Addr::LOCALHOST));
}

#[test]
fn a_refused_connection_says_why() {
    let Some(stage) = stage() else { return };
    // Where nobody else is who could listen.
    in_own_network(|netns| {
        let remote = address([127, 0, 0, 1], 4011);
        TcpStream::connect(remote).expect_err("nobody listens");
        let attempt = |what: &str, wanted: fn(Attempt) -> bool| {
            expect(stage, what, |e| match e.payload {
                Payload::Connect(c) if (c.flow.remote, c.flow.netns) == (remote, netns) && wanted(c.attempt) => {
                    Some((e.header, c))
                }
                _ => None,
            })
        };
        let (header, failed) = attempt("it is refused", |a| matches!(a, Attempt::Failed(_)));
        assert!(is_me(header.process));
        let (_, started) = attempt("it is tried", |a| a == Attempt::Started);
        let local = failed.flow.local;
        assert!(local.ip() == started.flow.local.ip() && local.port() != 0, "{failed:?}");
        let flow = Flow { id: started.flow.id, local, remote, netns };
        assert_eq!(failed, Connect { flow, attempt: Attempt::Failed(111), asked: false });
    });
}
