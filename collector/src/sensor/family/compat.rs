//! 32-bit system calls.

use lanner_collector_abi::CompatRecord;
use lanner_core::event::{Compat, Payload};

use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::Reader;

/// Attached when it is needed: see [`crate::sensor::compat`].
pub(in crate::sensor) const HOOK: Spec = Spec {
    name: "sys_exit",
    program: "compat",
    attach: Attach::Typed("sys_exit"),
    without: "32-bit system calls, and what they open",
    unless: "",
};

pub(super) fn compat(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<CompatRecord>()?;
    Some(Payload::Compat(Compat { call: record.call, from_native: record.from_native != 0 }))
}
