//! The ways to call a file, and the one that is told: the kernel's.

use std::ffi::CStr;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chroot, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lanner_core::event::{AttributeChange, File, FileId, Open, Payload, Rename};

use super::place::{Place, c, named, ok, text};
use super::stage::{expect, file_id, this_thread};

/// Does something in a thread with a working directory and a root of its own.
fn apart<T: Send>(flags: i32, doing: impl FnOnce() -> T + Send) -> T {
    let own = || {
        // SAFETY: no pointers.
        ok(unsafe { libc::unshare(libc::CLONE_FS | flags) });
        doing()
    };
    std::thread::scope(|threads| threads.spawn(own).join().expect("it ends well"))
}

fn chdir(to: &Path) {
    let to = c(to);
    // SAFETY: a NUL-terminated name.
    ok(unsafe { libc::chdir(to.as_ptr()) });
}

fn mount(what: &Path, to: &Path, kind: &CStr, flags: libc::c_ulong) {
    let (what, to) = (c(what), c(to));
    // SAFETY: NUL-terminated names, and no data.
    ok(unsafe { libc::mount(what.as_ptr(), to.as_ptr(), kind.as_ptr(), flags, std::ptr::null()) });
}

/// A mount namespace's first step: what is mounted in it stays in it.
fn keep_mounts() {
    mount(Path::new("none"), Path::new("/"), c"", libc::MS_REC | libc::MS_PRIVATE);
}

impl Place {
    /// `from` was called so, and so was `to`, but this is what they are.
    fn moves(&self, id: FileId, from: &str, to: &str) {
        let expected = Rename { file: self.named(to, id), from: self.named(from, FileId::default()), exchanged: false };
        assert_eq!(self.rename(&self.path(to)), expected);
    }

    fn open(&self, path: &Path) -> Open {
        let wanted = text(path);
        expect(self.stage, &format!("an open of {}", path.display()), |e| match &e.payload {
            Payload::Open(open) if open.file.path == wanted => Some(open.as_ref().clone()),
            _ => None,
        })
    }
}

fn directory(path: &Path) -> OwnedFd {
    fs::OpenOptions::new().read(true).custom_flags(libc::O_DIRECTORY | libc::O_PATH).open(path).expect("opened").into()
}

#[test]
fn relative_to_the_working_directory() {
    let Some(at) = Place::new() else { return };
    let id = at.file("a");
    apart(0, || {
        chdir(at.dir.path());
        fs::rename("a", "b").expect("renamed");
    });
    at.moves(id, "a", "b");
}

#[test]
fn with_dots_and_slashes() {
    let Some(at) = Place::new() else { return };
    let id = at.file("a");
    fs::create_dir_all(at.path("in/deep")).expect("made");
    apart(0, || {
        chdir(&at.path("in/deep"));
        fs::rename("../.././/a", ".././deep//./..//b").expect("renamed");
    });
    at.moves(id, "a", "in/b");
}

#[test]
fn through_symbolic_links_relative_and_absolute() {
    let Some(at) = Place::new() else { return };
    let id = at.file("a");
    fs::create_dir_all(at.path("in/deep")).expect("made");
    symlink("in/deep", at.path("near")).expect("linked");
    symlink(at.path("near/.."), at.path("far")).expect("linked");
    fs::rename(at.path("a"), at.path("near/b")).expect("renamed");
    at.moves(id, "a", "in/deep/b");
    fs::rename(at.path("far/deep/b"), at.path("near/../c")).expect("renamed");
    at.moves(id, "in/deep/b", "in/c");
}

#[test]
fn relative_to_an_open_directory() {
    let Some(at) = Place::new() else { return };
    let id = at.file("a");
    fs::create_dir(at.path("in")).expect("made");
    let (here, there) = (directory(at.dir.path()), directory(&at.path("in")));
    // SAFETY: two NUL-terminated names.
    ok(unsafe { libc::renameat(here.as_raw_fd(), c"a".as_ptr(), there.as_raw_fd(), c"b".as_ptr()) });
    at.moves(id, "a", "in/b");
    // SAFETY: a NUL-terminated name.
    ok(unsafe { libc::mkdirat(there.as_raw_fd(), c"../new".as_ptr(), 0o700) });
    assert_eq!(at.make(&at.path("new")).file, at.named("new", file_id(at.path("new"))));
    // SAFETY: a NUL-terminated name.
    ok(unsafe { libc::unlinkat(there.as_raw_fd(), c"b".as_ptr(), 0) });
    assert_eq!(at.unlink(&at.path("in/b")).file, File { deleted: true, ..at.named("in/b", id) });
}

#[test]
fn through_a_bind_mount() {
    let Some(at) = Place::new() else { return };
    let id = at.file("a");
    apart(libc::CLONE_NEWNS, || {
        keep_mounts();
        fs::create_dir(at.path("door")).expect("made");
        mount(at.dir.path(), &at.path("door"), c"", libc::MS_BIND);
        fs::rename(at.path("door/a"), at.path("door/b")).expect("renamed");
    });
    at.moves(id, "door/a", "door/b");
    assert_eq!(file_id(at.path("b")), id, "the same file by another path");
}

#[test]
fn on_mounts_above_each_other() {
    let Some(at) = Place::new() else { return };
    fs::create_dir(at.path("on")).expect("made");
    let on = at.path("on");
    let id = apart(libc::CLONE_NEWNS, || {
        keep_mounts();
        mount(Path::new("none"), &on, c"tmpfs", 0);
        mount(Path::new("none"), &on, c"tmpfs", 0);
        fs::create_dir(on.join("in")).expect("made");
        let id = at.file("on/in/a");
        fs::rename(on.join("in/../in/a"), on.join("../on/b")).expect("renamed");
        id
    });
    at.moves(id, "on/in/a", "on/b");
    assert_ne!(id.dev, file_id(&on).dev);
}

#[test]
fn below_another_root() {
    let Some(at) = Place::new() else { return };
    let id = at.file("a");
    fs::create_dir(at.path("in")).expect("made");
    symlink("/in", at.path("link")).expect("linked");
    apart(0, || {
        chroot(at.dir.path()).expect("it is the root");
        chdir(Path::new("/"));
        fs::rename("/../../a", "/link/b").expect("renamed");
    });
    at.moves(id, "a", "in/b");
}

#[test]
fn through_the_links_of_proc() {
    let Some(at) = Place::new() else { return };
    let id = at.file("a");
    let here = directory(at.dir.path());
    fs::rename(format!("/proc/self/fd/{}/a", here.as_raw_fd()), at.path("b")).expect("renamed");
    at.moves(id, "a", "b");
    let file = fs::File::open(at.path("b")).expect("opened");
    let link = format!("/proc/self/fd/{}", file.as_raw_fd());
    fs::set_permissions(link, fs::Permissions::from_mode(0o751)).expect("set");
    let set = at.attribute(&at.path("b"), |c| matches!(c, AttributeChange::Mode { now: Some(0o751), .. }));
    assert_eq!(set.file, at.named("b", id));
    apart(0, || {
        chdir(at.dir.path());
        // The process's own, which is not this thread's.
        fs::rename(format!("/proc/self/root{}", at.path("b").display()), "c").expect("renamed");
    });
    at.moves(id, "b", "c");
}

/// A shell in a mount namespace of its own, with a file system there that nobody else sees, which waits to be told to end.
fn neighbour(on: &Path) -> std::process::Child {
    let script = format!("mount -t tmpfs none {0} && echo x > {0}/a && echo ready && read end", on.display());
    let mut child = Command::new("unshare")
        .args(["-m", "sh", "-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut ready = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut ready).expect("it says");
    assert_eq!(ready, "ready\n");
    child
}

#[test]
fn through_the_root_of_a_process_in_another_mount_namespace() {
    let Some(at) = Place::new() else { return };
    let on = at.path("on");
    fs::create_dir(&on).expect("made");
    let mut child = neighbour(&on);
    let theirs = PathBuf::from(format!("/proc/{}/root{}", child.id(), on.display()));
    let id = file_id(theirs.join("a"));
    fs::rename(theirs.join("a"), theirs.join("b")).expect("renamed");
    let expected = Rename { file: at.named("on/b", id), from: at.named("on/a", FileId::default()), exchanged: false };
    assert_eq!(at.rename(&on.join("b")), expected, "the path as that process sees it");
    assert!(!on.join("b").exists(), "and nobody else does");
    fs::remove_file(theirs.join("b")).expect("removed");
    assert_eq!(at.unlink(&on.join("b")).file, File { deleted: true, ..at.named("on/b", id) });
    child.stdin.take().expect("its input").write_all(b"end\n").expect("told");
    child.wait().expect("it ends");
}

#[test]
fn a_file_that_gets_its_first_name_late() {
    let Some(at) = Place::new() else { return };
    let unnamed = fs::OpenOptions::new().write(true).custom_flags(libc::O_TMPFILE).open(at.dir.path()).expect("made");
    let (link, name) = (c(format!("/proc/self/fd/{}", unnamed.as_raw_fd())), c(at.path("late")));
    // SAFETY: two NUL-terminated names.
    ok(unsafe { libc::linkat(libc::AT_FDCWD, link.as_ptr(), libc::AT_FDCWD, name.as_ptr(), libc::AT_SYMLINK_FOLLOW) });
    let id = file_id(at.path("late"));
    let opened = expect(at.stage, "the file is made", |e| match &e.payload {
        // It has no name yet, and its number may have been that of another's file, which is gone.
        Payload::Open(open) if open.file.id == id && e.header.tid == this_thread() => Some(open.as_ref().clone()),
        _ => None,
    });
    assert!(opened.access.write && opened.file.deleted && !opened.file.as_passed, "{opened:?}");
    let named = at.link(&at.path("late"));
    assert_eq!((named.file, named.target.id, named.symbolic), (at.named("late", id), id, false));
    assert!(!named.target.as_passed);
}

#[test]
fn opened_by_handle() {
    let Some(at) = Place::new() else { return };
    let id = at.file("a");
    let name = c(at.path("a"));
    let mut handle = [0u32; 34];
    handle[0] = 128;
    let mut mount_id = 0;
    // SAFETY: a name, a handle with room for 128 bytes as its head says, and a live number.
    ok(unsafe {
        libc::syscall(
            libc::SYS_name_to_handle_at,
            libc::AT_FDCWD,
            name.as_ptr(),
            handle.as_mut_ptr(),
            &raw mut mount_id,
            0,
        )
    });
    let here = fs::File::open(at.dir.path()).expect("opened");
    // SAFETY: a handle as the call before filled it in.
    let fd = unsafe { libc::syscall(libc::SYS_open_by_handle_at, here.as_raw_fd(), handle.as_ptr(), libc::O_RDWR) };
    ok(fd);
    // SAFETY: just made, and owned by nobody else.
    let _file = unsafe { OwnedFd::from_raw_fd(fd as i32) };
    let wanted = text(&at.path("a"));
    let opened = expect(at.stage, "the file is opened", |e| match &e.payload {
        // It was made by opening it to write only.
        Payload::Open(open) if open.file.path == wanted && open.access.read => Some(open.as_ref().clone()),
        _ => None,
    });
    assert_eq!((opened.file, i64::from(opened.fd)), (at.named("a", id), fd));
}

#[test]
fn opened_below_a_directory_as_if_it_were_the_root() {
    let Some(at) = Place::new() else { return };
    fs::create_dir(at.path("in")).expect("made");
    symlink("/in", at.path("link")).expect("linked");
    let here = directory(at.dir.path());
    // SAFETY: all zeros is a valid value.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = (libc::O_WRONLY | libc::O_CREAT) as u64;
    how.mode = 0o600;
    how.resolve = libc::RESOLVE_IN_ROOT;
    // SAFETY: a NUL-terminated name, and a live structure of the size given.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_openat2,
            here.as_raw_fd(),
            c"/../link/a".as_ptr(),
            &raw const how,
            size_of::<libc::open_how>(),
        )
    };
    ok(fd);
    // SAFETY: just made, and owned by nobody else.
    let _file = unsafe { OwnedFd::from_raw_fd(fd as i32) };
    let opened = at.open(&at.path("in/a"));
    assert_eq!((opened.file, opened.created), (at.named("in/a", file_id(at.path("in/a"))), true));
}

#[test]
fn descriptors_that_only_name_a_file_open_nothing() {
    let Some(at) = Place::new() else { return };
    at.file("named");
    let name = at.path("named");
    let open = |flags| fs::OpenOptions::new().write(true).custom_flags(flags).open(&name).expect("opened");
    let only_named = open(libc::O_PATH);
    let opened = open(0);
    assert_ne!(only_named.as_raw_fd(), opened.as_raw_fd());
    let told = expect(at.stage, "the open", |e| match &e.payload {
        Payload::Open(o) if o.file.path == text(&name) && o.fd == opened.as_raw_fd() => Some(o.fd),
        _ => None,
    });
    assert_eq!(told, opened.as_raw_fd());
    let seen = at.stage.seen();
    let other = seen.iter().filter(|e| match &e.payload {
        Payload::Open(o) => o.file.path == text(&name) && o.fd == only_named.as_raw_fd() && !o.created,
        _ => false,
    });
    assert_eq!(other.count(), 0);
}

#[test]
fn what_the_cache_does_not_tell_is_told_as_it_was_called_or_by_the_kernel_itself() {
    let Some(at) = Place::new() else { return };
    let exact = ["mkdir", "rename", "chmod"].iter().all(|call| at.stage.has(&format!("security_path_{call}")));
    fs::create_dir(at.path("in")).expect("made");
    // A link's text that is too long to lie in its inode is in a page, which no program can read.
    let long = format!("{}in", "./".repeat(400));
    symlink(&long, at.path("long")).expect("linked");
    fs::create_dir(at.path("long/.//new/")).expect("made");
    let told = |name: &str, id| {
        if exact {
            named(&at.path("in").join(name), id)
        } else {
            File { as_passed: true, ..named(&at.path("long").join(name), id) }
        }
    };
    let new = if exact { file_id(at.path("in/new")) } else { FileId::default() };
    let made = at.make(&at.path(if exact { "in/new" } else { "long/new" }));
    assert_eq!((made.file, made.mode), (told("new", new), exact.then_some(0o755)));
    // What is moved is known all the same, by the name that it had.
    let id = at.file("a");
    fs::rename(at.path("a"), at.path("long/b")).expect("renamed");
    let moved = at.rename(&at.path(if exact { "in/b" } else { "long/b" }));
    assert_eq!((moved.file, moved.from), (told("b", id), at.named("a", FileId::default())));
    // And what is removed is not.
    fs::remove_file(at.path("long/b")).expect("removed");
    let gone = at.unlink(&at.path(if exact { "in/b" } else { "long/b" }));
    let expected = File { deleted: exact, ..told("b", if exact { id } else { FileId::default() }) };
    assert_eq!((gone.file, gone.links), (expected, exact.then_some(0)));
    fs::set_permissions(at.path("long/new"), fs::Permissions::from_mode(0o1700)).expect("set");
    let set = at.attribute(&at.path(if exact { "in/new" } else { "long/new" }), |_| true);
    let change = AttributeChange::Mode { before: exact.then_some(0o755), now: exact.then_some(0o1700) };
    assert_eq!((set.file, set.change), (told("new", new), change));
}
