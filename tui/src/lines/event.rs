//! Events as lines.

use lanner_core::event::{
    Accept, Accounts, Attempt, Attribute, Bind, Bpf, CloneFlags, Close, Comm, Compat, ContainerInfo, CredentialsChange,
    Digest, Dns, Event, Exec, Exit, File, FileId, Flow, Gain, KernelLoad, Layer, Link, Listen, Make, MemFd, Mount,
    NamespaceChange, Namespaces, NodeInfo, Open, Origin, Payload, ProcessKey, Rename, RootChange, Seal, SignalSent,
    Socket, SocketType, Stdio, StdioChange, Task, Text, Trace, Traffic, Udp, Unix, UnixAct, UnixName, Unlink, UringOp,
    UringSetup,
};
use lanner_core::graph::Graph;
use serde::Serialize;

use super::who::Who;
use super::{clock, timestamp};
use crate::words::{container_label, deed};

/// One event.
#[derive(Debug, Serialize)]
pub struct EventLine<'a> {
    r#type: &'static str,
    seq: u64,
    time: String,
    node: &'a str,
    event: &'static str,
    origin: Origin,
    /// Done by a 32-bit system call.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    compat: bool,
    cpu: u32,
    tid: u32,
    process: Who,
    data: Data<'a>,
}

/// Most payloads are told as they are; those that name a process, whose beginning is told as a time of day, are not.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Data<'a> {
    Exec(Box<ExecData<'a>>),
    Fork { child: Child, how: CloneFlags, task: Box<TaskData> },
    Exit(&'a Exit),
    Open(&'a Open),
    Connect { flow: &'a Flow, attempt: &'static str, errno: Option<u32>, asked: bool },
    Accept(&'a Accept),
    Listen(&'a Listen),
    Close(&'a Close),
    Namespace(&'a NamespaceChange),
    MemFd(&'a MemFd),
    Rename(&'a Rename),
    Link(&'a Link),
    Unlink(&'a Unlink),
    Make(&'a Make),
    Attribute(&'a Attribute),
    Traffic(&'a Traffic),
    Unix(Box<UnixData<'a>>),
    Socket(&'a Socket),
    Bind(&'a Bind),
    Udp(&'a Udp),
    Dns(&'a Dns),
    Credentials(&'a CredentialsChange),
    Root(&'a RootChange),
    Mount(&'a Mount),
    Trace(Box<OnAnother<'a, Trace>>),
    Signal(Box<OnAnother<'a, SignalSent>>),
    Kernel(&'a KernelLoad),
    Bpf(&'a Bpf),
    Stdio(&'a StdioChange),
    Container(&'a ContainerInfo),
    Accounts(&'a Accounts),
    Digest(&'a Digest),
    Comm(&'a Comm),
    Seal(&'a Seal),
    UringSetup(&'a UringSetup),
    UringOp(&'a UringOp),
    Compat(&'a Compat),
}

/// What is done to another process.
#[derive(Debug, Serialize)]
struct OnAnother<'a, T> {
    target: Option<Child>,
    #[serde(flatten)]
    deed: &'a T,
}

#[derive(Debug, Serialize)]
struct UnixData<'a> {
    act: &'static str,
    errno: Option<u32>,
    socket_type: SocketType,
    name: &'a UnixName,
    peer: Option<Child>,
    asked: bool,
    netns: u32,
}

#[derive(Debug, Serialize)]
struct ExecData<'a> {
    exe: &'a File,
    script: &'a Option<File>,
    args: &'a [Text],
    args_truncated: bool,
    cwd: &'a Text,
    stdio: [Stdio; 3],
    env: &'a [Text],
    env_truncated: bool,
    layer: Option<Layer>,
    gain: Option<Gain>,
    compat: bool,
    task: TaskData,
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
    group: u32,
    tty: Option<Text>,
    namespaces: Namespaces,
    root: Option<Root>,
    cgroup: Text,
    container: Option<Text>,
}

/// A root directory, where something is known of it.
#[derive(Debug, Serialize)]
struct Root {
    #[serde(flatten)]
    id: FileId,
    path: Option<Text>,
}

#[derive(Debug, Serialize)]
struct Child {
    pid: u32,
    start: String,
}

/// The line of an event, with its process as the graph knows it now.
pub fn event<'a>(event: &'a Event, node: &'a NodeInfo, graph: &Graph) -> EventLine<'a> {
    let header = &event.header;
    EventLine {
        r#type: "event",
        seq: header.seq,
        time: timestamp(node.wall(header.time)),
        node: &node.name,
        event: event.payload.family(),
        origin: header.origin,
        compat: header.compat,
        cpu: header.cpu,
        tid: header.tid,
        process: Who::of(header.process, graph, node),
        data: data(&event.payload, node),
    }
}

fn data<'a>(payload: &'a Payload, node: &NodeInfo) -> Data<'a> {
    match payload {
        Payload::Exec(exec) | Payload::Alive(exec) => Data::Exec(Box::new(exec_data(exec, node))),
        Payload::Fork(fork) => {
            let child = child(fork.child, node);
            Data::Fork { child, how: fork.how, task: Box::new(task_data(&fork.task, node)) }
        }
        Payload::Exit(exit) => Data::Exit(exit),
        Payload::Open(open) => Data::Open(open),
        Payload::Connect(connect) => {
            let (attempt, errno) = match connect.attempt {
                Attempt::Started => ("started", None),
                Attempt::Established => ("established", None),
                Attempt::Failed(errno) => ("failed", Some(errno)),
            };
            Data::Connect { flow: &connect.flow, attempt, errno, asked: connect.asked }
        }
        Payload::Accept(accept) => Data::Accept(accept),
        Payload::Listen(listen) => Data::Listen(listen),
        Payload::Close(close) => Data::Close(close),
        Payload::Namespace(change) => Data::Namespace(change),
        Payload::MemFd(memfd) => Data::MemFd(memfd),
        Payload::Rename(rename) => Data::Rename(rename),
        Payload::Link(link) => Data::Link(link),
        Payload::Unlink(unlink) => Data::Unlink(unlink),
        Payload::Make(make) => Data::Make(make),
        Payload::Attribute(attribute) => Data::Attribute(attribute),
        Payload::Traffic(traffic) => Data::Traffic(traffic),
        Payload::Unix(unix) => Data::Unix(Box::new(unix_data(unix, node))),
        Payload::Socket(socket) => Data::Socket(socket),
        Payload::Bind(bind) => Data::Bind(bind),
        Payload::Udp(udp) => Data::Udp(udp),
        Payload::Dns(dns) => Data::Dns(dns),
        Payload::Credentials(change) => Data::Credentials(change),
        Payload::Root(change) => Data::Root(change),
        Payload::Mount(mount) => Data::Mount(mount),
        Payload::Trace(deed) => Data::Trace(Box::new(OnAnother { target: known(deed.target, node), deed })),
        Payload::Signal(deed) => Data::Signal(Box::new(OnAnother { target: known(deed.target, node), deed })),
        Payload::Kernel(load) => Data::Kernel(load),
        Payload::Bpf(bpf) => Data::Bpf(bpf),
        Payload::Stdio(change) => Data::Stdio(change),
        Payload::Container(info) => Data::Container(info),
        Payload::Accounts(accounts) => Data::Accounts(accounts),
        Payload::Digest(digest) => Data::Digest(digest),
        Payload::Comm(comm) => Data::Comm(comm),
        Payload::Seal(seal) => Data::Seal(seal),
        Payload::UringSetup(setup) => Data::UringSetup(setup),
        Payload::UringOp(op) => Data::UringOp(op),
        Payload::Compat(compat) => Data::Compat(compat),
    }
}

fn child(key: ProcessKey, node: &NodeInfo) -> Child {
    Child { pid: key.pid, start: timestamp(node.wall(key.start)) }
}

fn unix_data<'a>(unix: &'a Unix, node: &NodeInfo) -> UnixData<'a> {
    let (act, errno) = match unix.act {
        UnixAct::Connected => ("connected", None),
        UnixAct::Failed(errno) => ("failed", Some(errno)),
        UnixAct::Listening => ("listening", None),
    };
    UnixData {
        act,
        errno,
        socket_type: unix.socket_type,
        name: &unix.name,
        peer: unix.peer.map(|p| child(p, node)),
        asked: unix.asked,
        netns: unix.netns,
    }
}

fn known(key: ProcessKey, node: &NodeInfo) -> Option<Child> {
    (!key.is_unknown()).then(|| child(key, node))
}

fn exec_data<'a>(exec: &'a Exec, node: &NodeInfo) -> ExecData<'a> {
    let image = &exec.image;
    ExecData {
        exe: &image.exe,
        script: &image.script,
        args: &image.args.list,
        args_truncated: image.args.truncated,
        cwd: &image.cwd,
        stdio: image.stdio,
        env: &image.env.list,
        env_truncated: image.env.truncated,
        layer: image.layer,
        gain: image.gain,
        compat: image.compat,
        task: task_data(&exec.task, node),
    }
}

fn task_data(task: &Task, node: &NodeInfo) -> TaskData {
    TaskData {
        parent: task.parent.map(|p| child(p, node)),
        comm: task.comm.clone(),
        ns_pid: task.ns_pid,
        uid: task.context.creds.uid,
        euid: task.context.creds.euid,
        gid: task.context.creds.gid,
        egid: task.context.creds.egid,
        login_uid: task.context.creds.login_uid,
        cap_effective: format!("{:016x}", task.context.creds.cap_effective),
        cap_permitted: format!("{:016x}", task.context.creds.cap_permitted),
        session: task.session,
        group: task.group,
        tty: task.context.tty.clone(),
        namespaces: task.context.namespaces,
        root: task
            .context
            .root
            .is_known()
            .then(|| Root { id: task.context.root, path: task.context.root_path.clone() }),
        cgroup: task.context.cgroup.clone(),
        container: task.context.container.clone().map(|id| id.0),
    }
}

/// An event for a person: when, who, what.
pub fn event_words(event: &Event, node: &NodeInfo, graph: &Graph) -> String {
    let header = &event.header;
    let process = graph.process(header.process);
    let name = process.map(|p| Text::from(p.name())).unwrap_or_default();
    let container = process.and_then(|p| p.task.context.container.as_ref());
    let container = container.map(|id| format!(" [{}]", container_label(id, graph))).unwrap_or_default();
    let time = clock(node.wall(header.time));
    let family = event.payload.family();
    format!("{time}  {family:<9} {name}({}){container}  {}", header.process.pid, deed(&event.payload, graph))
}
