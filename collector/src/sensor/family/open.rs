//! Files that are opened.

use lanner_collector_abi::{OpenRecord, Through as Way};
use lanner_core::event::{Access, Open, OpenFlags, Passed, Payload, Text, Through};

use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{Reader, file};

pub(super) const HOOKS: &[Spec] = &[
    Spec {
        name: "sys_exit_open*",
        program: "open",
        attach: Attach::Syscalls(&[
            "sys_exit_openat",
            "sys_exit_openat2",
            "sys_exit_open",
            "sys_exit_creat",
            "sys_exit_open_by_handle_at",
        ]),
        without: "files opened, and what links who wrote one to who reads it",
        unless: "",
    },
    Spec {
        name: "security_file_open",
        program: "file_open",
        attach: Attach::Return("security_file_open"),
        without: "files that the kernel itself opens, and those that io_uring opens and keeps in a table of its own",
        unless: "",
    },
];

/// `S_IFDIR` and its mask.
const TYPE_MASK: u16 = 0o170_000;
const DIRECTORY: u16 = 0o040_000;
const O_LARGEFILE: u32 = 0o100_000;

pub(super) fn open(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<OpenRecord>()?;
    let opened = file(&record.file, reader)?;
    let name = reader.bytes(u16::try_from(record.name_len).ok()?)?;
    let name = Text::from(name.strip_suffix(&[0]).unwrap_or(name));
    // The kernel adds one to what a ring is asked for, which no 64-bit program passes.
    let added = if record.through == Way::IO_URING { O_LARGEFILE } else { 0 };
    let flags = OpenFlags(usual(record.flags) & !added);
    let passed = (record.known != 0).then(|| Passed {
        name: (!name.is_empty() && name != opened.path).then_some(name),
        flags,
        // Calls that make nothing need not pass any.
        mode: if flags.may_create() { record.mode & 0o7777 } else { 0 },
    });
    Some(Payload::Open(Box::new(Open {
        file: opened,
        passed,
        fd: record.fd,
        access: Access { read: record.read != 0, write: record.write != 0 },
        created: record.created != 0,
        written_before: record.written_before != 0,
        directory: record.file.mode & TYPE_MASK == DIRECTORY,
        through: match record.through {
            Way::CALL => Through::Call,
            Way::IO_URING => Through::IoUring,
            Way::KERNEL => Through::Kernel,
            _ => return None,
        },
    })))
}

/// Flags as most processors number them: arm64 has four in other places (its `asm/fcntl.h`).
fn usual(flags: u32) -> u32 {
    if !cfg!(target_arch = "aarch64") {
        return flags;
    }
    const MOVED: [(u32, u32); 4] =
        [(0o40_000, 0o200_000), (0o100_000, 0o400_000), (0o200_000, 0o40_000), (0o400_000, 0o100_000)];
    let others = flags & !0o740_000;
    MOVED.iter().filter(|(own, _)| flags & own != 0).fold(others, |flags, (_, usual)| flags | usual)
}
