//! 32-bit system calls.

use lanner_collector_abi::CompatRecord;
use lanner_core::event::{Compat, Payload};

use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::Reader;

/// The tracepoints of all system calls, and the programs that look there for 32-bit ones.
pub(in crate::sensor) const EVERY_CALL: [(&str, &str); 2] =
    [("compat_enter", "sys_enter"), ("compat_exit", "sys_exit")];

/// Attached when it is needed: see [`crate::sensor::compat`].
pub(in crate::sensor) const HOOK: Spec = Spec {
    name: "raw_syscalls",
    program: "compat_enter",
    attach: Attach::EveryCall,
    without: "32-bit system calls, but for exec, fork, TCP and UDP",
    unless: "",
};

pub(super) fn compat(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<CompatRecord>()?;
    Some(Payload::Compat(Compat { call: record.call, from_native: record.from_native != 0 }))
}
