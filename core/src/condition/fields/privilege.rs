//! Fields and arguments of events about privilege: credentials, roots and mounts, and what is done to other processes and
//! to the kernel.

use std::borrow::Cow;

use super::{Field, Found, flag, known, made, number, text, word};
use crate::condition::view::View;
use crate::event::{CredentialsChange, Family, FamilySet, Payload, ProcessKey, signal_name};

const TARGET: FamilySet = FamilySet::of(&[Family::Trace, Family::Signal]);
const TRACE: FamilySet = FamilySet::of(&[Family::Trace]);
const CREDENTIALS: FamilySet = FamilySet::of(&[Family::Credentials]);

pub(super) const FIELDS: &[Field] = &[
    number("lanner.target.pid", TARGET, "The pid of the process that it was done to.", |v| Some(target(v)?.pid.into())),
    text("lanner.target.name", TARGET, "The name of the process that it was done to.", |v| {
        Some(Cow::Borrowed(v.graph.process(target(v)?)?.name()))
    }),
    text("lanner.target.exe", TARGET, "The program of the process that it was done to.", |v| {
        known(&v.graph.process(target(v)?)?.image()?.exe.path)
    }),
    text(
        "lanner.target.container",
        TARGET,
        "The container of that process; `host` outside of containers.",
        |v| match &v.graph.process(target(v)?)?.task.context.container {
            Some(id) => Some(Cow::Owned(id.short().as_bytes().to_vec())),
            None => word("host"),
        },
    ),
    flag("lanner.target.is_child", TARGET, "That process is a child of the one that did it.", |v| {
        Some(v.graph.process(target(v)?)?.parent == Some(v.event.header.process))
    }),
    flag("lanner.trace.write", TRACE, "It writes to the other process, or may from now on.", |v| {
        let Payload::Trace(trace) = &v.event.payload else { return None };
        Some(trace.write)
    }),
    flag("lanner.creds.became_root", CREDENTIALS, "Its effective user is root now, and was not before.", |v| {
        credentials(v).map(|c| c.before.euid != 0 && c.now.euid == 0)
    }),
    flag("lanner.creds.was_root", CREDENTIALS, "Its real, effective or saved user was root before.", |v| {
        credentials(v).map(|c| [c.before.uid, c.before.euid, c.before.suid].contains(&0))
    }),
    flag("lanner.creds.gained_caps", CREDENTIALS, "It has capabilities that it could not have taken before.", |v| {
        credentials(v).map(|c| c.now.cap_effective & !c.before.cap_permitted != 0)
    }),
];

fn target(view: View<'_>) -> Option<ProcessKey> {
    let key = match &view.event.payload {
        Payload::Trace(trace) => trace.target,
        Payload::Signal(sent) => sent.target,
        _ => return None,
    };
    (!key.is_unknown()).then_some(key)
}

fn credentials(view: View<'_>) -> Option<&CredentialsChange> {
    match &view.event.payload {
        Payload::Credentials(change) => Some(change),
        _ => None,
    }
}

/// What the call returned; below zero: the error. `None`: not one of these events.
pub(super) fn result(payload: &Payload) -> Option<i128> {
    let failed = |errno: u32| -i128::from(errno);
    Some(match payload {
        Payload::Credentials(_) | Payload::Signal(_) => 0,
        Payload::Root(change) => failed(change.errno),
        Payload::Mount(mount) => failed(mount.errno),
        Payload::Kernel(load) => failed(load.errno),
        Payload::Bpf(bpf) => failed(bpf.errno),
        Payload::Stdio(change) => change.fd.into(),
        Payload::Trace(trace) if trace.errno != 0 => failed(trace.errno),
        Payload::Trace(trace) => trace.fd.map_or(trace.bytes.into(), Into::into),
        _ => return None,
    })
}

/// An argument of the call, as far as the event has it.
pub(super) fn argument<'a>(view: View<'a>, name: &str) -> Found<'a> {
    match (name, &view.event.payload) {
        ("pid", Payload::Trace(_) | Payload::Signal(_)) => made(target(view)?.pid.to_string()),
        ("target", Payload::Trace(_) | Payload::Signal(_)) => {
            Some(Cow::Borrowed(view.graph.process(target(view)?)?.name()))
        }
        ("request", Payload::Trace(trace)) => word(trace.request_name()?),
        ("fd", Payload::Trace(trace)) => made(trace.fd?.to_string()),
        ("name" | "path", Payload::Trace(trace)) => known(&trace.file.as_ref()?.path),
        ("sig", Payload::Signal(sent)) => match signal_name(sent.signal) {
            Some(name) => word(name),
            None => made(sent.signal.to_string()),
        },
        ("uid" | "ruid", Payload::Credentials(change)) => made(change.now.uid.to_string()),
        ("gid" | "rgid", Payload::Credentials(change)) => made(change.now.gid.to_string()),
        ("euid", Payload::Credentials(change)) => made(change.now.euid.to_string()),
        ("egid", Payload::Credentials(change)) => made(change.now.egid.to_string()),
        ("suid", Payload::Credentials(change)) => made(change.now.suid.to_string()),
        ("sgid", Payload::Credentials(change)) => made(change.now.sgid.to_string()),
        ("path", Payload::Root(change)) => known(&change.now.path),
        ("dev" | "source", Payload::Mount(mount)) => known(&mount.source),
        ("dir" | "name" | "path", Payload::Mount(mount)) => known(&mount.place.path),
        ("type" | "fstype", Payload::Mount(mount)) => known(&mount.fs_type),
        ("flags", Payload::Mount(mount)) => made(mount.flags.to_string()),
        ("data", Payload::Mount(mount)) => known(&mount.options),
        ("key", Payload::Mount(mount)) => known(&mount.key),
        ("uargs" | "name", Payload::Kernel(load)) => known(&load.words),
        ("path" | "filename", Payload::Kernel(load)) => known(&load.file.as_ref()?.path),
        ("flags", Payload::Kernel(load)) => made(load.flags.to_string()),
        ("cmd", Payload::Bpf(bpf)) => word(bpf.command.name()),
        ("name", Payload::Bpf(bpf)) => known(&bpf.name),
        ("type", Payload::Bpf(bpf)) => match bpf.program_type() {
            Some(name) => word(name),
            None => made(bpf.object_type.to_string()),
        },
        ("fd", Payload::Stdio(change)) => made(change.fd.to_string()),
        _ => None,
    }
}
