//! What ties processes to each other, and what does not.
#![allow(clippy::unwrap_used)]

mod world;

use std::net::SocketAddr;

use lanner_core::detect::rules::RuleSet;
use lanner_core::detect::{Incident, LinkKind};
use lanner_core::engine::Engine;
use lanner_core::event::*;
use world::{Actor, HOST, World};

const WEB: &str = "/kubepods/besteffort/podfedcba98-7654-3210-fedc-ba9876543210/aaaa";
const OTHER: &str = "/kubepods/besteffort/podabababab-7654-3210-fedc-ba9876543210/dddd";
const HIDDEN: &str = "/kubepods/besteffort/pod0123456789abcdef0123456789abcdef/bbbb";
const MANIFEST: &str = "/etc/kubernetes/manifests/x.yaml";

fn incidents(world: &World) -> Vec<Incident> {
    let rules = RuleSet::load(lanner_rules::RULES);
    let mut engine = Engine::new(rules, Vec::new());
    world.events.iter().for_each(|event| drop(engine.apply(event)));
    engine.flush();
    engine.incidents().iter().filter(|i| i.merged_into.is_none()).map(|i| i.as_ref().clone()).collect()
}

fn is_in(incident: &Incident, actor: &Actor) -> bool {
    incident.processes.iter().any(|p| p.key == actor.key)
}

/// The number that the world gives a program's file.
fn ino_of(exe: &str) -> u64 {
    100_000 + (exe.bytes().fold(7, |hash: u64, b| hash.wrapping_mul(31) + u64::from(b)) & 0xffff)
}

struct Node {
    world: World,
    shim: Actor,
    web: Actor,
}

fn node() -> Node {
    let mut world = World::new();
    let shim = world.found(None, "/usr/bin/containerd-shim-runc-v2");
    let web = world.start_container(&shim, WEB, "aaaa", "/bin/httpd");
    Node { world, shim, web }
}

/// A shell that came out of the web container: an incident by itself.
fn escape(world: &mut World, shim: &Actor, container: &Actor) -> Actor {
    let shell = world.enter(shim, container, "/bin/sh", true);
    let mut nsenter = world.spawn(&shell, "/usr/bin/nsenter", "nsenter -t 1 -m");
    world.setns(&mut nsenter, HOST);
    world.spawn(&nsenter, "/bin/sh", "sh")
}

#[test]
fn who_runs_what_an_incident_wrote_is_part_of_it_though_cron_started_it() {
    let Node { mut world, shim, web } = node();
    let cron = world.found(None, "/usr/sbin/cron");
    let outside = escape(&mut world, &shim, &web);
    world.write(&outside, "/usr/lib/updater", ino_of("/usr/lib/updater"));
    world.wait(7_200.0);
    let honest = world.spawn(&cron, "/usr/bin/run-parts", "run-parts /etc/cron.hourly");
    let job = world.spawn(&cron, "/usr/lib/updater", "updater");
    let child = world.spawn(&job, "/bin/sleep", "sleep 1");
    let found = incidents(&world);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(is_in(&found[0], &job) && is_in(&found[0], &child));
    assert!(!is_in(&found[0], &cron) && !is_in(&found[0], &honest));
    let tie = found[0].links.iter().find(|t| t.to == job.key).unwrap();
    assert_eq!((tie.kind, tie.from), (LinkKind::WroteExecuted, outside.key));
    assert_eq!(tie.object, *"/usr/lib/updater");
}

#[test]
fn a_script_that_an_unrelated_service_runs_is_part_of_it() {
    let Node { mut world, shim, web } = node();
    let systemd = world.found(None, "/usr/lib/systemd/systemd");
    let outside = escape(&mut world, &shim, &web);
    world.write(&outside, "/opt/job.py", 900);
    let service = world.spawn(&systemd, "/usr/bin/python3", "python3 /opt/job.py");
    world.read(&service, "/opt/job.py", 900);
    let backup = world.spawn(&systemd, "/usr/bin/rsync", "rsync /opt/job.py /mnt");
    world.read(&backup, "/opt/job.py", 900);
    let found = incidents(&world);
    assert!(is_in(&found[0], &service), "{found:#?}");
    assert!(!is_in(&found[0], &backup), "to read is not to run");
    assert_eq!(found[0].links.iter().find(|t| t.to == service.key).unwrap().kind, LinkKind::WroteLoaded);
}

#[test]
fn what_everybody_uses_ties_nobody() {
    let Node { mut world, shim, web } = node();
    let outside = escape(&mut world, &shim, &web);
    world.write(&outside, "/usr/lib/libcommon.so", 901);
    let mut last = None;
    for i in 0..12 {
        let user = world.found(None, &format!("/usr/bin/program{i}"));
        world.read(&user, "/usr/lib/libcommon.so", 901);
        last = Some(user);
    }
    let mut shell = world.fork(&last.unwrap());
    shell.stdio[0] = Stdio { kind: StdioKind::Socket, ino: 5, peer: Some("192.0.2.9:4444".parse().unwrap()) };
    world.exec(&shell, "/bin/sh", "sh -i");
    let found = incidents(&world);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(!is_in(&found[0], &shell));
}

#[test]
fn a_job_that_runs_a_hundred_times_is_one_user_of_what_it_runs() {
    let Node { mut world, shim, web } = node();
    let cron = world.found(None, "/usr/sbin/cron");
    let outside = escape(&mut world, &shim, &web);
    world.write(&outside, "/usr/lib/updater", ino_of("/usr/lib/updater"));
    let jobs: Vec<Actor> = (0..100).map(|_| world.spawn(&cron, "/usr/lib/updater", "updater")).collect();
    let found = incidents(&world);
    assert!(jobs.iter().all(|job| is_in(&found[0], job)));
}

#[test]
fn a_name_alone_makes_no_boundary() {
    let Node { mut world, shim, web } = node();
    let shell = world.enter(&shim, &web, "/bin/sh", true);
    let mut nsenter = world.spawn(&shell, "/usr/bin/nsenter", "nsenter -t 1 -m");
    world.setns(&mut nsenter, HOST);
    let disguised = world.spawn(&nsenter, "/tmp/sshd", "sshd");
    let below = world.spawn(&disguised, "/bin/cat", "cat /etc/shadow");
    world.read(&below, "/etc/shadow", 33);
    let sshd = world.found(None, "/usr/sbin/sshd");
    let admin = world.spawn(&sshd, "/bin/cat", "cat /etc/shadow");
    world.read(&admin, "/etc/shadow", 33);
    let found = incidents(&world);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(is_in(&found[0], &disguised) && is_in(&found[0], &below));
    assert!(!is_in(&found[0], &admin));
}

#[test]
fn the_same_manifest_planted_again_is_who_planted_it_agains_doing() {
    let Node { mut world, shim, web } = node();
    let kubelet = world.found(None, "/usr/bin/kubelet");
    let second = world.start_container(&shim, OTHER, "dddd", "/bin/httpd");
    let one = escape(&mut world, &shim, &web);
    world.write(&one, MANIFEST, 42);
    world.read(&kubelet, MANIFEST, 42);
    let pause = world.start_container(&shim, HIDDEN, "bbbb", "/pause");
    world.wait(600.0);
    let two = escape(&mut world, &shim, &second);
    world.write(&two, MANIFEST, 43);
    world.read(&kubelet, MANIFEST, 43);
    // A static pod's uid is a hash of its manifest: the same again.
    let again = world.start_container(&shim, &HIDDEN.replace("bbbb", "cccc"), "cccc", "/pause");
    let app = world.start_container(&shim, &HIDDEN.replace("bbbb", "eeee"), "eeee", "/bin/sh");
    let found = incidents(&world);
    assert_eq!(found.len(), 2, "{found:#?}");
    let of = |actor: &Actor| found.iter().position(|i| is_in(i, actor)).unwrap();
    assert_eq!((of(&pause), of(&again), of(&app)), (of(&one), of(&two), of(&two)));
    assert_ne!(of(&one), of(&two));
}

#[test]
fn a_rule_that_fires_again_keeps_who_and_why() {
    let Node { mut world, shim, web } = node();
    let outside = escape(&mut world, &shim, &web);
    world.write(&outside, "/opt/a", ino_of("/opt/a"));
    let cron = world.found(None, "/usr/sbin/cron");
    let job = world.spawn(&cron, "/opt/a", "a");
    for reader in [&outside, &job] {
        let cat = world.spawn(reader, "/bin/cat", "cat /etc/shadow");
        world.read(&cat, "/etc/shadow", 33);
    }
    let found = incidents(&world);
    let stage = found[0].stages.iter().find(|s| s.signal == "Passwords of the machine read").unwrap();
    assert_eq!((stage.count, stage.times.len()), (2, 2), "{stage:#?}");
    assert_eq!(stage.link.as_ref().unwrap().kind, LinkKind::Lineage);
    assert_eq!(stage.times[1].link.as_ref().unwrap().kind, LinkKind::WroteExecuted);
    assert!(stage.times.iter().all(|t| t.file == *"/etc/shadow"));
}

fn connected(world: &mut World, client: &Actor, server: &Actor) {
    let (here, there): (SocketAddr, SocketAddr) =
        ("127.0.0.1:40000".parse().unwrap(), "127.0.0.1:8080".parse().unwrap());
    let flow = |id, local, remote| Flow { id: FlowId(id), local, remote, netns: HOST.net };
    let connect = Connect { flow: flow(7_001, here, there), attempt: Attempt::Established, asked: false };
    world.say(client, Payload::Connect(connect));
    world.say(server, Payload::Accept(Accept { flow: flow(7_002, there, here) }));
}

#[test]
fn what_a_called_server_does_at_once_follows_from_the_call_and_later_does_not() {
    let story = |wait: f64| {
        let Node { mut world, shim, web } = node();
        let init = world.found(None, "/sbin/init");
        let server = world.spawn(&init, "/usr/bin/queue", "queue");
        let outside = escape(&mut world, &shim, &web);
        connected(&mut world, &outside, &server);
        world.wait(wait);
        let cat = world.spawn(&server, "/bin/cat", "cat /etc/shadow");
        world.read(&cat, "/etc/shadow", 33);
        let found = incidents(&world);
        assert_eq!(found.len(), 1, "{found:#?}");
        (is_in(&found[0], &cat), found[0].links.iter().any(|t| t.kind == LinkKind::Connected))
    };
    assert_eq!(story(1.0), (true, true));
    assert_eq!(story(90.0), (false, false));
}

#[test]
fn an_honest_service_of_the_same_container_stays_out() {
    let Node { mut world, shim, web } = node();
    let worker = world.spawn(&web, "/bin/worker", "worker");
    escape(&mut world, &shim, &web);
    world.wait(60.0);
    // Low, and of a lineage that was there before.
    let tar = world.spawn(&worker, "/bin/tar", "tar czf /data/log.tgz /data");
    world.write(&tar, "/data/log.tgz", 55);
    let found = incidents(&world);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(!is_in(&found[0], &tar) && !is_in(&found[0], &worker) && !is_in(&found[0], &web));
    assert!(found[0].stages.iter().all(|s| s.signal != "Archive made"));
}

#[test]
fn a_second_session_in_the_container_that_weighs_something_joins_by_that() {
    let Node { mut world, shim, web } = node();
    let mut first = world.enter(&shim, &web, "/bin/sh", true);
    world.setns(&mut first, HOST);
    world.wait(3_600.0);
    let second = world.enter(&shim, &web, "/bin/sh", true);
    let cat = world.spawn(&second, "/bin/cat", "cat /etc/shadow");
    world.read(&cat, "/etc/shadow", 34);
    let found = incidents(&world);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(is_in(&found[0], &second));
    let stage = found[0].stages.iter().find(|s| s.signal == "Passwords of the machine read").unwrap();
    assert!(stage.link.is_some());
}

#[test]
fn a_service_is_the_doing_of_who_wrote_its_definition() {
    let Node { mut world, shim, web } = node();
    let systemd = world.found(None, "/usr/lib/systemd/systemd");
    let outside = escape(&mut world, &shim, &web);
    let unit = "/etc/systemd/system/helper.service";
    world.write(&outside, unit, 77);
    world.wait(7_200.0);
    let run = |world: &mut World, name: &str| {
        let mut service = world.fork(&systemd);
        service.task.context_mut().cgroup = Text::from(format!("/system.slice/{name}.service").as_str());
        world.exec(&service, "/bin/sh", "sh -c :");
        service
    };
    let planted = run(&mut world, "helper");
    let honest = run(&mut world, "honest");
    let found = incidents(&world);
    assert!(is_in(&found[0], &planted) && !is_in(&found[0], &honest), "{found:#?}");
    let tie = found[0].links.iter().find(|t| t.to == planted.key).unwrap();
    assert_eq!((tie.kind, tie.from, &tie.object), (LinkKind::WroteStarted, outside.key, &Text::from(unit)));
}

#[test]
fn a_job_that_weighs_something_belongs_to_who_wrote_a_table_of_jobs() {
    let Node { mut world, shim, web } = node();
    let cron = world.found(None, "/usr/sbin/cron");
    let outside = escape(&mut world, &shim, &web);
    let before = world.spawn(&cron, "/bin/sh", "sh -c old");
    world.write(&outside, "/var/spool/cron/crontabs/root", 78);
    world.read(&cron, "/var/spool/cron/crontabs/root", 78);
    world.wait(60.0);
    let honest = world.spawn(&cron, "/bin/sh", "sh -c honest");
    let planted = world.spawn(&cron, "/bin/sh", "sh -c planted");
    for job in [&before, &planted] {
        let cat = world.spawn(job, "/bin/cat", "cat /etc/shadow");
        world.read(&cat, "/etc/shadow", 33);
    }
    let found = incidents(&world);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(is_in(&found[0], &planted) && !is_in(&found[0], &honest) && !is_in(&found[0], &before));
    assert!(!is_in(&found[0], &cron));
}
