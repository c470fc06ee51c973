//! From the kernel's records to events. A record that does not decode is counted, never a panic: it may come from an
//! object of another version.
#![allow(unsafe_code)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use lanner_collector_abi::{
    AF_INET, AF_INET6, Direction, ExecRecord, ExitRecord, FileFacts, FileFlags, ForkRecord, Header, Key, MemFdRecord,
    NamespaceRecord, NsFacts, OpenRecord, Plain, StdioFacts, StdioTag, TaskFacts, TcpRecord, kind,
};
use lanner_core::event::{
    Accept, Access, Args, Attempt, BootTime, Close, Connect, Credentials, Event, Exec, Exit, File, FileId, Flow,
    FlowId, Fork, Image, Listen, MemFd, NamespaceChange, Namespaces, NsChangeHow, Open, Origin, Payload, ProcessKey,
    Stdio, StdioKind, Task, Text,
};

use super::container;
use super::proc::split_args;

/// `S_IFDIR` and its mask.
const TYPE_MASK: u16 = 0o170_000;
const DIRECTORY: u16 = 0o040_000;

/// A record's fixed part, and the tail that is still to be read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn fixed<R: Plain>(&mut self) -> Option<R> {
        let (head, rest) = self.0.split_at_checked(size_of::<R>())?;
        self.0 = rest;
        // SAFETY: `Plain` types take any bytes, and `head` has as many as this one.
        Some(unsafe { head.as_ptr().cast::<R>().read_unaligned() })
    }

    fn bytes(&mut self, len: u16) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(usize::from(len))?;
        self.0 = rest;
        Some(bytes)
    }
}

/// The event that a record of the ring tells of.
pub(super) fn event(record: &[u8]) -> Option<Event> {
    let header = Reader(record).fixed::<Header>()?;
    let mut reader = Reader(record.get(..header.len as usize)?);
    let payload = match header.kind {
        kind::EXEC => Payload::Exec(Box::new(exec(&mut reader)?.1)),
        kind::FORK => Payload::Fork(Box::new(fork(&mut reader)?)),
        kind::EXIT => exit(&reader.fixed::<ExitRecord>()?),
        kind::OPEN => Payload::Open(Box::new(open(&mut reader)?)),
        kind::MEMFD => memfd(&mut reader)?,
        kind::NAMESPACE => namespace(&reader.fixed::<NamespaceRecord>()?),
        kind::TCP_STARTED..=kind::TCP_CLOSED => tcp(&reader.fixed::<TcpRecord>()?)?,
        _ => return None,
    };
    Some(Event { header: live(&header), payload })
}

/// A process that the iterator found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) key: ProcessKey,
    pub(super) exec: Exec,
    /// Its pids, as `exec.task.pid_namespaces` lists their namespaces.
    pub(super) pids: Vec<u32>,
    pub(super) kernel_thread: bool,
}

/// The next record of what the iterator wrote, and how long it is.
pub(super) fn found(stream: &[u8]) -> Option<(Found, usize)> {
    let header = Reader(stream).fixed::<Header>()?;
    let len = header.len as usize;
    let mut reader = Reader(stream.get(..len)?);
    if header.kind != kind::ALIVE {
        return None;
    }
    let (record, exec) = exec(&mut reader)?;
    let pids = record.task.pids[..levels(&record.task)].to_vec();
    Some((Found { key: key(header.process), exec, pids, kernel_thread: record.kernel_thread != 0 }, len))
}

fn live(header: &Header) -> lanner_core::event::Header {
    lanner_core::event::Header {
        seq: 0,
        time: BootTime(header.time),
        cpu: header.cpu,
        process: key(header.process),
        tid: header.tid,
        origin: Origin::Live,
    }
}

fn key(key: Key) -> ProcessKey {
    if key.pid == 0 { ProcessKey::UNKNOWN } else { ProcessKey::new(key.pid, key.start) }
}

fn exec(reader: &mut Reader<'_>) -> Option<(ExecRecord, Exec)> {
    let record = reader.fixed::<ExecRecord>()?;
    let args = reader.bytes(record.args_len)?;
    let task = task(&record.task, reader)?;
    let exe = file(&record.exe, reader)?;
    let cwd = file(&record.cwd, reader)?;
    let script = reader.bytes(record.script_len)?;
    let args = if record.args_unknown != 0 { Args::default() } else { split_args(args, record.args_cut != 0) };
    let script = string(script);
    let image = Image {
        exe,
        script: (!script.is_empty()).then_some(script),
        args,
        cwd: cwd.path,
        stdio: record.stdio.each_ref().map(stdio),
    };
    Some((record, Exec { task, image }))
}

fn fork(reader: &mut Reader<'_>) -> Option<Fork> {
    let record = reader.fixed::<ForkRecord>()?;
    Some(Fork { child: key(record.child), task: task(&record.task, reader)? })
}

fn exit(record: &ExitRecord) -> Payload {
    // As wait(2) encodes it; bit 7 tells of a core dump.
    let signal = (record.status & 0x7f) as u8;
    let code = if signal == 0 { (record.status >> 8 & 0xff) as u8 } else { 0 };
    Payload::Exit(Exit { code, signal })
}

fn task(facts: &TaskFacts, reader: &mut Reader<'_>) -> Option<Task> {
    let cgroup = path(reader.bytes(facts.cgroup_len)?, facts.cgroup_cut == 0);
    let tty = string(&facts.tty);
    Some(Task {
        parent: (facts.parent.pid != 0).then(|| key(facts.parent)),
        comm: string(&facts.comm),
        ns_pid: facts.pids[0],
        pid_namespaces: facts.pid_ns[..levels(facts)].to_vec(),
        creds: Credentials {
            uid: facts.uid,
            euid: facts.euid,
            gid: facts.gid,
            egid: facts.egid,
            login_uid: (facts.login_uid != u32::MAX).then_some(facts.login_uid),
            cap_effective: facts.cap_effective,
            cap_permitted: facts.cap_permitted,
        },
        session: facts.session,
        tty: (!tty.is_empty()).then_some(tty),
        namespaces: Namespaces { pid: facts.ns.pid, ..namespaces(&facts.ns) },
        container: container::of_cgroup(&cgroup),
        cgroup,
    })
}

fn levels(facts: &TaskFacts) -> usize {
    (facts.pid_levels as usize).min(facts.pids.len())
}

/// The namespaces that a process gives to its children: setns and unshare change which pid namespace *they* will be in,
/// never that of the caller.
fn namespaces(ns: &NsFacts) -> Namespaces {
    Namespaces {
        mnt: ns.mnt,
        pid: ns.pid_for_children,
        net: ns.net,
        uts: ns.uts,
        ipc: ns.ipc,
        cgroup: ns.cgroup,
        user: ns.user,
    }
}

fn namespace(record: &NamespaceRecord) -> Payload {
    Payload::Namespace(NamespaceChange {
        how: if record.unshare != 0 { NsChangeHow::Unshare } else { NsChangeHow::Setns },
        now: namespaces(&record.now),
        before: namespaces(&record.before),
    })
}

fn file(facts: &FileFacts, reader: &mut Reader<'_>) -> Option<File> {
    let components = reader.bytes(facts.path_len)?;
    if facts.ino == 0 && components.is_empty() {
        return Some(File::default());
    }
    let truncated = facts.flags & FileFlags::CUT != 0;
    Some(File {
        path: path(components, facts.flags & (FileFlags::CUT | FileFlags::UNMOUNTED) == 0),
        id: FileId { dev: facts.dev, ino: facts.ino },
        truncated,
        deleted: facts.flags & FileFlags::DELETED != 0,
    })
}

fn open(reader: &mut Reader<'_>) -> Option<Open> {
    let record = reader.fixed::<OpenRecord>()?;
    Some(Open {
        file: file(&record.file, reader)?,
        fd: record.fd,
        access: Access { read: record.read != 0, write: record.write != 0 },
        created: record.created != 0,
        written_before: record.written_before != 0,
        directory: record.file.mode & TYPE_MASK == DIRECTORY,
    })
}

fn memfd(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<MemFdRecord>()?;
    Some(Payload::MemFd(MemFd { file: file(&record.file, reader)?, fd: record.fd }))
}

fn tcp(record: &TcpRecord) -> Option<Payload> {
    let family = u32::from(record.family);
    let local = SocketAddr::new(address(family, record.local)?, record.local_port);
    let remote = SocketAddr::new(address(family, record.remote)?, record.remote_port);
    let flow = Flow { id: FlowId(record.flow), local, remote, netns: record.netns };
    Some(match record.header.kind {
        kind::TCP_STARTED => Payload::Connect(Connect { flow, attempt: Attempt::Started }),
        kind::TCP_ESTABLISHED => Payload::Connect(Connect { flow, attempt: Attempt::Established }),
        kind::TCP_FAILED => Payload::Connect(Connect { flow, attempt: Attempt::Failed(record.errno) }),
        kind::TCP_ACCEPTED => Payload::Accept(Accept { flow }),
        kind::TCP_LISTEN => Payload::Listen(Listen { local, netns: record.netns }),
        kind::TCP_CLOSED => Payload::Close(Close {
            flow,
            outgoing: match record.direction {
                Direction::OUTGOING => Some(true),
                Direction::INCOMING => Some(false),
                _ => None,
            },
            sent: record.sent,
            received: record.received,
            lasted: BootTime(record.header.time).since(BootTime(record.since)),
        }),
        _ => return None,
    })
}

/// An address as people write it: IPv4 inside IPv6 is IPv4.
fn address(family: u32, bytes: [u8; 16]) -> Option<IpAddr> {
    if family == u32::from(AF_INET) {
        return Some(IpAddr::V4(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3])));
    }
    (family == u32::from(AF_INET6)).then(|| IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical())
}

fn stdio(facts: &StdioFacts) -> Stdio {
    let kind = match facts.tag {
        StdioTag::CLOSED => StdioKind::Closed,
        StdioTag::FILE => StdioKind::File,
        StdioTag::DIRECTORY => StdioKind::Directory,
        StdioTag::DEVICE => StdioKind::Device,
        StdioTag::TERMINAL => StdioKind::Terminal,
        StdioTag::PIPE => StdioKind::Pipe,
        StdioTag::SOCKET => StdioKind::Socket,
        _ => StdioKind::Unknown,
    };
    let peer = || Some(SocketAddr::new(address(facts.family, facts.addr)?, facts.port));
    Stdio { kind, ino: facts.ino, peer: if facts.has_peer != 0 { peer() } else { None } }
}

/// Bytes up to the first NUL.
fn string(bytes: &[u8]) -> Text {
    Text::from(bytes.split(|b| *b == 0).next().unwrap_or(bytes))
}

/// Components, the last one first and a NUL after each, put together; with `rooted`, from `/` on.
fn path(components: &[u8], rooted: bool) -> Text {
    let mut path = Vec::with_capacity(components.len() + 1);
    if rooted {
        path.push(b'/');
    }
    let components = components.strip_suffix(&[0]).unwrap_or(components);
    for (i, part) in components.rsplit(|b| *b == 0).enumerate() {
        if i > 0 {
            path.push(b'/');
        }
        path.extend_from_slice(part);
    }
    Text::from(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<R: Plain>(record: &R, tail: &[u8]) -> Vec<u8> {
        // SAFETY: `Plain` types have no padding, so all their bytes are initialized.
        let fixed = unsafe { std::slice::from_raw_parts(std::ptr::from_ref(record).cast::<u8>(), size_of::<R>()) };
        [fixed, tail].concat()
    }

    fn open_record() -> Vec<u8> {
        let tail = b"shadow\0etc\0";
        let header =
            Header { kind: kind::OPEN, len: (size_of::<OpenRecord>() + tail.len()) as u32, ..Header::default() };
        let file = FileFacts { dev: 1, ino: 2, mode: 0o100_600, path_len: tail.len() as u16, ..FileFacts::default() };
        bytes(&OpenRecord { header, file, fd: 3, read: 1, ..OpenRecord::default() }, tail)
    }

    #[test]
    fn paths_are_put_together_from_the_end() {
        assert_eq!(path(b"shadow\0etc\0", true), "/etc/shadow");
        assert_eq!(path(b"", true), "/");
        assert_eq!(path(b"memfd:x\0", false), "memfd:x");
        assert_eq!(path(b"c\0b\0", false), "b/c");
    }

    #[test]
    fn an_open_decodes() {
        let Some(Event { payload: Payload::Open(open), .. }) = event(&open_record()) else { panic!("an open") };
        assert_eq!(open.file, File::new("/etc/shadow", 1, 2));
        assert_eq!((open.fd, open.access), (3, Access { read: true, write: false }));
    }

    #[test]
    fn damaged_records_are_refused_and_never_panic() {
        let record = open_record();
        for cut in 0..record.len() {
            assert!(event(&record[..cut]).is_none(), "cut at {cut}");
            assert!(found(&record[..cut]).is_none());
        }
        for at in 0..record.len() {
            for value in [0, 10, 11, 12, 0x7f, 0xff] {
                let mut damaged = record.clone();
                damaged[at] = value;
                let _ = event(&damaged);
                let _ = found(&damaged);
            }
        }
    }

    #[test]
    fn exit_statuses_are_those_of_wait() {
        let exit_of = |status| match exit(&ExitRecord { status, ..ExitRecord::default() }) {
            Payload::Exit(exit) => (exit.code, exit.signal),
            _ => unreachable!(),
        };
        assert_eq!(exit_of(0x0300), (3, 0));
        assert_eq!(exit_of(9), (0, 9));
        assert_eq!(exit_of(0x8b), (0, 11));
    }

    #[test]
    fn ipv4_inside_ipv6_is_ipv4() {
        let mut mapped = [0; 16];
        mapped[10..].copy_from_slice(&[0xff, 0xff, 127, 0, 0, 1]);
        assert_eq!(address(u32::from(AF_INET6), mapped), Some("127.0.0.1".parse().expect("an address")));
        assert_eq!(address(0, mapped), None);
    }
}
