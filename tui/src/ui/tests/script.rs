//! Writes events the way a sensor tells them, with as few words as a test needs.

use std::net::SocketAddr;
use std::time::Duration;

use lanner_core::event::{
    Access, Args, Attempt, Batch, BootTime, CloneFlags, Close, Connect, ContainerId, Context, Credentials, End, Event,
    Exec, Exit, File, FileId, Flow, FlowId, Fork, Gain, Header, Image, Listen, NamespaceChange, Namespaces,
    NsChangeHow, Open, Origin, Payload, ProcessKey, Quality, Stdio, StdioKind, Task, Text, Through,
};

/// The host's namespaces.
pub(super) const HOST: Namespaces = Namespaces {
    mnt: 4026531841,
    pid: 4026531836,
    net: 4026531840,
    uts: 4026531838,
    ipc: 4026531839,
    cgroup: 4026531835,
    user: 4026531837,
};

/// Where a process runs.
#[derive(Clone, Default)]
pub(super) struct Place {
    pub(super) cgroup: String,
    pub(super) container: Option<String>,
    pub(super) tty: Option<&'static str>,
    pub(super) namespaces: Option<Namespaces>,
    pub(super) uid: u32,
}

impl Place {
    pub(super) fn service(unit: &str) -> Place {
        Place { cgroup: format!("/system.slice/{unit}"), ..Place::default() }
    }

    pub(super) fn container(pod: &str, id: &str, mnt: u32) -> Place {
        Place {
            cgroup: format!("/kubepods/besteffort/pod{pod}/{id}"),
            container: Some(id.to_owned()),
            namespaces: Some(Namespaces { mnt, net: mnt + 1, uts: mnt + 2, ipc: mnt + 3, cgroup: mnt + 4, ..HOST }),
            ..Place::default()
        }
    }

    pub(super) fn tty(self, tty: &'static str) -> Place {
        Place { tty: Some(tty), ..self }
    }

    pub(super) fn in_host_namespaces(self) -> Place {
        Place { namespaces: Some(HOST), ..self }
    }
}

/// Events in their order, and the time of the next.
pub(super) struct Script {
    pub(super) events: Vec<Event>,
    now: BootTime,
    next_pid: u32,
    next_flow: u64,
}

impl Script {
    /// A script that begins this long after the node's boot.
    pub(super) fn starting_at(after_boot: Duration) -> Script {
        Script { events: Vec::new(), now: BootTime(0).after(after_boot), next_pid: 4_100, next_flow: 1 }
    }

    pub(super) fn now(&self) -> BootTime {
        self.now
    }

    /// Lets time pass.
    pub(super) fn wait(&mut self, d: Duration) {
        self.now = self.now.after(d);
    }

    fn push(&mut self, process: ProcessKey, origin: Origin, payload: Payload) -> u64 {
        let seq = self.events.len() as u64 + 1;
        let header = Header { seq, time: self.now, cpu: 0, process, tid: process.pid, origin, compat: false };
        self.events.push(Event { header, payload });
        self.now = self.now.after(Duration::from_micros(700));
        seq
    }

    /// A process that already ran.
    pub(super) fn alive(&mut self, pid: u32, parent: Option<ProcessKey>, place: &Place, args: &[&str]) -> ProcessKey {
        let key = ProcessKey::new(pid, u64::from(pid) * 1_000_000);
        let exec = Exec { task: task(pid, parent, place, args), image: image(args) };
        self.push(key, Origin::Backfill, Payload::Alive(Box::new(exec)));
        key
    }

    /// A new process runs a program; its number is that of the exec.
    pub(super) fn spawn(&mut self, parent: ProcessKey, place: &Place, args: &[&str]) -> (ProcessKey, u64) {
        self.spawn_with(parent, place, args, |_| {})
    }

    /// As [`Script::spawn`], with changes to what it runs.
    pub(super) fn spawn_with(
        &mut self,
        parent: ProcessKey,
        place: &Place,
        args: &[&str],
        change: impl FnOnce(&mut Image),
    ) -> (ProcessKey, u64) {
        self.next_pid += 7;
        let key = ProcessKey { pid: self.next_pid, start: self.now };
        let task = task(key.pid, Some(parent), place, args);
        self.push(
            parent,
            Origin::Live,
            Payload::Fork(Box::new(Fork { child: key, how: CloneFlags::default(), task: task.clone() })),
        );
        let mut image = image(args);
        change(&mut image);
        let seq = self.push(key, Origin::Live, Payload::Exec(Box::new(Exec { task, image })));
        (key, seq)
    }

    /// Ends a process.
    pub(super) fn exit(&mut self, process: ProcessKey, code: u8) -> u64 {
        self.push(process, Origin::Live, Payload::Exit(Exit { code, signal: 0 }))
    }

    pub(super) fn open(&mut self, process: ProcessKey, path: &str, ino: u64, write: bool, created: bool) -> u64 {
        let open = Open {
            file: File::new(path, 64_769, ino),
            fd: 3,
            access: Access { read: !write, write },
            created,
            written_before: !write,
            directory: false,
            through: Through::Call,
            passed: None,
        };
        self.push(process, Origin::Live, Payload::Open(Box::new(open)))
    }

    pub(super) fn setns(&mut self, process: ProcessKey, before: Namespaces) -> u64 {
        let change = NamespaceChange { how: NsChangeHow::Setns, now: HOST, before };
        self.push(process, Origin::Live, Payload::Namespace(change))
    }

    pub(super) fn listen(&mut self, process: ProcessKey, local: &str) -> u64 {
        let listen = Listen { local: local.parse().unwrap(), netns: HOST.net };
        self.push(process, Origin::Live, Payload::Listen(listen))
    }

    /// A connection that is established, and closed again after `bytes` were sent; the number is that of the attempt.
    pub(super) fn connect(&mut self, process: ProcessKey, remote: &str, bytes: u64) -> u64 {
        self.next_flow += 1;
        let local: SocketAddr = format!("10.88.0.7:{}", 40_000 + self.next_flow % 20_000).parse().unwrap();
        let flow = Flow { id: FlowId(self.next_flow), local, remote: remote.parse().unwrap(), netns: HOST.net };
        let mut connect =
            |attempt| self.push(process, Origin::Live, Payload::Connect(Connect { flow, attempt, asked: false }));
        let seq = connect(Attempt::Started);
        connect(Attempt::Established);
        let lasted = Duration::from_millis(20);
        let close = Close {
            flow,
            outgoing: Some(true),
            sent: bytes,
            received: 312,
            quality: Quality::default(),
            end: End::Finished,
            lasted,
        };
        self.push(process, Origin::Live, Payload::Close(close));
        seq
    }

    /// Everything as one batch.
    pub(super) fn batch(&self) -> Batch {
        Batch { first_seq: 1, now: self.now, events: self.events.clone(), ..Batch::default() }
    }
}

fn task(pid: u32, parent: Option<ProcessKey>, place: &Place, args: &[&str]) -> Task {
    let comm: String = args[0].rsplit('/').next().unwrap_or_default().chars().take(15).collect();
    let all = (1 << 41) - 1;
    let caps = if place.uid == 0 { all } else { 0 };
    Task {
        parent,
        comm: Text::from(comm),
        ns_pid: pid,
        session: pid,
        group: pid,
        context: Context {
            pid_namespaces: vec![HOST.pid],
            creds: Credentials {
                uid: place.uid,
                euid: place.uid,
                gid: place.uid,
                egid: place.uid,
                login_uid: None,
                cap_effective: caps,
                cap_permitted: caps,
            },
            tty: place.tty.map(Text::from),
            root_path: None,
            namespaces: place.namespaces.unwrap_or(HOST),
            root: FileId::default(),
            cgroup: Text::from(place.cgroup.as_str()),
            container: place.container.as_deref().map(|id| ContainerId(Text::from(id))),
        }
        .into(),
    }
}

fn image(args: &[&str]) -> Image {
    let exe = if args[0].starts_with('/') { args[0].to_owned() } else { format!("/usr/bin/{}", args[0]) };
    let ino = exe.bytes().fold(7u64, |n, b| n.wrapping_mul(31).wrapping_add(u64::from(b))) % 900_000 + 1;
    let stdio = Stdio { kind: StdioKind::Device, ino: 5, peer: None };
    Image {
        exe: File::new(exe, 64_769, ino),
        args: Args { list: args.iter().map(|a| Text::from(*a)).collect(), truncated: false },
        cwd: Text::from("/"),
        stdio: [stdio; 3],
        gain: Some(Gain::default()),
        ..Image::default()
    }
}
