//! Other names of processes.

use lanner_collector_abi::CommRecord;
use lanner_core::event::{Comm, Payload};

use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{Reader, string};

pub(super) const HOOKS: &[Spec] = &[Spec {
    name: "task_rename",
    program: "comm",
    attach: Attach::Typed("task_rename"),
    without: "processes that give themselves another name",
    unless: "",
}];

pub(super) fn comm(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<CommRecord>()?;
    Some(Payload::Comm(Comm { old: string(&record.old), new: string(&record.new) }))
}
