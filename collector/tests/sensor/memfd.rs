//! Files in memory, and their running later.

use std::fs;
use std::io::Write;
use std::os::fd::FromRawFd;
use std::process::Command;

use lanner_core::event::{File, MemFd, Payload};

use super::stage::{helper, perform, stage};

#[test]
fn a_file_in_memory_is_told_when_made_and_when_run() {
    let Some(stage) = stage() else { return };
    let (_, life) = perform(stage, &mut helper("memfd::runs_from_memory"));
    let made: Vec<&MemFd> =
        life.iter().filter_map(|e| if let Payload::MemFd(made) = &e.payload { Some(made) } else { None }).collect();
    let [made] = made[..] else { panic!("one file in memory: {life:?}") };
    let (id, fd) = (made.file.id, made.fd);
    assert!(made.file.is_memfd() && id.is_known() && fd >= 3);
    let file = File { deleted: true, ..File::new("memfd:evil\u{1b}", id.dev, id.ino) };
    assert_eq!(made, &MemFd { file, fd });
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
