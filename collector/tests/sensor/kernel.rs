//! Modules and other kernels: only what the kernel refuses.

use std::ffi::{CString, c_void};
use std::fs;
use std::os::fd::AsRawFd as _;
use std::path::Path;

use lanner_core::event::{Call, Event, Family, File, KernelLoad, Payload, Text};

use super::stage::{after, file_id, perform, stage};

fn loads(life: &[Event]) -> Vec<KernelLoad> {
    life.iter()
        .filter_map(|e| if let Payload::Kernel(load) = &e.payload { Some(*load.clone()) } else { None })
        .collect()
}

fn has_call(name: &str) -> bool {
    let found = Path::new(&format!("/sys/kernel/tracing/events/syscalls/sys_exit_{name}")).exists();
    if !found {
        lanner_tests::not_here(format!("no {name}"));
    }
    found
}

fn file(path: &Path) -> File {
    let id = file_id(path);
    File::new(path.display().to_string(), id.dev, id.ino)
}

/// A string that lies in memory: what a program never touched, and the kernel did not get to, cannot be read.
fn written(words: &str) -> CString {
    CString::new(words).expect("without NUL")
}

fn nothing(call: &str, errno: u32) -> KernelLoad {
    let call = Call::of(Family::Kernel, call).expect("a call");
    KernelLoad { call, file: None, ramdisk: None, words: Text::empty(), size: 0, flags: 0, errno }
}

#[test]
fn modules_are_told_though_they_be_refused() {
    let Some(stage) = stage() else { return };
    if !has_call("finit_module") {
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("rootkit.ko");
    fs::write(&path, "no module at all").expect("written");
    let open = fs::File::open(&path).expect("it is there");
    let fd = open.as_raw_fd();
    let [by_file, by_memory, name] = ["hide=1", "hide=2", "no_such_module"].map(written);
    let (_, life) = perform(
        stage,
        &mut after(move || {
            // SAFETY: NUL-terminated strings, and as many bytes as said.
            unsafe {
                libc::syscall(libc::SYS_finit_module, fd, by_file.as_ptr(), 0);
                libc::syscall(libc::SYS_init_module, c"junk".as_ptr(), 4, by_memory.as_ptr());
                libc::syscall(libc::SYS_delete_module, name.as_ptr(), libc::O_NONBLOCK);
            }
            Ok(())
        }),
    );
    let told = loads(&life);
    let [by_file, by_memory, deleted] = &told[..] else { panic!("three calls: {told:?}") };
    assert!(by_file.errno != 0 && by_memory.errno != 0, "refused");
    let by_name = nothing("finit_module", by_file.errno);
    assert_eq!(*by_file, KernelLoad { file: Some(file(&path)), words: "hide=1".into(), ..by_name });
    let by_bytes = nothing("init_module", by_memory.errno);
    assert_eq!(*by_memory, KernelLoad { size: 4, words: "hide=2".into(), ..by_bytes });
    let flags = libc::O_NONBLOCK.try_into().expect("a flag");
    let gone = nothing("delete_module", libc::ENOENT as u32);
    assert_eq!(*deleted, KernelLoad { words: "no_such_module".into(), flags, ..gone });
}

#[test]
fn other_kernels_are_told_though_they_be_refused() {
    /// No such flag exists: whatever else it says, the call is refused.
    const NO_FLAG: u64 = 0x800;
    let Some(stage) = stage() else { return };
    if !has_call("kexec_file_load") || !has_call("kexec_load") {
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let (kernel, disk) = (dir.path().join("vmlinuz"), dir.path().join("initrd"));
    fs::write(&kernel, "no kernel at all").expect("written");
    fs::write(&disk, "no disk at all").expect("written");
    let open = [&kernel, &disk].map(|path| fs::File::open(path).expect("it is there"));
    let line = written("quiet evil");
    let [kernel_fd, disk_fd] = open.each_ref().map(std::os::fd::AsRawFd::as_raw_fd);
    let (_, life) = perform(
        stage,
        &mut after(move || {
            let (none, null) = (0, std::ptr::null::<c_void>());
            // SAFETY: a NUL-terminated string of the length said.
            unsafe {
                libc::syscall(libc::SYS_kexec_file_load, kernel_fd, disk_fd, 11usize, line.as_ptr(), NO_FLAG);
                libc::syscall(libc::SYS_kexec_load, none, none, null, NO_FLAG);
            }
            Ok(())
        }),
    );
    let told = loads(&life);
    let [by_file, by_memory] = &told[..] else { panic!("two calls: {told:?}") };
    assert!(by_file.errno != 0 && by_memory.errno != 0, "refused");
    let expected = KernelLoad {
        file: Some(file(&kernel)),
        ramdisk: Some(file(&disk)),
        words: "quiet evil".into(),
        flags: NO_FLAG,
        ..nothing("kexec_file_load", by_file.errno)
    };
    assert_eq!(*by_file, expected);
    assert_eq!(*by_memory, KernelLoad { flags: NO_FLAG, ..nothing("kexec_load", by_memory.errno) });
}
