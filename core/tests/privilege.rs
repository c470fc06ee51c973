//! What follows from who may do what, and from who reaches into whom.
#![allow(clippy::unwrap_used)]

mod world;

use lanner_core::condition::{Condition, Names, View};
use lanner_core::detect::LinkKind;
use lanner_core::detect::rules::RuleSet;
use lanner_core::engine::Engine;
use lanner_core::event::*;
use lanner_core::graph::Graph;
use world::{Actor, HOST, World};

fn graph(world: &World) -> Graph {
    let mut graph = Graph::default();
    world.events.iter().for_each(|event| graph.apply(event));
    graph
}

/// Whether the last event meets a condition.
fn meets(world: &World, condition: &str) -> bool {
    let graph = graph(world);
    let event = world.events.last().unwrap();
    let compiled = Condition::parse(condition, &Names::default()).unwrap_or_else(|e| panic!("{}", e.render(condition)));
    let met = compiled.matches(&View::new(event, &graph));
    assert!(!met || compiled.families().has(Family::of(&event.payload)), "{condition}");
    met
}

fn call(family: Family, name: &str) -> Call {
    Call::of(family, name).unwrap()
}

fn becomes(world: &mut World, actor: &Actor, call_name: &str, before: &Privileges, now: &Privileges) {
    let call = call(Family::Credentials, call_name);
    let change = CredentialsChange { call, before: before.clone(), now: now.clone() };
    world.say(actor, Payload::Credentials(Box::new(change)));
}

fn reaches_into(world: &mut World, actor: &Actor, target: &Actor, name: &str) -> Trace {
    let trace = Trace {
        call: call(Family::Trace, name),
        request: if name == "ptrace" { 16 } else { 0 },
        target: target.key,
        target_tid: target.key.pid,
        write: name != "process_vm_readv",
        bytes: 0,
        count: 1,
        file: None,
        fd: None,
        errno: 0,
    };
    world.say(actor, Payload::Trace(Box::new(trace.clone())));
    trace
}

#[test]
fn a_process_is_known_by_the_credentials_that_it_has_now() {
    let mut world = World::new();
    let init = world.found(None, "/sbin/init");
    let shell = world.spawn(&init, "/bin/sh", "sh");
    let user = Privileges { uid: 1000, euid: 1000, ..Privileges::default() };
    let root = Privileges { cap_effective: 1 << 21, cap_permitted: 1 << 21, ..Privileges::default() };
    becomes(&mut world, &shell, "setresuid", &user, &root);
    let creds = graph(&world).process(shell.key).unwrap().task.context.creds;
    assert_eq!((creds.uid, creds.euid, creds.cap_effective), (0, 0, 1 << 21));
    for (condition, expected) in [
        ("evt.type = setresuid and evt.arg.euid = 0 and user.uid = 0", true),
        ("lanner.creds.became_root = true and lanner.creds.gained_caps = true", true),
        ("evt.type = setuid", false),
        ("evt.type in (ptrace, mount)", false),
    ] {
        assert_eq!(meets(&world, condition), expected, "{condition}");
    }

    // One thread's alone are not the process's.
    becomes(&mut world, &shell, "setresuid", &root, &user);
    world.events.last_mut().unwrap().header.tid += 1;
    assert_eq!(graph(&world).process(shell.key).unwrap().task.context.creds.euid, 0);
    assert!(meets(&world, "lanner.creds.became_root = false and lanner.creds.gained_caps = false"));
}

#[test]
fn who_writes_into_another_has_a_part_in_what_that_one_does() {
    let mut world = World::new();
    let init = world.found(None, "/sbin/init");
    let attacker = world.spawn(&init, "/tmp/inject", "inject");
    let victim = world.spawn(&init, "/usr/sbin/sshd", "sshd");
    let looker = world.spawn(&init, "/usr/bin/top", "top");
    reaches_into(&mut world, &looker, &victim, "process_vm_readv");
    assert_eq!(graph(&world).tracer_of(victim.key), None, "to look is no part");
    reaches_into(&mut world, &attacker, &victim, "ptrace");
    let seq = world.events.last().unwrap().header.seq;
    let graph = graph(&world);
    assert_eq!(graph.tracer_of(victim.key), Some((attacker.key, seq)));
    assert_eq!(graph.traced_by(attacker.key), Some((victim.key, seq)));
    for condition in [
        "evt.type = ptrace and evt.arg.request = PTRACE_ATTACH and evt.res = SUCCESS",
        "lanner.target.name = sshd and lanner.target.exe = /usr/sbin/sshd and lanner.target.container = host",
        "lanner.trace.write = true and lanner.event = trace",
    ] {
        assert!(meets(&world, condition), "{condition}");
    }
}

#[test]
fn what_happens_through_another_process_is_the_same_incident() {
    let rules = RuleSet::load(lanner_rules::RULES);
    let mut world = World::new();
    let shim = world.found(None, "/usr/bin/containerd-shim-runc-v2");
    let cgroup = |id: &str| format!("/kubepods/besteffort/podfedcba98-7654-3210-fedc-ba98765432{id}/{id}{id}");
    let escapes = |world: &mut World, id: &str| {
        let web = world.start_container(&shim, &cgroup(id), id, "/bin/httpd");
        let mut nsenter = world.spawn(&web, "/usr/bin/nsenter", "nsenter -t 1 -m");
        world.setns(&mut nsenter, HOST);
        nsenter
    };
    let first = escapes(&mut world, "10");
    let second = world.start_container(&shim, &cgroup("20"), "20", "/bin/httpd");
    reaches_into(&mut world, &first, &second, "process_vm_writev");
    let written = world.events.last().unwrap().header.seq;
    world.write(&second, "/etc/kubernetes/manifests/x.yaml", 42);
    let mut engine = Engine::new(rules, Vec::new());
    world.events.iter().for_each(|event| drop(engine.apply(event)));
    engine.flush();
    let [incident] = engine.incidents() else { panic!("one incident: {:#?}", engine.incidents()) };
    let link = incident.stages.iter().filter_map(|s| s.link.as_ref()).find(|l| l.kind == LinkKind::Traced).unwrap();
    assert_eq!(link.evidence, [written]);
    assert_eq!(link.why, format!("nsenter ({}) reached into httpd ({})", first.key.pid, second.key.pid));
}

#[test]
fn the_last_step_of_a_reverse_shell_meets_its_condition() {
    let mut world = World::new();
    let init = world.found(None, "/sbin/init");
    let shell = world.spawn(&init, "/bin/bash", "bash");
    let leads_to = Stdio { kind: StdioKind::Socket, ino: 9, peer: Some("192.0.2.7:4444".parse().unwrap()) };
    world.say(&shell, Payload::Stdio(StdioChange { call: call(Family::Stdio, "dup2"), fd: 1, leads_to }));
    for (condition, expected) in [
        ("evt.type in (dup, dup2, dup3) and evt.rawres in (0, 1, 2) and fd.type in (ipv4, ipv6)", true),
        ("fd.num = 1 and fd.rip = 192.0.2.7 and fd.rport = 4444 and fd.name = 192.0.2.7:4444", true),
        ("fd.rport = 4443", false),
    ] {
        assert_eq!(meets(&world, condition), expected, "{condition}");
    }
}

#[test]
fn what_the_kernel_is_given_to_run_meets_conditions() {
    let mut world = World::new();
    let init = world.found(None, "/sbin/init");
    let module = KernelLoad {
        call: call(Family::Kernel, "finit_module"),
        file: Some(File::new("/tmp/rootkit.ko", 1, 2)),
        ramdisk: None,
        words: "hide=1".into(),
        size: 0,
        flags: 0,
        errno: 1,
    };
    world.say(&init, Payload::Kernel(Box::new(module)));
    assert!(meets(&world, "evt.type = finit_module and evt.failed = true and evt.res = EPERM"));
    assert!(meets(&world, "evt.arg.path endswith .ko and evt.arg.uargs contains hide"));
    let bpf = Bpf {
        command: BpfCommand::ProgLoad,
        object_type: 2,
        attach_type: 0,
        id: 7,
        size: 10,
        name: "evil".into(),
        errno: 0,
    };
    world.say(&init, Payload::Bpf(Box::new(bpf)));
    assert!(meets(&world, "evt.type = bpf and evt.arg.cmd = BPF_PROG_LOAD and evt.arg.type = kprobe"));
    let place = File::new("/host", 8, 2);
    let mount = Mount {
        call: call(Family::Mount, "mount"),
        source: "/dev/vda1".into(),
        place,
        fs_type: "ext4".into(),
        flags: 0,
        key: Text::empty(),
        options: Text::empty(),
        namespace: 1,
        errno: 0,
    };
    world.say(&init, Payload::Mount(Box::new(mount)));
    assert!(meets(&world, "evt.type = mount and evt.arg.dev startswith /dev/ and evt.arg.dir = /host"));
}

#[test]
fn a_process_is_known_by_the_root_that_it_has_now() {
    let mut world = World::new();
    let (own, host) = (FileId { dev: 7, ino: 70 }, FileId { dev: 1, ino: 2 });
    let init = world.found(None, "/sbin/init");
    let mut shim = world.fork(&init);
    shim.task.context_mut().root = host;
    world.exec(&shim, "/usr/bin/containerd-shim-runc-v2", "shim");
    let mut inside = world.start_container(&shim, "/kubepods/pod1/abc", "abc", "/bin/sh");
    inside.task.context_mut().root = own;
    world.exec(&inside, "/bin/sh", "sh");
    let is_host = |world: &World, actor: &Actor| graph(world).has_host_root(actor.key);
    assert_eq!(is_host(&world, &inside), Some(false));

    let change = RootChange {
        call: call(Family::Root, "chroot"),
        now: File { id: host, ..File::new("/host", 0, 0) },
        before: File { id: own, ..File::new("/", 0, 0) },
        namespace: inside.task.context.namespaces.mnt,
        errno: 0,
    };
    let refused = RootChange { errno: 1, ..change.clone() };
    world.say(&inside, Payload::Root(Box::new(refused)));
    assert!(meets(&world, "evt.type = chroot and evt.arg.path = /host and evt.failed = true"));
    assert_eq!(is_host(&world, &inside), Some(false), "it asked in vain");
    world.say(&inside, Payload::Root(Box::new(change)));
    assert!(meets(&world, "evt.type = chroot and evt.failed = false"));
    assert!(meets(&world, "lanner.root = /host and lanner.root.is_host = true"));
    inside.task.context_mut().root = host;
    let child = world.fork(&inside);
    let known = graph(&world);
    assert_eq!(
        known.process(child.key).and_then(|p| p.task.context.root_path.clone()),
        Some(Text::from("/host")),
        "inherited"
    );
    assert_eq!(is_host(&world, &child), Some(true));

    // With the mounts of another come that one's.
    let mut child = child;
    let elsewhere = Namespaces { mnt: 99, ..child.task.context.namespaces };
    world.setns(&mut child, elsewhere);
    assert_eq!(is_host(&world, &child), None);
    assert_eq!(graph(&world).process(child.key).and_then(|p| p.task.context.root_path.clone()), None);
}
