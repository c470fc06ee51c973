//! `proc.*` and `thread.*`: the process that did it, its parent, its session's leader and its ancestors.

use std::borrow::Cow;

use super::{ALL, Field, Found, Get, flag, known, lineage, lineage_number, made, number, row, text, word};
use crate::condition::scratch::Put;
use crate::condition::view::View;
use crate::event::{Image, Layer, Stdio, StdioKind, Text};
use crate::graph::Process;

pub(super) const FIELDS: &[Field] = &[
    text("proc.name", ALL, "The process's name: its `comm`, at most 15 bytes.", |v| known(&v.task()?.comm)),
    text("proc.exe", ALL, "Its first argument: the program's name as its caller put it.", |v| exe(v.image()?)),
    text("proc.exepath", ALL, "The path of the file that it runs, as the kernel resolved it.", |v| {
        known(&v.image()?.exe.path)
    }),
    text("proc.cmdline", ALL, "Its name and its arguments.", |v| {
        let (task, image) = (v.task()?, v.image()?);
        if arguments(image).is_empty() {
            return known(&task.comm);
        }
        Some(v.put(Put::CommandLine, |out| line(out, &task.comm, arguments(image))))
    }),
    text("proc.exeline", ALL, "Its arguments, the program's name first.", |v| {
        let image = v.image()?;
        Some(v.put(Put::ExeLine, |out| join(out, &image.args.list)))
    }),
    text("proc.args", ALL, "Its arguments without the program's name.", |v| match arguments(v.image()?) {
        [] => word(""),
        [only] => Some(Cow::Borrowed(only.as_bytes())),
        list => Some(v.put(Put::Arguments, |out| join(out, list))),
    }),
    number("proc.cmdnargs", ALL, "How many arguments it has, without the program's name.", |v| {
        Some(v.image()?.args.list.len().saturating_sub(1) as i128)
    }),
    number("proc.cmdlenargs", ALL, "How many bytes its arguments have, without blanks and the program's name.", |v| {
        Some(v.image()?.args.list.iter().skip(1).map(|a| a.as_bytes().len() as i128).sum())
    }),
    text("proc.cwd", ALL, "Its working directory, with a slash at its end.", |v| {
        let cwd = &v.image()?.cwd;
        match cwd.as_bytes() {
            [] => None,
            [.., b'/'] => known(cwd),
            path => Some(v.put(Put::Directory, |out| {
                out.extend_from_slice(path);
                out.push(b'/');
            })),
        }
    }),
    number("proc.pid", ALL, "Its pid on the machine.", |v| pid(v.key().pid)),
    number("thread.tid", ALL, "The pid of the thread that did it, on the machine.", |v| pid(v.event.header.tid)),
    number("proc.vpid", ALL, "The pid that it sees itself.", |v| pid(v.task()?.ns_pid)),
    number("proc.ppid", ALL, "Its parent's pid on the machine.", |v| pid(v.task()?.parent?.pid)),
    number("proc.pvpid", ALL, "The pid that its parent sees itself.", |v| pid(v.parent()?.task.ns_pid)),
    text("proc.pname", ALL, "Its parent's name.", |v| known(&v.parent()?.task.comm)),
    text("proc.pexe", ALL, "Its parent's first argument.", |v| exe(v.parent()?.image()?)),
    text("proc.pexepath", ALL, "The path of the file that its parent runs.", |v| known(&v.parent()?.image()?.exe.path)),
    text("proc.pcmdline", ALL, "Its parent's name and arguments.", |v| {
        let parent = v.parent()?;
        match parent.image().map(arguments) {
            None | Some([]) => known(&parent.task.comm),
            Some(list) => Some(v.put(Put::ParentCommandLine, |out| line(out, &parent.task.comm, list))),
        }
    }),
    number("proc.sid", ALL, "Its session: the pid of the session's leader.", |v| pid(v.task()?.session)),
    text("proc.sname", ALL, "The name of its session's leader.", |v| known(&leader(v)?.task.comm)),
    text("proc.sid.exe", ALL, "The first argument of its session's leader.", |v| exe(leader(v)?.image()?)),
    text("proc.sid.exepath", ALL, "The path of the file that its session's leader runs.", |v| {
        known(&leader(v)?.image()?.exe.path)
    }),
    number("proc.loginshellid", ALL, "The pid of the oldest shell among its ancestors and itself.", |v| {
        let line = v.process().into_iter().chain(v.ancestors());
        pid(line.filter(|p| SHELLS.contains(&p.task.comm.as_bytes())).last()?.key.pid)
    }),
    flag("proc.is_sid_leader", ALL, "It leads its session.", |v| Some(v.task()?.session == v.key().pid)),
    number("proc.pgid", ALL, "Its process group: the pid of the group's leader.", |v| pid(v.task()?.group)),
    text("proc.pgid.name", ALL, "The name of its process group's leader.", |v| known(&group(v)?.task.comm)),
    text("proc.pgid.exe", ALL, "The first argument of its process group's leader.", |v| exe(group(v)?.image()?)),
    text("proc.pgid.exepath", ALL, "The path of the file that its process group's leader runs.", |v| {
        known(&group(v)?.image()?.exe.path)
    }),
    flag("proc.is_pgid_leader", ALL, "It leads its process group.", |v| {
        let group = v.task()?.group;
        (group != 0).then_some(group == v.key().pid)
    }),
    number("proc.vpgid", ALL, "Its process group: the pid of the group's leader, as the process sees it.", |v| {
        number_within(v, group(v)?)
    }),
    text("proc.vpgid.name", ALL, "The name of its process group's leader.", |v| known(&group(v)?.task.comm)),
    text("proc.vpgid.exe", ALL, "The first argument of its process group's leader.", |v| exe(group(v)?.image()?)),
    text("proc.vpgid.exepath", ALL, "The path of the file that its process group's leader runs.", |v| {
        known(&group(v)?.image()?.exe.path)
    }),
    flag("proc.is_vpgid_leader", ALL, "It leads its process group.", |v| {
        let group = v.task()?.group;
        (group != 0).then_some(group == v.key().pid)
    }),
    number("proc.vsid", ALL, "Its session: the pid of the session's leader, as the process sees it.", |v| {
        number_within(v, leader(v)?)
    }),
    flag("proc.is_vsid_leader", ALL, "It leads its session.", |v| Some(v.task()?.session == v.key().pid)),
    row(
        "proc.env",
        ALL,
        "Those variables of its environment that the sensor reads, as NAME=value; or the value of one: proc.env[ENV].",
        Get::TextOrKeyed(
            |v| {
                let list = &v.image()?.env.list;
                Some(v.put(Put::Environment, |out| join(out, list)))
            },
            |v, name| {
                let of = |variable: &'_ Text| -> bool {
                    variable.as_bytes().strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"="))
                };
                let variable = v.image()?.env.list.iter().find(|variable| of(variable))?;
                Some(Cow::Borrowed(&variable.as_bytes()[name.len() + 1..]))
            },
        ),
    ),
    number("proc.tty", ALL, "The device number of its terminal; 0 when it has none.", |v| {
        Some(v.task()?.context.tty.as_ref().map_or(0, terminal))
    }),
    number("proc.duration", ALL, "Nanoseconds since it started.", |v| {
        let known = !v.key().is_unknown();
        known.then(|| v.event.header.time.since(v.key().start).as_nanos() as i128)
    }),
    number("proc.ppid.duration", ALL, "Nanoseconds since its parent started.", |v| {
        Some(v.event.header.time.since(v.task()?.parent?.start).as_nanos() as i128)
    }),
    number("proc.exe_ino", ALL, "The inode number of the file that it runs.", |v| inode(v.image()?.exe.id.ino)),
    flag("proc.is_exe_from_memfd", ALL, "What it runs lives in memory only.", |v| Some(v.image()?.exe.is_memfd())),
    flag("proc.is_exe_upper_layer", ALL, "What it runs lies in the writable layer of an overlay.", |v| {
        Some(v.image()?.layer == Some(Layer::Upper))
    }),
    flag("proc.is_exe_lower_layer", ALL, "What it runs lies in a layer below the writable one of an overlay.", |v| {
        Some(v.image()?.layer == Some(Layer::Lower))
    }),
    text("proc.stdin.type", ALL, "Where its input comes from: file, pipe, ipv4, ipv6, unix, ...", |v| stdio_type(v, 0)),
    text("proc.stdout.type", ALL, "Where its output goes: file, pipe, ipv4, ipv6, unix, ...", |v| stdio_type(v, 1)),
    text("proc.stderr.type", ALL, "Where its messages go: file, pipe, ipv4, ipv6, unix, ...", |v| stdio_type(v, 2)),
    text("proc.stdin.name", ALL, "The name of its input: a socket's peer, or the kind and inode number.", |v| {
        stdio_name(v, 0)
    }),
    text("proc.stdout.name", ALL, "The name of its output.", |v| stdio_name(v, 1)),
    text("proc.stderr.name", ALL, "The name of what its messages go to.", |v| stdio_name(v, 2)),
    lineage("proc.aname", "The name of an ancestor: [1] is the parent.", |p| known(&p.task.comm)),
    lineage("proc.aexe", "The first argument of an ancestor.", |p| exe(p.image()?)),
    lineage("proc.aexepath", "The path of the file that an ancestor runs.", |p| known(&p.image()?.exe.path)),
    row("proc.acmdline", ALL, "The name and arguments of an ancestor.", Get::LineageMade(ancestors_command)),
    lineage_number("proc.apid", "The pid of an ancestor.", |p| pid(p.key.pid)),
    text("thread.cap_effective", ALL, "Its effective capabilities, with blanks between.", |v| {
        let bits = v.task()?.context.creds.cap_effective;
        Some(v.put(Put::Effective, |out| capabilities(out, bits)))
    }),
    text("thread.cap_permitted", ALL, "Its permitted capabilities, with blanks between.", |v| {
        let bits = v.task()?.context.creds.cap_permitted;
        Some(v.put(Put::Permitted, |out| capabilities(out, bits)))
    }),
];

const SHELLS: [&[u8]; 8] = [b"ash", b"bash", b"csh", b"dash", b"ksh", b"sh", b"tcsh", b"zsh"];

fn pid(pid: u32) -> Option<i128> {
    (pid != 0).then_some(pid.into())
}

fn inode(ino: u64) -> Option<i128> {
    (ino != 0).then_some(ino.into())
}

/// The leader of its session; when that is not known, the oldest ancestor in the session.
fn leader(view: View<'_>) -> Option<&Process> {
    match view.task()?.session {
        0 => None,
        pid if pid == view.key().pid => view.process(),
        pid => match view.graph.by_pid(pid) {
            Some(leader) => Some(leader),
            None => view.ancestors().take_while(|ancestor| ancestor.task.session == pid).last(),
        },
    }
}

fn group(view: View<'_>) -> Option<&Process> {
    match view.task()?.group {
        0 => None,
        pid if pid == view.key().pid => view.process(),
        pid => view.graph.by_pid(pid),
    }
}

/// The pid that another process has where this one lives; 0 when it lives outside of that.
fn number_within(view: View<'_>, other: &Process) -> Option<i128> {
    let (own, others) = (&view.task()?.context.pid_namespaces, &other.task.context.pid_namespaces);
    let within = own.first()?;
    if others.first() == Some(within) {
        return pid(other.task.ns_pid);
    }
    // Of a process further in only its own number is known, and the machine's.
    (!others.contains(within)).then_some(0)
}

fn exe(image: &Image) -> Found<'_> {
    Some(Cow::Borrowed(image.args.list.first()?.as_bytes()))
}

/// The arguments without the first, the program's name.
pub(super) fn arguments(image: &Image) -> &[Text] {
    image.args.list.get(1..).unwrap_or_default()
}

/// Texts with blanks between.
pub(super) fn join(out: &mut Vec<u8>, list: &[Text]) {
    for (n, argument) in list.iter().enumerate() {
        if n > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(argument.as_bytes());
    }
}

fn line(out: &mut Vec<u8>, comm: &Text, list: &[Text]) {
    out.extend_from_slice(comm.as_bytes());
    out.push(b' ');
    join(out, list);
}

fn ancestors_command<'a>(view: View<'a>, generation: u32, process: &'a Process) -> Found<'a> {
    match process.image().map(arguments) {
        None | Some([]) => known(&process.task.comm),
        Some(list) => Some(view.put_of_ancestor(generation, |out| line(out, &process.task.comm, list))),
    }
}

/// The device number of a terminal, as `/proc/PID/stat` shows it for the names that terminals have; 1 for any other.
fn terminal(name: &Text) -> i128 {
    let number =
        |prefix: &str| name.as_bytes().strip_prefix(prefix.as_bytes()).and_then(|n| std::str::from_utf8(n).ok());
    let device = |prefix: &str, major: u32| Some((major << 8) as i128 + number(prefix)?.parse::<u8>().ok()? as i128);
    // drivers/char: 4 = virtual and serial consoles, 136 = pseudo-terminals (Documentation/admin-guide/devices.txt).
    device("pts", 136).or_else(|| device("pts/", 136)).or_else(|| device("tty", 4)).unwrap_or(1)
}

fn stdio(view: View<'_>, n: usize) -> Option<&Stdio> {
    let stdio = &view.image()?.stdio[n];
    (!matches!(stdio.kind, StdioKind::Unknown | StdioKind::Closed)).then_some(stdio)
}

fn stdio_type(view: View<'_>, n: usize) -> Found<'_> {
    let stdio = stdio(view, n)?;
    word(match (stdio.kind, stdio.peer) {
        (StdioKind::Socket, Some(peer)) if peer.is_ipv4() => "ipv4",
        (StdioKind::Socket, Some(_)) => "ipv6",
        (StdioKind::Socket, None) => "unix",
        (StdioKind::Directory, _) => "directory",
        (StdioKind::Pipe, _) => "pipe",
        // Falco has no kind of its own for terminals and other devices.
        _ => "file",
    })
}

fn stdio_name(view: View<'_>, n: usize) -> Found<'_> {
    let stdio = stdio(view, n)?;
    made(match (stdio.peer, stdio.kind) {
        (Some(peer), _) => peer.to_string(),
        (None, StdioKind::Pipe) => format!("pipe:[{}]", stdio.ino),
        (None, StdioKind::Socket) => format!("socket:[{}]", stdio.ino),
        (None, StdioKind::Terminal) => format!("/dev/{}", view.task()?.context.tty.as_ref()?.to_str_lossy()),
        _ => return None,
    })
}

pub(super) fn capabilities(out: &mut Vec<u8>, bits: u64) {
    for (_, name) in CAPABILITIES.iter().enumerate().filter(|(i, _)| bits & (1 << i) != 0) {
        if !out.is_empty() {
            out.push(b' ');
        }
        out.extend_from_slice(name.as_bytes());
    }
}

/// By bit (include/uapi/linux/capability.h).
const CAPABILITIES: [&str; 41] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];
