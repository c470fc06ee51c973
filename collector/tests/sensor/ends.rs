//! How connections end that are not simply closed, and how far those have got that live.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use lanner_collector::sensor::SensorConfig;
use lanner_core::event::{Close, End, Flow, Payload, Quality, Traffic};

use super::network::{TRIES, apart, drop_all, give_up_after, in_own_network, reset_on_close, until_acknowledged};
use super::stage::{PATIENCE, Stage, config, expect, is_me, sensor, stage};

/// Both ends of a new connection.
fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let client = TcpStream::connect(listener.local_addr().expect("its address")).expect("connects");
    (client, listener.accept().expect("accepts").0)
}

fn local(stream: &TcpStream) -> SocketAddr {
    stream.local_addr().expect("its own address")
}

/// Numbers of networks are used again, and very many connections are made in some: both ends tell which it is.
fn closed(stage: Stage, netns: u32, local: SocketAddr, remote: SocketAddr) -> Close {
    expect(stage, &format!("{local} closed"), |e| match e.payload {
        Payload::Close(c) if (c.flow.local, c.flow.remote, c.flow.netns) == (local, remote, netns) => Some(c),
        _ => None,
    })
}

#[test]
fn a_reset_is_told_as_such_at_both_ends() {
    let Some(stage) = stage() else { return };
    in_own_network(|netns| {
        let (client, mut server) = pair();
        let (here, there) = (local(&client), local(&server));
        reset_on_close(&client);
        drop(client);
        assert_eq!(server.read(&mut [0; 1]).expect_err("reset").raw_os_error(), Some(libc::ECONNRESET));
        assert_eq!(closed(stage, netns, here, there).end, End::Aborted);
        assert_eq!(closed(stage, netns, there, here).end, End::Reset);
    });
}

#[test]
fn what_was_not_read_breaks_the_connection_off() {
    let Some(stage) = stage() else { return };
    in_own_network(|netns| {
        let (client, mut server) = pair();
        let (here, there) = (local(&client), local(&server));
        server.write_all(b"unheard").expect("sent");
        // It has come when it can be looked at.
        client.peek(&mut [0; 1]).expect("come");
        drop(client);
        assert_eq!(server.read(&mut [0; 1]).expect_err("reset").raw_os_error(), Some(libc::ECONNRESET));
        assert_eq!(closed(stage, netns, here, there).end, End::Aborted);
        let there = closed(stage, netns, there, here);
        assert_eq!((there.end, there.sent, there.outgoing), (End::Reset, 7, Some(false)));
    });
}

#[test]
fn a_connection_that_is_cut_times_out_and_says_what_it_sent_again() {
    let Some(stage) = stage() else { return };
    in_own_network(|netns| {
        let cut = || {
            let (mut client, server) = pair();
            give_up_after(&client, Duration::from_millis(700));
            drop_all(&server);
            client.write_all(b"into the void").expect("taken");
            apart();
            (client, server)
        };
        let mut cut: Vec<_> = (0..TRIES).map(|_| cut()).collect();
        for (client, _) in &mut cut {
            assert_eq!(client.read(&mut [0; 1]).expect_err("cut").raw_os_error(), Some(libc::ETIMEDOUT));
        }
        let ends: Vec<_> = cut.iter().map(|(client, server)| (local(client), local(server))).collect();
        let closed = expect(stage, "one of them is cut", |e| match e.payload {
            Payload::Close(c) if c.flow.netns == netns && ends.contains(&(c.flow.local, c.flow.remote)) => Some(c),
            _ => None,
        });
        assert_eq!((closed.end, closed.sent), (End::TimedOut, 0), "nothing was acknowledged");
        let quality = closed.quality;
        assert!(quality.retransmits > 0 && quality.retransmitted == 13 * u64::from(quality.retransmits), "{closed:?}");
    });
}

#[test]
fn a_connection_that_lives_long_tells_how_far_it_has_got() {
    let every = Duration::from_millis(50);
    let Some(mut sensor) = sensor(&SensorConfig { traffic_every: every, ..config() }) else { return };
    in_own_network(|netns| {
        let (mut client, mut server) = pair();
        let (here, there) = (local(&client), local(&server));
        client.write_all(&[b'x'; 10_000]).expect("sent");
        server.read_exact(&mut [0; 10_000]).expect("read");
        server.write_all(b"thanks").expect("sent");
        client.read_exact(&mut [0; 6]).expect("read");
        until_acknowledged(&client);
        until_acknowledged(&server);
        let mut events = Vec::new();
        let mut until = |count: usize, from: SocketAddr| -> Vec<(Traffic, bool)> {
            let begun = Instant::now();
            loop {
                sensor.drain(&mut events);
                let told = events.iter().filter_map(|e| match e.payload {
                    Payload::Traffic(t) if t.flow.local == from && t.flow.netns == netns => {
                        Some((t, is_me(e.header.process)))
                    }
                    _ => None,
                });
                let told: Vec<_> = told.collect();
                if told.len() >= count {
                    return told;
                }
                assert!(begun.elapsed() < PATIENCE, "told {} times", told.len());
                sensor.wait(Duration::from_millis(4)).expect("waits");
            }
        };
        let (first, mine) = until(1, here)[0];
        assert!(mine);
        assert!(first.lasted >= every && first.quality.rtt > Duration::ZERO && first.quality.rtt_min > Duration::ZERO);
        let expected = |told: Traffic, outgoing: bool, sent, received| Traffic {
            flow: Flow {
                id: told.flow.id,
                local: if outgoing { here } else { there },
                remote: if outgoing { there } else { here },
                netns,
            },
            outgoing: Some(outgoing),
            sent,
            received,
            quality: Quality { retransmits: 0, retransmitted: 0, ..told.quality },
            lasted: told.lasted,
        };
        assert_eq!(first, expected(first, true, 10_000, 6));
        let (other, mine) = until(1, there)[0];
        assert!(mine);
        assert_eq!(other, expected(other, false, 6, 10_000));
        assert_ne!(other.flow.id, first.flow.id);

        // What does not move is not told again: the next is told with what moved since.
        client.write_all(b"more").expect("sent");
        server.read_exact(&mut [0; 4]).expect("read");
        let told = until(2, here);
        assert_eq!((told.len(), told[1].0.sent, told[1].0.flow), (2, 10_004, first.flow));
    });
}
