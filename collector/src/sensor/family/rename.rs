//! Files that get another name.

use lanner_collector_abi::{RENAME_EXCHANGE, RenameRecord};
use lanner_core::event::{Payload, Rename};

use super::EXACTLY;
use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{Reader, file};

pub(super) const HOOKS: &[Spec] = &[
    Spec {
        name: "sys_exit_rename*",
        program: "rename",
        attach: Attach::Syscalls(&["sys_exit_renameat2", "sys_exit_renameat", "sys_exit_rename"]),
        without: "files that get another name, and with it who wrote what is used under it",
        unless: "",
    },
    Spec {
        name: "sys_enter_rename",
        program: "rename_plain",
        attach: Attach::SyscallsIfAny(&["sys_enter_rename"]),
        without: "files renamed by the oldest call",
        unless: "",
    },
    Spec {
        name: "sys_enter_renameat",
        program: "rename_at",
        attach: Attach::SyscallsIfAny(&["sys_enter_renameat"]),
        without: "files renamed by `renameat`",
        unless: "",
    },
    Spec {
        name: "sys_enter_renameat2",
        program: "rename_at2",
        attach: Attach::Syscalls(&["sys_enter_renameat2"]),
        without: "files renamed by `renameat2`",
        unless: "",
    },
    Spec {
        name: "security_path_rename",
        program: "exact_rename",
        attach: Attach::Entry("security_path_rename"),
        without: EXACTLY,
        unless: "",
    },
];

pub(super) fn rename(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<RenameRecord>()?;
    Some(Payload::Rename(Box::new(Rename {
        file: file(&record.to, reader)?,
        from: file(&record.from, reader)?,
        exchanged: record.flags & RENAME_EXCHANGE != 0,
    })))
}
