//! Privilege, in words: who becomes whom, what is mounted, who reaches into whom, and what the kernel is given to run.

use lanner_core::event::{
    Bpf, BpfCommand, CredentialsChange, KernelLoad, Mount, Privileges, ProcessKey, RootChange, SignalOutcome,
    SignalSent, StdioChange, Trace, signal_name,
};

use super::text::shown;
use super::{LINE, capabilities, errno_words, file, user};

pub(super) fn credentials(change: &CredentialsChange) -> String {
    let (before, now) = (&change.before, &change.now);
    let mut parts = Vec::new();
    let ids = |p: &Privileges| [p.uid, p.euid, p.suid, p.fsuid];
    if ids(before) != ids(now) {
        parts.push(format!("became user {}", one_or_all(ids(now), ["real", "effective", "saved", "for files"])));
    }
    let ids = |p: &Privileges| [p.gid, p.egid, p.sgid, p.fsgid];
    if ids(before) != ids(now) {
        parts.push(format!("became group {}", one_or_all(ids(now), ["real", "effective", "saved", "for files"])));
    }
    if before.groups != now.groups || before.group_count != now.group_count {
        let listed: Vec<_> = now.groups.iter().map(u32::to_string).collect();
        let more = if now.group_count as usize > listed.len() { ", ..." } else { "" };
        let groups = if listed.is_empty() { "no".to_owned() } else { listed.join(", ") };
        parts.push(format!("has {groups}{more} as further groups"));
    }
    parts.extend(gained("gained", before.cap_effective, now.cap_effective));
    parts.extend(gained("gave up", now.cap_permitted, before.cap_permitted));
    if before.user_ns != now.user_ns {
        parts.push("in another user namespace".to_owned());
    }
    if parts.is_empty() { format!("changed its credentials by {}", change.call) } else { parts.join(", ") }
}

fn one_or_all(ids: [u32; 4], names: [&str; 4]) -> String {
    if ids.iter().all(|id| *id == ids[0]) {
        return user(ids[0]);
    }
    let each: Vec<_> = ids.iter().zip(names).map(|(id, name)| format!("{} ({name})", user(*id))).collect();
    each.join(", ")
}

/// Capabilities that are in `now` and not in `before`.
fn gained(verb: &str, before: u64, now: u64) -> Option<String> {
    let names = capabilities(now & !before);
    match names.len() {
        0 => None,
        n @ 9.. => Some(format!("{verb} {n} capabilities")),
        _ => Some(format!("{verb} {}", names.join(", "))),
    }
}

pub(super) fn root(change: &RootChange) -> String {
    let deed = match change.call.name() {
        "pivot_root" if change.errno != 0 => format!("has {} as its root, by pivot_root", file(&change.now)),
        "pivot_root" => format!("has another root by pivot_root, the old one is at {}", file(&change.before)),
        _ => format!("has {} as its root", file(&change.now)),
    };
    failed(change.errno, deed)
}

pub(super) fn mount(mount: &Mount) -> String {
    let place = || file(&mount.place);
    let text = |text| shown(text, LINE);
    let what = || match (mount.source.is_empty(), mount.fs_type.is_empty()) {
        (false, false) => format!("{} ({})", text(&mount.source), text(&mount.fs_type)),
        (true, false) => text(&mount.fs_type),
        (false, true) => text(&mount.source),
        (true, true) => "something".to_owned(),
    };
    let deed = match mount.call.name() {
        "umount2" => format!("unmounted {}", place()),
        "fsopen" => format!("prepares to mount {}", what()),
        "fsconfig" if mount.key.is_empty() => format!("makes ready a {} to mount", text(&mount.fs_type)),
        "fsconfig" => format!("will mount {} with {}={}", text(&mount.fs_type), text(&mount.key), text(&mount.options)),
        "fsmount" => format!("has {} to mount", what()),
        "open_tree" => format!("copied the mount {}", text(&mount.source)),
        "mount_setattr" => format!("changed the mount {}", place()),
        "mount" if mount.source.is_empty() && mount.fs_type.is_empty() => format!("changed the mount {}", place()),
        _ => format!("mounted {} on {}", what(), place()),
    };
    failed(mount.errno, deed)
}

pub(super) fn trace(trace: &Trace) -> String {
    let target = process(trace.target);
    let times = times(trace.count);
    let deed = match (trace.call.name(), trace.request_name()) {
        _ if trace.is_request_to_be_traced() => format!("asks {target} to trace it"),
        ("ptrace", Some(request @ ("PTRACE_ATTACH" | "PTRACE_SEIZE"))) => format!("traces {target} ({request})"),
        ("ptrace", Some(request)) => format!("writes into {target} ({request}){times}"),
        ("ptrace", None) => format!("traces {target} (request {}){times}", trace.request),
        ("process_vm_readv", _) => format!("read {} bytes of {target}'s memory{times}", trace.bytes),
        ("process_vm_writev", _) => format!("wrote {} bytes into {target}'s memory{times}", trace.bytes),
        ("pidfd_getfd", _) => match &trace.file {
            Some(taken) => format!("took {} out of {target}{times}", file(taken)),
            None => format!("took a descriptor out of {target}{times}"),
        },
        _ if trace.write => format!("opened {target}'s memory to write{times}"),
        _ => format!("opened {target}'s memory to read{times}"),
    };
    failed(trace.errno, deed)
}

pub(super) fn signal(sent: &SignalSent) -> String {
    let name = signal_name(sent.signal).map_or_else(|| format!("signal {}", sent.signal), str::to_owned);
    let outcome = match sent.outcome {
        SignalOutcome::Delivered => "",
        SignalOutcome::Ignored => ", which ignores it",
        SignalOutcome::Pending => ", where one waits already",
        SignalOutcome::Lost => ", but it was lost for lack of room",
    };
    let whom = if sent.thread_only { format!("thread {} of ", sent.target_tid) } else { String::new() };
    format!("sent {name} to {whom}{}{outcome}{}", process(sent.target), times(sent.count))
}

pub(super) fn kernel(load: &KernelLoad) -> String {
    let words = shown(&load.words, LINE);
    let with = if words.is_empty() { String::new() } else { format!(" with {words}") };
    let from = load.file.as_ref().map_or_else(|| "memory".to_owned(), file);
    let deed = match load.call.name() {
        "delete_module" => format!("unloaded the kernel module {words}"),
        "init_module" | "finit_module" => format!("loaded a kernel module from {from}{with}"),
        _ => format!("made ready another kernel from {from}{with}"),
    };
    failed(load.errno, deed)
}

pub(super) fn bpf(bpf: &Bpf) -> String {
    let name = if bpf.name.is_empty() { String::new() } else { format!(" {}", shown(&bpf.name, LINE)) };
    let kind = bpf.program_type().map_or_else(|| format!("type {}", bpf.object_type), str::to_owned);
    let deed = match bpf.command {
        BpfCommand::MapCreate => format!("made a BPF map{name}"),
        BpfCommand::ProgLoad => format!("loaded a BPF program{name} ({kind})"),
        BpfCommand::ProgAttach | BpfCommand::RawTracepointOpen | BpfCommand::LinkCreate => {
            format!("attached a BPF program{name} ({kind})")
        }
    };
    failed(bpf.errno, deed)
}

pub(super) fn stdio(change: &StdioChange) -> String {
    let name = match change.fd {
        0 => "input",
        1 => "output",
        _ => "error output",
    };
    match change.leads_to.peer {
        Some(peer) => format!("made the connection to {peer} its standard {name}"),
        None => format!("made a network socket its standard {name}"),
    }
}

fn process(key: ProcessKey) -> String {
    if key.is_unknown() { "no process".to_owned() } else { format!("[{}]", key.pid) }
}

fn times(count: u64) -> String {
    if count > 1 { format!(", {count} times by now") } else { String::new() }
}

/// A deed that came to nothing is one that was tried.
fn failed(errno: u32, deed: String) -> String {
    if errno == 0 { deed } else { format!("tried in vain: {deed}: {}", errno_words(errno)) }
}
