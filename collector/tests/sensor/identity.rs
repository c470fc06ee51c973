//! Who is who: one key for all that a process does, and never the same for two.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::Command;

use lanner_core::event::{CloneFlags, Event, Exec, Fork, Gain, Payload, ProcessKey};

use super::stage::{born, expect_of_anybody, helper, life_of, perform, shell, stage};

fn execs(life: &[Event]) -> Vec<(&Event, &Exec)> {
    life.iter()
        .filter_map(|e| if let Payload::Exec(exec) = &e.payload { Some((e, exec.as_ref())) } else { None })
        .collect()
}

fn forks(life: &[Event]) -> Vec<&Fork> {
    life.iter().filter_map(|e| if let Payload::Fork(fork) = &e.payload { Some(fork.as_ref()) } else { None }).collect()
}

fn keys(life: &[Event]) -> Vec<ProcessKey> {
    let mut keys: Vec<_> = life.iter().map(|e| e.header.process).collect();
    keys.dedup();
    keys
}

#[test]
fn a_thread_that_execs_keeps_the_process() {
    let Some(stage) = stage() else { return };
    let (pid, life) = perform(stage, &mut helper("identity::execs_in_a_thread"));
    let [_, (event, exec)] = execs(&life)[..] else { panic!("two execs: {life:?}") };
    assert_eq!(exec.task.comm, "true");
    assert_eq!((event.header.process.pid, event.header.tid), (pid, pid), "the thread became the leader");
    assert_eq!(keys(&life).len(), 1, "the leader that is gone passed its birth on: {life:?}");
    assert_eq!(exec.image.gain, Some(Gain::default()), "what the thread noted is found");
    let ends = life.iter().filter(|e| matches!(e.payload, Payload::Exit(_))).count();
    assert_eq!(ends, 1, "the threads that the exec ended are no end of the process");
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn execs_in_a_thread() {
    for _ in 0..4 {
        std::thread::spawn(|| {
            loop {
                std::thread::park();
            }
        });
    }
    std::thread::spawn(|| panic!("{}", Command::new("/bin/true").exec())).join().expect("never");
}

#[test]
fn a_double_fork_is_told_with_who_made_it() {
    let Some(stage) = stage() else { return };
    let mut outer = shell("sh -c 'read x; exec /bin/true' <&3 & exit 0").spawn_with_pipe();
    outer.child.wait().expect("it ends");
    let life = life_of(stage, born(stage, outer.child.id()));
    let [fork] = forks(&life)[..] else { panic!("one fork: {life:?}") };
    assert_eq!(fork.task.parent, Some(life[0].header.process));
    // Its parent has ended; only now it goes on.
    drop(outer.pipe);
    let orphan = life_of(stage, fork.child);
    let [.., (_, last)] = execs(&orphan)[..] else { panic!("it execs: {orphan:?}") };
    assert_eq!(last.task.comm, "true");
    assert_eq!(keys(&orphan), [fork.child]);
    assert_ne!(last.task.parent, Some(life[0].header.process), "somebody else's child now");
    assert!(last.task.parent.is_some());
}

struct Piped {
    child: std::process::Child,
    pipe: std::io::PipeWriter,
}

trait SpawnWithPipe {
    /// With a pipe as descriptor 3.
    fn spawn_with_pipe(&mut self) -> Piped;
}

impl SpawnWithPipe for Command {
    fn spawn_with_pipe(&mut self) -> Piped {
        use std::os::fd::AsRawFd;
        let (reader, pipe) = std::io::pipe().expect("a pipe");
        let fd = reader.as_raw_fd();
        // SAFETY: dup2 may be called between fork and exec.
        unsafe {
            self.pre_exec(move || if libc::dup2(fd, 3) < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) })
        };
        Piped { child: self.spawn().expect("it runs"), pipe }
    }
}

#[test]
fn a_vfork_child_that_execs_after_its_parent_was_killed_is_told_whole() {
    let Some(stage) = stage() else { return };
    let (pid, life) = perform(stage, &mut helper("identity::is_killed_by_its_vfork_child"));
    let [.., fork] = forks(&life)[..] else { panic!("a fork: {life:?}") };
    assert!(fork.how.has(CloneFlags::VFORK), "{fork:?}");
    assert_eq!(fork.task.parent.map(|p| p.pid), Some(pid));
    assert!(life.iter().any(|e| matches!(e.payload, Payload::Exit(exit) if exit.signal == 9)), "{life:?}");
    let child = life_of(stage, fork.child);
    let [(_, exec)] = execs(&child)[..] else { panic!("it execs: {child:?}") };
    assert_eq!((exec.task.comm.to_string(), keys(&child)), ("true".to_owned(), vec![fork.child]));
    assert_ne!(exec.task.parent.map(|p| p.pid), Some(pid), "its parent is gone");
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn is_killed_by_its_vfork_child() {
    let argv = [c"/bin/true".as_ptr(), std::ptr::null()];
    // SAFETY: the parent never returns from vfork, so that it does not matter what the child does to the shared stack.
    unsafe {
        if libc::syscall(libc::SYS_vfork) == 0 {
            let parent = libc::syscall(libc::SYS_getppid) as i32;
            libc::syscall(libc::SYS_kill, parent, libc::SIGKILL);
            while libc::syscall(libc::SYS_getppid) as i32 == parent {
                libc::syscall(libc::SYS_sched_yield);
            }
            libc::syscall(libc::SYS_execve, argv[0], argv.as_ptr(), argv[1..].as_ptr());
            libc::syscall(libc::SYS_exit_group, 1);
        }
    }
    unreachable!("the child killed this process");
}

#[test]
fn a_pid_that_is_used_again_is_another_process() {
    let Some(stage) = stage() else { return };
    // In a pid namespace of its own nobody else takes the next pid.
    let script = "/bin/true; echo 1 > /proc/sys/kernel/ns_last_pid; /bin/true; exit 0";
    let (_, life) = perform(stage, Command::new("unshare").args(["-pf", "--mount-proc", "sh", "-c", script]));
    let [init] = forks(&life)[..] else { panic!("one fork: {life:?}") };
    assert_eq!(init.task.ns_pid, 1);
    let init = life_of(stage, init.child);
    let [first, second] = forks(&init)[..] else { panic!("two forks: {init:?}") };
    assert_eq!((first.task.ns_pid, second.task.ns_pid), (2, 2), "the same pid in there");
    assert_ne!(first.child, second.child);
    assert!(first.child.start < second.child.start);
}

#[test]
fn pid_namespaces_within_each_other_are_all_told() {
    let Some(stage) = stage() else { return };
    let (_, life) = perform(stage, Command::new("unshare").args(["-pf", "unshare", "-pf", "/bin/true"]));
    let [outer] = forks(&life)[..] else { panic!("one fork: {life:?}") };
    let middle = life_of(stage, outer.child);
    let [inner] = forks(&middle)[..] else { panic!("one fork: {middle:?}") };
    assert_eq!((outer.task.ns_pid, inner.task.ns_pid), (1, 1));
    let [innermost, around, machine] = inner.task.context.pid_namespaces[..] else { panic!("three: {inner:?}") };
    assert_eq!(outer.task.context.pid_namespaces, [around, machine]);
    assert!(innermost != around && around != machine);
}

#[test]
fn the_same_pid_of_the_machine_is_two_processes_when_it_is_used_twice() {
    let Some(stage) = stage() else { return };
    let last = "/proc/sys/kernel/ns_last_pid";
    // Others make processes too, and one that got the pid may keep it: try, each time with another.
    for _ in 0..200 {
        let stage = stage.anew();
        let mut first = Command::new("/bin/true").spawn().expect("it runs");
        let pid = first.id();
        first.wait().expect("it ends");
        let set = fs::OpenOptions::new().write(true).open(last).and_then(|mut f| write!(f, "{}", pid - 1));
        if let Err(error) = set {
            return lanner_tests::not_run(format!("{last}: {error}"));
        }
        let mut again = Command::new("/bin/true").spawn().expect("it runs");
        again.wait().expect("it ends");
        if again.id() == pid {
            let one = expect_of_anybody(stage, "the pid's first life", |e| {
                (e.header.process.pid == pid && matches!(e.payload, Payload::Exit(_))).then_some(e.header.process)
            });
            expect_of_anybody(stage, "a life of its own", |e| {
                let other = e.header.process.pid == pid && e.header.process != one;
                (other && matches!(e.payload, Payload::Exit(_))).then_some(())
            });
            return;
        }
    }
    panic!("no pid was given again");
}
