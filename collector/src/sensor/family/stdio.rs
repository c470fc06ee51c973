//! Sockets that become standard descriptors.

use lanner_collector_abi::StdioRecord;
use lanner_core::event::{Family, Payload, StdioChange};

use super::calls::call;
use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{self, Reader};

pub(super) const HOOKS: &[Spec] = &[Spec {
    name: "sys_exit_dup*, sys_exit_fcntl",
    program: "dup",
    attach: Attach::Calls(&[
        ("dup", &["sys_exit_dup", "sys_exit_dup2", "sys_exit_dup3"]),
        ("fcntl", &["sys_exit_fcntl"]),
    ]),
    without: "network sockets that become standard input, output or error, until the process execs",
    unless: "",
}];

pub(super) fn stdio(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<StdioRecord>()?;
    let call = call(Family::Stdio, &record.header, record.call)?;
    Some(Payload::Stdio(StdioChange { call, fd: record.fd, leads_to: record::stdio(&record.leads_to) }))
}
