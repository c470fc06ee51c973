//! Processes: what begins, runs and ends.

use lanner_collector_abi::{ExecRecord, ExitRecord, FileFlags, ForkRecord, Header, PrivilegeFacts, kind};
use lanner_core::event::{
    Args, CloneFlags, Credentials, Environment, Exec, Exit, Fork, Gain, Image, Layer, Payload, ProcessKey,
};

use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::proc::split_args;
use crate::sensor::record::{Reader, file, key, levels, stdio, task};

pub(super) const HOOKS: &[Spec] = &[
    Spec {
        name: "task_newtask",
        program: super::FORK,
        attach: Attach::Typed("task_newtask"),
        without: "processes that never exec, and the lineage that runs through them",
        unless: "",
    },
    Spec {
        name: "sched_process_exit",
        program: "exit",
        attach: Attach::Typed("sched_process_exit"),
        without: "when and how processes end",
        unless: "",
    },
    Spec {
        name: "sys_enter_execve*",
        program: "exec_enter",
        attach: Attach::Syscalls(&["sys_enter_execve", "sys_enter_execveat"]),
        without: "what set-user-id and capabilities of files give",
        unless: "",
    },
    Spec {
        name: "sched_process_exec",
        program: "exec",
        attach: Attach::Typed("sched_process_exec"),
        without: "what processes run",
        unless: "",
    },
    Spec {
        name: "security_bprm_check",
        program: "script_check",
        attach: Attach::Entry("security_bprm_check"),
        without: "which file a script is, when the exec that runs it closes more than 500 other files, or the kernel itself runs \
                  it before Linux 5.19: told as it was called",
        unless: "",
    },
];

/// What already runs: attached last, when births and deaths are seen.
pub(super) const ITERATOR: &[Spec] = &[Spec {
    name: "iter/task",
    program: super::ALIVE,
    attach: Attach::Iterator("task"),
    without: "processes that ran before the sensor did, until they exec",
    unless: "",
}];

/// A process that the iterator found.
#[derive(Debug)]
pub(in crate::sensor) struct Found {
    pub(in crate::sensor) key: ProcessKey,
    pub(in crate::sensor) exec: Exec,
    /// Its pids, as `exec.task.context.pid_namespaces` lists their namespaces.
    pub(in crate::sensor) pids: Vec<u32>,
    pub(in crate::sensor) kernel_thread: bool,
}

/// The next record of what the iterator wrote, and how long it is.
pub(in crate::sensor) fn found(stream: &[u8]) -> Option<(Found, usize)> {
    let header = Reader(stream).fixed::<Header>()?;
    let len = header.len as usize;
    let mut reader = Reader(stream.get(..len)?);
    if header.kind != kind::ALIVE {
        return None;
    }
    let (record, exec) = image(&mut reader)?;
    let pids = record.task.pids[..levels(&record.task)].to_vec();
    Some((Found { key: key(header.process), exec, pids, kernel_thread: record.kernel_thread != 0 }, len))
}

pub(super) fn exec(reader: &mut Reader<'_>) -> Option<Payload> {
    Some(Payload::Exec(Box::new(image(reader)?.1)))
}

fn image(reader: &mut Reader<'_>) -> Option<(ExecRecord, Exec)> {
    let record = reader.fixed::<ExecRecord>()?;
    let args = reader.bytes(record.args_len)?;
    let env = reader.bytes(record.env_len)?;
    let task = task(&record.task, reader)?;
    let exe = file(&record.exe, reader)?;
    let cwd = file(&record.cwd, reader)?;
    let script = file(&record.script, reader)?;
    let args = if record.args_unknown != 0 { Args::default() } else { split_args(args, record.args_cut != 0) };
    let before = (record.before_known != 0).then_some(&record.before);
    let image = Image {
        layer: layer(record.exe.flags),
        compat: record.compat != 0,
        gain: before.map(|before| gain(before, &task.context.creds)),
        env: Environment { list: split_args(env, false).list, truncated: record.env_cut != 0 },
        exe,
        script: (record.is_script != 0).then_some(script),
        args,
        cwd: cwd.path,
        stdio: record.stdio.each_ref().map(stdio),
    };
    Some((record, Exec { task, image }))
}

pub(super) fn fork(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<ForkRecord>()?;
    Some(Payload::Fork(Box::new(Fork {
        child: key(record.child),
        how: CloneFlags(record.flags),
        task: task(&record.task, reader)?,
    })))
}

pub(super) fn exit(reader: &mut Reader<'_>) -> Option<Payload> {
    Some(Payload::Exit(status(reader.fixed::<ExitRecord>()?.status)))
}

/// As wait(2) encodes it; bit 7 tells of a core dump.
fn status(status: u32) -> Exit {
    let signal = (status & 0x7f) as u8;
    Exit { code: if signal == 0 { (status >> 8 & 0xff) as u8 } else { 0 }, signal }
}

fn layer(flags: u16) -> Option<Layer> {
    match flags & (FileFlags::UPPER | FileFlags::LOWER) {
        FileFlags::UPPER => Some(Layer::Upper),
        FileFlags::LOWER => Some(Layer::Lower),
        _ => None,
    }
}

fn gain(before: &PrivilegeFacts, now: &Credentials) -> Gain {
    Gain {
        user_before: (before.euid != now.euid).then_some(before.euid),
        group_before: (before.egid != now.egid).then_some(before.egid),
        capabilities: now.cap_permitted & !before.cap_permitted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_statuses_are_those_of_wait() {
        assert_eq!(status(0x0300), Exit { code: 3, signal: 0 });
        assert_eq!(status(9), Exit { code: 0, signal: 9 });
        assert_eq!(status(0x8b), Exit { code: 0, signal: 11 });
    }
}
