//! Files that get one more name, and symbolic links.

use lanner_collector_abi::LinkRecord;
use lanner_core::event::{File, Link, Payload};

use super::EXACTLY;
use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{Reader, file, string};

pub(super) const HOOKS: &[Spec] = &[
    Spec {
        name: "sys_exit_link*",
        program: "link",
        attach: Attach::Syscalls(&["sys_exit_linkat", "sys_exit_link"]),
        without: "files that get one more name",
        unless: "",
    },
    Spec {
        name: "sys_exit_symlink*",
        program: "symlink",
        attach: Attach::Syscalls(&["sys_exit_symlinkat", "sys_exit_symlink"]),
        without: "symbolic links that are made",
        unless: "",
    },
    Spec {
        name: "sys_enter_link, sys_enter_symlink",
        program: "link_plain",
        attach: Attach::SyscallsIfAny(&["sys_enter_link", "sys_enter_symlink"]),
        without: "links made by the oldest calls",
        unless: "",
    },
    Spec {
        name: "sys_enter_linkat",
        program: "link_at",
        attach: Attach::Syscalls(&["sys_enter_linkat"]),
        without: "files that get one more name by `linkat`",
        unless: "",
    },
    Spec {
        name: "sys_enter_symlinkat",
        program: "symlink_at",
        attach: Attach::Syscalls(&["sys_enter_symlinkat"]),
        without: "symbolic links made by `symlinkat`",
        unless: "",
    },
    Spec {
        name: "security_path_link",
        program: "exact_link",
        attach: Attach::Entry("security_path_link"),
        without: EXACTLY,
        unless: "",
    },
    Spec {
        name: "security_path_symlink",
        program: "exact_symlink",
        attach: Attach::Entry("security_path_symlink"),
        without: EXACTLY,
        unless: "",
    },
];

pub(super) fn link(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<LinkRecord>()?;
    let symbolic = record.symbolic != 0;
    let link = file(&record.file, reader)?;
    let target = if symbolic {
        // What the link says, which need not be the name of anything.
        File { path: string(reader.bytes(record.target.path_len)?), as_passed: true, ..File::default() }
    } else {
        file(&record.target, reader)?
    };
    Some(Payload::Link(Box::new(Link { file: link, target, symbolic })))
}
