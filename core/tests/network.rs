//! Datagrams and names: what conditions see of them, and what the graph makes of them.
#![allow(clippy::unwrap_used)]

mod world;

use std::time::Duration;

use lanner_core::condition::{Condition, Names, View};
use lanner_core::event::*;
use lanner_core::graph::{Graph, Node, Relation};
use world::World;

fn flow(remote: &str, netns: u32) -> Flow {
    Flow { id: FlowId(1), local: "10.0.0.5:40000".parse().unwrap(), remote: remote.parse().unwrap(), netns }
}

fn udp(remote: &str, stage: UdpStage) -> Udp {
    Udp {
        flow: flow(remote, 3),
        stage,
        outgoing: true,
        connected: false,
        sent: Datagrams { datagrams: 2, bytes: 900 },
        received: Datagrams { datagrams: 1, bytes: 30 },
        lasted: Duration::from_secs(2),
    }
}

fn dns(name: &str, netns: u32, reply: Option<DnsReply>) -> Dns {
    Dns {
        flow: flow("10.0.0.53:53", netns),
        transport: DnsTransport::Udp,
        name: name.into(),
        record_type: RecordType::A,
        reply,
        waited: Some(Duration::from_millis(3)),
    }
}

fn address(ip: &str) -> Option<DnsReply> {
    Some(DnsReply { addresses: vec![ip.parse().unwrap()], records: 1, ttl: Some(60), ..DnsReply::default() })
}

/// Whether the last event of a story meets these conditions.
fn holds(world: &World, conditions: &[&str]) {
    let mut graph = Graph::default();
    world.events.iter().for_each(|event| graph.apply(event));
    let event = world.events.last().unwrap();
    for condition in conditions {
        let parsed = Condition::parse(condition, &Names::default()).unwrap();
        assert!(parsed.families().has(Family::of(&event.payload)), "{condition}");
        assert!(parsed.matches(&View::new(event, &graph)), "{condition}");
    }
}

#[test]
fn conditions_see_flows_of_datagrams() {
    let mut world = World::new();
    let tool = world.found(None, "/usr/bin/tool");
    world.say(&tool, Payload::Udp(Box::new(udp("10.9.0.2:4000", UdpStage::Started))));
    holds(
        &world,
        &[
            "lanner.event = udp and evt.type = sendto and evt.category = net",
            "fd.l4proto = udp and fd.sip = 10.9.0.2 and fd.sport = 4000 and fd.cip = 10.0.0.5",
            "fd.connected = false and fd.name_changed = true and fd.typechar = 4",
            "not fd.sip.name exists and lanner.net.peer = 10.9.0.2:4000",
        ],
    );
    world.say(&tool, Payload::Udp(Box::new(udp("10.9.0.2:4000", UdpStage::Closed))));
    holds(
        &world,
        &[
            "evt.type = close and lanner.net.outgoing = true and fd.name_changed = false",
            "lanner.net.sent = 900 and lanner.net.received = 30 and lanner.net.mostly_sent = true",
            "not lanner.net.rtt exists",
        ],
    );
}

#[test]
fn conditions_see_questions_and_what_they_name() {
    let mut world = World::new();
    let tool = world.found(None, "/usr/bin/tool");
    world.say(&tool, Payload::Dns(Box::new(dns("C2.Example", 3, address("10.9.0.2")))));
    holds(
        &world,
        &[
            "lanner.event = dns and evt.type = dns and fd.l4proto = udp and fd.rport = 53",
            "lanner.dns.name = c2.example and lanner.dns.name endswith .example and lanner.dns.name.spelled = C2.Example",
            "lanner.dns.type = A and lanner.dns.rcode = NOERROR and lanner.dns.answered = true and lanner.dns.ttl = 60",
            "lanner.dns.answers in (10.9.0.2) and lanner.dns.waited = 3000000 and lanner.dns.transport = udp",
        ],
    );
    world.say(&tool, Payload::Udp(Box::new(udp("10.9.0.2:4000", UdpStage::Started))));
    holds(
        &world,
        &["fd.sip.name = C2.Example and fd.rip.name exists", "lanner.net.peer = '10.9.0.2:4000 (C2.Example)'"],
    );
    world.say(&tool, Payload::Dns(Box::new(dns("gone.example", 3, None))));
    holds(&world, &["lanner.dns.answered = false and not lanner.dns.rcode exists and not lanner.dns.ttl exists"]);
}

#[test]
fn a_name_holds_where_it_was_asked_for_and_only_when_it_was() {
    let mut world = World::new();
    let tool = world.found(None, "/usr/bin/tool");
    let seq = world.say(&tool, Payload::Dns(Box::new(dns("here.example", 3, address("10.9.0.2")))));
    world.say(&tool, Payload::Dns(Box::new(dns("there.example", 4, address("10.9.0.3")))));
    let unasked = Dns { waited: None, ..dns("forged.example", 3, address("10.9.0.2")) };
    world.say(&tool, Payload::Dns(Box::new(unasked)));
    let failed = DnsReply { rcode: ResponseCode::SERVFAIL, ..address("10.9.0.2").unwrap() };
    world.say(&tool, Payload::Dns(Box::new(dns("broken.example", 3, Some(failed)))));
    let mut graph = Graph::default();
    world.events.iter().for_each(|event| graph.apply(event));
    let naming = graph.name_of(3, "10.9.0.2".parse().unwrap()).unwrap();
    assert_eq!((naming.name.to_string().as_str(), naming.asked_by, naming.seq), ("here.example", tool.key, seq));
    assert_eq!(graph.name_of(3, "10.9.0.3".parse().unwrap()), None);
    assert_eq!(graph.names_let_go(), 0);
}

#[test]
fn even_calls_in_datagrams_are_a_beacon_and_questions_are_not() {
    for (peer, is_beacon) in [("10.9.0.2:4000", true), ("10.0.0.53:53", false)] {
        let mut world = World::new();
        let implant = world.found(None, "/tmp/implant");
        let mut graph = Graph::default();
        world.events.iter().for_each(|event| graph.apply(event));
        let mut seen = false;
        for _ in 0..6 {
            world.wait(3.0);
            world.say(&implant, Payload::Udp(Box::new(udp(peer, UdpStage::Started))));
            let event = world.events.last().unwrap();
            graph.apply(event);
            seen |= graph.beacon(event);
        }
        assert_eq!(seen, is_beacon, "{peer}");
        let did = graph.did(&Node::Process(implant.key));
        let called = did.iter().find(|(node, _)| *node == Node::Peer(peer.parse().unwrap())).unwrap().1;
        assert_eq!((called.relation, called.count), (Relation::Connected, 6));
    }
}
