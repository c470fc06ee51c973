//! Files opened.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use lanner_core::event::{Access, Event, File, Open, OpenFlags, Passed, Payload, Through};

use super::stage::{after, done, file_id, perform, shell, stage};

const READ: Access = Access { read: true, write: false };
const WRITE: Access = Access { read: false, write: true };

fn opens(life: &[Event]) -> Vec<&Open> {
    life.iter().filter_map(|e| if let Payload::Open(open) = &e.payload { Some(open.as_ref()) } else { None }).collect()
}

#[test]
fn a_written_file_links_its_writer_to_each_reader_once() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("loot");
    let name = path.display().to_string();
    let (_, writer) = perform(stage, &mut shell(&format!("echo x > {name}")));
    let id = file_id(&path);
    let file = File::new(name.as_str(), id.dev, id.ino);
    let [open] = opens(&writer)[..] else { panic!("one open: {writer:?}") };
    assert!(open.fd >= 3, "{open:?}");
    assert_eq!(
        open,
        &Open {
            file: file.clone(),
            fd: open.fd,
            access: WRITE,
            created: true,
            written_before: false,
            directory: false,
            through: Through::Call,
            passed: Some(Passed { name: None, flags: OpenFlags(0o1_101), mode: 0o666 }),
        }
    );

    let (_, reader) = perform(stage, &mut shell(&format!("exec 7< {name}; exec 8< {name}")));
    let [open] = opens(&reader)[..] else { panic!("one open: {reader:?}") };
    assert_eq!(open.file, file);
    assert_eq!((open.access, open.created, open.written_before), (READ, false, true));

    let (_, second) = perform(stage, &mut shell(&format!("echo y >> {name}")));
    let [open] = opens(&second)[..] else { panic!("one open: {second:?}") };
    assert_eq!((open.access, open.created, open.written_before), (WRITE, false, true));
}

#[test]
fn what_nobody_wrote_and_nobody_watches_is_not_told() {
    let Some(stage) = stage() else { return };
    let script = "read x < /etc/hostname; echo x > /dev/null; echo x > /proc/self/comm; exec 5< /; exec 6< /missing";
    let (_, life) = perform(stage, &mut shell(script));
    assert_eq!(opens(&life), Vec::<&Open>::new());
}

#[test]
fn watched_names_are_told_when_read_be_it_the_file_or_a_folder_above() {
    let Some(stage) = stage() else { return };
    let (_, life) = perform(stage, &mut shell("exec 7< /etc/shadow"));
    let [open] = opens(&life)[..] else { panic!("one open: {life:?}") };
    assert_eq!((open.file.path.to_string().as_str(), open.file.id), ("/etc/shadow", file_id("/etc/shadow")));
    assert_eq!((open.access, open.written_before, open.directory), (READ, false, false));

    let dir = tempfile::tempdir().expect("a folder");
    let below = dir.path().join("manifests/a/b");
    fs::create_dir_all(&below).expect("folders");
    let (_, life) = perform(stage, &mut shell(&format!("exec 7< {}", below.display())));
    let [open] = opens(&life)[..] else { panic!("one open: {life:?}") };
    assert_eq!(open.file.path.to_string(), below.display().to_string());
    assert!(open.directory && !open.access.write);

    let far = below.join("c/d");
    fs::create_dir_all(&far).expect("folders");
    let (_, life) = perform(stage, &mut shell(&format!("exec 7< {}", far.display())));
    assert_eq!(opens(&life), Vec::<&Open>::new(), "too far below");
}

#[test]
fn a_file_is_what_a_link_leads_to() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let (real, link) = (dir.path().join("real"), dir.path().join("link"));
    fs::write(&real, "x").expect("written");
    symlink(&real, &link).expect("linked");
    let (_, life) = perform(stage, &mut shell(&format!("echo x > {}", link.display())));
    let [open] = opens(&life)[..] else { panic!("one open: {life:?}") };
    assert_eq!(open.file.path.to_string(), real.display().to_string());
    assert!(!open.created);
}

#[test]
fn an_open_is_told_with_what_was_passed() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir(dir.path().join("in")).expect("made");
    fs::write(dir.path().join("there"), "x").expect("written");
    symlink("there", dir.path().join("link")).expect("linked");
    let within = std::ffi::CString::new(dir.path().join("in").display().to_string()).expect("a path");
    // struct open_how: flags, permissions, and how to resolve.
    let how = [(libc::O_CREAT | libc::O_RDWR | libc::O_CLOEXEC) as u64, 0o750, 0];
    let (_, life) = perform(
        stage,
        &mut after(move || {
            let flags = libc::O_WRONLY | libc::O_APPEND;
            // SAFETY: NUL-terminated names, and a struct of the size given.
            unsafe {
                done(libc::chdir(within.as_ptr()).into())?;
                done(libc::open(c"../in/./../there".as_ptr(), flags).into())?;
                done(libc::openat(libc::AT_FDCWD, c"../link".as_ptr(), libc::O_WRONLY | libc::O_TRUNC).into())?;
                done(libc::syscall(
                    libc::SYS_openat2,
                    libc::AT_FDCWD,
                    c"tool".as_ptr(),
                    how.as_ptr(),
                    size_of_val(&how),
                ))?;
                #[cfg(target_arch = "x86_64")]
                {
                    done(libc::syscall(libc::SYS_open, c"old".as_ptr(), libc::O_CREAT | libc::O_EXCL | 1, 0o640))?;
                    done(libc::syscall(libc::SYS_creat, c"older".as_ptr(), 0o600))?;
                }
            }
            Ok(())
        }),
    );
    let told: Vec<(Option<String>, Vec<&str>, u16, String)> = opens(&life)
        .iter()
        .map(|open| {
            let passed = open.passed.as_ref().unwrap_or_else(|| panic!("what was passed: {open:?}"));
            let name = passed.name.as_ref().map(ToString::to_string);
            let path = open.file.path.to_string().replace(&dir.path().display().to_string(), "");
            (name, passed.flags.names().collect(), passed.mode, path)
        })
        .collect();
    let row = |name: &str, flags: &[&'static str], mode, path: &str| {
        (Some(name.to_owned()), flags.to_vec(), mode, path.to_owned())
    };
    let mut expected = vec![
        row("../in/./../there", &["O_WRONLY", "O_APPEND"], 0, "/there"),
        row("../link", &["O_WRONLY", "O_TRUNC"], 0, "/there"),
        row("tool", &["O_RDWR", "O_CREAT", "O_CLOEXEC"], 0o750, "/in/tool"),
    ];
    if cfg!(target_arch = "x86_64") {
        expected.push(row("old", &["O_WRONLY", "O_CREAT", "O_EXCL"], 0o640, "/in/old"));
        expected.push(row("older", &["O_WRONLY", "O_CREAT", "O_TRUNC"], 0o600, "/in/older"));
    }
    assert_eq!(told, expected);
    assert!(opens(&life)[2].passed.as_ref().is_some_and(Passed::makes_program));
}

#[test]
fn paths_cross_the_mounts_of_the_process_that_uses_them() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let script = format!("mount -t tmpfs none {0} && mkdir {0}/in && echo x > {0}/in/file", dir.path().display());
    let (_, life) = perform(stage, Command::new("unshare").args(["-m", "sh", "-c", &script]));
    let [open] = opens(&life)[..] else { panic!("one open: {life:?}") };
    assert_eq!(open.file.path.to_string(), format!("{}/in/file", dir.path().display()));
    assert_ne!(open.file.id.dev, file_id(dir.path()).dev, "on the file system that only it sees");
}

#[test]
fn a_file_without_a_name_is_told_as_such() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let name = dir.path().join("gone").display().to_string();
    let (_, life) = perform(stage, &mut shell(&format!("exec 7> {name}; rm {name}; echo x > /proc/self/fd/7")));
    let [first, second] = opens(&life)[..] else { panic!("two opens: {life:?}") };
    assert!(first.created && !first.file.deleted);
    assert!(second.file.deleted && second.file.id == first.file.id, "{second:?}");
    assert_eq!(second.file.path, first.file.path);
}
