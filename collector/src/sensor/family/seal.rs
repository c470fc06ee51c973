//! Seals on files in memory.

use lanner_collector_abi::SealRecord;
use lanner_core::event::{Payload, Seal, Seals};

use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{Reader, file};

pub(super) const HOOKS: &[Spec] = &[Spec {
    name: "sys_enter_fcntl",
    program: "fcntl_enter",
    attach: Attach::Syscalls(&["sys_enter_fcntl"]),
    without: "seals on files in memory, and sockets that fcntl makes standard input, output or error",
    unless: "",
}];

pub(super) fn seal(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<SealRecord>()?;
    Some(Payload::Seal(Box::new(Seal {
        file: file(&record.file, reader)?,
        fd: record.fd,
        added: Seals(record.added),
        before: Seals(record.before),
    })))
}
