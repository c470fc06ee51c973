//! Permissions, owners, extended attributes and lengths that are set.

use lanner_collector_abi::{AttributeRecord, kind};
use lanner_core::event::{Attribute, AttributeChange, Owner, Payload};

use super::EXACTLY;
use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{Reader, file, string};

pub(super) const HOOKS: &[Spec] = &[
    Spec {
        name: "sys_exit_*chmod*",
        program: "mode",
        attach: Attach::Syscalls(&["sys_exit_fchmodat", "sys_exit_fchmod", "sys_exit_chmod", "sys_exit_fchmodat2"]),
        without: "permissions that are set",
        unless: "",
    },
    Spec {
        name: "sys_exit_*chown*",
        program: "owner",
        attach: Attach::Syscalls(&["sys_exit_fchownat", "sys_exit_fchown", "sys_exit_chown", "sys_exit_lchown"]),
        without: "owners that are set",
        unless: "",
    },
    Spec {
        name: "sys_exit_*setxattr*",
        program: "xattr_set",
        attach: Attach::Syscalls(&[
            "sys_exit_setxattr",
            "sys_exit_lsetxattr",
            "sys_exit_fsetxattr",
            "sys_exit_setxattrat",
        ]),
        without: "extended attributes, such as file capabilities, that are set",
        unless: "",
    },
    Spec {
        name: "sys_exit_*removexattr*",
        program: "xattr_removed",
        attach: Attach::Syscalls(&[
            "sys_exit_removexattr",
            "sys_exit_lremovexattr",
            "sys_exit_fremovexattr",
            "sys_exit_removexattrat",
        ]),
        without: "extended attributes that are removed",
        unless: "",
    },
    Spec {
        name: "sys_exit_*truncate",
        program: "size",
        attach: Attach::Syscalls(&["sys_exit_truncate", "sys_exit_ftruncate"]),
        without: "files that are cut off",
        unless: "",
    },
    Spec {
        name: "sys_enter_chmod, sys_enter_chown, sys_enter_truncate",
        program: "attribute_plain",
        attach: Attach::Syscalls(&["sys_enter_chmod", "sys_enter_chown", "sys_enter_truncate"]),
        without: "attributes set by name",
        unless: "",
    },
    Spec {
        name: "sys_enter_lchown",
        program: "attribute_link",
        attach: Attach::SyscallsIfAny(&["sys_enter_lchown"]),
        without: "owners of symbolic links",
        unless: "",
    },
    Spec {
        name: "sys_enter_fchmod, sys_enter_fchown, sys_enter_ftruncate",
        program: "attribute_open",
        attach: Attach::Syscalls(&["sys_enter_fchmod", "sys_enter_fchown", "sys_enter_ftruncate"]),
        without: "attributes set of open files",
        unless: "",
    },
    Spec {
        name: "sys_enter_fchmodat",
        program: "attribute_at",
        attach: Attach::Syscalls(&["sys_enter_fchmodat"]),
        without: "permissions set by `fchmodat`",
        unless: "",
    },
    Spec {
        name: "sys_enter_fchmodat2",
        program: "mode_at2",
        attach: Attach::SyscallsIfAny(&["sys_enter_fchmodat2"]),
        without: "permissions set by `fchmodat2`",
        unless: "",
    },
    Spec {
        name: "sys_enter_fchownat",
        program: "owner_at",
        attach: Attach::Syscalls(&["sys_enter_fchownat"]),
        without: "owners set by `fchownat`",
        unless: "",
    },
    Spec {
        name: "sys_enter_setxattr, sys_enter_removexattr",
        program: "xattr_plain",
        attach: Attach::Syscalls(&["sys_enter_setxattr", "sys_enter_removexattr"]),
        without: "extended attributes set by name",
        unless: "",
    },
    Spec {
        name: "sys_enter_lsetxattr, sys_enter_lremovexattr",
        program: "xattr_link",
        attach: Attach::Syscalls(&["sys_enter_lsetxattr", "sys_enter_lremovexattr"]),
        without: "extended attributes of symbolic links",
        unless: "",
    },
    Spec {
        name: "sys_enter_fsetxattr, sys_enter_fremovexattr",
        program: "xattr_open",
        attach: Attach::Syscalls(&["sys_enter_fsetxattr", "sys_enter_fremovexattr"]),
        without: "extended attributes set of open files",
        unless: "",
    },
    Spec {
        name: "sys_enter_setxattrat, sys_enter_removexattrat",
        program: "xattr_at",
        attach: Attach::SyscallsIfAny(&["sys_enter_setxattrat", "sys_enter_removexattrat"]),
        without: "extended attributes set by `setxattrat`",
        unless: "",
    },
    Spec {
        name: "security_path_chmod",
        program: "exact_mode",
        attach: Attach::Entry("security_path_chmod"),
        without: EXACTLY,
        unless: "",
    },
    Spec {
        name: "security_path_chown",
        program: "exact_owner",
        attach: Attach::Entry("security_path_chown"),
        without: EXACTLY,
        unless: "",
    },
    Spec {
        name: "security_path_truncate",
        program: "exact_size",
        attach: Attach::Entry("security_path_truncate"),
        without: EXACTLY,
        unless: "",
    },
];

/// Permissions, in `inode.i_mode`.
const PERMISSIONS: u16 = 0o7777;

pub(super) fn attribute(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<AttributeRecord>()?;
    let file = file(&record.file, reader)?;
    let (known, was_known) = (file.id.is_known(), record.before_known != 0);
    let change = match record.header.kind {
        kind::MODE => AttributeChange::Mode {
            before: was_known.then_some(record.mode_before & PERMISSIONS),
            now: known.then_some(record.file.mode & PERMISSIONS),
        },
        kind::OWNER => AttributeChange::Owner {
            before: was_known.then_some(Owner { uid: record.uid_before, gid: record.gid_before }),
            now: known.then_some(Owner { uid: record.uid, gid: record.gid }),
        },
        kind::XATTR_SET | kind::XATTR_REMOVED => AttributeChange::Extended {
            name: string(reader.bytes(record.name_len)?),
            removed: record.header.kind == kind::XATTR_REMOVED,
        },
        kind::SIZE => AttributeChange::Size { now: known.then_some(record.size) },
        _ => return None,
    };
    Some(Payload::Attribute(Box::new(Attribute { file, change })))
}
