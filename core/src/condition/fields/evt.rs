//! `evt.*`: the event itself.

use std::borrow::Cow;

use super::{ALL, Accepts, EXEC, Field, Found, OPEN, flag, fs, made, named, number, privilege, text, word};
use crate::condition::calls::same;
use crate::condition::scratch::Put;
use crate::condition::view::View;
use crate::event::{Attempt, Family, FamilySet, Layer, Open, Payload, UnixAct};

const RESULT: FamilySet = FamilySet::of(&[Family::Exit]).not();

pub(super) const FIELDS: &[Field] = &[
    text(
        "evt.type",
        ALL,
        "The system call, as Falco names it: execve, clone, procexit, openat, connect, accept, ...",
        |v| word(v.event.payload.event_type()),
    ),
    text("syscall.type", ALL, "The same as evt.type.", |v| word(v.event.payload.event_type())),
    number("evt.num", ALL, "The event's position in the node's stream.", |v| Some(v.event.header.seq.into())),
    text("evt.time", ALL, "When: seconds since the node booted, with nanoseconds.", |v| {
        let t = v.event.header.time.0;
        made(format!("{}.{:09}", t / 1_000_000_000, t % 1_000_000_000))
    }),
    number("evt.reltime", ALL, "When: nanoseconds since the node booted.", |v| Some(v.event.header.time.0.into())),
    number("evt.reltime.s", ALL, "When: whole seconds since the node booted.", |v| {
        Some((v.event.header.time.0 / 1_000_000_000).into())
    }),
    number("evt.reltime.ns", ALL, "When: nanoseconds beyond the whole seconds.", |v| {
        Some((v.event.header.time.0 % 1_000_000_000).into())
    }),
    number("evt.cpu", ALL, "The processor it happened on.", |v| Some(v.event.header.cpu.into())),
    number("evt.count", ALL, "Always 1.", |_| Some(1)),
    text("evt.dir", ALL, "Always `<`: events are seen when the call returns.", |_| word("<")),
    text("evt.source", ALL, "Always `syscall`.", |_| word("syscall")),
    text("evt.category", ALL, "file, net, process, memory or other.", |v| {
        word(match Family::of(&v.event.payload) {
            Family::Open | Family::Rename | Family::Link | Family::Unlink | Family::Make | Family::Attribute => "file",
            Family::Connect
            | Family::Accept
            | Family::Listen
            | Family::Close
            | Family::Traffic
            | Family::Unix
            | Family::Socket
            | Family::Bind
            | Family::Udp
            | Family::Dns => "net",
            Family::MemFd => "memory",
            Family::Container | Family::Accounts | Family::Digest => "other",
            _ => "process",
        })
    }),
    text("evt.res", RESULT, "SUCCESS, or the name of the error.", |v| {
        let result = raw_result(v)?;
        match u32::try_from(-result) {
            Ok(errno @ 1..) => match errno_name(errno) {
                Some(name) => word(name),
                None => made(format!("E{errno}")),
            },
            _ => word("SUCCESS"),
        }
    }),
    number("evt.rawres", RESULT, "What the call returned; below zero: the error.", raw_result),
    flag("evt.failed", RESULT, "Whether the call returned an error.", |v| Some(raw_result(v)? < 0)),
    flag("evt.is_open_read", OPEN, "A file was opened for reading.", |v| Some(open(v)?.access.read)),
    flag("evt.is_open_write", OPEN, "A file was opened for writing.", |v| Some(open(v)?.access.write)),
    flag("evt.is_open_create", OPEN, "A file was created by opening it.", |v| Some(open(v)?.created)),
    flag("evt.is_open_exec", OPEN, "An open was to make a file that may be run, if there was none.", |v| {
        Some(open(v)?.passed.as_ref()?.makes_program())
    }),
    named(
        "evt.arg",
        ALL,
        "An argument of the call, as far as the event has it: evt.arg.flags or evt.arg[flags].",
        &[
            "flags", "name", "path", "filename", "pathname", "oldpath", "newpath", "target", "linkpath", "mode", "uid",
            "gid", "fd", "res", "ret", "exe", "comm", "cwd", "domain", "type", "proto", "request", "pid", "sig",
            "ruid", "rgid", "euid", "egid", "suid", "sgid", "dev", "source", "dir", "fstype", "data", "key", "uargs",
            "cmd",
        ],
        argument,
    ),
    text("evt.args", ALL, "The arguments of the call that the event has: name=value, with blanks between.", arguments),
    text("evt.info", ALL, "The same as evt.args.", arguments),
    flag("evt.is_exec", EXEC, "A program was started.", |v| Some(matches!(v.event.payload, Payload::Exec(_)))),
];

fn open(view: View<'_>) -> Option<&Open> {
    match &view.event.payload {
        Payload::Open(open) => Some(open),
        _ => None,
    }
}

fn raw_result(view: View<'_>) -> Option<i128> {
    Some(match &view.event.payload {
        Payload::Exec(_) | Payload::Alive(_) | Payload::Namespace(_) | Payload::Listen(_) | Payload::Close(_) => 0,
        Payload::Rename(_) | Payload::Link(_) | Payload::Unlink(_) | Payload::Make(_) | Payload::Attribute(_) => 0,
        Payload::Traffic(_) | Payload::Bind(_) => 0,
        Payload::Socket(socket) => socket.fd.into(),
        Payload::Unix(unix) => match unix.act {
            UnixAct::Failed(errno) => -i128::from(errno),
            UnixAct::Connected | UnixAct::Listening => 0,
        },
        Payload::Udp(_) | Payload::Dns(_) => 0,
        Payload::Comm(_) => 0,
        Payload::UringSetup(setup) => setup.fd.into(),
        Payload::Fork(fork) => fork.child.pid.into(),
        // A ring returns 0 for a file that it keeps in a table of its own.
        Payload::Open(open) => open.fd.max(0).into(),
        Payload::MemFd(memfd) => memfd.fd.into(),
        // The descriptor that accept returned is not known; that it did not fail is.
        Payload::Accept(_) => 0,
        Payload::Connect(connect) => match connect.attempt {
            Attempt::Started => -115,
            Attempt::Established => 0,
            Attempt::Failed(errno) => -i128::from(errno),
        },
        // What became of the others is not seen.
        Payload::Exit(_) | Payload::Container(_) | Payload::Accounts(_) | Payload::Digest(_) => return None,
        Payload::Seal(_) | Payload::UringOp(_) | Payload::Compat(_) => return None,
        payload => return privilege::result(payload),
    })
}

/// The arguments of calls in Falco's order, for conditions that name them by position.
const POSITIONS: &[(&str, &[&str])] = &[
    ("openat", &["fd", "dirfd", "name", "flags", "mode"]),
    ("execve", &["res", "exe", "args", "tid", "pid", "ptid", "cwd"]),
    ("socket", &["domain", "type", "proto"]),
    ("setns", &["res", "fd", "nstype"]),
    ("unshare", &["res", "flags"]),
    ("memfd_create", &["fd", "name", "flags"]),
    ("procexit", &["status", "ret", "sig", "core", "reaper_tid"]),
    ("connect", &["res", "tuple", "fd", "addr"]),
    ("ptrace", &["request", "pid"]),
    ("rename", &["res", "oldpath", "newpath"]),
    ("renameat2", &["res", "olddirfd", "oldpath", "newdirfd", "newpath", "flags"]),
    ("unlinkat", &["res", "dirfd", "name", "flags"]),
    ("symlinkat", &["res", "target", "linkdirfd", "linkpath"]),
    ("linkat", &["res", "olddir", "oldpath", "newdir", "newpath", "flags"]),
    ("mkdirat", &["res", "dirfd", "path", "mode"]),
    ("fchmodat", &["res", "dirfd", "filename", "mode"]),
];

/// The name of the argument that stands at this position of the event's call, the first at 0.
pub(super) fn position(view: View<'_>, n: u32) -> Option<&'static str> {
    let call = view.event.payload.event_type();
    let (_, names) = POSITIONS.iter().find(|(name, _)| *name == call || same(call).contains(name))?;
    names.get(n as usize).copied()
}

fn arguments(view: View<'_>) -> Found<'_> {
    let names = match Field::find("evt.arg")?.accepts() {
        Accepts::Name(names) => names,
        _ => return None,
    };
    Some(view.put(Put::CallArguments, |out| {
        for name in names {
            if let Some(value) = argument(view, name) {
                let blank = if out.is_empty() { "" } else { " " };
                [blank.as_bytes(), name.as_bytes(), b"=", &value].iter().for_each(|part| out.extend_from_slice(part));
            }
        }
    }))
}

fn argument<'a>(view: View<'a>, name: &str) -> Found<'a> {
    match (name, &view.event.payload) {
        ("flags", Payload::Open(open)) => Some(view.put(Put::Flags, |out| open_flags(out, open))),
        ("mode", Payload::Open(open)) => fs::permissions(view, open.passed.as_ref()?.mode),
        ("flags", Payload::Exec(exec)) => {
            let upper = exec.image.layer == Some(Layer::Upper);
            let flags = [(upper, "EXE_UPPER_LAYER"), (exec.image.exe.is_memfd(), "EXE_FROM_MEMFD")];
            let flags = flags.into_iter().filter(|(is, _)| *is).map(|(_, name)| ("", name));
            Some(view.put(Put::Flags, |out| join_flags(out, flags)))
        }
        ("flags", Payload::Fork(fork)) => {
            let flags = fork.how.names().map(|name| ("clone_", name));
            Some(view.put(Put::Flags, |out| join_flags(out, flags)))
        }
        ("name" | "path" | "filename" | "pathname", Payload::Open(_) | Payload::MemFd(_)) => {
            Some(Cow::Borrowed(view.file()?.path.as_bytes()))
        }
        ("filename" | "pathname", Payload::Exec(exec)) => Some(Cow::Borrowed(exec.image.exe.path.as_bytes())),
        ("exe", Payload::Exec(exec)) => Some(Cow::Borrowed(exec.image.args.list.first()?.as_bytes())),
        ("comm", Payload::Exec(exec)) => Some(Cow::Borrowed(exec.task.comm.as_bytes())),
        ("cwd", Payload::Exec(exec)) => Some(Cow::Borrowed(exec.image.cwd.as_bytes())),
        ("fd", Payload::Open(open)) => made(open.fd.to_string()),
        ("fd", Payload::MemFd(memfd)) => made(memfd.fd.to_string()),
        ("domain", Payload::Socket(socket)) => made(socket.domain.to_string()),
        ("domain", Payload::Bind(bind)) => made(bind.domain.to_string()),
        ("type", Payload::Socket(socket)) => made(socket.socket_type.to_string()),
        ("type", Payload::Bind(bind)) => made(bind.socket_type.to_string()),
        ("proto", Payload::Socket(socket)) => made(socket.protocol.to_string()),
        ("name" | "path", Payload::Unix(unix)) => Some(Cow::Borrowed(unix.name.text().as_bytes())),
        ("fd", Payload::Socket(socket)) => made(socket.fd.to_string()),
        ("ret", Payload::Exit(exit)) => made(exit.code.to_string()),
        ("res", _) => made(raw_result(view)?.to_string()),
        _ => fs::argument(view, name).or_else(|| privilege::argument(view, name)),
    }
}

/// What was passed; or where that is not known, what became of it.
fn open_flags(out: &mut Vec<u8>, open: &Open) {
    match &open.passed {
        Some(passed) => join_flags(out, passed.flags.names().map(|name| ("", name))),
        None => {
            let access = match (open.access.read, open.access.write) {
                (true, true) => "O_RDWR",
                (false, true) => "O_WRONLY",
                _ => "O_RDONLY",
            };
            let set = [(true, access), (open.created, "O_CREAT"), (open.directory, "O_DIRECTORY")];
            join_flags(out, set.into_iter().filter(|(is, _)| *is).map(|(_, name)| ("", name)));
        }
    }
    if open.created {
        out.extend_from_slice(b"|O_F_CREATED");
    }
}

/// Flags as Falco writes them: in capitals with a `|` between, or `0`.
fn join_flags(out: &mut Vec<u8>, flags: impl Iterator<Item = (&'static str, &'static str)>) {
    for (prefix, name) in flags {
        if !out.is_empty() {
            out.push(b'|');
        }
        out.extend(prefix.bytes().chain(name.bytes()).map(|b| b.to_ascii_uppercase()));
    }
    if out.is_empty() {
        out.push(b'0');
    }
}

fn errno_name(errno: u32) -> Option<&'static str> {
    Some(match errno {
        1 => "EPERM",
        2 => "ENOENT",
        3 => "ESRCH",
        4 => "EINTR",
        6 => "ENXIO",
        9 => "EBADF",
        11 => "EAGAIN",
        13 => "EACCES",
        14 => "EFAULT",
        16 => "EBUSY",
        17 => "EEXIST",
        18 => "EXDEV",
        19 => "ENODEV",
        20 => "ENOTDIR",
        21 => "EISDIR",
        22 => "EINVAL",
        23 => "ENFILE",
        24 => "EMFILE",
        26 => "ETXTBSY",
        28 => "ENOSPC",
        30 => "EROFS",
        36 => "ENAMETOOLONG",
        38 => "ENOSYS",
        39 => "ENOTEMPTY",
        40 => "ELOOP",
        98 => "EADDRINUSE",
        99 => "EADDRNOTAVAIL",
        100 => "ENETDOWN",
        101 => "ENETUNREACH",
        103 => "ECONNABORTED",
        104 => "ECONNRESET",
        110 => "ETIMEDOUT",
        111 => "ECONNREFUSED",
        112 => "EHOSTDOWN",
        113 => "EHOSTUNREACH",
        115 => "EINPROGRESS",
        _ => return None,
    })
}
