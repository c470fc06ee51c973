//! Very many connections at once.
//!
//! What the kernel skips is counted, and more than that must not be missing. But a kernel can be built to run no program
//! while a process of its makers' choosing is current, and of what an interrupt brings to that one nothing is told nor counted
//! (docs/events.md, "Under load"): up to one in fifty of the changes that the clock brings, a few in ten thousand of the others.
//! The kernels of `cargo xtask vm` hide nothing.

use std::collections::HashSet;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lanner_core::event::{Attempt, Event, Flow, Payload};

use super::alone;
use super::network::{address, connect, give_up_after, in_own_network, silent_neighbour, socket};
use super::stage::{Ends, PATIENCE, config, sensor, skipped};

/// The clock ends attempts that nobody answers, wherever it interrupts the processor: also in the midst of what is told of
/// another connection, when the kernel does not run the same program again.
#[test]
fn attempts_that_the_clock_ends_amid_others_are_told() {
    const SILENT: usize = 400;
    let _alone = alone();
    let Some(mut sensor) = sensor(&config()) else { return };
    in_own_network(|netns| {
        silent_neighbour();
        let remote = address([10, 77, 9, 2], 4100);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let there = listener.local_addr().expect("its address");
        let done = AtomicBool::new(false);
        let mut events = Vec::new();
        let mut losses = Vec::new();
        let (failed, begun) = std::thread::scope(|scope| {
            let _ends = Ends { done: &done, accepts_at: Some(there) };
            for _ in 0..2 {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        drop(TcpStream::connect(there));
                    }
                });
            }
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    drop(listener.accept());
                }
            });
            let attempts: Vec<_> = (0..SILENT)
                .map(|_| {
                    losses.extend(sensor.drain(&mut events));
                    let socket = socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_NONBLOCK, 0).expect("a socket");
                    give_up_after(&socket, Duration::from_millis(100));
                    let begun = connect(&socket, remote) == libc::EINPROGRESS;
                    // The clock ends together what began together: each is to be an interruption of its own.
                    std::thread::park_timeout(Duration::from_millis(4));
                    (socket, begun)
                })
                .collect();
            let began = attempts.iter().all(|(_, begun)| *begun);
            let begun = Instant::now();
            let mut failed = HashSet::new();
            while failed.len() + skipped(&losses) + hidden(SILENT / 25) < SILENT && begun.elapsed() < PATIENCE {
                losses.extend(sensor.drain(&mut events));
                failed.extend(events.drain(..).filter_map(|e| match e.payload {
                    Payload::Connect(c) if c.flow.netns == netns && c.flow.remote == remote => {
                        (c.attempt == Attempt::Failed(libc::ETIMEDOUT as u32)).then_some(c.flow.id)
                    }
                    _ => None,
                }));
                sensor.wait(Duration::from_millis(4)).expect("waits");
            }
            (failed.len(), began)
        });
        losses.extend(sensor.flush(&mut events));
        let skipped = skipped(&losses);
        assert!(begun, "nobody answers at once");
        assert!(
            failed <= SILENT && failed + skipped + hidden(SILENT / 25) >= SILENT,
            "{failed} of {SILENT}, {skipped} runs were skipped"
        );
    });
}

/// On as many processors as there are, connections begin and end while packets of others interrupt what is told of them:
/// each of their steps is told, and none twice.
#[test]
fn of_very_many_connections_no_step_is_told_twice_and_none_missed() {
    const THREADS: usize = 4;
    const EACH: usize = 2_000;
    let _alone = alone();
    let Some(mut sensor) = sensor(&config()) else { return };
    in_own_network(|netns| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let there = listener.local_addr().expect("its address");
        let mut events = Vec::new();
        let mut losses = Vec::new();
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for _ in 0..EACH {
                        // Read to the end: the connection is closed first by the other, and whole.
                        let mut out = TcpStream::connect(there).expect("connects");
                        assert_eq!(out.read(&mut [0; 1]).expect("the end"), 0);
                    }
                });
            }
            for accepted in 0..THREADS * EACH {
                drop(listener.accept().expect("accepts"));
                if accepted % 64 == 0 {
                    losses.extend(sensor.drain(&mut events));
                }
            }
        });
        let told = |events: &[Event]| {
            let mut told = [0; 5];
            for event in events {
                // Numbers of networks are used again: the listener's address tells which it is.
                let is_it = |f: &Flow| f.netns == netns && (f.local == there || f.remote == there);
                let step = match event.payload {
                    Payload::Connect(c) if is_it(&c.flow) && c.attempt == Attempt::Started => 0,
                    Payload::Connect(c) if is_it(&c.flow) && c.attempt == Attempt::Established => 1,
                    Payload::Accept(a) if is_it(&a.flow) => 2,
                    Payload::Close(c) if is_it(&c.flow) && c.outgoing == Some(true) => 3,
                    Payload::Close(c) if is_it(&c.flow) && c.outgoing == Some(false) => 4,
                    _ => continue,
                };
                told[step] += 1;
            }
            told
        };
        const ALL: usize = THREADS * EACH;
        let missing = |told: [usize; 5]| told.iter().map(|n| ALL - n.min(&ALL)).max().unwrap_or_default();
        let begun = Instant::now();
        // The last ones are on their way still.
        while missing(told(&events)) > skipped(&losses) + hidden(ALL / 500) && begun.elapsed() < PATIENCE {
            losses.extend(sensor.drain(&mut events));
            sensor.wait(Duration::from_millis(4)).expect("waits");
        }
        losses.extend(sensor.flush(&mut events));
        let skipped = skipped(&losses);
        let told = told(&events);
        let missing = missing(told);
        assert!(told.iter().all(|n| *n <= ALL), "told twice: {told:?} of {ALL}");
        assert!(
            missing <= skipped + hidden(ALL / 500),
            "tried, established, accepted, closed here and there: {told:?} of {ALL}, {skipped} runs were skipped"
        );
    });
}

/// How much of this the kernel may hide.
fn hidden(at_most: usize) -> usize {
    if std::env::var_os("LANNER_GUEST").is_some() { 0 } else { at_most }
}
