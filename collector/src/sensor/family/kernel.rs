//! Modules, and other kernels.

use lanner_collector_abi::KernelRecord;
use lanner_core::event::{Family, KernelLoad, Payload};

use super::calls::call;
use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{Reader, file, string};

pub(super) const HOOKS: &[Spec] = &[
    Spec {
        name: "sys_enter/exit_init_module, finit_module, delete_module",
        program: "finit_module",
        attach: Attach::Calls(&[
            ("call_enter", &["sys_enter_init_module", "sys_enter_finit_module", "sys_enter_delete_module"]),
            ("init_module", &["sys_exit_init_module"]),
            ("finit_module", &["sys_exit_finit_module"]),
            ("delete_module", &["sys_exit_delete_module"]),
        ]),
        without: "kernel modules that are loaded and unloaded",
        unless: "",
    },
    Spec {
        name: "sys_enter/exit_kexec_load, kexec_file_load",
        program: "kexec_load",
        attach: Attach::Calls(&[
            ("call_enter", &["sys_enter_kexec_load", "sys_enter_kexec_file_load"]),
            ("kexec_load", &["sys_exit_kexec_load"]),
            ("kexec_file_load", &["sys_exit_kexec_file_load"]),
        ]),
        without: "other kernels that are made ready to run",
        unless: "",
    },
    Spec {
        name: "security_kernel_read_file",
        program: "exact_code",
        attach: Attach::Entry("security_kernel_read_file"),
        without: "certainty about which file code came from: that of a descriptor which another thread changes under the call",
        unless: "",
    },
];

pub(super) fn kernel(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<KernelRecord>()?;
    let first = file(&record.file, reader)?;
    let second = file(&record.second, reader)?;
    let words = reader.bytes(u16::try_from(record.words_len).ok()?)?;
    Some(Payload::Kernel(Box::new(KernelLoad {
        call: call(Family::Kernel, &record.header, record.call)?,
        file: first.id.is_known().then_some(first),
        ramdisk: second.id.is_known().then_some(second),
        words: string(words),
        size: record.size,
        flags: record.flags,
        errno: record.errno,
    })))
}
