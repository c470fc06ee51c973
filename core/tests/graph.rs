//! What the graph makes of what happened.

mod world;

use lanner_core::condition::{Condition, Names, View};
use lanner_core::event::*;
use lanner_core::graph::{Graph, Node, Relation};
use world::{Actor, HOST, World};

const UUID_POD: &str = "/kubepods/besteffort/podfedcba98-7654-3210-fedc-ba9876543210/aaaa";
const STATIC_POD: &str = "/kubepods/besteffort/pod0123456789abcdef0123456789abcdef/bbbb";

fn graph(world: &World) -> Graph {
    let mut graph = Graph::default();
    world.events.iter().for_each(|event| graph.apply(event));
    graph
}

#[test]
fn a_double_fork_hides_no_descent() {
    let mut world = World::new();
    let init = world.found(None, "/sbin/init");
    let shell = world.spawn(&init, "/bin/bash", "bash");
    let middle = world.fork(&shell);
    let mut daemon = world.fork(&middle);
    world.exit(&middle);
    daemon.task.parent = Some(init.key);
    world.exec(&daemon, "/tmp/payload", "payload");
    let graph = graph(&world);
    assert!(graph.descends(daemon.key, shell.key));
    assert_eq!(graph.process(daemon.key).unwrap().task.parent, Some(init.key), "and the reaper is known");
    assert_eq!(graph.origin_of(daemon.key), shell.key, "init is a boundary");
}

#[test]
fn what_the_kernel_runs_is_nobody_elses_and_holds_together() {
    let mut world = World::new();
    let mut of_kernel = |pid: u32, parent: Option<ProcessKey>| {
        let mut actor = world.found(None, "");
        actor.key = ProcessKey::new(pid, pid.into());
        actor.task.parent = parent;
        let event = world.events.last_mut().unwrap();
        event.header.process = actor.key;
        event.payload = Payload::Alive(Box::new(Exec { task: actor.task.clone(), image: Image::default() }));
        actor
    };
    let kthreadd = of_kernel(2, None);
    let worker = of_kernel(40, Some(kthreadd.key));
    let shell = world.found(None, "/bin/bash");
    // One that nobody waits for, made as a sibling of the worker; and one that it waits for.
    let left = world.fork(&kthreadd);
    let forked_by = world.events.last_mut().unwrap();
    forked_by.header.process = worker.key;
    world.exec(&left, "/cmd", "cmd");
    let waited_for = world.spawn(&worker, "/sbin/modprobe", "modprobe");
    let child = world.spawn(&left, "/bin/ps", "ps");
    let graph = graph(&world);
    for of_kernel in [&kthreadd, &worker, &left, &waited_for, &child] {
        assert!(graph.is_of_kernel(of_kernel.key), "{of_kernel:?}");
    }
    assert!(!graph.is_of_kernel(shell.key));
    assert_eq!((graph.origin_of(left.key), graph.origin_of(waited_for.key)), (left.key, waited_for.key));
    assert_eq!(graph.origin_of(child.key), left.key, "what the helper runs belongs to it");
}

#[test]
fn a_reused_pid_is_another_process() {
    let mut world = World::new();
    let init = world.found(None, "/sbin/init");
    let first = world.spawn(&init, "/bin/a", "a");
    world.exit(&first);
    let mut second = world.fork(&init);
    second.key.pid = first.key.pid;
    world.exec(&second, "/bin/b", "b");
    let graph = graph(&world);
    assert!(!graph.process(first.key).unwrap().is_alive());
    assert!(graph.process(second.key).unwrap().is_alive());
    assert_eq!(graph.by_pid(first.key.pid).unwrap().key, second.key);
}

#[test]
fn forged_parents_make_no_cycle() {
    let mut world = World::new();
    let (mut a, mut b) = (world.found(None, "/bin/a"), world.found(None, "/bin/b"));
    a.task.parent = Some(b.key);
    b.task.parent = Some(a.key);
    world.exec(&a, "/bin/a", "a");
    world.exec(&b, "/bin/b", "b");
    a.task.parent = Some(a.key);
    world.exec(&a, "/bin/a", "a");
    let graph = graph(&world);
    assert_eq!(graph.ancestors(a.key).count() + graph.ancestors(b.key).count(), 1);
}

#[test]
fn entering_a_container_is_told_from_starting_it() {
    let mut world = World::new();
    let shim = world.found(None, "/usr/bin/containerd-shim-runc-v2");
    let root = world.start_container(&shim, UUID_POD, "aaaa", "/bin/httpd");
    let shell = world.enter(&shim, &root, "/bin/sh", true);
    let ls = world.spawn(&shell, "/bin/ls", "ls");
    let graph = graph(&world);
    let facts: Vec<(ProcessKey, bool, bool)> = world
        .events
        .iter()
        .filter(|e| matches!(e.payload, Payload::Exec(_)))
        .map(|e| (e.header.process, graph.begins_container(e), graph.enters_container(e)))
        .collect();
    assert_eq!(facts, [(root.key, true, false), (shell.key, false, true), (ls.key, false, false)]);
    assert_eq!(graph.origin_of(ls.key), shell.key, "the way into a container is a boundary");
    assert_eq!(graph.host_namespaces(ls.key), Some(HOST));
}

#[test]
fn a_runtimes_last_steps_begin_no_container() {
    let mut world = World::new();
    let shim = world.found(None, "/usr/bin/containerd-shim-runc-v2");
    // runc runs a copy of itself in the container's control group, but in the host's mount namespace still.
    let mut root = world.fork(&shim);
    root.task.context_mut().cgroup = Text::from(UUID_POD);
    root.task.context_mut().container = Some(ContainerId(Text::from("aaaa")));
    world.exec(&root, "memfd:runc_cloned", "runc init");
    root.task.context_mut().namespaces.mnt = 77;
    let began = world.exec(&root, "/bin/httpd", "httpd");
    let graph = graph(&world);
    assert_eq!(graph.container_of(root.key).unwrap().began, Some(began));
}

#[test]
fn a_static_pods_cause_is_the_manifest_that_the_kubelet_took_up() {
    let mut world = World::new();
    let kubelet = world.found(None, "/usr/bin/kubelet");
    let shim = world.found(None, "/usr/bin/containerd-shim-runc-v2");
    let shell = world.spawn(&shim, "/bin/sh", "sh");
    world.write(&shell, "/etc/kubernetes/manifests/x.yaml", 42);
    world.read(&kubelet, "/etc/kubernetes/manifests/x.yaml", 42);
    world.wait(63.0);
    let pause = world.start_container(&shim, STATIC_POD, "pause", "/pause");
    let hidden = world.start_container(&shim, STATIC_POD, "bbbb", "/bin/sh");
    let other = world.start_container(&shim, UUID_POD, "aaaa", "/bin/httpd");
    let graph = graph(&world);
    for inside in [pause.key, hidden.key] {
        let cause = graph.container_of(inside).unwrap().cause.clone().unwrap();
        assert_eq!((cause.writer, cause.reader), (shell.key, kubelet.key));
        assert_eq!(cause.path, "/etc/kubernetes/manifests/x.yaml");
    }
    assert_eq!(graph.container_of(other.key).unwrap().cause, None, "a pod of the API server has no such cause");
}

#[test]
fn a_pipe_and_a_carried_file_lead_to_who_is_behind_them() {
    let mut world = World::new();
    let shell = world.found(None, "/bin/sh");
    let pipe = world.pipe();
    let mut curl = world.fork(&shell);
    curl.stdio[1] = pipe;
    world.exec(&curl, "/usr/bin/curl", "curl http://c2/x");
    let mut python = world.fork(&shell);
    python.stdio[0] = pipe;
    world.exec(&python, "/usr/bin/python3", "python3 -");
    let tar = world.spawn(&python, "/bin/tar", "tar czf /tmp/x.tgz /secrets");
    world.write(&tar, "/tmp/x.tgz", 9);
    world.read(&python, "/tmp/x.tgz", 9);
    let graph = graph(&world);
    assert_eq!(graph.pipe_writer(pipe.ino, python.key).unwrap().key, curl.key);
    assert_eq!(graph.carried(python.key).unwrap(), &"/tmp/x.tgz");
    assert_eq!(graph.carried(tar.key), None, "who wrote it himself carries nothing");
}

#[test]
fn a_file_keeps_its_writer_under_every_name() {
    let mut world = World::new();
    let kubelet = world.found(None, "/usr/bin/kubelet");
    let shim = world.found(None, "/usr/bin/containerd-shim-runc-v2");
    let curl = world.spawn(&shim, "/usr/bin/curl", "curl");
    let mv = world.spawn(&shim, "/bin/mv", "mv");
    world.write(&curl, "/tmp/x", 42);
    let placed = File::new("/etc/kubernetes/manifests/x.yaml", 1, 42);
    world.rename(&mv, "/tmp/x", placed.clone());
    world.read(&kubelet, "/etc/kubernetes/manifests/x.yaml", 42);
    let hidden = world.start_container(&shim, STATIC_POD, "bbbb", "/bin/sh");
    let link = Link { file: File::new("/opt/tool", 1, 42), target: placed.clone(), symbolic: false };
    world.say(&mv, Payload::Link(Box::new(link)));
    let graph = graph(&world);
    assert_eq!(graph.writer_of(placed.id).unwrap().key, curl.key, "moving it is not writing it");
    assert_eq!(graph.file(placed.id).unwrap().path, "/opt/tool", "it is called by its latest name");
    let cause = graph.container_of(hidden.key).unwrap().cause.clone().unwrap();
    assert_eq!((cause.writer, cause.path), (curl.key, Text::from("/etc/kubernetes/manifests/x.yaml")));
    let did = graph.did(&Node::Process(mv.key));
    let named: Vec<_> = did.iter().filter(|(_, edge)| edge.relation == Relation::Named).collect();
    let [(Node::File(id), edge)] = named[..] else { panic!("{did:?}") };
    assert_eq!((*id, edge.count), (placed.id, 2));
}

#[test]
fn who_puts_a_file_in_its_place_answers_for_it_when_nobody_else_is_known() {
    let mut world = World::new();
    let mv = world.found(None, "/bin/mv");
    let file = File::new("/etc/cron.d/job", 1, 77);
    let renamed = world.rename(&mv, "/tmp/job", file.clone());
    assert_eq!(graph(&world).last_write(file.id), Some((mv.key, renamed)));
}

#[test]
fn a_file_that_loses_its_last_name_is_known_as_deleted() {
    let mut world = World::new();
    let shell = world.found(None, "/bin/sh");
    world.write(&shell, "/tmp/x", 42);
    let file = File::new("/tmp/x", 1, 42);
    let unlink = Unlink { file: file.clone(), links: Some(1), directory: Some(false) };
    world.say(&shell, Payload::Unlink(Box::new(unlink)));
    assert!(!graph(&world).file(file.id).unwrap().deleted, "it has another name");
    let gone = File { deleted: true, ..file.clone() };
    world.say(&shell, Payload::Unlink(Box::new(Unlink { file: gone, links: Some(0), directory: Some(false) })));
    let graph = graph(&world);
    assert!(graph.file(file.id).unwrap().deleted);
    assert_eq!(graph.writer_of(file.id).unwrap().key, shell.key, "it may run still");
}

#[test]
fn what_no_one_could_identify_changes_nothing() {
    let mut world = World::new();
    let mv = world.found(None, "/bin/mv");
    let to = File { path: Text::from("/bin/y"), as_passed: true, ..File::default() };
    world.rename(&mv, "/tmp/x", to);
    let graph = graph(&world);
    assert!(graph.written_by(mv.key).is_empty() && graph.file(FileId::default()).is_none());
}

#[test]
fn in_a_node_that_is_a_container_the_host_is_the_node() {
    let mut world = World::new();
    let init = world.found(None, "/sbin/init");
    let node = world.start_container(&init, "/docker/node", "node", "/usr/bin/containerd-shim-runc-v2");
    let nested = format!("/docker/node{UUID_POD}");
    let web = world.start_container(&node, &nested, "aaaa", "/bin/httpd");
    let mut escaping = world.spawn(&web, "/bin/nsenter", "nsenter -t 1 -m");
    let to_node = world.setns(&mut escaping, node.task.context.namespaces);
    let mut further = world.spawn(&node, "/bin/nsenter", "nsenter -t 1 -m");
    let to_machine = world.setns(&mut further, HOST);
    let mut debugger = world.spawn(&init, "/bin/nsenter", "nsenter -t 99 -m");
    let into = world.setns(&mut debugger, web.task.context.namespaces);
    let graph = graph(&world);
    assert_eq!(graph.host_namespaces(web.key), Some(node.task.context.namespaces));
    assert_eq!(graph.host_namespaces(node.key), Some(HOST));

    let holds = |condition: &str, seq: u64| {
        let event = world.events.iter().find(|event| event.header.seq == seq).unwrap();
        Condition::parse(condition, &Names::default()).unwrap().matches(&View::new(event, &graph))
    };
    for (seq, out, inside) in [(to_node, true, false), (to_machine, true, false), (into, false, true)] {
        assert_eq!(holds("lanner.ns.entered_host intersects (mnt)", seq), out, "{seq}");
        assert_eq!(holds("lanner.ns.entered_container = aaaa", seq), inside, "{seq}");
    }
}

#[test]
fn who_leaves_the_containers_group_is_the_containers_still() {
    let mut world = World::new();
    let init = world.found(None, "/sbin/init");
    let web = world.start_container(&init, UUID_POD, "aaaa", "/bin/httpd");
    let outside = |actor: &Actor| {
        let mut outside = actor.clone();
        let context = outside.task.context_mut();
        (context.container, context.cgroup) = (None, Text::from("/"));
        outside
    };
    // It writes its number into another group's list.
    let moved = outside(&web);
    let child = world.fork(&moved);
    let ran = world.exec(&child, "/bin/id", "id");
    let itself = world.exec(&moved, "/bin/sh", "sh");
    let beside = world.spawn(&init, "/bin/id", "id");
    let graph = graph(&world);
    for (actor, left) in [(&web, Some(itself)), (&child, Some(ran - 1))] {
        let process = graph.process(actor.key).unwrap();
        assert_eq!((process.left, process.task.context.cgroup.to_string().as_str()), (left, "/"));
        assert_eq!(graph.container_of(actor.key).unwrap().id.to_string(), "aaaa");
    }
    assert!(graph.container_of(beside.key).is_none());
    let left = Condition::parse("container.id = aaaa and lanner.container.left = true", &Names::default()).unwrap();
    let met = |seq: u64| left.matches(&View::new(world.events.iter().find(|e| e.header.seq == seq).unwrap(), &graph));
    assert!(met(ran) && met(itself) && !met(itself + 1));
}

#[test]
fn a_mount_namespace_is_that_of_the_container_that_lives() {
    let mut world = World::new();
    let init = world.found(None, "/sbin/init");
    let gone = world.start_container(&init, "/docker/gone", "gone", "/bin/true");
    world.exit(&gone);
    let mut web = world.fork(&init);
    // The kernel gives it the number of the one that has ended.
    web.task.context_mut().namespaces = gone.task.context.namespaces;
    let context = web.task.context_mut();
    (context.container, context.cgroup) = (Some(ContainerId("web".into())), "/docker/web".into());
    world.exec(&web, "/bin/httpd", "httpd");
    let mut debugger = world.spawn(&init, "/bin/nsenter", "nsenter -t 99 -m");
    let into = world.setns(&mut debugger, web.task.context.namespaces);
    let graph = graph(&world);
    let event = world.events.iter().find(|event| event.header.seq == into).unwrap();
    assert_eq!(graph.reaches_into(event).unwrap().id.to_string(), "web");
    assert_eq!(graph.stays_in(debugger.key).unwrap().id.to_string(), "web");
}
