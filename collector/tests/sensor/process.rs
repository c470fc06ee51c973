//! Exec, fork and exit.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio as Redirect};

use lanner_core::event::{
    Args, Environment, Event, Exec, Exit, File, Fork, Gain, Image, Origin, Payload, Stdio, StdioKind, Text,
};

use lanner_tests::executable;

use super::own;

use super::stage::{born, clock, file_id, helper, is_me, life_of, perform, shell, stage};

fn execs(life: &[Event]) -> Vec<&Exec> {
    life.iter().filter_map(|e| if let Payload::Exec(exec) = &e.payload { Some(exec.as_ref()) } else { None }).collect()
}

fn exits(life: &[Event]) -> Vec<Exit> {
    life.iter().filter_map(|e| if let Payload::Exit(exit) = e.payload { Some(exit) } else { None }).collect()
}

fn texts(list: &[Text]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

#[test]
fn an_exec_tells_all_of_the_process_and_its_image() {
    let Some(stage) = stage() else { return };
    let before = clock();
    let mut child = Command::new("/bin/echo")
        .args(["one", "two words", ""])
        .current_dir("/usr/share")
        .env_clear()
        .env("HISTFILE", "/dev/null")
        .stdin(Redirect::null())
        .stdout(Redirect::piped())
        .stderr(Redirect::piped())
        .spawn()
        .expect("echo runs");
    let pipe = |fd: i32| {
        let ino = fs::metadata(format!("/proc/self/fd/{fd}")).expect("the pipe").ino();
        Stdio { kind: StdioKind::Pipe, ino, peer: None }
    };
    let (out, err) =
        (child.stdout.as_ref().expect("piped").as_raw_fd(), child.stderr.as_ref().expect("piped").as_raw_fd());
    let (out, err) = (pipe(out), pipe(err));
    let pid = child.id();
    child.wait().expect("it ends");
    let life = life_of(stage, born(stage, pid));
    let after = clock();
    let [exec] = execs(&life)[..] else { panic!("one exec: {life:?}") };
    let header = life.iter().find(|e| matches!(e.payload, Payload::Exec(_))).expect("the exec").header;

    assert!(header.time > before && header.time < after);
    assert!(header.process.start > before && header.process.start < header.time);
    assert_eq!((header.process.pid, header.tid, header.origin, header.seq), (pid, pid, Origin::Live, 0));

    let parent = exec.task.parent.expect("a parent");
    assert!(is_me(parent), "{exec:?}");
    let null = fs::metadata("/dev/null").expect("null").ino();
    let id = file_id("/bin/echo");
    let path = fs::canonicalize("/bin/echo").expect("echo").display().to_string();
    let expected = Exec {
        task: own::task(&exec.task, parent, pid, "echo"),
        image: Image {
            exe: File::new(path, id.dev, id.ino),
            script: None,
            args: Args { list: ["/bin/echo", "one", "two words", ""].map(Text::from).to_vec(), truncated: false },
            cwd: "/usr/share".into(),
            stdio: [Stdio { kind: StdioKind::Device, ino: null, peer: None }, out, err],
            env: Environment { list: vec!["HISTFILE=/dev/null".into()], truncated: false },
            layer: None,
            compat: false,
            gain: Some(Gain::default()),
        },
    };
    assert_eq!(exec, &expected);
}

#[test]
fn an_interpreter_is_the_image_and_its_script_is_named() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let script = dir.path().join("hello");
    executable(&script, b"#!/bin/sh -e\nexit 3\n");
    let (_, life) = perform(stage, Command::new(&script).arg("x"));
    let [exec] = execs(&life)[..] else { panic!("one exec: {life:?}") };
    assert_eq!(exec.image.exe.id, file_id("/bin/sh"));
    assert_eq!(
        exec.image.script,
        Some(File::new(script.to_str().expect("text"), file_id(&script).dev, file_id(&script).ino))
    );
    assert_eq!(texts(&exec.image.args.list), ["/bin/sh", "-e", &script.display().to_string(), "x"]);
    assert_eq!(exec.task.comm, "hello");
    assert_eq!(exits(&life), [Exit { code: 3, signal: 0 }]);
}

#[test]
fn long_arguments_are_cut_and_say_so() {
    let Some(stage) = stage() else { return };
    let (_, life) = perform(stage, Command::new("/bin/true").arg("x".repeat(9000)));
    let [exec] = execs(&life)[..] else { panic!("one exec: {life:?}") };
    assert!(exec.image.args.truncated);
    assert_eq!(exec.image.args.list[0], "/bin/true");
    assert_eq!(exec.image.args.list[1].as_bytes(), "x".repeat(8190 - "/bin/true".len() - 1).as_bytes());
}

#[test]
fn deep_paths_are_cut_and_keep_their_end() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let deep = (0..60).fold(dir.path().to_path_buf(), |path, i| path.join(format!("d{i}")));
    fs::create_dir_all(&deep).expect("folders");
    let copy = deep.join("true");
    executable(&copy, &fs::read("/bin/true").expect("a program"));
    let (_, life) = perform(stage, &mut Command::new(&copy));
    let [exec] = execs(&life)[..] else { panic!("one exec: {life:?}") };
    assert!(exec.image.exe.truncated);
    let path = exec.image.exe.path.to_string();
    assert!(path.ends_with("/d58/d59/true") && copy.display().to_string().ends_with(&path), "{path}");
    assert_eq!(exec.image.exe.id, file_id(&copy));
}

#[test]
fn a_socket_on_standard_input_names_its_peer() {
    let Some(stage) = stage() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let here = TcpStream::connect(listener.local_addr().expect("its address")).expect("connects");
    let peer = here.peer_addr().expect("a peer");
    let (_, life) = perform(stage, Command::new("/bin/true").stdin(Redirect::from(OwnedFd::from(here))));
    let [exec] = execs(&life)[..] else { panic!("one exec: {life:?}") };
    assert_eq!((exec.image.stdio[0].kind, exec.image.stdio[0].peer), (StdioKind::Socket, Some(peer)));
}

#[test]
fn a_fork_without_exec_is_told_with_the_child_that_it_made() {
    let Some(stage) = stage() else { return };
    let (pid, life) = perform(stage, &mut shell("(exit 5); exit 6"));
    let forks: Vec<_> = life
        .iter()
        .filter_map(|e| if let Payload::Fork(fork) = &e.payload { Some((e.header, fork)) } else { None })
        .collect();
    let [(header, fork)] = forks[..] else { panic!("one fork: {life:?}") };
    assert_eq!((header.process.pid, header.tid), (pid, pid));
    assert_eq!(fork.how.names().count(), 0, "nothing is new but the process");
    let task = own::task(&fork.task, header.process, fork.child.pid, "sh");
    assert_eq!(fork.as_ref(), &Fork { child: fork.child, how: fork.how, task });
    assert!(fork.child.start > header.process.start && fork.child.start <= header.time);
    let child = life_of(stage, fork.child);
    assert!(child.iter().all(|e| e.header.process == fork.child), "one key for all that it does");
    assert!(execs(&child).is_empty());
    assert_eq!(exits(&child), [Exit { code: 5, signal: 0 }]);
    assert_eq!(exits(&life), [Exit { code: 6, signal: 0 }]);
}

#[test]
fn a_signal_that_kills_is_named() {
    let Some(stage) = stage() else { return };
    let (_, life) = perform(stage, &mut shell("kill -9 $$"));
    assert_eq!(exits(&life), [Exit { code: 0, signal: 9 }]);
}

#[test]
fn threads_do_not_end_a_process_and_its_last_one_ends_it_once() {
    let Some(stage) = stage() else { return };
    let (_, life) = perform(stage, &mut helper("process::ends_in_a_thread"));
    assert_eq!(exits(&life), [Exit { code: 9, signal: 0 }]);
    assert!(!life.iter().any(|e| matches!(e.payload, Payload::Fork(_))), "threads are no processes: {life:?}");
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn ends_in_a_thread() {
    for _ in 0..8 {
        std::thread::spawn(|| ()).join().expect("it ends");
    }
    std::thread::spawn(|| std::process::exit(9)).join().expect("never");
}
