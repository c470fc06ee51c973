//! Files opened, and files in memory.

use std::fs;
use std::io::Write;
use std::os::fd::FromRawFd;
use std::os::unix::fs::symlink;
use std::process::Command;

use lanner_core::event::{Access, Event, File, MemFd, Open, Payload, Through};

use super::stage::{file_id, helper, perform, shell, stage};

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

#[test]
fn a_file_in_memory_is_told_when_made_and_when_run() {
    let Some(stage) = stage() else { return };
    let (_, life) = perform(stage, &mut helper("files::runs_from_memory"));
    let made: Vec<&MemFd> =
        life.iter().filter_map(|e| if let Payload::MemFd(made) = &e.payload { Some(made) } else { None }).collect();
    let [made] = made[..] else { panic!("one file in memory: {life:?}") };
    assert_eq!(made.file.path, "memfd:evil\u{1b}");
    assert!(made.file.is_memfd() && made.file.id.is_known() && made.fd >= 3 && !made.file.truncated);
    let Some(run) =
        life.iter().rev().find_map(|e| if let Payload::Exec(exec) = &e.payload { Some(&exec.image) } else { None })
    else {
        panic!("an exec: {life:?}")
    };
    assert_eq!((&run.exe.path, run.exe.id), (&made.file.path, made.file.id));
    assert!(run.exe.deleted);
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn runs_from_memory() {
    use std::os::unix::process::CommandExt;
    // SAFETY: the name is NUL-terminated.
    let fd = unsafe { libc::memfd_create(c"evil\x1b".as_ptr(), 0) };
    assert!(fd >= 0);
    // SAFETY: just made, and owned by nobody else.
    let mut file = unsafe { fs::File::from_raw_fd(fd) };
    file.write_all(&fs::read("/bin/true").expect("a program")).expect("written");
    let path = format!("/proc/self/fd/{fd}");
    // Open for reading, so that it may be run while this descriptor is not closed on exec.
    panic!("{}", Command::new(path).exec());
}
