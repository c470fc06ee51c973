//! Processes that give themselves another name.

use std::process::Command;

use lanner_core::event::{Comm, Event, Origin, Payload};

use super::stage::{helper, perform, shell, stage};

fn names(life: &[Event]) -> Vec<&Comm> {
    life.iter().filter_map(|e| if let Payload::Comm(comm) = &e.payload { Some(comm) } else { None }).collect()
}

#[test]
fn a_process_that_calls_itself_a_kernel_thread_is_told() {
    let Some(stage) = stage() else { return };
    let (pid, life) = perform(stage, &mut helper("comm::takes_other_names"));
    let header = life.iter().find(|e| matches!(e.payload, Payload::Comm(_))).expect("a new name").header;
    assert_eq!((header.process.pid, header.origin), (pid, Origin::Live));
    assert_ne!(header.tid, pid, "the thread that did it");
    let [first, second] = names(&life)[..] else { panic!("two new names, and none of a thread: {life:?}") };
    // The kernel names a process after the file that it runs, at most 15 bytes of it.
    let own = std::env::current_exe().expect("this binary");
    let own = own.file_name().expect("its name").as_encoded_bytes();
    let own = &own[..own.len().min(15)];
    assert_eq!((first.old.as_bytes(), first.new.as_bytes()), (own, &b"kworker/u8:3"[..]));
    assert!(first.is_like_kernel() && !second.is_like_kernel());
    assert_eq!(*second, Comm { old: "kworker/u8:3".into(), new: "fifteen-bytes-\u{1b}".into() });
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn takes_other_names() {
    // The test's own thread is not the process's first: write to the name of that one.
    let name = format!("/proc/self/task/{}/comm", std::process::id());
    std::thread::spawn(|| std::fs::write("/proc/thread-self/comm", "a thread").expect("written")).join().expect("ends");
    std::fs::write(&name, "kworker/u8:3").expect("written");
    std::fs::write(&name, "kworker/u8:3").expect("the same again");
    std::fs::write(&name, "fifteen-bytes-\x1b and more").expect("written");
}

#[test]
fn an_exec_is_no_change_of_name() {
    let Some(stage) = stage() else { return };
    let (_, life) = perform(stage, &mut shell("exec /bin/true"));
    assert_eq!(names(&life), Vec::<&Comm>::new());
    let (_, life) = perform(stage, Command::new("perl").args(["-e", "$0 = 'nginx: worker'"]));
    let [comm] = names(&life)[..] else { panic!("perl names itself by prctl: {life:?}") };
    assert_eq!((comm.old.to_string(), comm.new.to_string()), ("perl".to_owned(), "nginx: worker".to_owned()));
}
