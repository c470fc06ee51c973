//! Directories, devices, pipes and sockets that are made.

use lanner_collector_abi::MakeRecord;
use lanner_core::event::{MadeKind, Make, Payload};

use super::EXACTLY;
use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{Reader, file};

pub(super) const HOOKS: &[Spec] = &[
    Spec {
        name: "sys_exit_mkdir*, sys_exit_mknod*",
        program: "make",
        attach: Attach::Syscalls(&["sys_exit_mkdirat", "sys_exit_mkdir", "sys_exit_mknodat", "sys_exit_mknod"]),
        without: "directories, devices and pipes that are made",
        unless: "",
    },
    Spec {
        name: "sys_enter_mkdir, sys_enter_mknod",
        program: "make_plain",
        attach: Attach::SyscallsIfAny(&["sys_enter_mkdir", "sys_enter_mknod"]),
        without: "directories and devices made by the oldest calls",
        unless: "",
    },
    Spec {
        name: "sys_enter_mkdirat, sys_enter_mknodat",
        program: "make_at",
        attach: Attach::Syscalls(&["sys_enter_mkdirat", "sys_enter_mknodat"]),
        without: "directories and devices made by `mkdirat` and `mknodat`",
        unless: "",
    },
    Spec {
        name: "security_path_mkdir",
        program: "exact_mkdir",
        attach: Attach::Entry("security_path_mkdir"),
        without: EXACTLY,
        unless: "",
    },
    Spec {
        name: "security_path_mknod",
        program: "exact_mknod",
        attach: Attach::Entry("security_path_mknod"),
        without: EXACTLY,
        unless: "",
    },
];

/// `inode.i_mode`: the type and, in the lowest bits, permissions.
const TYPE_MASK: u16 = 0o170_000;
/// Bits of the minor number in the kernel's `dev_t`.
const MINOR_BITS: u32 = 20;

pub(super) fn make(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<MakeRecord>()?;
    let kind = match record.file.mode & TYPE_MASK {
        0o040_000 => MadeKind::Directory,
        0o020_000 => MadeKind::CharacterDevice,
        0o060_000 => MadeKind::BlockDevice,
        0o010_000 => MadeKind::Pipe,
        0o140_000 => MadeKind::Socket,
        0o100_000 => MadeKind::Regular,
        _ => MadeKind::Unknown,
    };
    let is_device = matches!(kind, MadeKind::CharacterDevice | MadeKind::BlockDevice);
    Some(Payload::Make(Box::new(Make {
        mode: (kind != MadeKind::Unknown).then_some(record.file.mode & !TYPE_MASK),
        file: file(&record.file, reader)?,
        kind,
        device: is_device.then_some((record.rdev >> MINOR_BITS, record.rdev & ((1 << MINOR_BITS) - 1))),
    })))
}
