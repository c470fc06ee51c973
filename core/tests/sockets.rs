//! What the graph makes of sockets, and what conditions say of them.
#![allow(clippy::unwrap_used)]

mod world;

use lanner_core::condition::{Condition, Names, View};
use lanner_core::event::*;
use lanner_core::graph::{Graph, Node, Relation};
use world::{Actor, World};

const NETNS: u32 = 7;

fn graph(world: &World) -> Graph {
    let mut graph = Graph::default();
    world.events.iter().for_each(|event| graph.apply(event));
    graph
}

/// What the last event of a story meets.
fn check(world: &World, lines: &[(&str, bool)]) {
    let (graph, event) = (graph(world), world.events.last().unwrap());
    for (condition, expected) in lines {
        let compiled =
            Condition::parse(condition, &Names::default()).unwrap_or_else(|e| panic!("{}", e.render("test")));
        assert_eq!(compiled.matches(&View::new(event, &graph)), *expected, "{condition}");
        assert!(!expected || compiled.families().has(Family::of(&event.payload)), "{condition}");
    }
}

fn flow(id: u64, local: &str, remote: &str) -> Flow {
    Flow { id: FlowId(id), local: local.parse().unwrap(), remote: remote.parse().unwrap(), netns: NETNS }
}

fn established(world: &mut World, actor: &Actor, flow: Flow) {
    world.say(actor, Payload::Connect(Connect { flow, attempt: Attempt::Established, asked: false }));
}

fn two() -> (World, Actor, Actor) {
    let mut world = World::new();
    let init = world.found(None, "/sbin/init");
    let client = world.spawn(&init, "/usr/bin/curl", "curl");
    let server = world.spawn(&init, "/usr/sbin/nginx", "nginx");
    (world, client, server)
}

#[test]
fn both_ends_of_a_local_connection_know_each_other() {
    for accepts_first in [false, true] {
        let (mut world, client, server) = two();
        let (here, there) = (flow(1, "127.0.0.1:5000", "127.0.0.1:80"), flow(2, "127.0.0.1:80", "127.0.0.1:5000"));
        if !accepts_first {
            established(&mut world, &client, here);
        }
        world.say(&server, Payload::Accept(Accept { flow: there }));
        if accepts_first {
            established(&mut world, &client, here);
        }
        let close = Close {
            flow: there,
            outgoing: Some(false),
            sent: 1,
            received: 1,
            quality: Quality { rtt: std::time::Duration::from_micros(30), retransmits: 2, ..Quality::default() },
            end: End::Reset,
            lasted: std::time::Duration::from_millis(1),
        };
        world.say(&server, Payload::Close(close));
        let graph = graph(&world);
        assert_eq!((graph.other_end(&here), graph.other_end(&there)), (Some(server.key), Some(client.key)));
        assert_eq!(graph.reached_by(client.key), [server.key]);
        let done = graph.done_to(&Node::Process(server.key));
        let reached: Vec<_> = done.iter().filter(|(_, e)| e.relation == Relation::Reached).collect();
        assert_eq!((reached.len(), reached[0].0.clone(), reached[0].1.count), (1, Node::Process(client.key), 1));
        check(
            &world,
            &[
                ("lanner.net.peer_exe = /usr/bin/curl", true),
                ("lanner.net.end = reset and lanner.net.retransmits = 2", true),
                ("lanner.net.rtt = 30000", true),
            ],
        );
    }
}

#[test]
fn a_connection_to_elsewhere_reaches_no_process() {
    let (mut world, client, server) = two();
    established(&mut world, &client, flow(1, "10.0.0.1:5000", "10.0.0.2:80"));
    world.say(&server, Payload::Accept(Accept { flow: flow(2, "10.0.0.1:80", "10.0.0.3:5000") }));
    let graph = graph(&world);
    assert_eq!(graph.reached_by(client.key), []);
    assert_eq!(graph.other_end(&flow(1, "10.0.0.1:5000", "10.0.0.2:80")), None);
}

#[test]
fn who_calls_a_daemon_over_a_unix_socket_reaches_it() {
    let (mut world, client, server) = two();
    let name = UnixName::Path(File::new("/run/docker.sock", 1, 9));
    let stream = SocketType(1);
    let unix = |act, peer| Unix { act, socket_type: stream, name: name.clone(), peer, asked: false, netns: NETNS };
    world.say(&server, Payload::Unix(Box::new(unix(UnixAct::Listening, None))));
    check(&world, &[("evt.type = listen and fd.name = /run/docker.sock", true), ("evt.type = connect", false)]);
    world.say(&client, Payload::Unix(Box::new(unix(UnixAct::Connected, Some(server.key)))));
    check(
        &world,
        &[
            ("evt.type = connect and fd.type = unix and fd.typechar = u", true),
            ("fd.name endswith docker.sock and evt.res = SUCCESS", true),
            ("fd.sockfamily = unix and lanner.socket.abstract = false", true),
            ("lanner.socket.peer = /usr/sbin/nginx", true),
            ("fd.sip = 127.0.0.1 or fd.sport = 80", false),
            ("evt.category = net", true),
        ],
    );
    let graph = graph(&world);
    assert_eq!(graph.reached_by(client.key), [server.key]);
    assert_eq!(graph.file(FileId { dev: 1, ino: 9 }).unwrap().path, "/run/docker.sock");

    let refused = Unix { name: UnixName::Abstract(Text::from("x")), ..unix(UnixAct::Failed(111), None) };
    world.say(&client, Payload::Unix(Box::new(refused)));
    check(
        &world,
        &[
            ("evt.res = ECONNREFUSED and evt.failed = true and fd.name = x", true),
            ("lanner.socket.abstract = true", true),
        ],
    );
}

#[test]
fn an_attempt_that_was_never_sent_is_a_call_all_the_same() {
    let (mut world, client, _) = two();
    let flow = flow(1, "0.0.0.0:0", "10.9.9.9:443");
    world.say(&client, Payload::Connect(Connect { flow, attempt: Attempt::Failed(101), asked: true }));
    check(&world, &[("evt.res = ENETUNREACH and fd.sip = 10.9.9.9 and fd.sport = 443", true)]);
    assert_eq!(graph(&world).peers_of(client.key), ["10.9.9.9:443".parse().unwrap()]);
}

#[test]
fn a_packet_socket_meets_falcos_rule() {
    let (mut world, client, _) = two();
    let packet = Socket { domain: Domain(17), socket_type: SocketType(3), protocol: 768, fd: 3 };
    world.say(&client, Payload::Socket(packet));
    check(
        &world,
        &[
            ("evt.type = socket and evt.dir = < and evt.arg.domain contains AF_PACKET", true),
            ("evt.arg.type = SOCK_RAW and evt.arg.proto = 768 and evt.rawres >= 0", true),
            ("evt.arg[domain] = AF_INET", false),
        ],
    );
    world.say(&client, Payload::Socket(Socket { fd: -1, ..packet }));
    check(&world, &[("evt.type = socket and evt.res = EPERM", true)]);
}

#[test]
fn a_port_that_is_taken_is_a_servers() {
    let (mut world, _, server) = two();
    let to = BindAddress::Inet { local: "0.0.0.0:53".parse().unwrap(), protocol: 17 };
    let bind = Bind { domain: Domain(2), socket_type: SocketType(2), to, netns: NETNS };
    world.say(&server, Payload::Bind(bind));
    check(
        &world,
        &[
            ("evt.type = bind and fd.sport = 53 and fd.l4proto = udp", true),
            ("fd.is_server = true and fd.sip = 0.0.0.0 and fd.typechar = 4", true),
            ("fd.rport exists or fd.connected = true", false),
        ],
    );
    let packet = Bind { domain: Domain(17), to: BindAddress::Packet { interface: 2, protocol: 3 }, ..bind };
    world.say(&server, Payload::Bind(packet));
    check(&world, &[("evt.type = bind and evt.arg.domain = AF_PACKET", true), ("fd.sport exists", false)]);
}
