//! Roots and mounts, in mount namespaces of their own.

use std::ffi::CString;
use std::fs;
use std::io;

use std::os::unix::fs::symlink;
use std::path::Path;

use lanner_core::event::{Call, Event, Family, File, FileId, Mount, Payload, RootChange, Text};

use super::stage::{after, done, file_id, namespace, perform, stage};

fn mounts(life: &[Event]) -> Vec<&Mount> {
    life.iter()
        .filter_map(|e| if let Payload::Mount(mount) = &e.payload { Some(mount.as_ref()) } else { None })
        .collect()
}

fn roots(life: &[Event]) -> Vec<&RootChange> {
    life.iter().filter_map(|e| if let Payload::Root(root) = &e.payload { Some(root.as_ref()) } else { None }).collect()
}

fn c(path: impl AsRef<Path>) -> CString {
    CString::new(path.as_ref().to_str().expect("a path in UTF-8")).expect("without NUL")
}

/// A mount namespace of the caller's own, from which nothing gets out: one mount.
fn apart() -> io::Result<()> {
    // SAFETY: constants, and pointers that may be null.
    unsafe {
        done(libc::unshare(libc::CLONE_NEWNS).into())?;
        let null = std::ptr::null();
        done(libc::mount(null, c"/".as_ptr(), null, libc::MS_REC | libc::MS_PRIVATE, null.cast()).into())?;
    }
    Ok(())
}

/// The mount namespace that the process of these events made.
fn made_namespace(life: &[Event]) -> u32 {
    let made = life.iter().find_map(|e| if let Payload::Namespace(n) = &e.payload { Some(n.now.mnt) } else { None });
    let made = made.expect("a namespace of its own");
    assert_ne!(made, namespace("self", "mnt"));
    made
}

/// What [`apart`] does.
fn made_private(namespace: u32) -> Mount {
    Mount { flags: libc::MS_REC | libc::MS_PRIVATE, place: folder(Path::new("/")), ..words("mount", "", "", namespace) }
}

/// A directory as it is now.
fn folder(path: &Path) -> File {
    let id = file_id(path);
    File::new(path.display().to_string(), id.dev, id.ino)
}

fn root_call(name: &str) -> Call {
    Call::of(Family::Root, name).expect("a call")
}

/// A call of which no more is known.
fn words(call: &str, source: &str, place: &str, namespace: u32) -> Mount {
    let call = Call::of(Family::Mount, call).expect("a call");
    Mount {
        call,
        source: source.into(),
        place: File { path: place.into(), ..File::default() },
        fs_type: Text::empty(),
        flags: 0,
        key: Text::empty(),
        options: Text::empty(),
        namespace,
        errno: 0,
    }
}

#[test]
fn a_mount_is_told_as_the_kernel_resolved_it() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let real = dir.path().join("real");
    fs::create_dir(&real).expect("made");
    symlink("real", dir.path().join("link")).expect("linked");
    let at = c(dir.path());
    let (_, life) = perform(
        stage,
        &mut after(move || {
            apart()?;
            // SAFETY: NUL-terminated strings.
            unsafe {
                done(libc::chdir(at.as_ptr()).into())?;
                let options = c"size=4096k".as_ptr().cast();
                let place = c"link/../link".as_ptr();
                done(libc::mount(c"loot".as_ptr(), place, c"tmpfs".as_ptr(), libc::MS_NOSUID, options).into())?;
                done(
                    libc::mount(c"real".as_ptr(), c"real".as_ptr(), c"".as_ptr(), libc::MS_BIND, std::ptr::null())
                        .into(),
                )?;
                done(libc::umount2(c"./real".as_ptr(), libc::MNT_DETACH).into())?;
                libc::mount(c"x".as_ptr(), c"/no/such/place".as_ptr(), c"tmpfs".as_ptr(), 0, std::ptr::null());
            }
            Ok(())
        }),
    );
    let ns = made_namespace(&life);
    let place = real.display().to_string();
    let told = mounts(&life);
    let [private, mount, bind, umount, failed] = told[..] else { panic!("five calls: {told:?}") };
    assert_eq!(private, &made_private(ns));
    let root = FileId { dev: mount.place.id.dev, ino: 1 };
    assert!(root.dev != 0 && root.dev != file_id(dir.path()).dev, "a file system of its own");
    let at_root = Mount { place: File { id: root, ..folder(&real) }, ..words("mount", "loot", "", ns) };
    let tmpfs = Mount { fs_type: "tmpfs".into(), ..at_root.clone() };
    assert_eq!(mount, &Mount { flags: libc::MS_NOSUID, options: "size=4096k".into(), ..tmpfs.clone() });
    assert_eq!(bind, &Mount { flags: libc::MS_BIND, source: place.as_str().into(), ..tmpfs });
    // Beneath what was bound there is what it was bound from.
    let (flags, call) = (libc::MNT_DETACH.try_into().expect("a flag"), words("umount2", "", "", ns).call);
    assert_eq!(umount, &Mount { call, flags, source: "".into(), ..at_root });
    let nowhere = File { path: "/no/such/place".into(), as_passed: true, ..File::default() };
    assert_eq!(failed, &Mount { fs_type: "tmpfs".into(), errno: 2, place: nowhere, ..words("mount", "x", "", ns) });
}

#[test]
fn mounts_by_descriptors_are_told_step_by_step() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    fs::create_dir(&a).expect("made");
    fs::create_dir(&b).expect("made");
    let (at_a, at_b) = (c(&a), c(&b));
    // Linux 5.12.
    let has_setattr = Path::new("/sys/kernel/tracing/events/syscalls/sys_exit_mount_setattr").exists();
    let (_, life) = perform(
        stage,
        &mut after(move || {
            apart()?;
            // SAFETY: NUL-terminated strings, and descriptors just made.
            unsafe {
                let fs = done(libc::syscall(libc::SYS_fsopen, c"tmpfs".as_ptr(), 0))?;
                let (set, create) = (1, 6);
                done(libc::syscall(libc::SYS_fsconfig, fs, set, c"source".as_ptr(), c"loot".as_ptr(), 0))?;
                done(libc::syscall(libc::SYS_fsconfig, fs, create, 0, 0, 0))?;
                let mount = done(libc::syscall(libc::SYS_fsmount, fs, 0, MOUNT_ATTR_NOEXEC))?;
                let (empty, whole) = (c"".as_ptr(), 4);
                let here = libc::AT_FDCWD;
                done(libc::syscall(libc::SYS_move_mount, mount, empty, here, at_a.as_ptr(), whole))?;
                let clone = libc::OPEN_TREE_CLONE;
                let tree = done(libc::syscall(libc::SYS_open_tree, here, at_a.as_ptr(), clone))?;
                done(libc::syscall(libc::SYS_move_mount, tree, empty, here, at_b.as_ptr(), whole))?;
                let attributes = [MOUNT_ATTR_RDONLY, 0, 0, 0];
                let set = |words: *const libc::c_char| {
                    libc::syscall(libc::SYS_mount_setattr, tree, words, libc::AT_EMPTY_PATH, attributes.as_ptr(), 32)
                };
                if has_setattr {
                    done(set(empty))?;
                }
                libc::syscall(libc::SYS_fsopen, c"nosuchfs".as_ptr(), 0);
            }
            Ok(())
        }),
    );
    const MOUNT_ATTR_RDONLY: u64 = 1;
    const MOUNT_ATTR_NOEXEC: u64 = 8;
    let ns = made_namespace(&life);
    let told = mounts(&life);
    let id = told.iter().find(|m| m.call.name() == "move_mount").expect("it is moved").place.id;
    assert!(id.is_known());
    let at = |path: &Path, call: &str, source: &str| Mount {
        place: File { id, ..folder(path) },
        fs_type: if call == "move_mount" { "tmpfs".into() } else { Text::empty() },
        ..words(call, source, "", ns)
    };
    let step =
        |call: &str, source: &str, flags: u64| Mount { flags, fs_type: "tmpfs".into(), ..words(call, source, "", ns) };
    let expected = [
        made_private(ns),
        step("fsopen", "", 0),
        Mount { key: "source".into(), options: "loot".into(), ..step("fsconfig", "", 1) },
        step("fsconfig", "", 6),
        step("fsmount", "loot", MOUNT_ATTR_NOEXEC),
        Mount { flags: 4, ..at(&a, "move_mount", "loot") },
        Mount { flags: 1, ..words("open_tree", &a.display().to_string(), "", ns) },
        Mount { flags: 4, ..at(&b, "move_mount", "loot") },
        Mount { flags: MOUNT_ATTR_RDONLY, ..at(&b, "mount_setattr", "") },
        Mount { fs_type: "nosuchfs".into(), errno: 19, ..words("fsopen", "", "", ns) },
    ];
    let can_be = |m: &&Mount| has_setattr || m.call.name() != "mount_setattr";
    assert_eq!(told, expected.iter().filter(can_be).collect::<Vec<_>>());
}

#[test]
fn a_new_root_is_told_with_the_old_one() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir(dir.path().join("usr")).expect("made");
    let (at, inside) = (c(dir.path()), c(dir.path().join("usr")));
    let (_, life) = perform(
        stage,
        &mut after(move || {
            apart()?;
            // SAFETY: NUL-terminated strings.
            unsafe {
                done(libc::chroot(at.as_ptr()).into())?;
                if libc::fork() == 0 {
                    libc::_exit(0);
                }
                // A second one frees who kept a directory outside: this one has none.
                done(libc::chroot(c"/usr".as_ptr()).into())?;
                // Nothing to run in there: this is where it ends.
                libc::chroot(inside.as_ptr());
                libc::_exit(0)
            }
        }),
    );
    let ns = made_namespace(&life);
    let told = roots(&life);
    let [first, second, failed] = told[..] else { panic!("three calls: {told:?}") };
    let root = RootChange {
        call: root_call("chroot"),
        now: folder(dir.path()),
        before: folder(Path::new("/")),
        namespace: ns,
        errno: 0,
    };
    assert_eq!(first, &root);
    let deeper = RootChange { now: folder(&dir.path().join("usr")), before: root.now.clone(), ..root.clone() };
    assert_eq!(second, &deeper);
    let path = format!("{0}/usr{0}/usr", dir.path().display());
    let asked = File { as_passed: true, ..File::new(path, 0, 0) };
    let kept = RootChange { now: asked, before: deeper.now, errno: libc::ENOENT as u32, ..root.clone() };
    assert_eq!(failed, &kept);
    let inherits = |e: &Event| match &e.payload {
        Payload::Fork(fork) => fork.task.context.root == root.now.id,
        _ => false,
    };
    assert!(life.iter().any(inherits), "a child begins in its parent's root: {life:?}");
}

#[test]
fn pivot_root_is_told_with_where_the_old_root_went() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir(dir.path().join("old")).expect("made");
    let (new, old) = (c(dir.path()), c(dir.path().join("old")));
    let (_, life) = perform(
        stage,
        &mut after(move || {
            apart()?;
            // SAFETY: NUL-terminated strings, and pointers that may be null.
            unsafe {
                let null = std::ptr::null();
                done(libc::mount(new.as_ptr(), new.as_ptr(), null, libc::MS_BIND, null.cast()).into())?;
                done(libc::syscall(libc::SYS_pivot_root, new.as_ptr(), old.as_ptr()))?;
                libc::_exit(0)
            }
        }),
    );
    let told = roots(&life);
    let [change] = told[..] else { panic!("one root: {told:?}") };
    let (now, before) = (file_id(dir.path()), file_id("/"));
    let expected = RootChange {
        call: root_call("pivot_root"),
        now: File::new("/", now.dev, now.ino),
        before: File::new("/old", before.dev, before.ino),
        namespace: made_namespace(&life),
        errno: 0,
    };
    assert_eq!(change, &expected);
}

/// The file as the kernel resolves it is told also of those who may not have it for a root.
#[test]
fn a_root_that_is_refused_is_told_with_what_was_asked_for() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::chown(dir.path(), Some(65_534), None).expect("given");
    fs::create_dir(dir.path().join("jail")).expect("made");
    symlink("jail", dir.path().join("link")).expect("linked");
    let (at, same) = (c(dir.path()), c(dir.path().join("link/../link")));
    let (_, life) = perform(
        stage,
        &mut after(move || {
            // SAFETY: NUL-terminated strings.
            unsafe {
                libc::syscall(libc::SYS_pivot_root, c"/no/such/root".as_ptr(), at.as_ptr());
                done(libc::chdir(at.as_ptr()).into())?;
                done(libc::setuid(65_534).into())?;
                libc::chroot(c"link".as_ptr());
                libc::syscall(libc::SYS_pivot_root, same.as_ptr(), same.as_ptr());
            }
            Ok(())
        }),
    );
    let asked = |call, now, errno: i32| RootChange {
        call: root_call(call),
        now,
        before: folder(Path::new("/")),
        namespace: namespace("self", "mnt"),
        errno: errno as u32,
    };
    let jail = folder(&dir.path().join("jail"));
    let nowhere = File { as_passed: true, ..File::new("/no/such/root", 0, 0) };
    let expected = [
        asked("pivot_root", nowhere, libc::ENOENT),
        asked("chroot", jail.clone(), libc::EPERM),
        asked("pivot_root", jail, libc::EPERM),
    ];
    assert_eq!(roots(&life), expected.iter().collect::<Vec<_>>());
}
