//! Files through which a write reaches the kernel or every other program. They are opened here and never written.

use std::ffi::CString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use lanner_core::event::{Access, Event, File, Open, OpenFlags, Passed, Payload, Through};

use super::stage::{after, done, file_id, perform, shell, stage};

const BOTH: Access = Access { read: true, write: true };
const WRITE: Access = Access { read: false, write: true };

fn opens(life: &[Event]) -> Vec<&Open> {
    life.iter().filter_map(|e| if let Payload::Open(open) = &e.payload { Some(open.as_ref()) } else { None }).collect()
}

/// Opens a file for writing, and expects to be told so.
fn is_told(path: &str, access: Access) {
    let Some(stage) = stage() else { return };
    let name = CString::new(path).expect("without NUL");
    let flags = if access.read { libc::O_RDWR } else { libc::O_WRONLY };
    // SAFETY: a NUL-terminated string.
    let (_, life) =
        perform(stage, &mut after(move || unsafe { done(libc::open(name.as_ptr(), flags).into()).map(|_| ()) }));
    let [open] = opens(&life)[..] else { panic!("one open of {path}: {life:?}") };
    let id = file_id(path);
    let expected = Open {
        file: File::new(path, id.dev, id.ino),
        fd: open.fd,
        access,
        created: false,
        written_before: open.written_before,
        directory: false,
        through: Through::Call,
        passed: Some(Passed { name: None, flags: OpenFlags(flags as u32), mode: 0 }),
    };
    assert_eq!(open, &expected);
    assert!(open.fd >= 3);
}

/// As [`is_told`], where this machine has the file.
fn is_told_where_it_is(path: &str, access: Access) {
    if Path::new(path).exists() { is_told(path, access) } else { lanner_tests::not_here(format!("no {path}")) }
}

#[test]
fn the_program_that_takes_core_dumps() {
    is_told("/proc/sys/kernel/core_pattern", BOTH);
}

#[test]
fn the_program_that_loads_modules() {
    is_told_where_it_is("/proc/sys/kernel/modprobe", BOTH);
}

#[test]
fn the_programs_that_run_foreign_formats() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    // The machine's own may not be mounted.
    let place = dir.path().join("binfmt_misc");
    fs::create_dir(&place).expect("made");
    let script = format!("mount -t binfmt_misc none {0} && exec 7> {0}/register", place.display());
    let (_, life) = perform(stage, Command::new("unshare").args(["-m", "sh", "-c", &script]));
    let Some(open) = opens(&life).into_iter().find(|o| o.access.write) else {
        lanner_tests::not_here("no binfmt_misc");
        return;
    };
    assert_eq!((open.file.path.to_string(), open.access), (format!("{}/register", place.display()), WRITE));
}

#[test]
fn the_program_that_hears_of_devices() {
    is_told_where_it_is("/sys/kernel/uevent_helper", BOTH);
}

#[test]
fn the_key_that_speaks_to_the_kernel() {
    is_told_where_it_is("/proc/sysrq-trigger", WRITE);
}

#[test]
fn the_program_that_runs_when_a_control_group_empties() {
    let groups = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten();
    let Some(path) = groups.map(|g| g.path().join("release_agent")).find(|p| p.exists()) else {
        lanner_tests::not_here("no control groups of version 1");
        return;
    };
    is_told(&fs::canonicalize(path).expect("its path").display().to_string(), BOTH);
}

#[test]
fn the_library_that_every_program_loads() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("ld.so.preload");
    fs::write(&path, "").expect("written");
    // By reading alone too: the name is watched.
    let (_, life) = perform(stage, &mut shell(&format!("exec 7< {0}; exec 8>> {0}", path.display())));
    let told: Vec<_> = opens(&life).iter().map(|o| (o.file.path.to_string(), o.access)).collect();
    let name = path.display().to_string();
    assert_eq!(told, [(name.clone(), Access { read: true, write: false }), (name, WRITE)]);
}

/// How a container's process overwrites the runtime that runs it: it keeps the program open, waits until nobody runs it,
/// and opens it again, for writing, through its descriptor.
#[test]
fn a_running_program_through_a_descriptor_of_it() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let runtime = dir.path().join("runtime");
    lanner_tests::executable(&runtime, &fs::read("/bin/sleep").expect("a program"));
    let mut runs = Command::new(&runtime).arg("600").stdin(Stdio::null()).spawn().expect("it runs");
    let path = CString::new(format!("/proc/{}/exe", runs.id())).expect("without NUL");
    let pid = i32::try_from(runs.id()).expect("a pid");
    let (_, life) = perform(
        stage,
        &mut after(move || {
            // SAFETY: NUL-terminated strings.
            unsafe {
                let kept = done(libc::open(path.as_ptr(), libc::O_PATH).into())?;
                libc::open(path.as_ptr(), libc::O_WRONLY);
                libc::kill(pid, libc::SIGKILL);
                let again = CString::new(format!("/proc/self/fd/{kept}"))?;
                // Whoever starts it waits for its end: until then the file is busy.
                while libc::open(again.as_ptr(), libc::O_WRONLY) < 0 {
                    libc::sched_yield();
                }
            }
            Ok(())
        }),
    );
    runs.wait().expect("it ends");
    let [open] = opens(&life)[..] else { panic!("one open: {life:?}") };
    let id = file_id(&runtime);
    assert_eq!(open.file, File::new(runtime.display().to_string(), id.dev, id.ino));
    assert_eq!((open.access, open.created), (WRITE, false));
}
