//! Each rule fires on what it describes and stays silent on the near miss beside it.
#![allow(clippy::unwrap_used)]

#[path = "../../core/tests/world/mod.rs"]
mod world;

use lanner_core::condition::View;
use lanner_core::detect::rules::RuleSet;
use lanner_core::event::*;
use lanner_core::graph::Graph;
use world::{Actor, HOST, World};

const POD: &str = "/kubepods/besteffort/podfedcba98-7654-3210-fedc-ba9876543210/aaaa";
const OTHER: &str = "/kubepods/besteffort/pod0123456789abcdef0123456789abcdef/bbbb";

/// The rules that the story's events met, with the sentence.
fn told(world: &World) -> Vec<(String, String)> {
    let set = RuleSet::load(lanner_rules::RULES);
    let mut graph = Graph::default();
    let mut told = Vec::new();
    for event in &world.events {
        graph.apply(event);
        let view = View::new(event, &graph);
        told.extend(set.matching(&view).map(|rule| (rule.name.to_string(), rule.sentence(&view))));
    }
    told
}

fn fired(world: &World, rule: &str) -> usize {
    told(world).iter().filter(|(name, _)| name == rule).count()
}

/// A node with a runtime and one container.
fn node() -> (World, Actor, Actor) {
    let mut world = World::new();
    let init = world.found(None, "/sbin/init");
    let shim = world.found(Some(&init), "/usr/bin/containerd-shim-runc-v2");
    let container = world.start_container(&shim, POD, "aaaa", "/srv/server");
    (world, shim, container)
}

#[test]
fn a_session_is_a_terminal_that_came_from_outside() {
    let rule = "Session opened in a running container";
    let (mut world, shim, container) = node();
    world.enter(&shim, &container, "/bin/sh", true);
    assert_eq!(fired(&world, rule), 1);

    let (mut world, shim, container) = node();
    world.enter(&shim, &container, "/bin/health", false);
    world.spawn(&container, "/bin/sh", "sh -c ls");
    assert_eq!(fired(&world, rule), 0, "a probe has no terminal, and a child was not put there");
}

#[test]
fn a_shell_with_a_terminal_needs_both_and_a_container() {
    let rule = "Shell with a terminal in a container";
    let (mut world, shim, container) = node();
    let session = world.enter(&shim, &container, "/bin/busybox", true);
    world.spawn(&session, "/bin/bash", "bash");
    assert_eq!(fired(&world, rule), 1);

    let (mut world, _, container) = node();
    world.spawn(&container, "/bin/sh", "sh -c ls");
    let mut admin = world.found(None, "/usr/sbin/sshd");
    admin.task.context_mut().tty = Some(Text::from("pts1"));
    world.spawn(&admin, "/bin/bash", "bash");
    assert_eq!(fired(&world, rule), 0);
}

#[test]
fn an_escape_goes_from_the_container_to_the_host() {
    let rule = "Container process entered the host's namespaces";
    let (mut world, _, container) = node();
    let mut escaping = world.spawn(&container, "/bin/nsenter", "nsenter -t 1 -m");
    world.setns(&mut escaping, Namespaces { mnt: HOST.mnt, ..container.task.context.namespaces });
    assert_eq!(fired(&world, rule), 1);
    let (_, sentence) = told(&world).into_iter().find(|(name, _)| name == rule).unwrap();
    assert_eq!(sentence, "nsenter left container aaaa for the host's namespaces (mnt)");

    // A runtime puts its own process into the container's control group first, then enters one namespace after another.
    let (mut world, shim, container) = node();
    let mut stage = world.fork(&shim);
    stage.task.context_mut().cgroup = container.task.context.cgroup.clone();
    stage.task.context_mut().container = container.task.context.container.clone();
    let inside = container.task.context.namespaces;
    world.setns(&mut stage, Namespaces { ipc: inside.ipc, ..HOST });
    world.setns(&mut stage, Namespaces { ipc: inside.ipc, uts: inside.uts, ..HOST });
    world.setns(&mut stage, inside);
    world.exec(&stage, "/bin/sh", "sh");
    assert_eq!(fired(&world, rule), 0);
}

#[test]
fn a_manifest_is_written_where_the_host_looks_for_it() {
    let rule = "Static pod manifest written from a container";
    for path in ["/etc/kubernetes/manifests/x.yaml", "/srv/agent/pod-manifests/y.json", "/run/k/manifests/z.yml"] {
        let (mut world, _, container) = node();
        let mut escaped = world.spawn(&container, "/bin/cat", "cat");
        world.setns(&mut escaped, Namespaces { mnt: HOST.mnt, ..container.task.context.namespaces });
        world.write(&escaped, path, 77);
        assert_eq!(fired(&world, rule), 1, "{path}");
    }
    let (mut world, _, container) = node();
    world.write(&container, "/mnt/host/etc/kubernetes/manifests/x.yaml", 77);
    assert_eq!(fired(&world, rule), 1, "through a mount of the host's directory");

    let (mut world, _, container) = node();
    world.write(&container, "/src/app/manifests/deployment.yaml", 77);
    world.read(&container, "/etc/kubernetes/manifests/x.yaml", 78);
    world.write(&container, "/etc/kubernetes/manifests/notes.txt", 79);
    let admin = world.found(None, "/usr/bin/vim");
    world.write(&admin, "/etc/kubernetes/manifests/x.yaml", 80);
    assert_eq!(fired(&world, rule), 0);
}

#[test]
fn a_manifest_that_is_moved_into_place_counts_like_one_that_is_written_there() {
    let rule = "Static pod manifest moved into place from a container";
    let (mut world, _, container) = node();
    world.write(&container, "/mnt/etc/kubernetes/manifests/.x", 77);
    world.rename(
        &container,
        "/mnt/etc/kubernetes/manifests/.x",
        File::new("/mnt/etc/kubernetes/manifests/x.yaml", 1, 77),
    );
    assert_eq!(fired(&world, rule), 1);

    let (mut world, _, container) = node();
    world.rename(&container, "/etc/kubernetes/manifests/x.yaml", File::new("/tmp/x.yaml", 1, 77));
    world.rename(&container, "/tmp/notes", File::new("/etc/kubernetes/manifests/notes.txt", 1, 78));
    let admin = world.found(None, "/usr/bin/mv");
    world.rename(&admin, "/tmp/x.yaml", File::new("/etc/kubernetes/manifests/x.yaml", 1, 77));
    assert_eq!(fired(&world, rule), 0);
}

/// A node on which a kubelet reads a manifest and starts a container because of it.
fn planted(writer_in_container: bool) -> World {
    let (mut world, shim, container) = node();
    let kubelet = world.found(None, "/usr/bin/kubelet");
    let outsider = world.found(None, "/usr/bin/vim");
    world.spawn(&kubelet, "/opt/cni/bin/bridge", "bridge");
    world.write(if writer_in_container { &container } else { &outsider }, "/etc/kubernetes/manifests/x.yaml", 77);
    world.wait(0.5);
    world.read(&kubelet, "/etc/kubernetes/manifests/x.yaml", 77);
    world.wait(0.5);
    world.start_container(&shim, OTHER, "bbbb", "/srv/planted");
    world
}

#[test]
fn a_planted_container_was_written_by_another() {
    let rule = "Container started by a planted manifest";
    assert_eq!(fired(&planted(true), rule), 1);
    assert_eq!(fired(&planted(false), rule), 0, "an administrator may write manifests");
    let (world, ..) = node();
    assert_eq!(fired(&world, rule), 0);
}

#[test]
fn code_from_a_pipe_is_no_script() {
    let rule = "Interpreter runs code from a pipe";
    let exe_of = |line: &str| format!("/usr/bin/{}", line.split(' ').next().unwrap());
    let fires = |writer: Option<&str>, line: &str, reader_first: bool| {
        let (mut world, _, mut container) = node();
        let pipe = world.pipe();
        let mut writing = container.clone();
        writing.stdio[1] = pipe;
        container.stdio[0] = pipe;
        let write = |world: &mut World| writer.map(|writer| world.spawn(&writing, &exe_of(writer), writer));
        if reader_first {
            world.spawn(&container, &exe_of(line), line);
            write(&mut world);
        } else {
            write(&mut world);
            world.spawn(&container, &exe_of(line), line);
        }
        fired(&world, rule) == 1
    };
    for reader_first in [false, true] {
        for line in
            ["python3", "python3 -", "python3 -u -", "python3 - --quiet", "sh", "bash -s", "bash -s -- x", "perl -w -"]
        {
            assert!(fires(Some("curl http://h/x"), line, reader_first), "{line}");
        }
        for line in [
            "python3 /app/main.py",
            "python3 -c print(1)",
            "python3 -m http.server",
            "sh -c ls",
            "sh /entry.sh",
            "bash -ec true",
        ] {
            assert!(!fires(Some("curl http://h/x"), line, reader_first), "{line}");
        }
        assert!(!fires(Some("cat /srv/script"), "sh", reader_first), "it is a file");
        assert!(!fires(None, "python3 -", reader_first), "what stands between a script's lines comes from no program");
    }

    let (mut world, shim, container) = node();
    let mut shim = shim;
    shim.stdio[0] = world.pipe();
    world.enter(&shim, &container, "/bin/sh", false);
    assert_eq!(fired(&world, rule), 0, "what the runtime starts has a pipe as its input");
}

#[test]
fn archives_are_made_not_read() {
    let rule = "Archive made";
    let fires = |args: &str| {
        let (mut world, _, container) = node();
        world.spawn(&container, &format!("/usr/bin/{}", args.split(' ').next().unwrap()), args);
        fired(&world, rule) == 1
    };
    for args in [
        "tar czf /tmp/a.tgz /data",
        "tar -czf /tmp/a.tgz /data",
        "tar -C / -cf a.tar data",
        "tar --create --file a data",
        "zip -r a.zip data",
        "7z a x.7z data",
        "python3 -m tarfile -c a.tar data",
    ] {
        assert!(fires(args), "{args}");
    }
    for args in [
        "tar xzf a.tgz",
        "tar -xf cat.tar -C /c",
        "tar tf a.tar",
        "tar --exclude=c -xf a",
        "7z x a.7z",
        "zip -T a.zip",
        "cat a.tar",
    ] {
        assert!(!fires(args), "{args}");
    }
}

#[test]
fn a_beacon_is_regular() {
    let rule = "Beaconing";
    let calls = |gaps: &[f64]| {
        let (mut world, _, container) = node();
        for gap in gaps {
            let flow = world.connect(&container, "10.9.9.9:8443");
            world.close(&container, flow, 100, 100);
            world.wait(*gap);
        }
        fired(&world, rule)
    };
    assert_eq!(calls(&[5.0; 12]), 1);
    assert_eq!(calls(&[0.1, 40.0, 3.0, 0.2, 90.0, 11.0, 0.3, 2.0, 300.0, 1.0, 0.1, 17.0]), 0);
}

#[test]
fn an_upload_is_large_and_goes_one_way() {
    let rule = "Large upload";
    let fires = |sent: u64, received: u64| {
        let (mut world, _, container) = node();
        let flow = world.connect(&container, "10.9.9.9:9000");
        world.close(&container, flow, sent, received);
        fired(&world, rule) == 1
    };
    assert!(fires(65_536, 0));
    assert!(fires(10_000_000, 5_000));
    assert!(!fires(65_535, 0), "it is small");
    assert!(!fires(1_000_000, 300_000), "it is a conversation");
    let (mut world, ..) = node();
    let host = world.found(None, "/usr/bin/rsync");
    let flow = world.connect(&host, "10.9.9.9:9000");
    world.close(&host, flow, 1_000_000, 0);
    assert_eq!(fired(&world, rule), 0, "it comes from no container");
}
