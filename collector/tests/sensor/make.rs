//! Devices and pipes that are made. Directories are made in `unlink.rs`, where they are removed too.

use lanner_core::event::{MadeKind, Make};

use super::place::{Place, c, ok};
use super::stage::file_id;

#[test]
fn devices_and_pipes_are_told_with_what_they_are() {
    let Some(at) = Place::new() else { return };
    let name = c(at.path("disk"));
    // SAFETY: a NUL-terminated name.
    ok(unsafe { libc::mknod(name.as_ptr(), libc::S_IFBLK | 0o600, libc::makedev(259, 70_000)) });
    let disk = file_id(at.path("disk"));
    let made = at.make(&at.path("disk"));
    let kind = MadeKind::BlockDevice;
    assert_eq!(made, Make { file: at.named("disk", disk), kind, mode: Some(0o600), device: Some((259, 70_000)) });
    let name = c(at.path("pipe"));
    // SAFETY: a NUL-terminated name.
    ok(unsafe { libc::mkfifo(name.as_ptr(), 0o640) });
    let made = at.make(&at.path("pipe"));
    let pipe = file_id(at.path("pipe"));
    assert_eq!(made, Make { file: at.named("pipe", pipe), kind: MadeKind::Pipe, mode: Some(0o640), device: None });
}
