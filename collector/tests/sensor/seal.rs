//! Seals on files in memory, and their running later.

use std::fs;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd};

use lanner_core::event::{Event, MemFd, Payload, Seal, Seals};

use super::images::exec_fd;
use super::stage::{helper, perform, stage};

#[test]
fn a_file_in_memory_is_made_sealed_and_run() {
    let Some(stage) = stage() else { return };
    let (_, life) = perform(stage, &mut helper("seal::seals_and_runs"));
    let is = |e: &Event| matches!(e.payload, Payload::MemFd(_) | Payload::Seal(_) | Payload::Exec(_));
    let told: Vec<&Payload> = life.iter().filter(|e| is(e)).map(|e| &e.payload).skip(1).collect();
    let [Payload::MemFd(MemFd { file, fd }), Payload::Seal(first), Payload::Seal(second), Payload::Exec(run)] =
        told[..]
    else {
        panic!("made, sealed twice and run: {life:?}")
    };
    let gone = |mut file: lanner_core::event::File| {
        file.deleted = true;
        file
    };
    let file = gone(file.clone());
    assert_eq!(file.path, "memfd:sealed");
    let seal = Seal { file: file.clone(), fd: *fd, added: Seals(2 | 4), before: Seals(0) };
    assert_eq!(gone(first.file.clone()), file);
    assert_eq!(Seal { file: file.clone(), ..first.as_ref().clone() }, seal);
    assert_eq!(seal.added.names().collect::<Vec<_>>(), ["shrink", "grow"]);
    assert_eq!((second.added, second.before), (Seals(1 | 8), Seals(2 | 4)));
    assert_eq!((&run.image.exe.path, run.image.exe.id), (&file.path, file.id));
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn seals_and_runs() {
    // SAFETY: the name is NUL-terminated.
    let fd = unsafe { libc::memfd_create(c"sealed".as_ptr(), libc::MFD_ALLOW_SEALING) };
    assert!(fd >= 0);
    // SAFETY: just made, and owned by nobody else.
    let mut file = unsafe { fs::File::from_raw_fd(fd) };
    file.write_all(&fs::read("/bin/true").expect("a program")).expect("written");
    // SAFETY: no pointers.
    let seal = |fd: i32, seals: i32| unsafe { libc::fcntl(fd, libc::F_ADD_SEALS, seals) };
    assert_eq!(seal(fd, libc::F_SEAL_SHRINK | libc::F_SEAL_GROW), 0);
    assert_eq!(seal(fd, libc::F_SEAL_WRITE | libc::F_SEAL_SEAL), 0);
    assert_eq!(seal(fd, libc::F_SEAL_SHRINK), -1, "sealed against sealing: no news");
    let null = fs::File::open("/dev/null").expect("null");
    assert_eq!(seal(null.as_raw_fd(), libc::F_SEAL_SHRINK), -1, "no file in memory: no news");
    let again = fs::File::open(format!("/proc/self/fd/{fd}")).expect("opened to read");
    drop(file);
    panic!("{}", exec_fd(again.as_raw_fd()));
}
