//! Permissions, owners, extended attributes and lengths of files, by each call that sets them.

use std::fs::{self, File as Opened};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};

use lanner_core::event::{Attribute, AttributeChange, Owner, Text};

use super::place::{Place, c, ok};

#[test]
fn permissions_are_told_before_and_after() {
    let Some(at) = Place::new() else { return };
    let id = at.file("f");
    let set = |mode| fs::set_permissions(at.path("f"), fs::Permissions::from_mode(mode)).expect("set");
    let is =
        |mode: u16| move |c: &AttributeChange| matches!(c, AttributeChange::Mode { now, .. } if *now == Some(mode));
    let mode = |before, now| AttributeChange::Mode { before: Some(before), now: Some(now) };
    set(0o600);
    set(0o4755);
    let expected = Attribute { file: at.named("f", id), change: mode(0o600, 0o4755) };
    assert_eq!(at.attribute(&at.path("f"), is(0o4755)), expected);
    let file = Opened::open(at.path("f")).expect("opened");
    file.set_permissions(fs::Permissions::from_mode(0o640)).expect("set");
    assert_eq!(at.attribute(&at.path("f"), is(0o640)).change, mode(0o4755, 0o640));
    let name = c(at.path("f"));
    // SAFETY: a NUL-terminated name.
    ok(unsafe { libc::fchmodat(libc::AT_FDCWD, name.as_ptr(), 0o644, 0) });
    assert_eq!(at.attribute(&at.path("f"), is(0o644)).change, mode(0o640, 0o644));
    // SAFETY: a NUL-terminated name.
    let result =
        unsafe { libc::syscall(libc::SYS_fchmodat2, libc::AT_FDCWD, name.as_ptr(), 0o711, libc::AT_SYMLINK_NOFOLLOW) };
    if result == 0 {
        assert_eq!(at.attribute(&at.path("f"), is(0o711)).change, mode(0o644, 0o711));
    }
}

#[test]
fn owners_are_told_before_and_after_and_links_have_their_own() {
    let Some(at) = Place::new() else { return };
    let id = at.file("f");
    symlink("f", at.path("l")).expect("linked");
    chown(at.path("l"), Some(12), Some(34)).expect("through the link");
    lchown(at.path("l"), Some(5), Some(6)).expect("the link itself");
    let root = Some(Owner { uid: 0, gid: 0 });
    let owner = |c: &AttributeChange| matches!(c, AttributeChange::Owner { .. });
    let change = AttributeChange::Owner { before: root, now: Some(Owner { uid: 12, gid: 34 }) };
    assert_eq!(at.attribute(&at.path("f"), owner), Attribute { file: at.named("f", id), change });
    let change = AttributeChange::Owner { before: root, now: Some(Owner { uid: 5, gid: 6 }) };
    assert_eq!(at.attribute(&at.path("l"), owner).change, change);
}

#[test]
fn extended_attributes_are_told_by_name() {
    let Some(at) = Place::new() else { return };
    let id = at.file("f");
    let (path, name) = (c(at.path("f")), c"trusted.lanner");
    let file = Opened::open(at.path("f")).expect("opened");
    // SAFETY: NUL-terminated names, and one byte of value.
    ok(unsafe { libc::setxattr(path.as_ptr(), name.as_ptr(), b"1".as_ptr().cast(), 1, 0) });
    // SAFETY: a NUL-terminated name.
    ok(unsafe { libc::fremovexattr(file.as_raw_fd(), name.as_ptr()) });
    let extended = |removed| AttributeChange::Extended { name: Text::from("trusted.lanner"), removed };
    let set = at.attribute(&at.path("f"), |c| matches!(c, AttributeChange::Extended { removed: false, .. }));
    assert_eq!(set, Attribute { file: at.named("f", id), change: extended(false) });
    let removed = at.attribute(&at.path("f"), |c| matches!(c, AttributeChange::Extended { removed: true, .. }));
    assert_eq!(removed, Attribute { file: at.named("f", id), change: extended(true) });
}

#[test]
fn a_file_that_is_cut_off_is_told_with_its_length() {
    let Some(at) = Place::new() else { return };
    let id = at.file("f");
    let name = c(at.path("f"));
    // SAFETY: a NUL-terminated name.
    ok(unsafe { libc::truncate(name.as_ptr(), 4711) });
    let size = |now| AttributeChange::Size { now: Some(now) };
    let cut = at.attribute(&at.path("f"), |c| *c == AttributeChange::Size { now: Some(4711) });
    assert_eq!(cut, Attribute { file: at.named("f", id), change: size(4711) });
    let file = Opened::options().write(true).open(at.path("f")).expect("opened");
    file.set_len(0).expect("cut");
    let cut = at.attribute(&at.path("f"), |c| *c == AttributeChange::Size { now: Some(0) });
    assert_eq!(cut, Attribute { file: at.named("f", id), change: size(0) });
}
