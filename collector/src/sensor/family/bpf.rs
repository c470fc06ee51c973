//! BPF programs and maps of others.

use lanner_collector_abi::BpfRecord;
use lanner_core::event::{Bpf, BpfCommand, Payload};

use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{Reader, string};

pub(super) const HOOKS: &[Spec] = &[Spec {
    name: "sys_enter/exit_bpf",
    program: "bpf",
    attach: Attach::Calls(&[("bpf_enter", &["sys_enter_bpf"]), ("bpf", &["sys_exit_bpf"])]),
    without: "BPF programs and maps that others make",
    unless: "",
}];

pub(super) fn bpf(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<BpfRecord>()?;
    Some(Payload::Bpf(Box::new(Bpf {
        command: BpfCommand::of(record.command)?,
        object_type: record.object_type,
        attach_type: record.attach_type,
        id: record.id,
        size: record.size,
        name: string(&record.name),
        errno: record.errno,
    })))
}
