//! Processes.

use lanner_core::event::{
    Args, BootTime, CloneFlags, Comm, Compat, ContainerId, Context, Credentials, Environment, Exec, Exit, File, FileId,
    Fork, Gain, Image, Layer, NamespaceChange, Namespaces, NsChangeHow, ProcessKey, Stdio, StdioKind, Task, Text,
};

use super::{MAX_ARGS, MAX_PID_NAMESPACES, MAX_TEXT, Refused, bytes, optional, text};
use crate::v1;

impl From<ProcessKey> for v1::ProcessKey {
    fn from(key: ProcessKey) -> Self {
        v1::ProcessKey { pid: key.pid, start: key.start.0 }
    }
}

impl From<v1::ProcessKey> for ProcessKey {
    fn from(key: v1::ProcessKey) -> Self {
        ProcessKey { pid: key.pid, start: BootTime(key.start) }
    }
}

impl From<&Exec> for v1::Exec {
    fn from(exec: &Exec) -> Self {
        v1::Exec { task: Some((&exec.task).into()), image: Some((&exec.image).into()) }
    }
}

impl TryFrom<v1::Exec> for Exec {
    type Error = Refused;

    fn try_from(exec: v1::Exec) -> Result<Self, Refused> {
        Ok(Exec {
            task: exec.task.ok_or(Refused::Malformed("task"))?.try_into()?,
            image: exec.image.ok_or(Refused::Malformed("image"))?.try_into()?,
        })
    }
}

impl From<&Fork> for v1::Fork {
    fn from(fork: &Fork) -> Self {
        v1::Fork { child: Some(fork.child.into()), task: Some((&fork.task).into()), clone_flags: fork.how.0 }
    }
}

impl TryFrom<v1::Fork> for Fork {
    type Error = Refused;

    fn try_from(fork: v1::Fork) -> Result<Self, Refused> {
        Ok(Fork {
            child: fork.child.ok_or(Refused::Malformed("child"))?.into(),
            how: CloneFlags(fork.clone_flags),
            task: fork.task.ok_or(Refused::Malformed("task"))?.try_into()?,
        })
    }
}

impl From<&Exit> for v1::Exit {
    fn from(exit: &Exit) -> Self {
        v1::Exit { code: exit.code.into(), signal: exit.signal.into() }
    }
}

impl TryFrom<v1::Exit> for Exit {
    type Error = Refused;

    fn try_from(exit: v1::Exit) -> Result<Self, Refused> {
        Ok(Exit {
            code: u8::try_from(exit.code).map_err(|_| Refused::Malformed("code"))?,
            signal: u8::try_from(exit.signal).map_err(|_| Refused::Malformed("signal"))?,
        })
    }
}

impl From<&Comm> for v1::Comm {
    fn from(comm: &Comm) -> Self {
        v1::Comm { old: bytes(&comm.old), new: bytes(&comm.new) }
    }
}

impl TryFrom<v1::Comm> for Comm {
    type Error = Refused;

    fn try_from(comm: v1::Comm) -> Result<Self, Refused> {
        Ok(Comm { old: text(comm.old, "old")?, new: text(comm.new, "new")? })
    }
}

impl From<&Compat> for v1::Compat {
    fn from(compat: &Compat) -> Self {
        v1::Compat { call: compat.call, from_native: compat.from_native }
    }
}

impl From<v1::Compat> for Compat {
    fn from(compat: v1::Compat) -> Self {
        Compat { call: compat.call, from_native: compat.from_native }
    }
}

impl From<&Task> for v1::Task {
    fn from(task: &Task) -> Self {
        v1::Task {
            parent: task.parent.map(Into::into),
            comm: bytes(&task.comm),
            ns_pid: task.ns_pid,
            pid_namespaces: task.context.pid_namespaces.iter().take(MAX_PID_NAMESPACES).copied().collect(),
            creds: Some((&task.context.creds).into()),
            session: task.session,
            group: task.group,
            tty: task.context.tty.as_ref().map(bytes),
            namespaces: known(&task.context.namespaces),
            cgroup: bytes(&task.context.cgroup),
            container: task.context.container.as_ref().map(|id| bytes(&id.0)),
            root_dev: task.context.root.dev,
            root_ino: task.context.root.ino,
            root_path: task.context.root_path.as_ref().map(bytes),
        }
    }
}

impl TryFrom<v1::Task> for Task {
    type Error = Refused;

    fn try_from(task: v1::Task) -> Result<Self, Refused> {
        if task.pid_namespaces.len() > MAX_PID_NAMESPACES {
            return Err(Refused::Malformed("pid_namespaces"));
        }
        Ok(Task {
            parent: task.parent.map(Into::into),
            comm: text(task.comm, "comm")?,
            ns_pid: task.ns_pid,
            session: task.session,
            group: task.group,
            context: Context {
                pid_namespaces: task.pid_namespaces,
                creds: task.creds.map(Into::into).unwrap_or_default(),
                tty: optional(task.tty, "tty")?,
                namespaces: task.namespaces.map(Into::into).unwrap_or_default(),
                cgroup: text(task.cgroup, "cgroup")?,
                container: optional(task.container, "container")?.map(ContainerId),
                root: FileId { dev: task.root_dev, ino: task.root_ino },
                root_path: optional(task.root_path, "root_path")?,
            }
            .into(),
        })
    }
}

impl From<&Credentials> for v1::Credentials {
    fn from(creds: &Credentials) -> Self {
        v1::Credentials {
            uid: creds.uid,
            euid: creds.euid,
            gid: creds.gid,
            egid: creds.egid,
            login_uid: creds.login_uid,
            cap_effective: creds.cap_effective,
            cap_permitted: creds.cap_permitted,
        }
    }
}

impl From<v1::Credentials> for Credentials {
    fn from(creds: v1::Credentials) -> Self {
        Credentials {
            uid: creds.uid,
            euid: creds.euid,
            gid: creds.gid,
            egid: creds.egid,
            login_uid: creds.login_uid,
            cap_effective: creds.cap_effective,
            cap_permitted: creds.cap_permitted,
        }
    }
}

impl From<&Namespaces> for v1::Namespaces {
    fn from(ns: &Namespaces) -> Self {
        v1::Namespaces {
            mnt: ns.mnt,
            pid: ns.pid,
            net: ns.net,
            uts: ns.uts,
            ipc: ns.ipc,
            cgroup: ns.cgroup,
            user: ns.user,
        }
    }
}

impl From<v1::Namespaces> for Namespaces {
    fn from(ns: v1::Namespaces) -> Self {
        Namespaces { mnt: ns.mnt, pid: ns.pid, net: ns.net, uts: ns.uts, ipc: ns.ipc, cgroup: ns.cgroup, user: ns.user }
    }
}

/// Absent on the wire when all are unknown.
fn known(ns: &Namespaces) -> Option<v1::Namespaces> {
    (*ns != Namespaces::default()).then(|| ns.into())
}

impl From<&Image> for v1::Image {
    fn from(image: &Image) -> Self {
        let list = &image.args.list;
        let [stdin, stdout, stderr] = image.stdio.map(stdio);
        v1::Image {
            exe: Some((&image.exe).into()),
            script: None,
            script_file: image.script.as_ref().map(Into::into),
            args: list.iter().take(MAX_ARGS).map(bytes).collect(),
            args_truncated: image.args.truncated || is_cut(list),
            cwd: bytes(&image.cwd),
            stdin,
            stdout,
            stderr,
            env: image.env.list.iter().take(MAX_ARGS).map(bytes).collect(),
            env_truncated: image.env.truncated || is_cut(&image.env.list),
            layer: match image.layer {
                None => v1::Layer::Unspecified,
                Some(Layer::Upper) => v1::Layer::Upper,
                Some(Layer::Lower) => v1::Layer::Lower,
            }
            .into(),
            compat: image.compat,
            gain: image.gain.map(|gain| v1::Gain {
                user_before: gain.user_before,
                group_before: gain.group_before,
                capabilities: gain.capabilities,
            }),
        }
    }
}

impl TryFrom<v1::Image> for Image {
    type Error = Refused;

    fn try_from(image: v1::Image) -> Result<Self, Refused> {
        let layer = match image.layer() {
            v1::Layer::Unspecified => None,
            v1::Layer::Upper => Some(Layer::Upper),
            v1::Layer::Lower => Some(Layer::Lower),
        };
        let stdio = |end: Option<v1::Stdio>| end.map_or(Ok(Stdio::default()), Stdio::try_from);
        Ok(Image {
            exe: image.exe.ok_or(Refused::Malformed("exe"))?.try_into()?,
            script: match (image.script_file, image.script) {
                (Some(file), _) => Some(file.try_into()?),
                (None, Some(path)) => Some(File { path: text(path, "script")?, as_passed: true, ..File::default() }),
                (None, None) => None,
            },
            args: Args { list: texts(image.args, "args")?, truncated: image.args_truncated },
            cwd: text(image.cwd, "cwd")?,
            stdio: [stdio(image.stdin)?, stdio(image.stdout)?, stdio(image.stderr)?],
            env: Environment { list: texts(image.env, "env")?, truncated: image.env_truncated },
            layer,
            compat: image.compat,
            gain: image.gain.map(|gain| Gain {
                user_before: gain.user_before,
                group_before: gain.group_before,
                capabilities: gain.capabilities,
            }),
        })
    }
}

fn is_cut(list: &[Text]) -> bool {
    list.len() > MAX_ARGS || list.iter().any(|arg| arg.as_bytes().len() > MAX_TEXT)
}

fn texts(list: Vec<Vec<u8>>, field: &'static str) -> Result<Vec<Text>, Refused> {
    if list.len() > MAX_ARGS {
        return Err(Refused::Malformed(field));
    }
    list.into_iter().map(|one| text(one, field)).collect()
}

/// Absent on the wire when nothing is known.
pub(super) fn stdio(stdio: Stdio) -> Option<v1::Stdio> {
    let kind = match stdio.kind {
        StdioKind::Unknown => v1::StdioKind::Unspecified,
        StdioKind::Closed => v1::StdioKind::Closed,
        StdioKind::File => v1::StdioKind::File,
        StdioKind::Directory => v1::StdioKind::Directory,
        StdioKind::Device => v1::StdioKind::Device,
        StdioKind::Terminal => v1::StdioKind::Terminal,
        StdioKind::Pipe => v1::StdioKind::Pipe,
        StdioKind::Socket => v1::StdioKind::Socket,
    };
    (stdio != Stdio::default()).then(|| v1::Stdio {
        kind: kind.into(),
        ino: stdio.ino,
        peer: stdio.peer.map(Into::into),
    })
}

impl TryFrom<v1::Stdio> for Stdio {
    type Error = Refused;

    fn try_from(stdio: v1::Stdio) -> Result<Self, Refused> {
        let kind = match stdio.kind() {
            v1::StdioKind::Unspecified => StdioKind::Unknown,
            v1::StdioKind::Closed => StdioKind::Closed,
            v1::StdioKind::File => StdioKind::File,
            v1::StdioKind::Directory => StdioKind::Directory,
            v1::StdioKind::Device => StdioKind::Device,
            v1::StdioKind::Terminal => StdioKind::Terminal,
            v1::StdioKind::Pipe => StdioKind::Pipe,
            v1::StdioKind::Socket => StdioKind::Socket,
        };
        Ok(Stdio { kind, ino: stdio.ino, peer: stdio.peer.map(TryInto::try_into).transpose()? })
    }
}

impl From<&NamespaceChange> for v1::NamespaceChange {
    fn from(change: &NamespaceChange) -> Self {
        let how = match change.how {
            NsChangeHow::Setns => v1::NamespaceChangeHow::Setns,
            NsChangeHow::Unshare => v1::NamespaceChangeHow::Unshare,
        };
        v1::NamespaceChange { how: how.into(), now: known(&change.now), before: known(&change.before) }
    }
}

impl TryFrom<v1::NamespaceChange> for NamespaceChange {
    type Error = Refused;

    fn try_from(change: v1::NamespaceChange) -> Result<Self, Refused> {
        let how = match change.how() {
            v1::NamespaceChangeHow::Setns => NsChangeHow::Setns,
            v1::NamespaceChangeHow::Unshare => NsChangeHow::Unshare,
            v1::NamespaceChangeHow::Unspecified => return Err(Refused::Unknown),
        };
        Ok(NamespaceChange {
            how,
            now: change.now.map(Into::into).unwrap_or_default(),
            before: change.before.map(Into::into).unwrap_or_default(),
        })
    }
}
