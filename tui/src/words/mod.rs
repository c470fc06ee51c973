//! What happens on a node, in plain words, escaped and safe to show: the same on the screen and in lines.

mod container;
mod names;
mod net;
mod privilege;
mod socket;
pub(crate) mod text;
pub(crate) mod when;

use std::net::SocketAddr;

use lanner_core::event::{File, Image, Namespaces, NsChangeHow, Payload, Stdio, StdioKind, Through, UringSetup};
use lanner_core::graph::Graph;

pub(crate) use net::address;

pub(crate) use container::{container, container_label, container_title};
use text::{count, shown};

/// Longer than any line, so that formatting stops early for what would be clipped anyway.
const LINE: usize = 1_000;

/// What happened, with who did it left out: `ran /usr/bin/curl -s http://...`. Addresses have the names that the graph
/// knows.
pub(crate) fn deed(payload: &Payload, graph: &Graph) -> String {
    match payload {
        Payload::Exec(exec) => format!("ran {}", command(&exec.image)),
        Payload::Alive(exec) => format!("already ran {}", command(&exec.image)),
        Payload::Fork(fork) => {
            let how = fork.how.names().collect::<Vec<_>>().join(", ");
            let how = if how.is_empty() { how } else { format!(" ({how})") };
            format!("forked [{}]{how}", fork.child.pid)
        }
        Payload::Exit(exit) if exit.signal != 0 => format!("was ended by signal {}", exit.signal),
        Payload::Exit(exit) => format!("ended with {}", exit.code),
        Payload::Open(open) => {
            let verb = match (open.created, open.access.write, open.access.read) {
                (true, _, _) => "created",
                (_, true, true) => "opened to read and write",
                (_, true, false) => "opened to write",
                _ => "opened to read",
            };
            let note = if open.written_before && !open.access.write { " (another process wrote it)" } else { "" };
            let way = match open.through {
                Through::Call => "",
                Through::IoUring => " through io_uring",
                Through::Kernel => " (the kernel itself)",
            };
            format!("{verb} {}{way}{note}", file(&open.file))
        }
        Payload::Connect(connect) => net::connect(connect, graph),
        Payload::Accept(accept) => format!("accepted {} on {}", net::peer(&accept.flow, graph), accept.flow.local),
        Payload::Listen(listen) => format!("listens on {}", listen.local),
        Payload::Close(close) => socket::closed(close, graph),
        Payload::Namespace(change) => {
            let verb = match change.how {
                NsChangeHow::Setns => "entered",
                NsChangeHow::Unshare => "made its own",
            };
            format!("{verb} {} namespace", changed(&change.before, &change.now))
        }
        Payload::Container(info) => container::named(info),
        Payload::MemFd(memfd) => format!("made a file in memory, {}", file(&memfd.file)),
        Payload::Rename(rename) => names::renamed(rename),
        Payload::Link(link) => names::linked(link),
        Payload::Unlink(unlink) => names::removed(unlink),
        Payload::Make(make) => names::made(make),
        Payload::Attribute(attribute) => names::attribute(attribute),
        Payload::Traffic(traffic) => socket::traffic(traffic, graph),
        Payload::Unix(unix) => socket::unix(unix),
        Payload::Socket(asked) => socket::socket(asked),
        Payload::Bind(bind) => socket::bind(bind),
        Payload::Udp(udp) => net::udp(udp, graph),
        Payload::Dns(dns) => net::dns(dns),
        Payload::Credentials(change) => privilege::credentials(change),
        Payload::Root(change) => privilege::root(change),
        Payload::Mount(mount) => privilege::mount(mount),
        Payload::Trace(trace) => privilege::trace(trace),
        Payload::Signal(sent) => privilege::signal(sent),
        Payload::Kernel(load) => privilege::kernel(load),
        Payload::Bpf(bpf) => privilege::bpf(bpf),
        Payload::Stdio(change) => privilege::stdio(change),
        Payload::Accounts(accounts) => {
            let whose = accounts.container.as_ref().map_or_else(|| "the node".to_owned(), |id| shown(id.short(), 64));
            let users = count(accounts.users.len(), "user", "users");
            format!("{users} and {} of {whose} have names", count(accounts.groups.len(), "group", "groups"))
        }
        Payload::Digest(digest) => format!("ran {} with SHA-256 {}", file(&digest.file), digest.sha256),
        Payload::Comm(comm) => format!("calls itself {} now, no more {}", shown(&comm.new, 64), shown(&comm.old, 64)),
        Payload::Seal(seal) => {
            format!("seals {} against {}", file(&seal.file), seal.added.names().collect::<Vec<_>>().join(", "))
        }
        Payload::UringSetup(setup) => {
            let polled =
                if setup.flags & UringSetup::SQPOLL != 0 { ", which a thread of the kernel serves" } else { "" };
            format!("made an io_uring{polled}")
        }
        Payload::UringOp(op) => {
            let names = [&op.path, &op.second].map(|name| name.as_ref().map(|n| format!(" {}", shown(n, LINE))));
            let names: String = names.into_iter().flatten().collect();
            format!("asked an io_uring for {}{names}", op.operation.name())
        }
        Payload::Compat(compat) if compat.from_native => {
            format!("a 64-bit program made a 32-bit system call, number {}", compat.call)
        }
        Payload::Compat(compat) => format!("makes 32-bit system calls, first number {}", compat.call),
    }
}

/// The executable and the arguments; the program's own name is left out when it says the same as the executable.
pub(crate) fn command(image: &Image) -> String {
    let own = image.args.list.first().map_or(&b""[..], |a| a.file_name());
    let says_the_same = own == image.exe.path.file_name();
    let mut out = file(&image.exe);
    for argument in image.args.list.iter().skip(usize::from(says_the_same)) {
        if out.len() > LINE {
            break;
        }
        out.push(' ');
        out.push_str(&shown(argument, LINE));
    }
    if image.args.truncated {
        out.push_str(" …");
    }
    out
}

/// A file's path, with what makes it unusual.
pub(crate) fn file(file: &File) -> String {
    let end = if file.deleted { " (deleted)" } else { "" };
    format!("{}{end}{}", file_name(file), doubt(file))
}

/// As [`file`], but not whether it was deleted, where that is told otherwise.
pub(crate) fn file_but_its_end(file: &File) -> String {
    format!("{}{}", file_name(file), doubt(file))
}

fn file_name(file: &File) -> String {
    let path = if file.path.is_empty() { "unknown file".to_owned() } else { shown(&file.path, LINE) };
    let start = if file.truncated { "…" } else { "" };
    format!("{start}{path}")
}

fn doubt(file: &File) -> &'static str {
    if file.as_passed && !file.path.is_empty() { " (as it was called)" } else { "" }
}

/// The names of the namespaces that differ: `mnt, pid`.
fn changed(before: &Namespaces, now: &Namespaces) -> String {
    let known_before = *before != Namespaces::default();
    let names: Vec<_> = namespaces(now)
        .into_iter()
        .zip(namespaces(before))
        .filter(|((_, now), (_, before))| *now != 0 && (!known_before || now != before))
        .map(|((name, _), _)| name)
        .collect();
    if names.is_empty() { "the same".to_owned() } else { names.join(", ") }
}

/// Namespaces with the names that /proc gives them.
pub(crate) fn namespaces(ns: &Namespaces) -> [(&'static str, u32); 7] {
    [
        ("mnt", ns.mnt),
        ("pid", ns.pid),
        ("net", ns.net),
        ("uts", ns.uts),
        ("ipc", ns.ipc),
        ("cgroup", ns.cgroup),
        ("user", ns.user),
    ]
}

pub(crate) fn errno_words(errno: u32) -> String {
    match errno {
        0 => "given up".to_owned(),
        1 | 13 => "not allowed".to_owned(),
        2 => "not there".to_owned(),
        3 => "no such process".to_owned(),
        98 => "address in use".to_owned(),
        99 => "address not available".to_owned(),
        100 => "network down".to_owned(),
        101 => "network unreachable".to_owned(),
        104 => "reset".to_owned(),
        110 => "timed out".to_owned(),
        111 => "refused".to_owned(),
        113 => "host unreachable".to_owned(),
        other => format!("error {other}"),
    }
}

/// `root`, or the number.
pub(crate) fn user(uid: u32) -> String {
    if uid == 0 { "root".to_owned() } else { uid.to_string() }
}

/// A standard descriptor's other end.
pub(crate) fn stdio(stdio: &Stdio) -> String {
    let peer = |p: SocketAddr| format!("socket to {p}");
    match (stdio.kind, stdio.peer) {
        (StdioKind::Socket, Some(p)) => peer(p),
        (StdioKind::Unknown, _) => "unknown".to_owned(),
        (StdioKind::Closed, _) => "closed".to_owned(),
        (StdioKind::Terminal, _) => "terminal".to_owned(),
        (StdioKind::Device, _) => "device".to_owned(),
        (StdioKind::File, _) => format!("file, inode {}", stdio.ino),
        (StdioKind::Directory, _) => format!("directory, inode {}", stdio.ino),
        (StdioKind::Pipe, _) => format!("pipe {}", stdio.ino),
        (StdioKind::Socket, None) => format!("socket {}", stdio.ino),
    }
}

/// The names of capabilities, as `capabilities(7)` numbers them, without their common `CAP_`.
pub(crate) fn capabilities(bits: u64) -> Vec<String> {
    (0..64)
        .filter(|bit| bits >> bit & 1 == 1)
        .map(|bit| CAPABILITIES.get(bit).map_or_else(|| format!("unknown capability {bit}"), |n| (*n).to_owned()))
        .collect()
}

/// How many capabilities are all of them, as of Linux 5.9.
pub(crate) const ALL_CAPABILITIES: usize = CAPABILITIES.len();

const CAPABILITIES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];
