//! Who wrote what an attack runs, or left a relay for it, is part of it though no rule spoke of him; who merely serves or
//! installs is not.
#![allow(clippy::unwrap_used)]

mod world;

use std::net::SocketAddr;

use lanner_core::detect::rules::RuleSet;
use lanner_core::detect::{Incident, LinkKind};
use lanner_core::engine::Engine;
use lanner_core::event::*;
use world::{Actor, HOST, World};

const WEB: &str = "/kubepods/besteffort/podfedcba98-7654-3210-fedc-ba9876543210/aaaa";

/// The one incident of a story.
fn incident(world: &World) -> Incident {
    let mut engine = Engine::new(RuleSet::load(lanner_rules::RULES), Vec::new());
    world.events.iter().for_each(|event| drop(engine.apply(event)));
    engine.flush();
    let standing: Vec<&Incident> =
        engine.incidents().iter().filter(|i| i.merged_into.is_none()).map(AsRef::as_ref).collect();
    assert_eq!(standing.len(), 1, "{standing:#?}");
    standing[0].clone()
}

fn is_in(incident: &Incident, actor: &Actor) -> bool {
    incident.processes.iter().any(|p| p.key == actor.key)
}

/// The number that the world gives a program's file.
fn ino_of(exe: &str) -> u64 {
    100_000 + (exe.bytes().fold(7, |hash: u64, b| hash.wrapping_mul(31) + u64::from(b)) & 0xffff)
}

/// A server in a container, whose requests are its children.
fn server() -> (World, Actor) {
    let mut world = World::new();
    let shim = world.found(None, "/usr/bin/containerd-shim-runc-v2");
    let web = world.start_container(&shim, WEB, "aaaa", "/bin/app");
    (world, web)
}

fn request(world: &mut World, web: &Actor) -> Actor {
    world.wait(3_600.0);
    world.spawn(web, "/bin/sh", "sh page")
}

/// Weighs enough to be an incident.
fn goes_bad(world: &mut World, actor: &Actor) {
    let cat = world.spawn(actor, "/bin/cat", "cat /etc/shadow");
    world.read(&cat, "/etc/shadow", 33);
    let mut shell = world.fork(actor);
    shell.stdio[0] = Stdio { kind: StdioKind::Socket, ino: 5, peer: Some("192.0.2.9:4444".parse().unwrap()) };
    world.exec(&shell, "/bin/sh", "sh -i");
}

#[test]
fn the_request_that_brought_what_a_later_one_runs_is_part_of_it_and_others_are_not() {
    let (mut world, web) = server();
    let honest = request(&mut world, &web);
    world.write(&honest, "/srv/page", 71);
    let brings = request(&mut world, &web);
    let cp = world.spawn(&brings, "/bin/cp", "cp /bin/x /srv/tool");
    world.write(&cp, "/srv/tool", ino_of("/srv/tool"));
    let also = world.spawn(&brings, "/bin/date", "date");
    let runs = request(&mut world, &web);
    let tool = world.spawn(&runs, "/srv/tool", "tool");
    goes_bad(&mut world, &tool);
    let later = request(&mut world, &web);
    let again = world.spawn(&later, "/srv/tool", "tool again");
    let with_it = world.spawn(&later, "/bin/true", "true");
    let found = incident(&world);
    for actor in [&brings, &cp, &also, &runs, &tool, &later, &again, &with_it] {
        assert!(is_in(&found, actor), "{:?}: {found:#?}", actor.task.comm);
    }
    assert!(!is_in(&found, &honest));
    let tie = found.links.iter().find(|t| t.from == cp.key && t.to == tool.key).unwrap();
    assert_eq!(tie.kind, LinkKind::WroteExecuted);
}

#[test]
fn a_script_is_known_by_what_it_was_opened_as_though_it_renames_itself() {
    let (mut world, web) = server();
    let brings = request(&mut world, &web);
    world.write(&brings, "/srv/hook", 72);
    let runs = request(&mut world, &web);
    let script = world.spawn(&runs, "/bin/bash", "bash /srv/hook");
    world.read(&script, "/srv/hook", 72);
    let mv = world.spawn(&script, "/bin/mv", "mv /srv/hook /srv/.done");
    world.rename(&mv, "/srv/hook", File::new("/srv/.done", 1, 72));
    goes_bad(&mut world, &script);
    let found = incident(&world);
    assert!(is_in(&found, &brings), "{found:#?}");
    assert_eq!(found.links.iter().find(|t| t.from == brings.key).unwrap().kind, LinkKind::WroteLoaded);
}

#[test]
fn who_wrote_it_is_found_once_it_is_known_where_that_was() {
    let (mut world, web) = server();
    let systemd = world.found(None, "/usr/lib/systemd/systemd");
    let brings = request(&mut world, &web);
    world.write(&brings, "/srv/tool", ino_of("/srv/tool"));
    // A service runs it, of which nothing leads to the server yet.
    let service = world.spawn(&systemd, "/srv/tool", "tool");
    let cat = world.spawn(&service, "/bin/cat", "cat /etc/shadow");
    world.read(&cat, "/etc/shadow", 33);
    let second = request(&mut world, &web);
    let packed = world.spawn(&second, "/bin/cat", "cat /etc/shadow");
    world.read(&packed, "/etc/shadow", 33);
    world.write(&packed, "/srv/got", 73);
    world.read(&cat, "/srv/got", 73);
    goes_bad(&mut world, &service);
    let found = incident(&world);
    assert!(is_in(&found, &brings) && is_in(&found, &second), "{found:#?}");
    assert!(!is_in(&found, &systemd));
}

#[test]
fn who_installed_what_an_attack_uses_and_what_its_server_runs_are_none_of_it() {
    let mut world = World::new();
    let systemd = world.found(None, "/usr/lib/systemd/systemd");
    let dpkg = world.spawn(&systemd, "/usr/bin/dpkg", "dpkg -i curl.deb");
    world.write(&dpkg, "/usr/bin/fetch", ino_of("/usr/bin/fetch"));
    let shim = world.found(None, "/usr/bin/containerd-shim-runc-v2");
    let first = world.start_container(&shim, WEB, "aaaa", "/bin/sh");
    let deploys = world.spawn(&first, "/bin/cp", "cp x /srv/app");
    world.write(&deploys, "/srv/app", ino_of("/srv/app"));
    let web = world.spawn(&first, "/srv/app", "app");
    let (near, far) = ("10.0.0.1:80".parse().unwrap(), "192.0.2.7:1".parse().unwrap());
    let flow = Flow { id: FlowId(1), local: near, remote: far, netns: HOST.net };
    world.say(&web, Payload::Accept(Accept { flow }));
    let runs = request(&mut world, &web);
    let tool = world.spawn(&runs, "/usr/bin/fetch", "fetch");
    goes_bad(&mut world, &tool);
    let found = incident(&world);
    assert!(is_in(&found, &tool) && is_in(&found, &web), "{found:#?}");
    assert!(!is_in(&found, &dpkg) && !is_in(&found, &deploys));
}

fn calls(world: &mut World, client: &Actor, server: &Actor, number: u64) {
    let (here, there): (SocketAddr, SocketAddr) =
        (SocketAddr::from(([127, 0, 0, 1], 40_000 + number as u16)), "127.0.0.1:9001".parse().unwrap());
    let flow = |id, local, remote| Flow { id: FlowId(id), local, remote, netns: HOST.net };
    let connect = Connect { flow: flow(7_000 + number * 2, here, there), attempt: Attempt::Established, asked: false };
    world.say(client, Payload::Connect(connect));
    world.say(server, Payload::Accept(Accept { flow: flow(7_001 + number * 2, there, here) }));
}

#[test]
fn a_relay_that_nobody_else_calls_is_part_of_it_with_who_left_it_there() {
    let story = |honest: bool| {
        let (mut world, web) = server();
        let leaves = request(&mut world, &web);
        let relay = world.spawn(&leaves, "/opt/relay", "relay");
        if honest {
            let other = request(&mut world, &web);
            calls(&mut world, &other, &relay, 1);
        }
        let attack = request(&mut world, &web);
        calls(&mut world, &attack, &relay, 2);
        goes_bad(&mut world, &attack);
        // Called once more by one who is known by now.
        calls(&mut world, &attack, &relay, 3);
        let outward = world.fork(&relay);
        let flow = world.connect(&outward, "203.0.113.66:443");
        let found = incident(&world);
        assert!(is_in(&found, &attack));
        (is_in(&found, &leaves) && is_in(&found, &outward), found.peers.contains(&flow.remote))
    };
    assert_eq!(story(false), (true, true));
    assert_eq!(story(true), (false, false), "it serves others too");
}
