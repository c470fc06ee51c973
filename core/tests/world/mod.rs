//! A small world to tell stories in: processes that fork, run programs, touch files and talk, as events of the sensor.
#![allow(dead_code, clippy::unwrap_used, unreachable_pub)]

use std::net::SocketAddr;

use lanner_core::event::*;

/// Namespaces of the machine itself.
pub const HOST: Namespaces = Namespaces { mnt: 1, pid: 2, net: 3, uts: 4, ipc: 5, cgroup: 6, user: 7 };

/// The story so far.
#[derive(Default, Clone)]
pub struct World {
    pub events: Vec<Event>,
    now: u64,
    next_pid: u32,
    next_ino: u64,
}

/// Someone in the story.
#[derive(Debug, Clone)]
pub struct Actor {
    pub key: ProcessKey,
    pub task: Task,
    pub stdio: [Stdio; 3],
}

impl World {
    pub fn new() -> World {
        World { now: 1_000_000_000, next_pid: 100, next_ino: 5000, ..World::default() }
    }

    /// Lets time pass.
    pub fn wait(&mut self, seconds: f64) -> &mut World {
        self.now += (seconds * 1e9) as u64;
        self
    }

    fn push(&mut self, process: ProcessKey, origin: Origin, payload: Payload) -> u64 {
        self.now += 1_000_000;
        let seq = self.events.len() as u64 + 1;
        let header = Header { seq, time: BootTime(self.now), cpu: 0, process, tid: process.pid, origin, compat: false };
        self.events.push(Event { header, payload });
        seq
    }

    pub fn say(&mut self, actor: &Actor, payload: Payload) -> u64 {
        self.push(actor.key, Origin::Live, payload)
    }

    /// Someone who was there before, on the host.
    pub fn found(&mut self, parent: Option<&Actor>, exe: &str) -> Actor {
        let task = Task {
            parent: parent.map(|p| p.key),
            ns_pid: 1,
            comm: comm(exe),
            context: Context { namespaces: HOST, ..Context::default() }.into(),
            ..Task::default()
        };
        let actor = Actor { key: self.fresh(), task, stdio: [Stdio::default(); 3] };
        let exec = Box::new(Exec { task: actor.task.clone(), image: image(&actor, exe, exe) });
        self.push(actor.key, Origin::Backfill, Payload::Alive(exec));
        actor
    }

    fn fresh(&mut self) -> ProcessKey {
        self.next_pid += 1;
        ProcessKey::new(self.next_pid, self.now)
    }

    pub fn fork(&mut self, parent: &Actor) -> Actor {
        let child = self.fresh();
        let task = Task { parent: Some(parent.key), ns_pid: child.pid, ..parent.task.clone() };
        self.say(parent, Payload::Fork(Box::new(Fork { child, how: CloneFlags::default(), task: task.clone() })));
        Actor { key: child, task, stdio: parent.stdio }
    }

    pub fn exec(&mut self, actor: &Actor, exe: &str, args: &str) -> u64 {
        let task = Task { comm: comm(exe), ..actor.task.clone() };
        let exec = Exec { task, image: image(actor, exe, args) };
        self.say(actor, Payload::Exec(Box::new(exec)))
    }

    /// Fork and exec.
    pub fn spawn(&mut self, parent: &Actor, exe: &str, args: &str) -> Actor {
        let child = self.fork(parent);
        self.exec(&child, exe, args);
        child
    }

    /// As a container's runtime does it: a child of the shim is moved into the container and runs its program.
    pub fn start_container(&mut self, shim: &Actor, cgroup: &str, id: &str, exe: &str) -> Actor {
        let mut root = self.fork(shim);
        self.next_ino += 10;
        let ns = self.next_ino as u32;
        root.task.context_mut().namespaces = Namespaces { mnt: ns, net: ns + 1, uts: ns + 2, ipc: ns + 3, ..HOST };
        root.task.context_mut().cgroup = Text::from(cgroup);
        root.task.context_mut().container = Some(ContainerId(Text::from(id)));
        self.exec(&root, exe, exe);
        root
    }

    /// As `kubectl exec` does it.
    pub fn enter(&mut self, shim: &Actor, container: &Actor, exe: &str, tty: bool) -> Actor {
        let mut inside = self.fork(shim);
        inside.task = Task { parent: Some(shim.key), ns_pid: 9, ..container.task.clone() };
        if tty {
            inside.task.context_mut().tty = Some(Text::from("pts0"));
            inside.stdio = [Stdio { kind: StdioKind::Terminal, ino: 3, peer: None }; 3];
        }
        self.exec(&inside, exe, exe);
        inside
    }

    pub fn setns(&mut self, actor: &mut Actor, now: Namespaces) -> u64 {
        let change = NamespaceChange { how: NsChangeHow::Setns, now, before: actor.task.context.namespaces };
        actor.task.context_mut().namespaces = now;
        self.say(actor, Payload::Namespace(change))
    }

    pub fn pipe(&mut self) -> Stdio {
        self.next_ino += 1;
        Stdio { kind: StdioKind::Pipe, ino: self.next_ino, peer: None }
    }

    pub fn write(&mut self, actor: &Actor, path: &str, ino: u64) -> u64 {
        self.open(actor, path, ino, Access { read: false, write: true }, false)
    }

    pub fn read(&mut self, actor: &Actor, path: &str, ino: u64) -> u64 {
        self.open(actor, path, ino, Access { read: true, write: false }, true)
    }

    fn open(&mut self, actor: &Actor, path: &str, ino: u64, access: Access, written_before: bool) -> u64 {
        let created = access.write;
        let file = File::new(path, 1, ino);
        self.say(
            actor,
            Payload::Open(Box::new(Open {
                file,
                fd: 3,
                access,
                created,
                written_before,
                directory: false,
                through: Through::Call,
                passed: None,
            })),
        )
    }

    pub fn connect(&mut self, actor: &Actor, peer: &str) -> Flow {
        self.next_ino += 1;
        let flow = Flow {
            id: FlowId(self.next_ino),
            local: SocketAddr::from(([10, 0, 0, 1], 40_000)),
            remote: peer.parse().unwrap(),
            netns: actor.task.context.namespaces.net,
        };
        self.say(actor, Payload::Connect(Connect { flow, attempt: Attempt::Started, asked: false }));
        flow
    }

    pub fn close(&mut self, actor: &Actor, flow: Flow, sent: u64, received: u64) -> u64 {
        let lasted = std::time::Duration::from_millis(5);
        self.say(
            actor,
            Payload::Close(Close {
                flow,
                outgoing: Some(true),
                sent,
                received,
                quality: Quality::default(),
                end: End::Finished,
                lasted,
            }),
        )
    }

    pub fn rename(&mut self, actor: &Actor, from: &str, to: File) -> u64 {
        let from = File { path: Text::from(from), ..File::default() };
        self.say(actor, Payload::Rename(Box::new(Rename { file: to, from, exchanged: false })))
    }

    pub fn exit(&mut self, actor: &Actor) -> u64 {
        self.say(actor, Payload::Exit(Exit { code: 0, signal: 0 }))
    }
}

/// The kernel names a process after the file that it was told to run, at most 15 bytes of it.
fn comm(exe: &str) -> Text {
    let name = exe.rsplit('/').next().unwrap_or(exe).as_bytes();
    Text::from(&name[..name.len().min(15)])
}

fn image(actor: &Actor, exe: &str, args: &str) -> Image {
    let ino = exe.bytes().fold(7, |hash: u64, b| hash.wrapping_mul(31) + u64::from(b)) & 0xffff;
    Image {
        exe: File::new(exe, 1, 100_000 + ino),
        args: Args { list: args.split(' ').map(Text::from).collect(), truncated: false },
        cwd: Text::from("/"),
        stdio: actor.stdio,
        ..Image::default()
    }
}
