//! io_uring: rings, and what is asked for through them.

use lanner_collector_abi::{FileFacts, UringOpRecord, UringSetupRecord};
use lanner_core::event::{Payload, Text, UringOp, UringOperation, UringSetup};

use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{Reader, file, string};

pub(super) const HOOKS: &[Spec] = &[
    Spec {
        name: "io_uring_create",
        program: "uring_setup",
        attach: Attach::Typed("io_uring_create"),
        without: "who uses io_uring",
        unless: "",
    },
    Spec {
        name: "io_uring_submit_req",
        program: "uring_submit",
        attach: Attach::Shaped(&[("io_uring_submit_req", 1), ("io_uring_submit_sqe", 2)]),
        without: "what is done through io_uring",
        unless: "",
    },
    Spec {
        name: "io_uring_complete (names)",
        program: "uring_named",
        attach: Attach::Shaped(&[("io_uring_complete", 3), ("io_uring_complete", 7)]),
        without: "what becomes of files that are renamed, linked, removed and made through io_uring",
        unless: "",
    },
    Spec {
        name: "io_uring_complete (sockets)",
        program: "uring_socket",
        attach: Attach::Shaped(&[("io_uring_complete", 3), ("io_uring_complete", 7)]),
        without: "sockets that io_uring makes, binds, connects by unix names, and accepts",
        unless: "",
    },
    Spec {
        name: "io_uring_complete",
        program: "uring_complete",
        attach: Attach::Shaped(&[("io_uring_complete", 3), ("io_uring_complete", 7)]),
        without: "files opened through io_uring",
        unless: "file_open",
    },
];

pub(super) fn setup(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<UringSetupRecord>()?;
    Some(Payload::UringSetup(UringSetup { fd: record.fd, entries: record.entries, flags: record.flags }))
}

pub(super) fn operation(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<UringOpRecord>()?;
    let operation = UringOperation(u8::try_from(record.operation).ok()?);
    let path = name(&record.dir, record.name_len, reader)?;
    let second = name(&record.second_dir, record.second_len, reader)?;
    Some(Payload::UringOp(Box::new(UringOp { operation, path, second })))
}

/// A name behind the folder that it counts from, or the path of an open file; `Some(None)`: there is none.
fn name(dir: &FileFacts, len: u16, reader: &mut Reader<'_>) -> Option<Option<Text>> {
    let dir = file(dir, reader)?;
    let name = string(reader.bytes(len)?);
    if name.is_empty() {
        return Some(Some(dir.path).filter(|path| !path.is_empty()));
    }
    let mut path = dir.path.as_bytes().to_vec();
    if !path.is_empty() && !path.ends_with(b"/") {
        path.push(b'/');
    }
    path.extend_from_slice(name.as_bytes());
    Some(Some(Text::from(path)))
}
