//! Events as lines.

use std::net::SocketAddr;

use lanner_core::event::{
    Attempt, Event, Exec, File, Flow, Namespaces, NodeInfo, Origin, Payload, Stdio, StdioKind, Task, Text,
};
use lanner_core::graph::Graph;
use serde::Serialize;

use super::who::Who;
use super::{clock, timestamp};

/// One event.
#[derive(Debug, Serialize)]
pub struct EventLine<'a> {
    r#type: &'static str,
    seq: u64,
    time: String,
    node: &'a str,
    event: &'static str,
    origin: Origin,
    cpu: u32,
    tid: u32,
    process: Who,
    data: Data,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Data {
    Exec(Box<ExecData>),
    Fork { child: Child, task: Box<TaskData> },
    Exit { code: u8, signal: u8 },
    Open { file: FileData, fd: i32, read: bool, write: bool, created: bool, written_before: bool, directory: bool },
    Connect { flow: FlowData, attempt: &'static str, errno: Option<u32> },
    Accept { flow: FlowData },
    Listen { local: SocketAddr },
    Close { flow: FlowData, outgoing: Option<bool>, sent: u64, received: u64, lasted_ns: u64 },
    Namespace { how: &'static str, before: NamespacesData, now: NamespacesData },
    MemFd { file: FileData, fd: i32 },
}

#[derive(Debug, Serialize)]
struct ExecData {
    exe: FileData,
    script: Option<Text>,
    args: Vec<Text>,
    args_truncated: bool,
    cwd: Text,
    stdio: [StdioData; 3],
    task: TaskData,
}

#[derive(Debug, Serialize)]
struct StdioData {
    kind: StdioKind,
    ino: u64,
    peer: Option<SocketAddr>,
}

#[derive(Debug, Serialize)]
struct TaskData {
    parent: Option<Child>,
    comm: Text,
    ns_pid: u32,
    uid: u32,
    euid: u32,
    gid: u32,
    egid: u32,
    login_uid: Option<u32>,
    cap_effective: String,
    cap_permitted: String,
    session: u32,
    tty: Option<Text>,
    namespaces: NamespacesData,
    cgroup: Text,
    container: Option<Text>,
}

#[derive(Debug, Serialize)]
struct Child {
    pid: u32,
    start: String,
}

#[derive(Debug, Serialize)]
struct FileData {
    path: Text,
    dev: u64,
    ino: u64,
    truncated: bool,
    deleted: bool,
}

#[derive(Debug, Serialize)]
struct FlowData {
    id: u64,
    local: SocketAddr,
    remote: SocketAddr,
    netns: u32,
}

#[derive(Debug, Serialize)]
struct NamespacesData {
    mnt: u32,
    pid: u32,
    net: u32,
    uts: u32,
    ipc: u32,
    cgroup: u32,
    user: u32,
}

/// The line of an event, with its process as the graph knows it now.
pub fn event<'a>(event: &Event, node: &'a NodeInfo, graph: &Graph) -> EventLine<'a> {
    let header = &event.header;
    EventLine {
        r#type: "event",
        seq: header.seq,
        time: timestamp(node.wall(header.time)),
        node: &node.name,
        event: event.payload.family(),
        origin: header.origin,
        cpu: header.cpu,
        tid: header.tid,
        process: Who::of(header.process, graph, node),
        data: data(&event.payload, node),
    }
}

fn data(payload: &Payload, node: &NodeInfo) -> Data {
    match payload {
        Payload::Exec(exec) | Payload::Alive(exec) => Data::Exec(Box::new(exec_data(exec, node))),
        Payload::Fork(fork) => {
            let child = Child { pid: fork.child.pid, start: timestamp(node.wall(fork.child.start)) };
            Data::Fork { child, task: Box::new(task_data(&fork.task, node)) }
        }
        Payload::Exit(exit) => Data::Exit { code: exit.code, signal: exit.signal },
        Payload::Open(open) => Data::Open {
            file: file_data(&open.file),
            fd: open.fd,
            read: open.access.read,
            write: open.access.write,
            created: open.created,
            written_before: open.written_before,
            directory: open.directory,
        },
        Payload::Connect(connect) => {
            let (attempt, errno) = match connect.attempt {
                Attempt::Started => ("started", None),
                Attempt::Established => ("established", None),
                Attempt::Failed(errno) => ("failed", Some(errno)),
            };
            Data::Connect { flow: flow_data(&connect.flow), attempt, errno }
        }
        Payload::Accept(accept) => Data::Accept { flow: flow_data(&accept.flow) },
        Payload::Listen(listen) => Data::Listen { local: listen.local },
        Payload::Close(close) => Data::Close {
            flow: flow_data(&close.flow),
            outgoing: close.outgoing,
            sent: close.sent,
            received: close.received,
            lasted_ns: u64::try_from(close.lasted.as_nanos()).unwrap_or(u64::MAX),
        },
        Payload::Namespace(change) => Data::Namespace {
            how: match change.how {
                lanner_core::event::NsChangeHow::Setns => "setns",
                lanner_core::event::NsChangeHow::Unshare => "unshare",
            },
            before: namespaces_data(change.before),
            now: namespaces_data(change.now),
        },
        Payload::MemFd(memfd) => Data::MemFd { file: file_data(&memfd.file), fd: memfd.fd },
    }
}

fn exec_data(exec: &Exec, node: &NodeInfo) -> ExecData {
    let image = &exec.image;
    let stdio = |s: &Stdio| StdioData { kind: s.kind, ino: s.ino, peer: s.peer };
    ExecData {
        exe: file_data(&image.exe),
        script: image.script.clone(),
        args: image.args.list.clone(),
        args_truncated: image.args.truncated,
        cwd: image.cwd.clone(),
        stdio: [stdio(&image.stdio[0]), stdio(&image.stdio[1]), stdio(&image.stdio[2])],
        task: task_data(&exec.task, node),
    }
}

fn task_data(task: &Task, node: &NodeInfo) -> TaskData {
    TaskData {
        parent: task.parent.map(|p| Child { pid: p.pid, start: timestamp(node.wall(p.start)) }),
        comm: task.comm.clone(),
        ns_pid: task.ns_pid,
        uid: task.creds.uid,
        euid: task.creds.euid,
        gid: task.creds.gid,
        egid: task.creds.egid,
        login_uid: task.creds.login_uid,
        cap_effective: format!("{:016x}", task.creds.cap_effective),
        cap_permitted: format!("{:016x}", task.creds.cap_permitted),
        session: task.session,
        tty: task.tty.clone(),
        namespaces: namespaces_data(task.namespaces),
        cgroup: task.cgroup.clone(),
        container: task.container.clone().map(|id| id.0),
    }
}

fn file_data(file: &File) -> FileData {
    let File { path, id, truncated, deleted } = file;
    FileData { path: path.clone(), dev: id.dev, ino: id.ino, truncated: *truncated, deleted: *deleted }
}

fn flow_data(flow: &Flow) -> FlowData {
    FlowData { id: flow.id.0, local: flow.local, remote: flow.remote, netns: flow.netns }
}

fn namespaces_data(of: Namespaces) -> NamespacesData {
    let Namespaces { mnt, pid, net, uts, ipc, cgroup, user } = of;
    NamespacesData { mnt, pid, net, uts, ipc, cgroup, user }
}

/// An event for a person: when, who, what.
pub fn event_words(event: &Event, node: &NodeInfo, graph: &Graph) -> String {
    let header = &event.header;
    let process = graph.process(header.process);
    let name = process.map(|p| Text::from(p.name())).unwrap_or_default();
    let container =
        process.and_then(|p| p.task.container.as_ref()).map(|c| format!(" [{}]", c.short())).unwrap_or_default();
    let time = clock(node.wall(header.time));
    let family = event.payload.family();
    format!("{time}  {family:<9} {name}({}){container}  {}", header.process.pid, what(&event.payload))
}

fn what(payload: &Payload) -> String {
    match payload {
        Payload::Exec(exec) | Payload::Alive(exec) => format!("{} : {}", exec.image.exe.path, exec.image.args.joined()),
        Payload::Fork(fork) => format!("child {}", fork.child.pid),
        Payload::Exit(exit) if exit.signal != 0 => format!("killed by signal {}", exit.signal),
        Payload::Exit(exit) => format!("status {}", exit.code),
        Payload::Open(open) => {
            let how = match (open.created, open.access.write) {
                (true, _) => "created",
                (false, true) => "for writing",
                (false, false) => "for reading",
            };
            format!("{how} {}", open.file.path)
        }
        Payload::Connect(connect) => {
            let outcome = match connect.attempt {
                Attempt::Started => "tries".to_owned(),
                Attempt::Established => "connected to".to_owned(),
                Attempt::Failed(errno) => format!("failed (errno {errno}) to reach"),
            };
            format!("{outcome} {}", connect.flow.remote)
        }
        Payload::Accept(accept) => format!("{} from {}", accept.flow.local, accept.flow.remote),
        Payload::Listen(listen) => listen.local.to_string(),
        Payload::Close(close) => {
            format!("{} sent {} received {} bytes", close.flow.remote, close.sent, close.received)
        }
        Payload::Namespace(change) => {
            let parts = [
                ("mnt", change.before.mnt, change.now.mnt),
                ("pid", change.before.pid, change.now.pid),
                ("net", change.before.net, change.now.net),
                ("uts", change.before.uts, change.now.uts),
                ("ipc", change.before.ipc, change.now.ipc),
                ("cgroup", change.before.cgroup, change.now.cgroup),
                ("user", change.before.user, change.now.user),
            ];
            let changed = parts.iter().filter(|(_, before, now)| before != now);
            changed.map(|(name, before, now)| format!("{name} {before} -> {now}")).collect::<Vec<_>>().join(", ")
        }
        Payload::MemFd(memfd) => memfd.file.path.to_string(),
    }
}
