//! `lanner.*`: what Lanner knows and Falco has no field for.

use std::borrow::Cow;
use std::time::Duration;

use super::container::id_of;
use super::fd::address_to;
use super::proc::{arguments, capabilities, join};
use super::{
    ALL, CARRIED, CLOSE, CONTAINER, EXEC, FLOW, Field, Found, NAMED, OPEN, SOCKET, UNIX, flag, known, number, numbers,
    text, texts, word,
};
use crate::condition::scratch::Put;
use crate::condition::view::View;
use crate::event::{
    Attempt, ContainerId, End, Family, FamilySet, Image, Namespaces, Open, Origin, Payload, Quality, Role, StdioKind,
    ToldBy, UnixName,
};

pub(super) const FIELDS: &[Field] = &[
    text("lanner.event", ALL, "The event's family: exec, fork, exit, open, connect, accept, listen, close, ...", |v| {
        word(v.event.payload.family())
    }),
    text("lanner.origin", ALL, "live, or backfill for what was there before the sensor.", |v| {
        word(match v.event.header.origin {
            Origin::Live => "live",
            Origin::Backfill => "backfill",
        })
    }),
    texts("lanner.images", ALL, "The names of the programs that the process ran, oldest first.", |v, each| {
        let images = v.process().into_iter().flat_map(|p| &p.images);
        let _ = images.map(|r| r.image.exe.path.file_name()).all(|name| each(Cow::Borrowed(name)));
    }),
    text("lanner.tty", ALL, "The name of the process's terminal, such as pts0.", |v| {
        known(v.task()?.context.tty.as_ref()?)
    }),
    flag("lanner.exe.memfd", ALL, "What it runs lives in memory only.", |v| Some(v.image()?.exe.is_memfd())),
    flag("lanner.exe.deleted", ALL, "What it runs has no name any more.", |v| Some(v.image()?.exe.deleted)),
    text("lanner.exe.writer", ALL, "The program that wrote the file that it runs.", |v| {
        let id = v.image()?.exe.id;
        known(&v.graph.writer_of(id.is_known().then_some(id)?)?.image()?.exe.path)
    }),
    text(
        "lanner.exe.sha256",
        ALL,
        "The SHA-256 of what it runs, once that was read: see `digest` in docs/events.md.",
        |v| {
            let running = v.process()?.images.last()?;
            let sha256 = v.graph.digest(running.image.exe.id, running.since)?;
            Some(v.put(Put::Digest, |out| out.extend_from_slice(sha256.to_string().as_bytes())))
        },
    ),
    text("lanner.exe.script", ALL, "The script, when the kernel ran an interpreter for one: its resolved path.", |v| {
        let of_process = || v.process()?.image()?.script.as_ref();
        known(&v.image()?.script.as_ref().or_else(of_process)?.path)
    }),
    text(
        "lanner.container",
        ALL,
        "The container as a person calls it: namespace/pod/container, its name, or its short id; `host` outside.",
        |v| match v.container_id() {
            Some(id) => Some(v.put(Put::Title, |out| v.graph.write_container_title(id, out))),
            None => v.task().and_then(|_| word("host")),
        },
    ),
    flag("lanner.container.known", ALL, "Somebody who runs containers knows this one.", |v| {
        Some(v.graph.container_info(v.container_id()?)?.is_known())
    }),
    flag("lanner.container.news", CONTAINER, "It tells of the container what was not known.", |v| {
        Some(v.graph.is_news(v.event))
    }),
    text("lanner.container.role", ALL, "`sandbox` for what holds a pod's namespaces, else `container`.", |v| {
        word(match v.container_info()?.role {
            Role::Container => "container",
            Role::Sandbox => "sandbox",
        })
    }),
    text("lanner.container.told_by", ALL, "Who told of it: cri, runtime, files.", |v| {
        word(match v.container_info()?.told_by {
            ToldBy::Nobody => return None,
            ToldBy::Cri => "cri",
            ToldBy::Runtime => "runtime",
            ToldBy::Files => "files",
        })
    }),
    texts(
        "lanner.container.host_namespaces",
        ALL,
        "The host's namespaces that it was given: pid, net, ipc, ...",
        |v, each| {
            let given = v.container_info().into_iter().flat_map(|info| &info.host_namespaces);
            let _ = given.map(|ns| ns.name()).all(|name| each(Cow::Borrowed(name.as_bytes())));
        },
    ),
    text("lanner.pod.source", ALL, "Where the kubelet had the pod from: api, file, http.", |v| {
        known(&v.container_info()?.pod.as_ref()?.source)
    }),
    texts("lanner.env", ALL, "Those variables of its environment that the sensor reads, as NAME=value.", |v, each| {
        let list = v.image().into_iter().flat_map(|image| &image.env.list);
        let _ = list.map(|variable| variable.as_bytes()).all(|variable| each(Cow::Borrowed(variable)));
    }),
    flag("lanner.exe.made_root", ALL, "The process was not root before it ran this file.", |v| {
        Some(v.image()?.gain?.user_before.is_some() && v.task()?.context.creds.euid == 0)
    }),
    text("lanner.exe.gained", ALL, "Capabilities that it had not before it ran this file, with blanks between.", |v| {
        let bits = v.image()?.gain?.capabilities;
        Some(v.put(Put::Gained, |out| capabilities(out, bits)))
    }),
    flag("lanner.comm.like_kernel", COMM, "It took a name such as kernel threads have.", |v| match &v.event.payload {
        Payload::Comm(comm) => Some(comm.is_like_kernel()),
        _ => None,
    }),
    text(
        "lanner.root",
        ALL,
        "The root directory of the process, when it was seen to change: its path as its mount namespace had it then.",
        |v| known(v.process()?.task.context.root_path.as_ref()?),
    ),
    flag(
        "lanner.root.is_host",
        ALL,
        "The root directory of the process is the host's: that of its container's runtime, or of the machine's first process.",
        |v| v.graph.has_host_root(v.key()),
    ),
    text("lanner.io_uring.operation", URING, "The operation asked for: openat, connect, ...", |v| {
        match &v.event.payload {
            Payload::UringOp(op) => word(op.operation.name()),
            _ => None,
        }
    }),
    flag(
        "lanner.compat",
        ALL,
        "It was done by a 32-bit system call, be it of a 32-bit program or of a 64-bit one.",
        |v| Some(v.event.header.compat),
    ),
    flag("lanner.compat.from_native", COMPAT, "A 64-bit program made a 32-bit system call.", |v| {
        match v.event.payload {
            Payload::Compat(compat) => Some(compat.from_native),
            _ => None,
        }
    }),
    flag("lanner.container.first", ALL, "The process is the first of its container.", |v| {
        Some(v.container()?.root == v.key())
    }),
    flag("lanner.container.began", EXEC, "A container began with this program.", |v| {
        Some(v.graph.begins_container(v.event))
    }),
    flag(
        "lanner.container.entered",
        EXEC,
        "A program was started in a running container by someone outside of it.",
        |v| Some(v.graph.enters_container(v.event)),
    ),
    flag(
        "lanner.container.left",
        ALL,
        "The process, or who made it, moved itself out of its container's control group. It is the container's still.",
        |v| Some(v.process()?.left.is_some()),
    ),
    text(
        "lanner.container.cause.container",
        ALL,
        "The id of the container of who wrote that file; `host` outside of containers.",
        |v| match cause_container(v)? {
            Some(id) => Some(id_of(id)),
            None => word("host"),
        },
    ),
    text(
        "lanner.container.cause.by",
        ALL,
        "The container of who wrote that file, as a person calls it; `host` outside of containers.",
        |v| match cause_container(v)? {
            Some(id) => Some(v.put(Put::CauseTitle, |out| v.graph.write_container_title(id, out))),
            None => word("host"),
        },
    ),
    text("lanner.container.cause", ALL, "The file because of which the container was started.", |v| {
        known(v.graph.container_cause(v.container_id()?)?)
    }),
    flag("lanner.pod.static", ALL, "The process runs in a pod that the kubelet made from a file.", |v| {
        Some(v.container()?.static_pod)
    }),
    numbers("lanner.pidns", ALL, "Its pid namespace and those around it, innermost first.", |v, each| {
        let namespaces = v.task().into_iter().flat_map(|t| &t.context.pid_namespaces);
        let _ = namespaces.copied().all(|ns| each(ns.into()));
    }),
    flag(
        "lanner.ns.mnt.host",
        ALL,
        "It runs in a container's control group, but in the host's mount namespace.",
        |v| is_host(v, |ns| ns.mnt),
    ),
    flag("lanner.ns.pid.host", ALL, "It runs in a container's control group, but in the host's pid namespace.", |v| {
        is_host(v, |ns| ns.pid)
    }),
    flag(
        "lanner.ns.net.host",
        ALL,
        "It runs in a container's control group, but in the host's network namespace.",
        |v| is_host(v, |ns| ns.net),
    ),
    texts(
        "lanner.ns.entered_host",
        NAMESPACE,
        "The host's namespaces that a container's process came into.",
        |v, each| {
            let _ = entered_host(v).into_iter().flatten().all(|name| each(Cow::Borrowed(name.as_bytes())));
        },
    ),
    text(
        "lanner.ns.entered_container",
        NAMESPACE,
        "The id of the container whose mount namespace a process from outside came into.",
        |v| Some(id_of(&v.graph.reaches_into(v.event)?.id)),
    ),
    text(
        "lanner.stdin.kind",
        ALL,
        "Where its input comes from: file, terminal, pipe, socket, device, closed, ...",
        |v| {
            word(match v.image()?.stdio[0].kind {
                StdioKind::Unknown => return None,
                StdioKind::Closed => "closed",
                StdioKind::File => "file",
                StdioKind::Directory => "directory",
                StdioKind::Device => "device",
                StdioKind::Terminal => "terminal",
                StdioKind::Pipe => "pipe",
                StdioKind::Socket => "socket",
            })
        },
    ),
    text("lanner.stdin.writer", ALL, "The program at the other end of the pipe that is its input.", |v| {
        let stdin = &v.image()?.stdio[0];
        let pipe = stdin.kind == StdioKind::Pipe && stdin.ino != 0;
        known(&v.graph.pipe_writer(pipe.then_some(stdin.ino)?, v.key())?.image()?.exe.path)
    }),
    text("lanner.stdout.reader", ALL, "The program at the other end of the pipe that is its output.", |v| {
        known(&reader(v)?.exe.path)
    }),
    text("lanner.stdout.reader.args", ALL, "The arguments of that program, without its name.", |v| {
        let arguments = arguments(reader(v)?);
        Some(v.put(Put::ReaderArgs, |out| join(out, arguments)))
    }),
    flag("lanner.net.outgoing", FLOW, "This node opened the connection.", |v| v.outgoing()),
    text("lanner.net.attempt", CONNECT, "What became of the connection: started, established or failed.", |v| {
        let Payload::Connect(connect) = &v.event.payload else { return None };
        word(match connect.attempt {
            Attempt::Started => "started",
            Attempt::Established => "established",
            Attempt::Failed(_) => "failed",
        })
    }),
    text("lanner.net.peer", FLOW, "The other end: address:port, and its name in parentheses when one is known.", peer),
    number("lanner.net.sent", CARRIED, "Payload bytes that were sent, so far or in all.", |v| {
        Some(carried(v)?.sent.into())
    }),
    number("lanner.net.received", CARRIED, "Payload bytes that were received, so far or in all.", |v| {
        Some(carried(v)?.received.into())
    }),
    flag("lanner.net.mostly_sent", CARRIED, "At least four times more was sent than received.", |v| {
        carried(v).map(|c| c.sent > 0 && c.sent >= c.received.saturating_mul(4))
    }),
    number("lanner.net.duration", CARRIED, "How long it has lasted, in nanoseconds.", |v| {
        Some(carried(v)?.lasted.as_nanos() as i128)
    }),
    number("lanner.net.rtt", CARRIED, "TCP's smoothed round trip time, in nanoseconds; 0: never measured.", |v| {
        Some(carried(v)?.quality?.rtt.as_nanos() as i128)
    }),
    number("lanner.net.retransmits", CARRIED, "TCP segments that had to be sent again.", |v| {
        Some(carried(v)?.quality?.retransmits.into())
    }),
    text("lanner.net.end", CLOSE, "How it ended: finished, reset, aborted, timed-out or broken.", |v| {
        let Payload::Close(close) = &v.event.payload else { return None };
        word(match close.end {
            End::Finished => "finished",
            End::Reset => "reset",
            End::Aborted => "aborted",
            End::TimedOut => "timed-out",
            End::Broken(_) => "broken",
        })
    }),
    text("lanner.net.peer_exe", FLOW, "The program at the other end of the connection, if it is on this node.", |v| {
        known(&v.graph.process(v.graph.other_end(v.flow()?)?)?.image()?.exe.path)
    }),
    text("lanner.socket.peer", UNIX, "The program that listens on the unix socket.", |v| {
        let Payload::Unix(unix) = &v.event.payload else { return None };
        known(&v.graph.process(unix.peer?)?.image()?.exe.path)
    }),
    flag("lanner.socket.abstract", UNIX, "The unix socket has no file, but a name of its network namespace.", |v| {
        let Payload::Unix(unix) = &v.event.payload else { return None };
        Some(matches!(unix.name, UnixName::Abstract(_)))
    }),
    flag("lanner.flow.beacon", SOCKET, "The connection is one of many to the same peer at even intervals.", |v| {
        Some(v.graph.beacon(v.event))
    }),
    text("lanner.flow.carried", SOCKET, "A file that another process wrote and this one had read.", |v| {
        known(v.graph.carried(v.key())?)
    }),
    flag("lanner.file.created", OPEN, "This open created the file.", |v| Some(open(v)?.created)),
    flag("lanner.file.written_before", OPEN, "Another process had the file open for writing before.", |v| {
        Some(open(v)?.written_before)
    }),
    text("lanner.file.writer", NAMED, "The program that wrote the file last.", writer),
    number("lanner.file.dev", NAMED, "The device number of the file's file system.", |v| {
        let id = v.named()?.id;
        id.is_known().then_some(id.dev.into())
    }),
    number("lanner.file.ino", NAMED, "The inode number of the file.", |v| {
        let id = v.named()?.id;
        id.is_known().then_some(id.ino.into())
    }),
];

const NAMESPACE: FamilySet = FamilySet::of(&[Family::Namespace]);
const COMM: FamilySet = FamilySet::of(&[Family::Comm]);
const URING: FamilySet = FamilySet::of(&[Family::UringOp]);
const COMPAT: FamilySet = FamilySet::of(&[Family::Compat]);
const CONNECT: FamilySet = FamilySet::of(&[Family::Connect]);

/// The container of who wrote the file that the process's container was started from.
fn cause_container(view: View<'_>) -> Option<Option<&ContainerId>> {
    let writer = view.graph.process(view.container()?.cause.as_ref()?.writer)?;
    Some(writer.task.context.container.as_ref())
}

fn open(view: View<'_>) -> Option<&Open> {
    match &view.event.payload {
        Payload::Open(open) => Some(open),
        _ => None,
    }
}

/// What a TCP connection, or a UDP flow, has carried, and how well.
struct Carried {
    sent: u64,
    received: u64,
    /// `None` for UDP.
    quality: Option<Quality>,
    lasted: Duration,
}

fn carried(view: View<'_>) -> Option<Carried> {
    let (sent, received, quality, lasted) = match &view.event.payload {
        Payload::Close(c) => (c.sent, c.received, Some(c.quality), c.lasted),
        Payload::Traffic(t) => (t.sent, t.received, Some(t.quality), t.lasted),
        Payload::Udp(u) => (u.sent.bytes, u.received.bytes, None, u.lasted),
        _ => return None,
    };
    Some(Carried { sent, received, quality, lasted })
}

fn peer(view: View<'_>) -> Found<'_> {
    let flow = view.flow()?;
    Some(view.put(Put::Peer, |out| {
        address_to(out, flow.remote);
        if let Some(naming) = view.graph.name_of(flow.netns, flow.remote.ip()) {
            out.extend_from_slice(b" (");
            out.extend_from_slice(naming.name.as_bytes());
            out.push(b')');
        }
    }))
}

/// What reads the pipe that is the process's output.
fn reader(view: View<'_>) -> Option<&Image> {
    let stdout = &view.image()?.stdio[1];
    let pipe = stdout.kind == StdioKind::Pipe && stdout.ino != 0;
    view.graph.pipe_reader(pipe.then_some(stdout.ino)?, view.key())?.image()
}

fn writer(view: View<'_>) -> Found<'_> {
    let id = view.named()?.id;
    known(&view.graph.writer_of(id.is_known().then_some(id)?)?.image()?.exe.path)
}

fn is_host(view: View<'_>, which: fn(&Namespaces) -> u32) -> Option<bool> {
    let host = which(view.container()?.host.as_ref()?);
    let own = which(view.namespaces()?);
    (host != 0 && own != 0).then_some(host == own)
}

/// Namespaces that were the container's before the event and are the host's now. A runtime that puts a program into a
/// container begins in the host's namespaces, and so never comes into them.
fn entered_host(view: View<'_>) -> Option<impl Iterator<Item = &'static str>> {
    let Payload::Namespace(change) = &view.event.payload else { return None };
    let host = view.container()?.host?;
    let (before, now) = (change.before, change.now);
    let all = [
        ("mnt", before.mnt, now.mnt, host.mnt),
        ("pid", before.pid, now.pid, host.pid),
        ("net", before.net, now.net, host.net),
        ("uts", before.uts, now.uts, host.uts),
        ("ipc", before.ipc, now.ipc, host.ipc),
        ("cgroup", before.cgroup, now.cgroup, host.cgroup),
        ("user", before.user, now.user, host.user),
    ];
    let entered = |(name, before, now, host): (&'static str, u32, u32, u32)| {
        (before != 0 && now != 0 && now == host && before != host).then_some(name)
    };
    Some(all.into_iter().filter_map(entered))
}
