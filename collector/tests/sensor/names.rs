//! Names and attributes of files: what is done to them, each call that does it.

use std::ffi::CString;
use std::fs::{self, File as Opened};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};

use lanner_core::event::{
    Attribute, AttributeChange, File, FileId, Link, MadeKind, Make, Owner, Payload, Rename, Text, Unlink,
};

use super::stage::{Stage, expect, file_id, is_me, stage};
use std::sync::Mutex;

/// A folder of one's own, its path as the kernel has it.
pub(crate) struct Place {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) stage: &'static Mutex<Stage>,
}

impl Place {
    pub(crate) fn new() -> Option<Self> {
        let stage = stage()?;
        Some(Place { dir: tempfile::tempdir().expect("a folder"), stage })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Makes a file, and tells which one it is.
    pub(crate) fn file(&self, name: &str) -> FileId {
        fs::write(self.path(name), "x").expect("written");
        file_id(self.path(name))
    }

    pub(crate) fn named(&self, name: &str, id: FileId) -> File {
        named(&self.path(name), id)
    }

    /// What this process did, that is about `path`.
    fn expect<T: Clone>(&self, path: &Path, pick: impl Fn(&Payload) -> Option<(&File, &T)>) -> T {
        let wanted = text(path);
        expect(self.stage, &format!("something of {}", path.display()), |e| {
            let (file, found) = pick(&e.payload)?;
            (is_me(e.header.process) && file.path == wanted).then(|| {
                assert_ne!(e.header.tid, 0);
                found.clone()
            })
        })
    }

    pub(crate) fn rename(&self, to: &Path) -> Rename {
        self.expect(to, |p| if let Payload::Rename(r) = p { Some((&r.file, r.as_ref())) } else { None })
    }

    pub(crate) fn link(&self, name: &Path) -> Link {
        self.expect(name, |p| if let Payload::Link(l) = p { Some((&l.file, l.as_ref())) } else { None })
    }

    pub(crate) fn unlink(&self, path: &Path) -> Unlink {
        self.expect(path, |p| if let Payload::Unlink(u) = p { Some((&u.file, u.as_ref())) } else { None })
    }

    pub(crate) fn make(&self, path: &Path) -> Make {
        self.expect(path, |p| if let Payload::Make(m) = p { Some((&m.file, m.as_ref())) } else { None })
    }

    pub(crate) fn attribute(&self, path: &Path, wanted: impl Fn(&AttributeChange) -> bool) -> Attribute {
        self.expect(path, |p| match p {
            Payload::Attribute(a) if wanted(&a.change) => Some((&a.file, a.as_ref())),
            _ => None,
        })
    }
}

pub(crate) fn text(path: &Path) -> Text {
    Text::from(path.as_os_str().as_encoded_bytes())
}

pub(crate) fn named(path: &Path, id: FileId) -> File {
    File { path: text(path), id, ..File::default() }
}

pub(crate) fn c(path: impl AsRef<Path>) -> CString {
    CString::new(path.as_ref().as_os_str().as_encoded_bytes()).expect("no NUL")
}

/// A system call's answer.
pub(crate) fn ok(result: impl Into<i64>) {
    let result: i64 = result.into();
    assert!(result >= 0, "{}", std::io::Error::last_os_error());
}

#[test]
fn a_rename_tells_both_names_and_which_file() {
    let Some(at) = Place::new() else { return };
    let id = at.file("old");
    fs::rename(at.path("old"), at.path("new")).expect("renamed");
    let expected = Rename { file: at.named("new", id), from: at.named("old", FileId::default()), exchanged: false };
    assert_eq!(at.rename(&at.path("new")), expected);
    // renameat, over a file that is there.
    at.file("newest");
    let (old, new) = (c(at.path("new")), c(at.path("newest")));
    // SAFETY: two NUL-terminated names.
    ok(unsafe { libc::renameat(libc::AT_FDCWD, old.as_ptr(), libc::AT_FDCWD, new.as_ptr()) });
    let expected = Rename { file: at.named("newest", id), from: at.named("new", FileId::default()), exchanged: false };
    assert_eq!(at.rename(&at.path("newest")), expected);
}

#[test]
fn an_exchange_tells_who_is_where_now() {
    let Some(at) = Place::new() else { return };
    let (a, b) = (at.file("a"), at.file("b"));
    let (old, new) = (c(at.path("a")), c(at.path("b")));
    // SAFETY: two NUL-terminated names.
    ok(unsafe { libc::renameat2(libc::AT_FDCWD, old.as_ptr(), libc::AT_FDCWD, new.as_ptr(), libc::RENAME_EXCHANGE) });
    let expected = Rename { file: at.named("b", a), from: at.named("a", b), exchanged: true };
    assert_eq!(at.rename(&at.path("b")), expected);
}

#[test]
fn a_rename_that_fails_or_changes_nothing_is_not_told() {
    let Some(at) = Place::new() else { return };
    let id = at.file("a");
    fs::hard_link(at.path("a"), at.path("b")).expect("linked");
    fs::rename(at.path("a"), at.path("b")).expect("two names of one file: nothing is done");
    fs::rename(at.path("missing"), at.path("b")).expect_err("there is no such file");
    fs::rename(at.path("a"), at.path("last")).expect("renamed");
    assert_eq!(at.rename(&at.path("last")).file, at.named("last", id));
    let b = at.path("b");
    let told = at.stage.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    assert!(!told.seen().any(|e| matches!(&e.payload, Payload::Rename(r) if r.file.path == text(&b))));
}

#[test]
fn a_link_tells_both_ends() {
    let Some(at) = Place::new() else { return };
    let id = at.file("file");
    fs::hard_link(at.path("file"), at.path("hard")).expect("linked");
    let hard = Link { file: at.named("hard", id), target: at.named("file", id), symbolic: false };
    assert_eq!(at.link(&at.path("hard")), hard);

    symlink("../no/such", at.path("soft")).expect("linked");
    let link = fs::symlink_metadata(at.path("soft")).expect("it is there");
    let said = File { path: Text::from("../no/such"), as_passed: true, ..File::default() };
    let own = FileId { dev: file_id(at.dir.path()).dev, ino: std::os::unix::fs::MetadataExt::ino(&link) };
    let soft = Link { file: at.named("soft", own), target: said, symbolic: true };
    assert_eq!(at.link(&at.path("soft")), soft);

    // A link to a link, and to what it leads to.
    symlink("file", at.path("way")).expect("linked");
    let (way, to) = (c(at.path("way")), c(at.path("through")));
    // SAFETY: two NUL-terminated names.
    ok(unsafe { libc::linkat(libc::AT_FDCWD, way.as_ptr(), libc::AT_FDCWD, to.as_ptr(), libc::AT_SYMLINK_FOLLOW) });
    let through = Link { file: at.named("through", id), target: at.named("file", id), symbolic: false };
    assert_eq!(at.link(&at.path("through")), through);
}

#[test]
fn a_removal_tells_what_is_gone_and_what_is_left() {
    let Some(at) = Place::new() else { return };
    let id = at.file("a");
    fs::hard_link(at.path("a"), at.path("b")).expect("linked");
    fs::remove_file(at.path("a")).expect("removed");
    let first = Unlink { file: at.named("a", id), links: Some(1), directory: Some(false) };
    assert_eq!(at.unlink(&at.path("a")), first);
    fs::remove_file(at.path("b")).expect("removed");
    let gone = File { deleted: true, ..at.named("b", id) };
    assert_eq!(at.unlink(&at.path("b")), Unlink { file: gone, links: Some(0), directory: Some(false) });

    fs::create_dir(at.path("d")).expect("made");
    let d = file_id(at.path("d"));
    let made = Make { file: at.named("d", d), kind: MadeKind::Directory, mode: Some(0o755), device: None };
    assert_eq!(at.make(&at.path("d")), made);
    fs::remove_dir(at.path("d")).expect("removed");
    let gone = File { deleted: true, ..at.named("d", d) };
    assert_eq!(at.unlink(&at.path("d")), Unlink { file: gone, links: None, directory: Some(true) });
}

#[test]
fn devices_and_pipes_are_told_with_what_they_are() {
    let Some(at) = Place::new() else { return };
    let name = c(at.path("disk"));
    // SAFETY: a NUL-terminated name.
    ok(unsafe { libc::mknod(name.as_ptr(), libc::S_IFBLK | 0o600, libc::makedev(259, 70_000)) });
    let disk = file_id(at.path("disk"));
    let made = at.make(&at.path("disk"));
    assert_eq!((made.file, made.kind), (at.named("disk", disk), MadeKind::BlockDevice));
    assert_eq!((made.mode, made.device), (Some(0o600), Some((259, 70_000))));
    let name = c(at.path("pipe"));
    // SAFETY: a NUL-terminated name.
    ok(unsafe { libc::mkfifo(name.as_ptr(), 0o640) });
    let made = at.make(&at.path("pipe"));
    assert_eq!((made.kind, made.mode, made.device), (MadeKind::Pipe, Some(0o640), None));
}

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
