//! Names that are removed.

use lanner_collector_abi::UnlinkRecord;
use lanner_core::event::{Payload, Unlink};

use super::EXACTLY;
use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{Reader, file};

pub(super) const HOOKS: &[Spec] = &[
    Spec {
        name: "sys_exit_unlink*, sys_exit_rmdir",
        program: "unlink",
        attach: Attach::Syscalls(&["sys_exit_unlinkat", "sys_exit_unlink", "sys_exit_rmdir"]),
        without: "files and directories that are removed",
        unless: "",
    },
    Spec {
        name: "sys_enter_unlink, sys_enter_rmdir",
        program: "unlink_plain",
        attach: Attach::SyscallsIfAny(&["sys_enter_unlink", "sys_enter_rmdir"]),
        without: "files and directories removed by the oldest calls",
        unless: "",
    },
    Spec {
        name: "sys_enter_unlinkat",
        program: "unlink_at",
        attach: Attach::Syscalls(&["sys_enter_unlinkat"]),
        without: "files and directories removed by `unlinkat`",
        unless: "",
    },
    Spec {
        name: "security_path_unlink",
        program: "exact_unlink",
        attach: Attach::Entry("security_path_unlink"),
        without: EXACTLY,
        unless: "",
    },
    Spec {
        name: "security_path_rmdir",
        program: "exact_rmdir",
        attach: Attach::Entry("security_path_rmdir"),
        without: EXACTLY,
        unless: "",
    },
];

/// `S_IFDIR` and its mask.
const TYPE_MASK: u16 = 0o170_000;
const DIRECTORY: u16 = 0o040_000;

pub(super) fn unlink(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<UnlinkRecord>()?;
    let mut file = file(&record.file, reader)?;
    let known = file.id.is_known();
    let directory = record.file.mode & TYPE_MASK == DIRECTORY;
    let links = (known && !directory).then(|| record.links.saturating_sub(1));
    file.deleted = known && links.unwrap_or(0) == 0;
    Some(Payload::Unlink(Box::new(Unlink { file, links, directory: known.then_some(directory) })))
}
