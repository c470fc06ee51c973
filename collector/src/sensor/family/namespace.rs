//! Moves to other namespaces.

use lanner_collector_abi::NamespaceRecord;
use lanner_core::event::{NamespaceChange, NsChangeHow, Payload};

use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{Reader, namespaces};

pub(super) const HOOKS: &[Spec] = &[
    Spec {
        name: "sys_enter_setns, sys_enter_unshare",
        program: "namespace_enter",
        attach: Attach::Syscalls(&["sys_enter_setns", "sys_enter_unshare"]),
        without: "processes that move to other namespaces, and what they may do there",
        unless: "",
    },
    Spec {
        name: "sys_exit_setns",
        program: "setns",
        attach: Attach::Syscalls(&["sys_exit_setns"]),
        without: "processes that enter existing namespaces",
        unless: "",
    },
    Spec {
        name: "sys_exit_unshare",
        program: "unshare",
        attach: Attach::Syscalls(&["sys_exit_unshare"]),
        without: "processes that make new namespaces",
        unless: "",
    },
];

pub(super) fn namespace(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<NamespaceRecord>()?;
    Some(Payload::Namespace(NamespaceChange {
        how: if record.unshare != 0 { NsChangeHow::Unshare } else { NsChangeHow::Setns },
        now: namespaces(&record.now),
        before: namespaces(&record.before),
    }))
}
