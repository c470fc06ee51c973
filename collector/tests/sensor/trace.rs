//! Processes that reach into others.

use std::fs;
use std::io;
use std::os::fd::AsRawFd as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use lanner_core::event::{Access, Call, Event, Family, File, Payload, ProcessKey, Trace};

use super::stage::{after, done, file_id, helper, is_me, life_of, perform, stage};

fn traces(life: &[Event]) -> Vec<Trace> {
    life.iter()
        .filter_map(|e| if let Payload::Trace(trace) = &e.payload { Some(*trace.clone()) } else { None })
        .collect()
}

fn call(name: &str) -> Call {
    Call::of(Family::Trace, name).expect("a call")
}

/// A process that does nothing, for others to do something to.
pub(crate) struct Victim(Child);

impl Victim {
    pub(crate) fn new() -> Self {
        Victim(Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().expect("sleep runs"))
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).expect("a pid")
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A trace with nothing but this in it.
fn trace(name: &str, target: ProcessKey) -> Trace {
    Trace {
        call: call(name),
        request: 0,
        target,
        target_tid: target.pid,
        write: false,
        bytes: 0,
        count: 1,
        file: None,
        fd: None,
        errno: 0,
    }
}

#[test]
fn ptrace_is_told_when_it_writes_and_not_each_time() {
    let Some(stage) = stage() else { return };
    let victim = Victim::new();
    let pid = victim.pid();
    let (_, life) = perform(
        stage,
        &mut after(move || {
            let null = std::ptr::null_mut::<libc::c_void>();
            // SAFETY: requests that write nothing into this process.
            unsafe {
                done(libc::ptrace(libc::PTRACE_ATTACH, pid, null, null))?;
                done(libc::waitpid(pid, std::ptr::null_mut(), 0).into())?;
                for _ in 0..5 {
                    // Refused: nothing is at address 0. It is the attempt that counts.
                    libc::ptrace(libc::PTRACE_POKEDATA, pid, null, null);
                    libc::ptrace(libc::PTRACE_PEEKDATA, pid, null, null);
                }
                done(libc::ptrace(libc::PTRACE_DETACH, pid, null, null))?;
                // Nobody has this number.
                libc::ptrace(libc::PTRACE_SEIZE, i32::MAX, null, null);
                done(libc::ptrace(libc::PTRACE_TRACEME, 0, null, null))?;
                libc::_exit(0)
            }
        }),
    );
    let told = traces(&life);
    let target = told.first().expect("an event").target;
    assert_eq!(i32::try_from(target.pid), Ok(pid));
    let attach = Trace { request: 16, write: true, ..trace("ptrace", target) };
    let poke = |count| Trace { request: 5, count, errno: libc::EIO as u32, ..attach.clone() };
    let nobody =
        Trace { request: 0x4206, write: true, errno: libc::ESRCH as u32, ..trace("ptrace", ProcessKey::UNKNOWN) };
    let parent = told.last().expect("an event").target;
    assert!(is_me(parent), "who asks to be traced is traced by its parent: {parent}");
    // The thread that made it, which need not be the parent's first.
    let tid = told.last().expect("an event").target_tid;
    let traceme = Trace { target_tid: tid, ..trace("ptrace", parent) };
    assert_eq!(told, [attach.clone(), poke(1), poke(2), poke(4), nobody, traceme]);
    assert_eq!(attach.request_name(), Some("PTRACE_ATTACH"));
}

#[test]
fn a_process_is_known_by_its_number_in_the_namespace_of_who_reaches_for_it() {
    let Some(stage) = stage() else { return };
    let inside = helper("trace::seizes_a_child");
    let mut command = Command::new("unshare");
    command.args(["-p", "-f"]).arg(inside.get_program()).args(inside.get_args()).stdout(Stdio::null());
    let (_, life) = perform(stage, &mut command);
    let tracer = life
        .iter()
        .find_map(|e| if let Payload::Fork(fork) = &e.payload { Some(fork.child) } else { None })
        .expect("it forks into the namespace");
    let life = life_of(stage, tracer);
    let told = traces(&life);
    let [seize] = &told[..] else { panic!("one call: {told:?}") };
    let forked = life.iter().find_map(|e| match &e.payload {
        Payload::Fork(fork) => Some((fork.child, fork.task.ns_pid)),
        _ => None,
    });
    let (child, inner) = forked.expect("it forks");
    assert!(inner < child.pid, "in there its number is another: {inner}");
    assert_eq!(*seize, Trace { request: 0x4206, write: true, ..trace("ptrace", child) });
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn seizes_a_child() {
    let victim = Victim::new();
    let null = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: a request that writes nothing into this process.
    let result = unsafe { libc::ptrace(libc::PTRACE_SEIZE, victim.pid(), null, null) };
    assert_eq!(result, 0);
}

#[test]
fn memory_of_another_is_told_when_read_when_written_and_when_opened() {
    static TARGET: AtomicU64 = AtomicU64::new(7);
    let Some(stage) = stage() else { return };
    let me = i32::try_from(std::process::id()).expect("a pid");
    let (_, life) = perform(
        stage,
        &mut after(move || {
            let mut word = 9u64;
            let here = libc::iovec { iov_base: (&raw mut word).cast(), iov_len: 8 };
            // The parent's memory is laid out as this one's, which is a copy.
            let there = libc::iovec { iov_base: TARGET.as_ptr().cast(), iov_len: 8 };
            // SAFETY: a call without arguments.
            let own = unsafe { libc::getpid() };
            // SAFETY: both places have 8 bytes; nobody else looks at the parent's.
            unsafe {
                done(libc::process_vm_writev(me, &raw const here, 1, &raw const there, 1, 0) as i64)?;
                done(libc::process_vm_readv(me, &raw const here, 1, &raw const there, 1, 0) as i64)?;
                // Its own is nobody's business.
                done(libc::process_vm_readv(own, &raw const here, 1, &raw const there, 1, 0) as i64)?;
                let nowhere = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 8 };
                libc::process_vm_readv(me, &raw const here, 1, &raw const nowhere, 1, 0);
            }
            Ok(())
        }),
    );
    assert_eq!(TARGET.load(Ordering::Relaxed), 9);
    let told = traces(&life);
    let target = told.first().expect("an event").target;
    assert!(is_me(target));
    let read = trace("process_vm_readv", target);
    let expected = [
        Trace { bytes: 8, write: true, ..trace("process_vm_writev", target) },
        Trace { bytes: 8, ..read.clone() },
        Trace { errno: libc::EFAULT as u32, ..read },
    ];
    assert_eq!(told, expected);

    let (_, life) = perform(
        stage,
        &mut after(move || {
            let open = |path: &str, write: bool| -> io::Result<fs::File> {
                fs::OpenOptions::new().read(true).write(write).open(path)
            };
            open(&format!("/proc/{me}/mem"), true)?;
            open("/proc/self/mem", true)?;
            open("/proc/self/mem", false)?;
            open(&format!("/proc/{me}/mem"), false).map(|_| ())
        }),
    );
    let told = traces(&life);
    let [written, own, read] = &told[..] else { panic!("three opens: {told:?}") };
    assert!(is_me(written.target) && !is_me(own.target) && written.fd.is_some());
    assert_eq!(*written, Trace { write: true, fd: written.fd, ..trace("proc_mem", target) });
    assert_eq!(*own, Trace { write: true, fd: own.fd, ..trace("proc_mem", life[0].header.process) });
    assert_eq!(*read, Trace { fd: read.fd, ..trace("proc_mem", target) });
    let opened: Vec<_> = life
        .iter()
        .filter_map(|e| {
            if let Payload::Open(open) = &e.payload { Some((open.file.path.to_string(), open.access)) } else { None }
        })
        .collect();
    let both = Access { read: true, write: true };
    let own = format!("/proc/{}/mem", life[0].header.process.pid);
    let expected =
        [(format!("/proc/{me}/mem"), both), (own, both), (format!("/proc/{me}/mem"), Access { write: false, ..both })];
    assert_eq!(opened, expected, "the file is told as well");
}

#[test]
fn a_descriptor_that_is_taken_is_told_with_its_file() {
    let Some(stage) = stage() else { return };
    let file = tempfile::NamedTempFile::new().expect("a file");
    let (me, fd) = (std::process::id(), file.as_raw_fd());
    let (_, life) = perform(
        stage,
        &mut after(move || {
            // SAFETY: calls that take numbers.
            unsafe {
                let process = done(libc::syscall(libc::SYS_pidfd_open, me, 0))?;
                done(libc::syscall(libc::SYS_pidfd_getfd, process, fd, 0))?;
                libc::syscall(libc::SYS_pidfd_getfd, process, 1 << 20, 0);
            }
            Ok(())
        }),
    );
    let told = traces(&life);
    let [taken, failed] = &told[..] else { panic!("two calls: {told:?}") };
    assert!(is_me(taken.target) && taken.fd.is_some_and(|fd| fd >= 3));
    let id = file_id(file.path());
    let path = file.path().display().to_string();
    let target = taken.target;
    let call = trace("pidfd_getfd", target);
    assert_eq!(*taken, Trace { file: Some(File::new(path, id.dev, id.ino)), fd: taken.fd, ..call.clone() });
    assert_eq!(*failed, Trace { errno: libc::EBADF as u32, ..call });
}
