//! Files in memory.

use lanner_collector_abi::MemFdRecord;
use lanner_core::event::{MemFd, Payload};

use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{Reader, file};

pub(super) const HOOKS: &[Spec] = &[Spec {
    name: "sys_exit_memfd_create",
    program: "memfd",
    attach: Attach::Syscalls(&["sys_exit_memfd_create"]),
    without: "files made in memory",
    unless: "",
}];

pub(super) fn memfd(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<MemFdRecord>()?;
    Some(Payload::MemFd(MemFd { file: file(&record.file, reader)?, fd: record.fd }))
}
