//! UDP flows, over loopback and between network namespaces.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lanner_collector::sensor::{FlowLimits, Sensor, SensorConfig};
use lanner_core::event::{Datagrams, Event, Flow, Header, HookState, LossCause, Payload, Udp, UdpStage};

use super::stage::{PATIENCE, Stage, config, expect_of_anybody, helper, is_me, namespace, sensor, stage};

/// In this test's own network; whoever's it is, for sockets are inherited.
fn udp(stage: Stage, what: &str, wanted: impl Fn(&Udp) -> bool) -> (Header, Udp) {
    udp_in(namespace("self", "net"), stage, what, wanted)
}

fn udp_in(netns: u32, stage: Stage, what: &str, wanted: impl Fn(&Udp) -> bool) -> (Header, Udp) {
    expect_of_anybody(stage, what, |e| match &e.payload {
        Payload::Udp(udp) if udp.flow.netns == netns && wanted(udp) => Some((e.header, **udp)),
        _ => None,
    })
}

fn datagrams(datagrams: u64, bytes: u64) -> Datagrams {
    Datagrams { datagrams, bytes }
}

/// Both ends' whole lives: a question of 5 bytes, an answer of 3, another question of 9.
fn converse(bind: &str, connected: bool) {
    let Some(stage) = stage() else { return };
    let server = UdpSocket::bind(bind).expect("a port");
    let client = UdpSocket::bind(bind).expect("a port");
    let (there, here) = (server.local_addr().expect("its address"), client.local_addr().expect("its address"));
    let mut buffer = [0; 64];
    if connected {
        client.connect(there).expect("connects");
    }
    let send = |bytes: &[u8]| if connected { client.send(bytes) } else { client.send_to(bytes, there) };
    send(b"hello").expect("sent");
    assert_eq!(server.recv_from(&mut buffer).expect("read"), (5, here));
    server.send_to(b"yes", here).expect("sent");
    assert_eq!(client.recv(&mut buffer).expect("read"), 3);
    send(b"once more").expect("sent");
    assert_eq!(server.recv(&mut buffer).expect("read"), 9);
    drop(client);
    drop(server);

    let netns = namespace("self", "net");
    let started =
        |local, remote| move |u: &Udp| u.stage == UdpStage::Started && u.flow.local == local && u.flow.remote == remote;
    let closed = |flow: Flow| move |u: &Udp| u.stage == UdpStage::Closed && u.flow == flow;

    let (header, out) = udp(stage, "the first datagram leaves", started(here, there));
    assert!(is_me(header.process) && header.tid != 0, "{header:?}");
    let first = Udp {
        flow: Flow { id: out.flow.id, local: here, remote: there, netns },
        stage: UdpStage::Started,
        outgoing: true,
        connected,
        sent: datagrams(1, 5),
        received: datagrams(0, 0),
        lasted: Duration::ZERO,
    };
    assert_eq!(out, first);
    let (ended, end) = udp(stage, "the client's socket is closed", closed(out.flow));
    assert!(is_me(ended.process) && ended.tid == header.tid);
    let lasted = ended.time.since(header.time);
    assert!(lasted > Duration::ZERO);
    let last = Udp { stage: UdpStage::Closed, sent: datagrams(2, 14), received: datagrams(1, 3), lasted, ..first };
    assert_eq!(end, last);

    let (header, taken) = udp(stage, "the first datagram arrives", started(there, here));
    assert!(is_me(header.process) && header.tid != 0, "whose socket it is, is known from its making: {header:?}");
    let first = Udp {
        flow: Flow { id: taken.flow.id, local: there, remote: here, netns },
        stage: UdpStage::Started,
        outgoing: false,
        connected: false,
        sent: datagrams(0, 0),
        received: datagrams(1, 5),
        lasted: Duration::ZERO,
    };
    assert_eq!(taken, first);
    assert_ne!(taken.flow.id, out.flow.id, "each end is a flow of its own");
    let (ended, end) = udp(stage, "the server's socket is closed", closed(taken.flow));
    let lasted = ended.time.since(header.time);
    let last = Udp { stage: UdpStage::Closed, sent: datagrams(1, 3), received: datagrams(2, 14), lasted, ..first };
    assert_eq!(end, last);
}

#[test]
fn a_flow_is_told_from_both_ends() {
    converse("127.0.0.1:0", false);
}

#[test]
fn a_connected_socket_is_told_as_such() {
    converse("127.0.0.1:0", true);
}

#[test]
fn flows_over_ipv6_are_told_too() {
    if UdpSocket::bind("[::1]:0").is_err() {
        lanner_tests::not_run("no IPv6 on the loopback interface");
        return;
    }
    converse("[::1]:0", false);
    converse("[::1]:0", true);
}

/// A server on loopback, and a client connected to it.
fn pair() -> (UdpSocket, UdpSocket) {
    let server = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let client = UdpSocket::bind("127.0.0.1:0").expect("a port");
    client.connect(server.local_addr().expect("its address")).expect("connects");
    (client, server)
}

fn local(socket: &UdpSocket) -> SocketAddr {
    socket.local_addr().expect("its address")
}

/// The flows of a socket that have been told of so far, in a sensor of one's own.
fn flows(events: &[Event], local: SocketAddr) -> Vec<(Header, Udp)> {
    let netns = namespace("self", "net");
    let udp = |e: &Event| match &e.payload {
        Payload::Udp(udp) if (udp.flow.local, udp.flow.netns) == (local, netns) => Some((e.header, **udp)),
        _ => None,
    };
    events.iter().filter_map(udp).collect()
}

/// Drains until there is what is wanted.
fn until(sensor: &mut Sensor, events: &mut Vec<Event>, what: &str, wanted: impl Fn(&[Event]) -> bool) {
    let begun = Instant::now();
    while !wanted(events) {
        assert!(begun.elapsed() < PATIENCE, "no event tells: {what}");
        sensor.drain(events);
        sensor.wait(Duration::from_millis(4)).expect("waiting works");
    }
}

#[test]
fn many_datagrams_of_one_call_are_counted_each() {
    let Some(stage) = stage() else { return };
    let (client, server) = pair();
    let mut parts = [*b"first", *b"again", *b"third"];
    let mut vectors = parts.each_mut().map(|part| libc::iovec { iov_base: part.as_mut_ptr().cast(), iov_len: 5 });
    let mut messages = vectors.each_mut().map(|vector| {
        // SAFETY: a message header of zeros names no address, no vectors and no control data.
        let mut message: libc::mmsghdr = unsafe { std::mem::zeroed() };
        (message.msg_hdr.msg_iov, message.msg_hdr.msg_iovlen) = (vector, 1);
        message
    });
    // SAFETY: three headers, each with one vector of five bytes, all of which outlive the call.
    let sent = unsafe { libc::sendmmsg(client.as_raw_fd(), messages.as_mut_ptr(), 3, 0) };
    assert_eq!(sent, 3);
    // What the kernel itself cuts into datagrams of 100 bytes.
    let (size, data) = (100i32, [7u8; 250]);
    // SAFETY: the option's value is an int that outlives the call.
    let set =
        unsafe { libc::setsockopt(client.as_raw_fd(), libc::SOL_UDP, libc::UDP_SEGMENT, (&raw const size).cast(), 4) };
    assert_eq!(set, 0);
    assert_eq!(client.send(&data).expect("sent"), 250);
    for expected in [5, 5, 5, 100, 100, 50] {
        assert_eq!(server.recv(&mut [0; 512]).expect("read"), expected);
    }
    let ends = (local(&client), local(&server));
    drop((client, server));
    let closed =
        |local, remote| move |u: &Udp| u.stage == UdpStage::Closed && (u.flow.local, u.flow.remote) == (local, remote);
    let (_, out) = udp(stage, "the sender's end", closed(ends.0, ends.1));
    assert_eq!((out.sent, out.received), (datagrams(6, 265), datagrams(0, 0)));
    let (_, taken) = udp(stage, "the receiver's end", closed(ends.1, ends.0));
    assert_eq!((taken.sent, taken.received), (datagrams(0, 0), datagrams(6, 265)));
}

#[test]
fn one_socket_has_a_flow_for_each_peer() {
    let Some(stage) = stage() else { return };
    let server = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let clients = [(); 3].map(|()| UdpSocket::bind("127.0.0.1:0").expect("a port"));
    for (i, client) in clients.iter().enumerate() {
        for _ in 0..=i {
            client.send_to(b"x", local(&server)).expect("sent");
        }
    }
    let here = local(&server);
    drop(server);
    for (i, client) in clients.iter().enumerate() {
        let peer = local(client);
        let (_, end) = udp(stage, "the server's flow", |u| {
            u.stage == UdpStage::Closed && u.flow.local == here && u.flow.remote == peer
        });
        assert_eq!(end.received, datagrams(i as u64 + 1, i as u64 + 1));
    }
}

#[test]
fn who_reads_from_an_inherited_socket_owns_it() {
    let Some(stage) = stage() else { return };
    let server = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let here = local(&server);
    // SAFETY: clears a flag of an open descriptor.
    assert_eq!(unsafe { libc::fcntl(server.as_raw_fd(), libc::F_SETFD, 0) }, 0);
    let mut child = helper("udp::reads_twice");
    child.env("LANNER_TEST_FD", server.as_raw_fd().to_string()).stdout(Stdio::piped());
    let mut child = child.spawn().expect("this binary runs");
    let [first, second] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").expect("a port"));
    first.send_to(b"1", here).expect("sent");
    // Who made it was the owner until someone else read from it.
    let mut output = BufReader::new(child.stdout.take().expect("its output")).lines();
    assert!(output.any(|line| line.is_ok_and(|line| line.ends_with("has read"))));
    second.send_to(b"2", here).expect("sent");
    let pid = child.id();
    assert!(output.all(|line| line.is_ok()) && child.wait().expect("it ends").success());
    let from = |peer| move |u: &Udp| u.stage == UdpStage::Started && u.flow.local == here && u.flow.remote == peer;
    let (header, _) = udp(stage, "the first sender", from(local(&first)));
    assert!(is_me(header.process), "{header:?}");
    let (header, _) = udp(stage, "the second sender", from(local(&second)));
    assert_eq!(header.process.pid, pid);
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn reads_twice() {
    let fd = std::env::var("LANNER_TEST_FD").ok().and_then(|fd| fd.parse().ok()).expect("a socket");
    // SAFETY: inherited for this, and owned by nobody else here.
    let socket = unsafe { UdpSocket::from_raw_fd(fd) };
    socket.recv_from(&mut [0; 9]).expect("read");
    writeln!(std::io::stdout(), "has read").expect("said");
    socket.recv_from(&mut [0; 9]).expect("read");
}

#[test]
fn flows_between_network_namespaces_are_told_by_each() {
    let Some(stage) = stage() else { return };
    let wire = ["-n", "ip", "link", "add", "near", "type", "veth", "peer", "name", "far"];
    if !Command::new("unshare").args(wire).stderr(Stdio::null()).status().expect("unshare runs").success() {
        eprintln!("not run: this kernel has no pairs of interfaces");
        return;
    }
    // Two namespaces that nobody else has, and a wire between them.
    let script = r#"
        set -e
        unshare -n sleep 60 & other=$!
        while [ "$(readlink /proc/$other/ns/net)" = "$(readlink /proc/$$/ns/net)" ]; do sleep 0.02; done
        ip link add near type veth peer name far netns $other
        ip addr add 10.9.0.1/24 dev near; ip link set near up
        nsenter -n -t $other sh -c 'ip addr add 10.9.0.2/24 dev far; ip link set far up'
        nsenter -n -t $other "$@" udp::hears >&2 & receiver=$!
        until grep -q :0FA0 /proc/$other/net/udp; do sleep 0.02; done
        "$@" udp::says >&2
        wait $receiver
        stat -Lc %i /proc/$$/ns/net /proc/$other/ns/net
        kill $other"#;
    let this = std::env::current_exe().expect("this binary");
    let mut command = Command::new("unshare");
    command.args(["-n", "sh", "-c", script, "sh"]).arg(this).args(["--ignored", "--exact"]);
    let output = command.output().expect("unshare runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let numbers: Vec<u32> = text.lines().map(|line| line.parse().expect("a namespace's number")).collect();
    let [near, far] = numbers[..] else { panic!("two namespaces: {text}") };
    let peer: SocketAddr = "10.9.0.2:4000".parse().expect("an address");
    let begins = |u: &Udp| u.stage == UdpStage::Started;
    let (_, out) = udp_in(near, stage, "it is sent", |u| begins(u) && u.flow.remote == peer);
    let (_, taken) = udp_in(far, stage, "it is received", |u| begins(u) && u.flow.remote == out.flow.local);
    assert_eq!((out.outgoing, taken.outgoing), (true, false));
    assert_eq!((out.sent, taken.received), (datagrams(1, 4), datagrams(1, 4)));
    assert_eq!((out.flow.local.ip().to_string().as_str(), taken.flow.local), ("10.9.0.1", peer));
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn hears() {
    let socket = UdpSocket::bind("0.0.0.0:4000").expect("a port of a network of its own");
    socket.recv(&mut [0; 9]).expect("read");
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn says() {
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a port");
    socket.send_to(b"over", "10.9.0.2:4000").expect("sent");
}

#[test]
fn a_flow_that_goes_on_is_told_of_at_intervals() {
    let times = FlowLimits { update: Duration::from_millis(50), ..FlowLimits::default() };
    let Some(mut sensor) = sensor(&SensorConfig { flows: times, ..config() }) else { return };
    let (client, server) = pair();
    let mut events = Vec::new();
    let mut stages = Vec::new();
    for round in 1..=3u64 {
        client.send(b"beat").expect("sent");
        until(&mut sensor, &mut events, "the flow goes on", |e| flows(e, local(&client)).len() as u64 >= round);
        stages = flows(&events, local(&client));
    }
    let told: Vec<_> = stages.iter().map(|(_, u)| (u.stage, u.sent)).collect();
    assert_eq!(
        told,
        [
            (UdpStage::Started, datagrams(1, 4)),
            (UdpStage::Continues, datagrams(2, 8)),
            (UdpStage::Continues, datagrams(3, 12)),
        ]
    );
    drop(server);
}

#[test]
fn a_flow_that_is_silent_has_ended_and_what_comes_later_is_another() {
    let times = FlowLimits { silent: Duration::from_millis(400), ..FlowLimits::default() };
    let Some(mut sensor) = sensor(&SensorConfig { flows: times, ..config() }) else { return };
    let (client, server) = pair();
    let here = local(&client);
    let mut events = Vec::new();
    client.send(b"beat").expect("sent");
    until(&mut sensor, &mut events, "the flow is silent", |e| flows(e, here).len() >= 2);
    let [(begun, started), (header, silent)] = flows(&events, here)[..] else { panic!("begun and silent: {events:?}") };
    assert_eq!((started.stage, silent.stage), (UdpStage::Started, UdpStage::Silent));
    assert_eq!((silent.sent, silent.flow), (datagrams(1, 4), started.flow));
    assert!(silent.lasted >= times.silent && silent.lasted == header.time.since(begun.time));
    // What comes later is a new flow, and the socket's end ends only that.
    client.send(b"again").expect("sent");
    drop((client, server));
    until(&mut sensor, &mut events, "the end", |e| {
        flows(e, here).last().is_some_and(|f| f.1.stage == UdpStage::Closed)
    });
    let [.., (_, new), (_, end)] = flows(&events, here)[..] else { panic!("a new flow") };
    assert_eq!((new.stage, new.sent, end.sent), (UdpStage::Started, datagrams(1, 5), datagrams(1, 5)));
    assert_ne!(new.flow.id, silent.flow.id);
}

#[test]
fn more_flows_than_there_is_room_for_are_counted() {
    const ROOM: u32 = 64;
    const FLOWS: u8 = 200;
    let limits = FlowLimits { room: ROOM, ..FlowLimits::default() };
    let Some(mut sensor) = sensor(&SensorConfig { flows: limits, ..config() }) else { return };
    // All of 127.0.0.0/8 is loopback's: as many peers as it takes, each with a port that takes what comes.
    let peers: Vec<UdpSocket> =
        (1..=FLOWS).map(|i| UdpSocket::bind((Ipv4Addr::new(127, 77, 0, i), 0)).expect("a port")).collect();
    let client = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let here = local(&client);
    for peer in &peers {
        client.send_to(b"x", local(peer)).expect("sent");
    }
    drop(client);
    let mut events = Vec::new();
    let mut losses = Vec::new();
    let begun = Instant::now();
    let of = |events: &[Event], stage| flows(events, here).iter().filter(|(_, u)| u.stage == stage).count();
    while of(&events, UdpStage::Closed) == 0 || of(&events, UdpStage::Closed) < of(&events, UdpStage::Started) {
        assert!(begun.elapsed() < PATIENCE, "the end of every flow that began");
        losses.extend(sensor.drain(&mut events));
        sensor.wait(Duration::from_millis(4)).expect("waiting works");
    }
    let told = of(&events, UdpStage::Started) as u64;
    let lost: u64 = losses.iter().map(|l| if l.cause == LossCause::MapFull { l.count } else { 0 }).sum();
    assert!(losses.iter().all(|l| matches!(l.cause, LossCause::MapFull | LossCause::Skipped)), "{losses:?}");
    // The peers' own flows, and other tests', want room as well.
    assert!(told > 0 && told <= u64::from(ROOM), "{told}");
    assert!(lost >= u64::from(FLOWS) - told, "each datagram is told or counted: {told} told, {lost} counted");
    // There is room again.
    let (client, server) = pair();
    let here = local(&client);
    drop(peers);
    until(&mut sensor, &mut events, "a flow", |events| {
        client.send(b"x").expect("sent");
        server.recv(&mut [0; 9]).expect("read");
        !flows(events, here).is_empty()
    });
}

#[test]
fn all_of_its_hooks_are_attached() {
    let Some(sensor) = sensor(&config()) else { return };
    let hooks: Vec<_> = sensor.hooks().iter().filter(|hook| hook.name.starts_with("cgroup")).collect();
    assert_eq!(hooks.len(), 6);
    assert!(hooks.iter().all(|hook| hook.state == HookState::Attached), "{hooks:?}");
}
