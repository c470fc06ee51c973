//! What processes may do, and what they do to each other and to the kernel.

use lanner_core::event::{
    Bpf, BpfCommand, Call, CredentialsChange, Family, File, KernelLoad, Mount, Privileges, ProcessKey, RootChange,
    SignalOutcome, SignalSent, Stdio, StdioChange, Trace,
};

use super::{MAX_GROUPS, Refused, bytes, text};
use crate::v1;

/// A call that this version does not know makes the event one that it does not know.
fn call(family: Family, name: &str) -> Result<Call, Refused> {
    Call::of(family, name).ok_or(Refused::Unknown)
}

fn file(file: Option<v1::File>, field: &'static str) -> Result<File, Refused> {
    file.ok_or(Refused::Malformed(field))?.try_into()
}

fn optional(file: Option<v1::File>) -> Result<Option<File>, Refused> {
    file.map(TryInto::try_into).transpose()
}

/// Absent on the wire when it is not known.
fn key(key: ProcessKey) -> Option<v1::ProcessKey> {
    (!key.is_unknown()).then(|| key.into())
}

impl From<&CredentialsChange> for v1::CredentialsChange {
    fn from(change: &CredentialsChange) -> Self {
        v1::CredentialsChange {
            call: change.call.name().to_owned(),
            before: Some((&change.before).into()),
            now: Some((&change.now).into()),
        }
    }
}

impl TryFrom<v1::CredentialsChange> for CredentialsChange {
    type Error = Refused;

    fn try_from(change: v1::CredentialsChange) -> Result<Self, Refused> {
        Ok(CredentialsChange {
            call: call(Family::Credentials, &change.call)?,
            before: change.before.ok_or(Refused::Malformed("before"))?.try_into()?,
            now: change.now.ok_or(Refused::Malformed("now"))?.try_into()?,
        })
    }
}

impl From<&Privileges> for v1::Privileges {
    fn from(p: &Privileges) -> Self {
        v1::Privileges {
            uid: p.uid,
            euid: p.euid,
            suid: p.suid,
            fsuid: p.fsuid,
            gid: p.gid,
            egid: p.egid,
            sgid: p.sgid,
            fsgid: p.fsgid,
            cap_effective: p.cap_effective,
            cap_permitted: p.cap_permitted,
            cap_inheritable: p.cap_inheritable,
            cap_bounding: p.cap_bounding,
            cap_ambient: p.cap_ambient,
            user_ns: p.user_ns,
            group_count: p.group_count,
            groups: p.groups.iter().take(MAX_GROUPS).copied().collect(),
        }
    }
}

impl TryFrom<v1::Privileges> for Privileges {
    type Error = Refused;

    fn try_from(p: v1::Privileges) -> Result<Self, Refused> {
        if p.groups.len() > MAX_GROUPS {
            return Err(Refused::Malformed("groups"));
        }
        Ok(Privileges {
            uid: p.uid,
            euid: p.euid,
            suid: p.suid,
            fsuid: p.fsuid,
            gid: p.gid,
            egid: p.egid,
            sgid: p.sgid,
            fsgid: p.fsgid,
            cap_effective: p.cap_effective,
            cap_permitted: p.cap_permitted,
            cap_inheritable: p.cap_inheritable,
            cap_bounding: p.cap_bounding,
            cap_ambient: p.cap_ambient,
            user_ns: p.user_ns,
            group_count: p.group_count,
            groups: p.groups,
        })
    }
}

impl From<&RootChange> for v1::RootChange {
    fn from(change: &RootChange) -> Self {
        v1::RootChange {
            call: change.call.name().to_owned(),
            now: Some((&change.now).into()),
            before: Some((&change.before).into()),
            namespace: change.namespace,
            errno: change.errno,
        }
    }
}

impl TryFrom<v1::RootChange> for RootChange {
    type Error = Refused;

    fn try_from(change: v1::RootChange) -> Result<Self, Refused> {
        Ok(RootChange {
            call: call(Family::Root, &change.call)?,
            now: file(change.now, "now")?,
            before: file(change.before, "before")?,
            namespace: change.namespace,
            errno: change.errno,
        })
    }
}

impl From<&Mount> for v1::Mount {
    fn from(mount: &Mount) -> Self {
        v1::Mount {
            call: mount.call.name().to_owned(),
            source: bytes(&mount.source),
            place: Some((&mount.place).into()),
            fs_type: bytes(&mount.fs_type),
            flags: mount.flags,
            key: bytes(&mount.key),
            options: bytes(&mount.options),
            namespace: mount.namespace,
            errno: mount.errno,
        }
    }
}

impl TryFrom<v1::Mount> for Mount {
    type Error = Refused;

    fn try_from(mount: v1::Mount) -> Result<Self, Refused> {
        Ok(Mount {
            call: call(Family::Mount, &mount.call)?,
            source: text(mount.source, "source")?,
            place: file(mount.place, "place")?,
            fs_type: text(mount.fs_type, "fs_type")?,
            flags: mount.flags,
            key: text(mount.key, "key")?,
            options: text(mount.options, "options")?,
            namespace: mount.namespace,
            errno: mount.errno,
        })
    }
}

impl From<&Trace> for v1::Trace {
    fn from(trace: &Trace) -> Self {
        v1::Trace {
            call: trace.call.name().to_owned(),
            request: trace.request,
            target: key(trace.target),
            target_tid: trace.target_tid,
            write: trace.write,
            bytes: trace.bytes,
            count: trace.count,
            file: trace.file.as_ref().map(Into::into),
            fd: trace.fd,
            errno: trace.errno,
        }
    }
}

impl TryFrom<v1::Trace> for Trace {
    type Error = Refused;

    fn try_from(trace: v1::Trace) -> Result<Self, Refused> {
        Ok(Trace {
            call: call(Family::Trace, &trace.call)?,
            request: trace.request,
            target: trace.target.map_or(ProcessKey::UNKNOWN, Into::into),
            target_tid: trace.target_tid,
            write: trace.write,
            bytes: trace.bytes,
            count: trace.count,
            file: optional(trace.file)?,
            fd: trace.fd,
            errno: trace.errno,
        })
    }
}

impl From<&SignalSent> for v1::SignalSent {
    fn from(sent: &SignalSent) -> Self {
        let outcome = match sent.outcome {
            SignalOutcome::Delivered => v1::SignalOutcome::Delivered,
            SignalOutcome::Ignored => v1::SignalOutcome::Ignored,
            SignalOutcome::Pending => v1::SignalOutcome::Pending,
            SignalOutcome::Lost => v1::SignalOutcome::Lost,
        };
        v1::SignalSent {
            signal: sent.signal,
            target: key(sent.target),
            target_tid: sent.target_tid,
            thread_only: sent.thread_only,
            outcome: outcome.into(),
            count: sent.count,
        }
    }
}

impl TryFrom<v1::SignalSent> for SignalSent {
    type Error = Refused;

    fn try_from(sent: v1::SignalSent) -> Result<Self, Refused> {
        let outcome = match sent.outcome() {
            v1::SignalOutcome::Delivered => SignalOutcome::Delivered,
            v1::SignalOutcome::Ignored => SignalOutcome::Ignored,
            v1::SignalOutcome::Pending => SignalOutcome::Pending,
            v1::SignalOutcome::Lost => SignalOutcome::Lost,
            v1::SignalOutcome::Unspecified => return Err(Refused::Unknown),
        };
        Ok(SignalSent {
            signal: sent.signal,
            target: sent.target.map_or(ProcessKey::UNKNOWN, Into::into),
            target_tid: sent.target_tid,
            thread_only: sent.thread_only,
            outcome,
            count: sent.count,
        })
    }
}

impl From<&KernelLoad> for v1::KernelLoad {
    fn from(load: &KernelLoad) -> Self {
        v1::KernelLoad {
            call: load.call.name().to_owned(),
            file: load.file.as_ref().map(Into::into),
            ramdisk: load.ramdisk.as_ref().map(Into::into),
            words: bytes(&load.words),
            size: load.size,
            flags: load.flags,
            errno: load.errno,
        }
    }
}

impl TryFrom<v1::KernelLoad> for KernelLoad {
    type Error = Refused;

    fn try_from(load: v1::KernelLoad) -> Result<Self, Refused> {
        Ok(KernelLoad {
            call: call(Family::Kernel, &load.call)?,
            file: optional(load.file)?,
            ramdisk: optional(load.ramdisk)?,
            words: text(load.words, "words")?,
            size: load.size,
            flags: load.flags,
            errno: load.errno,
        })
    }
}

impl From<&Bpf> for v1::Bpf {
    fn from(bpf: &Bpf) -> Self {
        v1::Bpf {
            command: bpf.command.number(),
            object_type: bpf.object_type,
            attach_type: bpf.attach_type,
            id: bpf.id,
            size: bpf.size,
            name: bytes(&bpf.name),
            errno: bpf.errno,
        }
    }
}

impl TryFrom<v1::Bpf> for Bpf {
    type Error = Refused;

    fn try_from(bpf: v1::Bpf) -> Result<Self, Refused> {
        Ok(Bpf {
            command: BpfCommand::of(bpf.command).ok_or(Refused::Unknown)?,
            object_type: bpf.object_type,
            attach_type: bpf.attach_type,
            id: bpf.id,
            size: bpf.size,
            name: text(bpf.name, "name")?,
            errno: bpf.errno,
        })
    }
}

impl From<&StdioChange> for v1::StdioChange {
    fn from(change: &StdioChange) -> Self {
        v1::StdioChange {
            call: change.call.name().to_owned(),
            fd: change.fd,
            leads_to: super::process::stdio(change.leads_to),
        }
    }
}

impl TryFrom<v1::StdioChange> for StdioChange {
    type Error = Refused;

    fn try_from(change: v1::StdioChange) -> Result<Self, Refused> {
        Ok(StdioChange {
            call: call(Family::Stdio, &change.call)?,
            fd: change.fd,
            leads_to: change.leads_to.map_or(Ok(Stdio::default()), Stdio::try_from)?,
        })
    }
}
