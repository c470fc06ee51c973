//! Moves to other namespaces.

use std::io::Read;
use std::process::{Command, Stdio};

use lanner_core::event::{Event, NamespaceChange, Namespaces, NsChangeHow, Payload};

use super::own;
use super::stage::{after, done, life_of, namespace, perform, stage};

fn changes(life: &[Event]) -> Vec<NamespaceChange> {
    life.iter().filter_map(|e| if let Payload::Namespace(change) = e.payload { Some(change) } else { None }).collect()
}

#[test]
fn unshare_tells_which_namespaces_are_new() {
    let Some(stage) = stage() else { return };
    let (_, life) = perform(stage, Command::new("unshare").args(["-n", "-u", "true"]));
    let [change] = changes(&life)[..] else { panic!("one change: {life:?}") };
    let before = own::namespaces();
    let Namespaces { net, uts, .. } = change.now;
    assert!(net != before.net && uts != before.uts && net != 0 && uts != 0, "{change:?}");
    let now = Namespaces { net, uts, ..before };
    assert_eq!(change, NamespaceChange { how: NsChangeHow::Unshare, now, before });
}

#[test]
fn setns_tells_whose_namespace_was_entered() {
    let Some(stage) = stage() else { return };
    let mut host = Command::new("unshare")
        .args(["-n", "sh", "-c", "echo; read x"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("unshare runs");
    host.stdout.as_mut().expect("piped").read_exact(&mut [0]).expect("it is there");
    let target = host.id().to_string();
    let entered = namespace(&target, "net");
    let (_, life) = perform(stage, Command::new("nsenter").args(["-t", &target, "-n", "true"]));
    let [change] = changes(&life)[..] else { panic!("one change: {life:?}") };
    let before = own::namespaces();
    let now = Namespaces { net: entered, ..before };
    assert_eq!(change, NamespaceChange { how: NsChangeHow::Setns, now, before });

    // Into the one where it is already: nothing changes.
    let own = std::process::id().to_string();
    let (_, life) = perform(stage, Command::new("nsenter").args(["-t", &own, "-n", "true"]));
    assert_eq!(changes(&life), []);
    drop(host.stdin.take());
    host.wait().expect("it ends");
}

#[test]
fn a_namespace_that_is_entered_through_its_process_is_told_as_any() {
    let Some(stage) = stage() else { return };
    let mut host = Command::new("unshare")
        .args(["-n", "-u", "sh", "-c", "echo; read x"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("unshare runs");
    host.stdout.as_mut().expect("piped").read_exact(&mut [0]).expect("it is there");
    let pid = host.id();
    let target = pid.to_string();
    let before = own::namespaces();
    let now = Namespaces { net: namespace(&target, "net"), uts: namespace(&target, "uts"), ..before };
    let (_, life) = perform(
        stage,
        &mut after(move || {
            // SAFETY: calls that take numbers.
            unsafe {
                let process = done(libc::syscall(libc::SYS_pidfd_open, pid, 0))?;
                done(libc::syscall(libc::SYS_setns, process, libc::CLONE_NEWNET | libc::CLONE_NEWUTS)).map(|_| ())
            }
        }),
    );
    let [change] = changes(&life)[..] else { panic!("one change: {life:?}") };
    assert_eq!(change, NamespaceChange { how: NsChangeHow::Setns, now, before });
    drop(host.stdin.take());
    host.wait().expect("it ends");
}

#[test]
fn a_pid_namespace_counts_for_the_children() {
    let Some(stage) = stage() else { return };
    let (_, life) = perform(stage, Command::new("unshare").args(["-p", "-f", "sh", "-c", "exit 4"]));
    let [change] = changes(&life)[..] else { panic!("one change: {life:?}") };
    assert_eq!(change.before.pid, namespace("self", "pid"));
    assert_ne!(change.now.pid, change.before.pid);
    let Some(fork) = life.iter().find_map(|e| if let Payload::Fork(fork) = &e.payload { Some(fork) } else { None })
    else {
        panic!("a fork: {life:?}")
    };
    assert_eq!(fork.task.ns_pid, 1, "the first one in there");
    assert_eq!(fork.task.context.pid_namespaces, [change.now.pid, change.before.pid]);
    assert_eq!(fork.task.context.namespaces.pid, change.now.pid);
    let child = life_of(stage, fork.child);
    assert!(child.iter().any(|e| matches!(&e.payload, Payload::Exec(exec) if exec.task.ns_pid == 1)), "{child:?}");
}
