//! Sockets that are older than the sensor: told when it starts, with whose they are.

use std::collections::{HashMap, VecDeque};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lanner_collector::sensor::{OlderSockets, Sensor, SensorConfig};
use lanner_core::event::{Accept, Attempt, BootTime, Connect, Event, Flow, HookState, Origin, Payload, UnixAct};

use super::alone;
use super::network::in_own_network;
use super::stage::{Ends, PATIENCE, clock, config, is_me, sensor, shell, skipped};

/// Connections that each busy thread keeps open.
const HELD: usize = 200;

/// Reads events until they are all there; how many runs of programs, for whomever, the kernel skipped meanwhile.
fn until(sensor: &mut Sensor, events: &mut Vec<Event>, what: &str, all: impl Fn(&[Event]) -> bool) -> usize {
    let begun = Instant::now();
    let mut losses = Vec::new();
    while !all(events) {
        assert!(begun.elapsed() < PATIENCE, "not told: {what}; {losses:?}");
        losses.extend(sensor.drain(events));
        sensor.wait(Duration::from_millis(4)).expect("waits");
    }
    skipped(&losses)
}

fn flow(event: &Event) -> Option<&Flow> {
    match &event.payload {
        Payload::Connect(c) => Some(&c.flow),
        Payload::Accept(a) => Some(&a.flow),
        Payload::Close(c) => Some(&c.flow),
        Payload::Traffic(t) => Some(&t.flow),
        _ => None,
    }
}

#[test]
fn connections_and_listeners_are_told_with_direction_and_owner_and_so_are_their_ends() {
    let _alone = alone();
    in_own_network(|netns| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let there = listener.local_addr().expect("its address");
        let mut out = TcpStream::connect(there).expect("connects");
        let (mut accepted, here) = listener.accept().expect("accepts");
        out.write_all(&[1; 3000]).expect("sent");
        accepted.read_exact(&mut [0; 3000]).expect("read");
        accepted.write_all(&[2; 70]).expect("sent");
        out.read_exact(&mut [0; 70]).expect("read");
        // One that has said that it will send no more.
        let half = TcpStream::connect(there).expect("connects");
        let (mut half_accepted, half_here) = listener.accept().expect("accepts");
        half.shutdown(Shutdown::Write).expect("shut");
        assert_eq!(half_accepted.read(&mut [0; 1]).expect("the end"), 0);

        let Some(mut sensor) = sensor(&config()) else { return };
        let mut events = sensor.backfill();
        let found = |events: &[Event]| -> Vec<(SocketAddr, SocketAddr, bool)> {
            let mine = |e: &&Event| e.header.origin == Origin::Backfill && is_me(e.header.process);
            let found = events.iter().filter(mine).filter_map(|e| match e.payload {
                Payload::Connect(c) if c.flow.netns == netns => {
                    assert_eq!((c.attempt, c.asked), (Attempt::Established, false));
                    Some((c.flow.local, c.flow.remote, true))
                }
                Payload::Accept(a) if a.flow.netns == netns => Some((a.flow.local, a.flow.remote, false)),
                Payload::Traffic(t) if t.flow.netns == netns => panic!("a direction: {t:?}"),
                _ => None,
            });
            let mut found: Vec<_> = found.collect();
            found.sort_unstable();
            found
        };
        let mut expected =
            vec![(here, there, true), (half_here, there, true), (there, here, false), (there, half_here, false)];
        expected.sort_unstable();
        until(&mut sensor, &mut events, "four ends", |events| found(events).len() >= 4);
        assert_eq!(found(&events), expected);
        let listens = events.iter().filter(|e| match e.payload {
            Payload::Listen(l) => (l.local, l.netns) == (there, netns) && is_me(e.header.process),
            _ => false,
        });
        let origins: Vec<_> = listens.map(|e| e.header.origin).collect();
        assert_eq!(origins, [Origin::Backfill]);

        drop((out, accepted));
        until(&mut sensor, &mut events, "both ends' ends", |events| {
            let closed = events
                .iter()
                .filter(|e| matches!(e.payload, Payload::Close(c) if c.flow.netns == netns && is_me(e.header.process)));
            closed.count() == 2
        });
        for event in &events {
            let Payload::Close(close) = event.payload else { continue };
            if (close.flow.local, close.flow.netns) == (here, netns) {
                assert_eq!((close.outgoing, close.sent, close.received), (Some(true), 3000, 70));
                let told = events.iter().find(|e| flow(e).is_some_and(|f| *f == close.flow)).expect("its beginning");
                assert!(matches!(told.payload, Payload::Connect(_)));
            } else if (close.flow.remote, close.flow.netns) == (here, netns) {
                assert_eq!((close.outgoing, close.sent, close.received), (Some(false), 70, 3000));
            }
        }
    });
}

#[test]
fn unix_sockets_are_told_from_the_end_that_called() {
    let _alone = alone();
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("older.sock");
    let listener = UnixListener::bind(&path).expect("bound");
    let _out = UnixStream::connect(&path).expect("connects");
    let _in = listener.accept().expect("accepts");
    let Some(mut sensor) = sensor(&config()) else { return };
    let mut events = sensor.backfill();
    let of_this = |events: &[Event]| {
        let told = events.iter().filter_map(|e| match &e.payload {
            Payload::Unix(u) if u.name.text() == path.to_str().expect("a path") => {
                assert!(is_me(e.header.process) && e.header.origin == Origin::Backfill, "{e:?}");
                Some(u.as_ref().clone())
            }
            _ => None,
        });
        told.collect::<Vec<_>>()
    };
    until(&mut sensor, &mut events, "both", |events| of_this(events).len() >= 2);
    let mut told = of_this(&events);
    told.sort_by_key(|u| u.act == UnixAct::Connected);
    assert_eq!(told.iter().map(|u| u.act).collect::<Vec<_>>(), [UnixAct::Listening, UnixAct::Connected]);
    assert!(told[1].peer.is_some_and(is_me) && told[0].peer.is_none());
}

/// What is told of the sockets of a network that are older than the sensor, but for numbers that are its own.
fn told_of(netns: u32, path: &str, source: OlderSockets) -> Option<Vec<String>> {
    let mut sensor = sensor(&SensorConfig { older_sockets: source, ..config() })?;
    let mut events = sensor.backfill();
    let hook = sensor.hooks().iter().find(|h| h.name == "iter/task_file").expect("the hook is known").clone();
    match source {
        OlderSockets::Kernel => assert_eq!(hook.state, HookState::Attached),
        OlderSockets::Proc => {
            let HookState::Refused(why) = &hook.state else { panic!("refused: {hook:?}") };
            assert!(why.ends_with("read from /proc instead"), "{why}");
            assert!(hook.without.starts_with("which way a connection"), "{hook:?}");
        }
    }
    skipped(&sensor.flush(&mut events));
    let told = events.iter().filter(|e| e.header.origin == Origin::Backfill && is_me(e.header.process));
    let told = told.filter_map(|e| match &e.payload {
        Payload::Connect(Connect { flow, attempt, asked: false }) if flow.netns == netns => {
            Some(format!("{} to {}: {attempt:?}", flow.local, flow.remote))
        }
        Payload::Accept(Accept { flow }) if flow.netns == netns => Some(format!("{} from {}", flow.local, flow.remote)),
        Payload::Listen(listen) if listen.netns == netns => Some(format!("listens at {}", listen.local)),
        Payload::Unix(unix) if unix.name.text() == path || unix.name.text() == "lanner older" => {
            Some(format!("{unix:?}"))
        }
        _ => None,
    });
    let mut told: Vec<String> = told.collect();
    told.sort_unstable();
    Some(told)
}

#[test]
fn without_the_kernels_iterator_proc_tells_the_same() {
    let _alone = alone();
    in_own_network(|netns| {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("older.sock");
        let _unix = UnixListener::bind(&path).expect("bound");
        let name = std::os::unix::net::SocketAddr::from_abstract_name("lanner older").expect("a name");
        let _abstract = UnixListener::bind_addr(&name).expect("bound");
        let four = TcpListener::bind("127.0.0.1:0").expect("a port");
        let six = TcpListener::bind("[::1]:0").expect("a port");
        let mut held = Vec::new();
        for listener in [&four, &six] {
            held.push(TcpStream::connect(listener.local_addr().expect("its address")).expect("connects"));
            held.push(listener.accept().expect("accepts").0);
        }
        let path = path.to_str().expect("a path");
        let Some(kernels) = told_of(netns, path, OlderSockets::Kernel) else { return };
        assert_eq!(kernels.len(), 8, "two that listen, four ends, two unix sockets: {kernels:#?}");
        assert_eq!(told_of(netns, path, OlderSockets::Proc), Some(kernels));
    });
}

/// While connections come and go at full speed, the beginning of each end that lives on is told exactly once, be it found
/// or seen, and each end's end is told with its owner.
#[test]
fn between_what_is_found_and_what_is_seen_there_is_no_gap_and_no_double() {
    let _alone = alone();
    let done = AtomicBool::new(false);
    in_own_network(|netns| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let there = listener.local_addr().expect("its address");
        // One that stays, whatever the others have time for.
        let _stays = (TcpStream::connect(there).expect("connects"), listener.accept().expect("accepts"));
        let events = std::thread::scope(|scope| {
            let _ends = Ends { done: &done, accepts_at: Some(there) };
            // Each end lives for a while, so that some are older than any hook.
            let busy = |step: Duration| {
                let mut held = VecDeque::new();
                while !done.load(Ordering::Relaxed) {
                    held.push_back(TcpStream::connect(there).expect("connects"));
                    if held.len() > HELD {
                        held.pop_front();
                    }
                    std::thread::park_timeout(step);
                }
            };
            scope.spawn(move || busy(Duration::ZERO));
            scope.spawn(move || busy(Duration::from_millis(1)));
            scope.spawn(|| {
                let mut held = VecDeque::new();
                while !done.load(Ordering::Relaxed) {
                    held.push_back(listener.accept().expect("accepts"));
                    if held.len() > HELD {
                        held.pop_front();
                    }
                }
            });
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    // A child holds copies of all sockets until it runs its program.
                    shell(":").status().expect("sh runs");
                }
            });
            sensor(&config()).map(|mut sensor| {
                let mut events = sensor.backfill();
                let found = clock();
                let iterators = sensor.hooks().iter().filter(|h| h.name.starts_with("iter/"));
                let refused: Vec<_> = iterators.filter(|h| h.state != HookState::Attached).collect();
                assert!(refused.is_empty(), "{refused:?}");
                let closes = |events: &[Event]| {
                    let close = |e: &&Event| matches!(e.payload, Payload::Close(c) if c.flow.netns == netns);
                    events.iter().filter(close).count()
                };
                let skipped = until(&mut sensor, &mut events, "closes", |events| closes(events) >= 2_000);
                (events, found, skipped)
            })
        });
        let Some((events, found, skipped)) = events else { return };
        check(&events, found, netns, skipped);
    });
}

/// `found`: when all that the iterator finds was found. `skipped`: how many beginnings the kernel may have kept from the
/// sensor.
fn check(events: &[Event], found: BootTime, netns: u32, skipped: usize) {
    let mut begun: HashMap<_, Vec<&Event>> = HashMap::new();
    let here = |e: &&Event| flow(e).is_some_and(|f| f.netns == netns);
    for event in events.iter().filter(here) {
        let begins = match event.payload {
            Payload::Connect(c) => c.attempt == Attempt::Started || event.header.origin == Origin::Backfill,
            Payload::Accept(_) => true,
            _ => false,
        };
        let id = flow(event).expect("a flow").id;
        if begins {
            begun.entry(id).or_default().push(event);
        }
    }
    for (id, beginnings) in &begun {
        assert_eq!(beginnings.len(), 1, "{id:?}: {beginnings:#?}");
        // A child may be the only one left with a copy of what was found.
        let header = &beginnings[0].header;
        assert!(is_me(header.process) || header.origin == Origin::Backfill, "{beginnings:?}");
        assert!(!header.process.is_unknown(), "{beginnings:?}");
    }
    assert!(events.iter().any(|e| here(&e) && e.header.origin == Origin::Backfill), "something was found");
    let mut without = Vec::new();
    for event in events.iter().filter(here) {
        let Payload::Close(close) = event.payload else { continue };
        let process = event.header.process;
        if let Some(beginnings) = begun.get(&close.flow.id) {
            assert_eq!(process, beginnings[0].header.process, "{event:?}");
            continue;
        }
        // It ended before the iterator came to it: its process had closed it before the first hook, or did since, or the
        // copy in a child was the last to be closed. Of the iterator no more is known than when its work was done: the last
        // that it found may be long before that.
        let since = event.header.time.0.saturating_sub(close.lasted.as_nanos() as u64);
        if close.outgoing.is_some() || !(process.is_unknown() || since < found.0) {
            without.push(event);
        }
    }
    assert!(without.len() <= skipped, "their beginning was seen, and {skipped} runs were skipped: {without:#?}");
}
