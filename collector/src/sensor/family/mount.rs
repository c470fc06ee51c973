//! Roots and mounts.

use lanner_collector_abi::{MountRecord, RootRecord};
use lanner_core::event::{Family, Mount, Payload, RootChange};

use super::EXACTLY;
use super::calls::call;
use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{Reader, file, string};

pub(super) const HOOKS: &[Spec] = &[
    Spec {
        name: "sys_enter/exit_chroot, pivot_root",
        program: "root",
        attach: Attach::Calls(&[
            ("root_enter", &["sys_enter_chroot", "sys_enter_pivot_root"]),
            ("root", &["sys_exit_chroot", "sys_exit_pivot_root"]),
        ]),
        without: "processes that get another root directory",
        unless: "",
    },
    Spec {
        name: "sys_enter/exit_mount, umount",
        program: "mount",
        attach: Attach::Calls(&[
            ("mount_enter", &["sys_enter_mount"]),
            ("mount", &["sys_exit_mount"]),
            ("call_enter", &["sys_enter_umount"]),
            ("umount", &["sys_exit_umount"]),
        ]),
        without: "what is mounted and unmounted",
        unless: "",
    },
    Spec {
        name: "sys_enter/exit_fsopen, fsconfig, fsmount, open_tree, move_mount, mount_setattr",
        program: "move_mount",
        attach: Attach::Calls(&[
            (
                "call_enter",
                &[
                    "sys_enter_fsopen",
                    "sys_enter_fsconfig",
                    "sys_enter_fsmount",
                    "sys_enter_move_mount",
                    "sys_enter_mount_setattr",
                ],
            ),
            ("open_tree_enter", &["sys_enter_open_tree"]),
            ("fsopen", &["sys_exit_fsopen"]),
            ("fsconfig", &["sys_exit_fsconfig"]),
            ("fsmount", &["sys_exit_fsmount"]),
            ("open_tree", &["sys_exit_open_tree"]),
            ("move_mount", &["sys_exit_move_mount"]),
            ("mount_setattr", &["sys_exit_mount_setattr"]),
        ]),
        without: "what is mounted by descriptors",
        unless: "",
    },
    Spec {
        name: "security_sb_mount",
        program: "exact_mount",
        attach: Attach::Entry("security_sb_mount"),
        without: EXACTLY,
        unless: "",
    },
    Spec {
        name: "security_sb_umount",
        program: "exact_umount",
        attach: Attach::Entry("security_sb_umount"),
        without: EXACTLY,
        unless: "",
    },
    Spec {
        name: "security_move_mount",
        program: "exact_move",
        attach: Attach::Entry("security_move_mount"),
        without: EXACTLY,
        unless: "",
    },
];

pub(super) fn root(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<RootRecord>()?;
    Some(Payload::Root(Box::new(RootChange {
        call: call(Family::Root, &record.header, record.call)?,
        now: file(&record.now, reader)?,
        before: file(&record.before, reader)?,
        namespace: record.namespace,
        errno: record.errno,
    })))
}

pub(super) fn mount(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<MountRecord>()?;
    let place = file(&record.place, reader)?;
    let source = file(&record.source, reader)?;
    let lengths = [record.source_len, record.type_len, record.key_len, record.value_len];
    let [words, fs_type, key, options] = lengths.map(|len| reader.bytes(len).map(string));
    let words = words?;
    Some(Payload::Mount(Box::new(Mount {
        call: call(Family::Mount, &record.header, record.call)?,
        source: if words.is_empty() { source.path } else { words },
        place,
        fs_type: fs_type?,
        flags: record.flags,
        key: key?,
        options: options?,
        namespace: record.namespace,
        errno: record.errno,
    })))
}
