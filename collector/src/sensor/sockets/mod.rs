//! Sockets that are older than the sensor, where the kernel has no iterator that tells of them: the tables of each network
//! namespace in `/proc/PID/net`, joined by their numbers with what `/proc/PID/fd` leads to.
//!
//! The tables know less than the kernel: which way a connection was opened shows only while somebody listens on its port,
//! and of two unix sockets not which belong together.

mod table;

use std::collections::{HashMap, HashSet};
use std::fs::{self, DirEntry};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};

use lanner_core::event::{
    Accept, Attempt, BootTime, Connect, Event, File, FileId, Flow, FlowId, Header, Listen, Origin, Payload, ProcessKey,
    SocketType, Text, Unix, UnixAct, UnixName,
};

use super::family::Found;
use super::proc::Proc;
use table::{Row, State};

/// As many sockets as the programs remember.
const SOCKETS_MAX: usize = 32_768;
/// Descriptors and threads that are looked at.
const LOOKS_MAX: usize = 1 << 20;
/// Bytes of one table.
const TABLE_MAX: u64 = 16 << 20;

/// What is not known of what was found here.
pub(super) const WITHOUT: &str = "which way a connection that is older than the sensor was opened, unless somebody listens on \
                                  its port; whose it was when it ends; which unix sockets are connected";

/// What was found, and whether a bound cut it short.
#[derive(Default)]
pub(super) struct Sockets {
    pub(super) events: Vec<Event>,
    pub(super) cut: bool,
}

/// The sockets of these processes, told at the time at which the sensor `started`.
pub(super) fn find(all: &[Found], proc: Proc, started: BootTime) -> Sockets {
    let mut found = Sockets::default();
    let mut spaces: HashMap<u32, Space> = HashMap::new();
    let (mut looked_at, mut told) = (0, HashSet::new());
    for process in all.iter().filter(|found| !found.kernel_thread) {
        let Some(pid) = proc.pid_of(&process.pids, &process.exec.task.context.pid_namespaces) else { continue };
        let held = sockets_of(pid, &mut looked_at);
        found.cut |= looked_at >= LOOKS_MAX;
        if held.is_empty() || !Proc::is_process(pid, process.key.start) {
            continue;
        }
        // A descriptor may come from another network namespace: those of the processes before are looked through as well.
        let own = process.exec.task.context.namespaces.net;
        for (netns, thread) in namespaces_of(pid, own, &mut looked_at) {
            spaces.entry(netns).or_insert_with(|| {
                let (space, cut) = Space::read(pid, thread);
                found.cut |= cut;
                space
            });
        }
        for inode in held {
            let at = spaces.get_key_value(&own).filter(|(_, space)| space.rows.contains_key(&inode));
            let at = at.or_else(|| spaces.iter().find(|(_, space)| space.rows.contains_key(&inode)));
            let Some((netns, space)) = at else { continue };
            if told.len() >= SOCKETS_MAX {
                found.cut = true;
                return found;
            }
            // A connection is its first holder's. Whoever can call accept listens.
            let row = &space.rows[&inode];
            let holder = matches!(row, Row::Unix { .. }).then_some(process.key);
            if told.insert((inode, holder)) {
                let id = FlowId(started.0.wrapping_sub(1 + told.len() as u64));
                found.events.extend(space.payload(row, pid, *netns, id).map(|told| event(process.key, started, told)));
            }
        }
    }
    found
}

/// Takes out what was seen to begin while the tables were read, as the events that wait tell.
pub(super) fn without_live(found: &mut Vec<Event>, waiting: &[Event]) {
    let ends = |payload: &Payload| match payload {
        Payload::Connect(Connect { flow, .. }) | Payload::Accept(Accept { flow }) => {
            Some((flow.local, Some(flow.remote), flow.netns))
        }
        Payload::Listen(listen) => Some((listen.local, None, listen.netns)),
        _ => None,
    };
    let live: HashSet<_> = waiting.iter().filter_map(|event| ends(&event.payload)).collect();
    let listens: HashSet<(ProcessKey, &Text)> = waiting
        .iter()
        .filter_map(|event| match &event.payload {
            Payload::Unix(unix) if unix.act == UnixAct::Listening => Some((event.header.process, unix.name.text())),
            _ => None,
        })
        .collect();
    found.retain(|event| match &event.payload {
        Payload::Unix(unix) => !listens.contains(&(event.header.process, unix.name.text())),
        payload => !ends(payload).is_some_and(|ends| live.contains(&ends)),
    });
}

fn event(process: ProcessKey, time: BootTime, payload: Payload) -> Event {
    let header = Header { seq: 0, time, cpu: 0, process, tid: 0, origin: Origin::Backfill, compat: false };
    Event { header, payload }
}

/// The numbers of the sockets that a process holds.
fn sockets_of(pid: u32, looked_at: &mut usize) -> Vec<u64> {
    let held = entries(format!("/proc/{pid}/fd"), looked_at).filter_map(|entry| {
        let link = fs::read_link(entry.path()).ok()?;
        link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    });
    held.collect()
}

/// The network namespaces that the threads of a process are in, with a thread that is there.
fn namespaces_of(pid: u32, own: u32, looked_at: &mut usize) -> HashMap<u32, u32> {
    let threads = entries(format!("/proc/{pid}/task"), looked_at).filter_map(|entry| {
        let netns = fs::metadata(entry.path().join("ns/net")).ok()?.ino();
        Some((u32::try_from(netns).ok()?, entry.file_name().to_str()?.parse().ok()?))
    });
    let mut all: HashMap<u32, u32> = threads.collect();
    all.insert(own, pid);
    all
}

fn entries(folder: String, looked_at: &mut usize) -> impl Iterator<Item = DirEntry> {
    let room = LOOKS_MAX.saturating_sub(*looked_at);
    fs::read_dir(folder).into_iter().flatten().flatten().take(room).inspect(|_| *looked_at += 1)
}

/// The sockets of a network namespace.
#[derive(Default)]
struct Space {
    /// By their numbers.
    rows: HashMap<u64, Row>,
    /// Ports that are listened on.
    listened: HashSet<u16>,
}

impl Space {
    fn read(pid: u32, thread: u32) -> (Self, bool) {
        let mut space = Space::default();
        let mut cut = false;
        for name in ["tcp", "tcp6"] {
            let (bytes, too_long) = table::read(pid, thread, name, TABLE_MAX);
            cut |= too_long;
            for (inode, row) in table::tcp(&bytes) {
                if let Row::Tcp { local, state: State::Listening, .. } = &row {
                    space.listened.insert(local.port());
                }
                space.rows.insert(inode, row);
            }
        }
        let (bytes, too_long) = table::read(pid, thread, "unix", TABLE_MAX);
        space.rows.extend(table::unix(&bytes));
        (space, cut || too_long)
    }

    fn payload(&self, row: &Row, pid: u32, netns: u32, id: FlowId) -> Option<Payload> {
        let (local, remote, state) = match row {
            Row::Tcp { local, remote, state } => (*local, *remote, state),
            Row::Unix { socket_type, name } => {
                return Some(Payload::Unix(Box::new(Unix {
                    act: UnixAct::Listening,
                    socket_type: SocketType(*socket_type),
                    name: located(name, pid),
                    peer: None,
                    asked: false,
                    netns,
                })));
            }
        };
        let flow = Flow { id, local, remote, netns };
        let connect = |attempt| Payload::Connect(Connect { flow, attempt, asked: false });
        Some(match state {
            State::Listening => Payload::Listen(Listen { local, netns }),
            State::Trying => connect(Attempt::Started),
            State::Open if self.listened.contains(&local.port()) => Payload::Accept(Accept { flow }),
            State::Open => connect(Attempt::Established),
            State::Closed => return None,
        })
    }
}

/// The file that a name stands for, where its process finds it; else the name as it was bound.
fn located(name: &UnixName, pid: u32) -> UnixName {
    let UnixName::Path(file) = name else { return name.clone() };
    let path = file.path.to_string();
    let found =
        path.starts_with('/').then(|| fs::symlink_metadata(format!("/proc/{pid}/root{path}"))).and_then(Result::ok);
    match found.filter(|found| found.file_type().is_socket()) {
        Some(found) => {
            // The kernel's own number has 20 bits of minor, that of `stat` is laid out otherwise.
            let dev = u64::from(libc::major(found.dev())) << 20 | u64::from(libc::minor(found.dev()));
            UnixName::Path(File { id: FileId { dev, ino: found.ino() }, ..file.clone() })
        }
        None => UnixName::Path(File { as_passed: true, ..file.clone() }),
    }
}
