//! Questions to name servers. Each test has a network of its own, with a name server that says what its name tells it to:
//! `good` has addresses, `alias` has one by another name, `missing`, `broken` and `silent` are what they are called, `big`
//! is too long for a datagram.

use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use lanner_core::event::{
    Dns, DnsReply, DnsTransport, Event, Header, Payload, RecordType, ResponseCode, Text, Udp, UdpStage,
};

use super::stage::{Stage, clock, helper, life_of, perform, stage};

/// Runs an ignored test of this file in a network namespace of its own, where `/etc/resolv.conf` names the server there.
fn alone(stage: Stage, name: &str) -> (u32, Vec<Event>) {
    let dir = tempfile::tempdir().expect("a folder");
    let conf = dir.path().join("resolv.conf");
    std::fs::write(&conf, "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n").expect("written");
    let inner = helper(name);
    // The C library asks for IPv4 addresses only where there is one besides loopback's. A guest has no resolver to name.
    let script = format!(
        "ip link set lo up && ip addr add 10.9.0.1/32 dev lo && \
         {{ [ ! -e /etc/resolv.conf ] || mount --bind {} /etc/resolv.conf; }} && exec \"$@\"",
        conf.display()
    );
    let mut command = Command::new("unshare");
    command.args(["-n", "-m", "sh", "-c", &script, "sh"]).arg(inner.get_program()).args(inner.get_args());
    command.stdout(Stdio::null());
    perform(stage, &mut command)
}

fn questions(life: &[Event]) -> Vec<(Header, Dns)> {
    let dns = |e: &Event| if let Payload::Dns(dns) = &e.payload { Some((e.header, (**dns).clone())) } else { None };
    life.iter().filter_map(dns).collect()
}

fn started(life: &[Event], dns: &Dns) -> Udp {
    let flow = |e: &Event| match &e.payload {
        Payload::Udp(udp) if udp.flow.id == dns.flow.id && udp.stage == UdpStage::Started => Some(**udp),
        _ => None,
    };
    life.iter().find_map(flow).unwrap_or_else(|| panic!("the question's flow: {life:?}"))
}

fn addresses(list: &[&str]) -> Vec<IpAddr> {
    list.iter().map(|ip| ip.parse().expect("an address")).collect()
}

/// What the server makes of a question, without the length that TCP puts before it.
fn answer(question: &[u8], over_tcp: bool) -> Option<Vec<u8>> {
    let kind = String::from_utf8_lossy(&question[13..13 + usize::from(question[12])]).to_ascii_lowercase();
    let end = 12 + question[12..].iter().position(|b| *b == 0)? + 5;
    let aaaa = question[end - 3] == 28;
    let ttl = [0, 0, 0, 60];
    let record = |owner: &[u8], kind: u8, data: &[u8]| {
        [owner, &[0, kind, 0, 1], &ttl, &(data.len() as u16).to_be_bytes(), data].concat()
    };
    let address = |owner: &[u8]| match aaaa {
        true => record(owner, 28, &[0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]),
        false => record(owner, 1, &[10, 9, 0, 2]),
    };
    let name = [0xc0, 12];
    let (flags, records): (u8, Vec<Vec<u8>>) = match kind.as_str() {
        "good" => (0, vec![address(&name)]),
        // The alias is `real` and the rest of the name that was asked for; the address is the alias's.
        "alias" => (0, vec![record(&name, 5, b"\x04real\xc0\x12"), address(&[0xc0, end as u8 + 12])]),
        "missing" => (3, vec![]),
        "broken" => (2, vec![]),
        "silent" => return None,
        _ if !over_tcp => (0, vec![]),
        _ => (0, (1..=40).map(|i| record(&name, 1, &[10, 9, 1, i])).collect()),
    };
    let truncated = if kind == "big" && !over_tcp { 2 } else { 0 };
    let count = records.len() as u8;
    let mut answer = [&question[..2], &[0x81 | truncated, 0x80 | flags, 0, 1, 0, count, 0, 0, 0, 0]].concat();
    answer.extend_from_slice(&question[12..end]);
    records.iter().for_each(|record| answer.extend_from_slice(record));
    Some(answer)
}

/// A name server on port 53 of these addresses, until the process ends.
fn serve(at: &[&str]) {
    for at in at {
        let udp = UdpSocket::bind((*at, 53)).expect("port 53 of a network of its own");
        let tcp = TcpListener::bind((*at, 53)).expect("port 53 of a network of its own");
        thread::spawn(move || {
            let mut buffer = [0; 2048];
            while let Ok((n, from)) = udp.recv_from(&mut buffer) {
                if let Some(answer) = answer(&buffer[..n], false) {
                    let _ = udp.send_to(&answer, from);
                }
            }
        });
        thread::spawn(move || {
            for mut stream in tcp.incoming().flatten() {
                let mut length = [0; 2];
                while stream.read_exact(&mut length).is_ok() {
                    let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
                    stream.read_exact(&mut question).expect("the question");
                    let answer = answer(&question, true).expect("an answer");
                    let _ = stream.write_all(&[&(answer.len() as u16).to_be_bytes(), answer.as_slice()].concat());
                }
            }
        });
    }
}

/// A question for the addresses (type 1) of a name.
fn question(id: u16, name: &str) -> Vec<u8> {
    let mut question = [&id.to_be_bytes()[..], &[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]].concat();
    for label in name.split('.') {
        question.push(label.len() as u8);
        question.extend_from_slice(label.as_bytes());
    }
    question.extend_from_slice(&[0, 0, 1, 0, 1]);
    question
}

fn ask(socket: &UdpSocket, id: u16, name: &str) {
    let mut buffer = [0; 2048];
    socket.send(&question(id, name)).expect("sent");
    socket.recv(&mut buffer).expect("an answer");
}

#[test]
fn questions_are_told_with_their_answers() {
    let Some(stage) = stage() else { return };
    let before = clock();
    let (pid, life) = alone(stage, "dns::asks");
    let questions = questions(&life);
    let names: Vec<String> = questions.iter().map(|(_, dns)| dns.name.to_string()).collect();
    assert_eq!(names, ["gOOd.example", "alias.example", "missing.example", "broken.example", "silent.example"]);
    let netns = started(&life, &questions[0].1).flow.netns;
    for (header, dns) in &questions {
        let flow = started(&life, dns).flow;
        assert_eq!((header.process.pid, dns.flow), (pid, flow));
        assert_eq!((dns.flow.remote.to_string().as_str(), dns.flow.netns), ("127.0.0.1:53", netns));
        assert!(header.tid != 0 && header.time > before);
        assert!(dns.waited.is_some_and(|waited| waited > Duration::ZERO && header.time.since(before) > waited));
    }
    let reply = |rcode, addresses, names: &[&str], records, ttl| {
        let names = names.iter().map(|name| Text::from(*name)).collect();
        Some(DnsReply { rcode, addresses, names, records, ttl, truncated: false, cut: false })
    };
    let good = addresses(&["10.9.0.2"]);
    let replies = [
        reply(ResponseCode::NOERROR, good.clone(), &[], 1, Some(60)),
        reply(ResponseCode::NOERROR, good, &["real.example"], 2, Some(60)),
        reply(ResponseCode::NXDOMAIN, vec![], &[], 0, None),
        reply(ResponseCode::SERVFAIL, vec![], &[], 0, None),
        None,
    ];
    for ((_, dns), reply) in questions.iter().zip(replies) {
        let (transport, record_type) = (DnsTransport::Udp, RecordType::A);
        let (flow, name, waited) = (dns.flow, dns.name.clone(), dns.waited);
        assert_eq!(dns, &Dns { flow, transport, name, record_type, reply, waited });
    }
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn asks() {
    serve(&["127.0.0.1"]);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.connect("127.0.0.1:53").expect("connects");
    for (id, name) in [(1, "gOOd.example"), (2, "alias.example"), (3, "missing.example"), (4, "broken.example")] {
        ask(&socket, id, name);
    }
    // Nobody waits for this answer once the socket is closed.
    socket.send(&question(5, "silent.example")).expect("sent");
}

#[test]
fn unconnected_sockets_and_ipv6_are_no_way_past() {
    let Some(stage) = stage() else { return };
    if UdpSocket::bind("[::1]:0").is_err() {
        lanner_tests::not_run("no IPv6 on the loopback interface");
        return;
    }
    let (_, life) = alone(stage, "dns::asks_without_connecting");
    let told: Vec<(String, String, Vec<IpAddr>)> = questions(&life)
        .into_iter()
        .map(|(_, d)| (d.name.to_string(), d.flow.remote.to_string(), d.reply.map(|r| r.addresses).unwrap_or_default()))
        .collect();
    let good = addresses(&["10.9.0.2"]);
    assert_eq!(
        told,
        [
            ("good.v4".to_owned(), "127.0.0.1:53".to_owned(), good.clone()),
            ("good.v6".to_owned(), "[::1]:53".to_owned(), good.clone()),
            ("good.mapped".to_owned(), "127.0.0.1:53".to_owned(), good),
        ]
    );
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn asks_without_connecting() {
    serve(&["127.0.0.1", "::1"]);
    let mut buffer = [0; 2048];
    for (bind, server, name) in [
        ("127.0.0.1:0", "127.0.0.1:53", "good.v4"),
        ("[::1]:0", "[::1]:53", "good.v6"),
        ("[::]:0", "[::ffff:127.0.0.1]:53", "good.mapped"),
    ] {
        let socket = UdpSocket::bind(bind).expect("a port");
        socket.send_to(&question(9, name), server).expect("sent");
        socket.recv_from(&mut buffer).expect("an answer");
    }
}

#[test]
fn the_systems_resolver_is_followed_to_tcp_when_the_answer_is_long() {
    let Some(stage) = stage() else { return };
    if Command::new("getent").arg("-V").stdout(Stdio::null()).status().is_err() {
        eprintln!("not run: no getent here");
        return;
    }
    let (_, life) = alone(stage, "dns::resolves");
    let child = life.iter().rev().find_map(|e| if let Payload::Fork(f) = &e.payload { Some(f.child) } else { None });
    let life = life_of(stage, child.expect("getent"));
    let questions = questions(&life);
    let [(_, short), (header, long)] = &questions[..] else { panic!("two questions: {questions:?}") };
    assert_eq!((&short.name, short.transport, long.transport), (&long.name, DnsTransport::Udp, DnsTransport::Tcp));
    assert_eq!(short.reply.as_ref().map(|r| (r.truncated, r.records)), Some((true, 0)));
    let reply = long.reply.as_ref().expect("an answer");
    // More than are kept, but all of them told to be there.
    assert_eq!((reply.addresses.len(), reply.records, reply.truncated), (DnsReply::MAX, 40, false));
    assert_eq!((reply.addresses[0], long.flow.remote.port()), (addresses(&["10.9.1.1"])[0], 53));
    assert_eq!(Some(header.process), child);
    let connected = |e: &Event| matches!(&e.payload, Payload::Connect(c) if c.flow.id == long.flow.id);
    assert!(life.iter().any(connected), "the connection has the same number");
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn resolves() {
    serve(&["127.0.0.1"]);
    let status = Command::new("getent").args(["ahostsv4", "big.example"]).status().expect("getent runs");
    assert!(status.success());
}

#[test]
fn an_answer_whose_length_comes_first_is_read_too() {
    let Some(stage) = stage() else { return };
    let (_, life) = alone(stage, "dns::asks_in_pieces");
    let questions = questions(&life);
    let [(_, dns)] = &questions[..] else { panic!("one question: {questions:?}") };
    assert_eq!((dns.name.to_string().as_str(), dns.transport), ("good.example", DnsTransport::Tcp));
    assert_eq!(dns.reply.as_ref().map(|r| r.addresses.clone()), Some(addresses(&["10.9.0.2"])));
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn asks_in_pieces() {
    serve(&["127.0.0.1"]);
    let mut stream = TcpStream::connect("127.0.0.1:53").expect("connects");
    stream.set_nodelay(true).expect("set");
    let question = question(7, "good.example");
    stream.write_all(&(question.len() as u16).to_be_bytes()).expect("sent");
    stream.write_all(&question).expect("sent");
    stream.read_exact(&mut [0; 12]).expect("an answer");
}

#[test]
fn hostile_answers_are_told_as_far_as_they_can_be_read() {
    let Some(stage) = stage() else { return };
    let (_, life) = alone(stage, "dns::is_lied_to");
    let questions = questions(&life);
    let [(_, cut), (_, unasked)] = &questions[..] else { panic!("two answers: {questions:?}") };
    let reply = cut.reply.as_ref().expect("an answer");
    assert_eq!((reply.addresses.as_slice(), reply.records, reply.cut), (&[][..], 3, true), "its name never ends");
    assert_eq!((unasked.name.as_bytes(), unasked.waited), (&b"\x1b[2J"[..], None));
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn is_lied_to() {
    let server = UdpSocket::bind("127.0.0.1:53").expect("port 53 of a network of its own");
    let client = UdpSocket::bind("127.0.0.1:0").expect("a port");
    client.connect("127.0.0.1:53").expect("connects");
    let mut buffer = [0; 2048];
    client.send(&question(1, "loop.example")).expect("sent");
    let (n, from) = server.recv_from(&mut buffer).expect("the question");
    let mut answer = buffer[..n].to_vec();
    (answer[2], answer[7]) = (0x81, 3);
    // The owner's name is a pointer to itself.
    let itself = [0xc0, n as u8, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 9, 0, 2];
    server.send_to(&[&answer[..], &itself].concat(), from).expect("sent");
    client.recv(&mut buffer).expect("an answer");
    let mut unasked = question(77, "\x1b[2J");
    unasked[2] = 0x81;
    server.send_to(&unasked, from).expect("sent");
    client.recv(&mut buffer).expect("an answer");
}

#[test]
fn a_socket_that_says_no_names_is_a_flow_and_no_question() {
    let Some(stage) = stage() else { return };
    let (_, life) = alone(stage, "dns::says_nonsense");
    assert!(questions(&life).is_empty());
    let flow = life.iter().find(|e| matches!(&e.payload, Payload::Udp(u) if u.flow.remote.port() == 53));
    assert!(flow.is_some(), "{life:?}");
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn says_nonsense() {
    let server = UdpSocket::bind("127.0.0.1:53").expect("port 53 of a network of its own");
    let client = UdpSocket::bind("127.0.0.1:0").expect("a port");
    client.connect("127.0.0.1:53").expect("connects");
    for nonsense in [&b""[..], b"x", &[0xff; 600]] {
        client.send(nonsense).expect("sent");
        server.recv_from(&mut [0; 2048]).expect("read");
    }
}
