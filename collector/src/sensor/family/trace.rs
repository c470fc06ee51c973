//! Processes that reach into others.

use lanner_collector_abi::TraceRecord;
use lanner_core::event::{Family, Payload, Trace};

use super::calls::call;
use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{Reader, file, key};

pub(super) const HOOKS: &[Spec] = &[Spec {
    name: "sys_enter/exit_ptrace, process_vm_readv, process_vm_writev, pidfd_getfd",
    program: "ptrace",
    attach: Attach::Calls(&[
        ("ptrace_enter", &["sys_enter_ptrace"]),
        ("ptrace", &["sys_exit_ptrace"]),
        ("call_enter", &["sys_enter_process_vm_readv", "sys_enter_process_vm_writev", "sys_enter_pidfd_getfd"]),
        ("process_vm", &["sys_exit_process_vm_readv", "sys_exit_process_vm_writev"]),
        ("pidfd_getfd", &["sys_exit_pidfd_getfd"]),
    ]),
    without: "processes that reach into others: their memory, registers and descriptors",
    unless: "",
}];

pub(super) fn trace(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<TraceRecord>()?;
    let call = call(Family::Trace, &record.header, record.call)?;
    let taken = file(&record.file, reader)?;
    Some(Payload::Trace(Box::new(Trace {
        call,
        request: record.request,
        target: key(record.target),
        target_tid: record.target_tid,
        write: match call.name() {
            "ptrace" => record.request != 0,
            "process_vm_writev" => true,
            _ => record.write != 0,
        },
        bytes: record.bytes,
        count: record.count,
        file: taken.id.is_known().then_some(taken),
        fd: (record.fd >= 0).then_some(record.fd),
        errno: record.errno,
    })))
}
