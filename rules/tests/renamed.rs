//! Nothing that was chosen for a demonstration matters: with other names of files, pods, containers, images and nodes, other
//! addresses and other ports, the recorded attack is the same incident. What Kubernetes, the kernel and the tools of a
//! distribution are called stays.
#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, SocketAddr};

use lanner_core::detect::chain;
use lanner_core::detect::rules::RuleSet;
use lanner_core::engine::Engine;
use lanner_core::event::*;
use lanner_recording::Reader;

/// What a part of a name becomes, in this order.
const NAMES: &[(&str, &str)] = &[
    ("lanner-node", "srvroot"),
    ("node1", "worker-eu-7"),
    ("attack.py", "z.py"),
    ("c2.py", "y.py"),
    ("drop.py", "w.py"),
    ("implant.py", "v.py"),
    ("hack.yaml", "metrics-addon.yml"),
    ("web.yaml", "shop.yml"),
    ("invisible", "monitoring"),
    ("pki.tgz", "report-2.tgz"),
    ("/host/pki", "/srv/vol3"),
    ("-C /host", "-C /srv"),
    ("localhost/", "registry.example/team/"),
    ("busybox", "alpine"),
    ("web", "shop"),
    ("hack", "metrics-addon"),
    ("/update", "/v2/blob"),
    ("203.0.113.66", "100.64.7.9"),
    ("198.51.100.23", "100.99.1.2"),
    (":8080", ":31337"),
    (":8443", ":9443"),
    (":8000", ":27"),
];
/// Addresses by how they begin, and ports.
const NETWORKS: &[([u8; 2], [u8; 2])] = &[([203, 0], [100, 64]), ([198, 51], [100, 99]), ([10, 88], [172, 29])];
const PORTS: &[(u16, u16)] = &[(8080, 31337), (8443, 9443), (8000, 27)];

fn rename(text: &mut Text) {
    let Ok(old) = std::str::from_utf8(text.as_bytes()) else { return };
    let new = NAMES.iter().fold(old.to_owned(), |name, (from, to)| name.replace(from, to));
    if new != old {
        *text = Text::from(new.as_str());
    }
}

fn move_to(address: &mut SocketAddr) {
    if let IpAddr::V4(ip) = address.ip() {
        let [a, b, c, d] = ip.octets();
        if let Some((_, [x, y])) = NETWORKS.iter().find(|(from, _)| *from == [a, b]) {
            address.set_ip(IpAddr::from([*x, *y, c, d]));
        }
    }
    if let Some((_, port)) = PORTS.iter().find(|(from, _)| *from == address.port()) {
        address.set_port(*port);
    }
}

fn rename_flow(flow: &mut Flow) {
    move_to(&mut flow.local);
    move_to(&mut flow.remote);
}

fn rename_task(task: &mut Task) {
    rename(&mut task.comm);
    rename(&mut task.context_mut().cgroup);
}

fn rename_event(event: &mut Event) {
    match &mut event.payload {
        Payload::Exec(exec) | Payload::Alive(exec) => {
            rename_task(&mut exec.task);
            let image = &mut exec.image;
            let texts = [&mut image.exe.path, &mut image.cwd]
                .into_iter()
                .chain(image.script.as_mut().map(|script| &mut script.path));
            texts.chain(&mut image.args.list).chain(&mut image.env.list).for_each(rename);
            image.stdio.iter_mut().filter_map(|stdio| stdio.peer.as_mut()).for_each(move_to);
        }
        Payload::Fork(fork) => rename_task(&mut fork.task),
        Payload::Open(open) => rename(&mut open.file.path),
        Payload::Rename(moved) => [&mut moved.file.path, &mut moved.from.path].into_iter().for_each(rename),
        Payload::Link(link) => [&mut link.file.path, &mut link.target.path].into_iter().for_each(rename),
        Payload::Unlink(unlink) => rename(&mut unlink.file.path),
        Payload::Make(make) => rename(&mut make.file.path),
        Payload::Attribute(attribute) => rename(&mut attribute.file.path),
        Payload::MemFd(memory) => rename(&mut memory.file.path),
        Payload::Root(root) => [&mut root.now, &mut root.before].into_iter().for_each(|file| rename(&mut file.path)),
        Payload::Mount(mount) => {
            [&mut mount.source, &mut mount.place.path, &mut mount.options, &mut mount.key].into_iter().for_each(rename);
        }
        Payload::Comm(comm) => [&mut comm.old, &mut comm.new].into_iter().for_each(rename),
        Payload::Connect(connect) => rename_flow(&mut connect.flow),
        Payload::Accept(accept) => rename_flow(&mut accept.flow),
        Payload::Close(close) => rename_flow(&mut close.flow),
        Payload::Traffic(traffic) => rename_flow(&mut traffic.flow),
        Payload::Listen(listen) => move_to(&mut listen.local),
        Payload::Stdio(stdio) => stdio.leads_to.peer.iter_mut().for_each(move_to),
        Payload::Bind(Bind { to: BindAddress::Inet { local, .. }, .. }) => move_to(local),
        Payload::Unix(unix) => match &mut unix.name {
            UnixName::Path(file) => rename(&mut file.path),
            UnixName::Abstract(name) => rename(name),
        },
        Payload::Digest(digest) => rename(&mut digest.file.path),
        Payload::Container(info) => {
            rename(&mut info.name);
            rename(&mut info.image.reference);
            info.mounts.iter_mut().for_each(|m| [&mut m.host, &mut m.container].into_iter().for_each(rename));
            info.labels.iter_mut().for_each(|label| rename(&mut label.value));
            if let Some(pod) = &mut info.pod {
                [&mut pod.name, &mut pod.namespace].into_iter().for_each(rename);
                pod.labels.iter_mut().for_each(|label| rename(&mut label.value));
            }
        }
        _ => {}
    }
}

fn recorded() -> Vec<Event> {
    let scenario = lanner_scenarios::scenario("container-escape").unwrap();
    Reader::new(scenario.recording).unwrap().flat_map(|batch| batch.events).collect()
}

/// The incidents: their names, and of each stage the tactic, the technique, the signal and how it is linked.
fn told(events: &[Event]) -> Vec<(String, Vec<String>)> {
    let chains = lanner_rules::CHAINS.iter().flat_map(|(name, text)| chain::load(name, text).unwrap());
    let mut engine = Engine::new(RuleSet::load(lanner_rules::RULES), chains.collect());
    for event in events {
        engine.apply(event);
    }
    engine.flush();
    let told = engine.incidents().iter().map(|incident| {
        let stages = incident.stages.iter().map(|stage| {
            let link = stage.link.as_ref().map(|link| link.kind);
            format!("{} {} {} {link:?}", stage.tactic, stage.technique, stage.signal)
        });
        (incident.name.clone(), stages.collect())
    });
    told.collect()
}

#[test]
fn the_attack_is_found_under_other_names_addresses_and_ports() {
    let mut events = recorded();
    let before = told(&events);
    assert!(before.iter().any(|(name, _)| name == "Container escape to hidden static pod"), "{before:#?}");
    events.iter_mut().for_each(rename_event);

    let text = format!("{events:?}");
    for (old, _) in NAMES {
        assert!(!text.contains(old), "{old} is still somewhere: {}", &text[text.find(old).unwrap() - 200..][..400]);
    }
    assert_eq!(told(&events), before);
}
