//! `lannerd` itself: from the kernel to a client and a recording, and how it ends.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use lanner_core::event::*;
use lanner_proto::client::Client;
use lanner_recording::Reader;

mod support;
use support::*;

fn lannerd(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lannerd"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn stderr(output: &Output) -> String {
    assert_eq!(output.stdout, b"", "messages go to stderr");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A `lannerd` that is killed with the test.
struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
    /// The line that it printed when it was ready.
    ready: String,
}

impl Running {
    /// Starts it and waits until it is ready; `None`, and why on the terminal, where the kernel or the user does not allow
    /// it. With `LANNER_REQUIRE_PRIVILEGED` that is a failure.
    fn start(test: &str, args: &[&str]) -> Option<Running> {
        let mut child = lannerd(args).spawn().expect("lannerd is built");
        let mut stderr = BufReader::new(child.stderr.take().expect("it is a pipe"));
        let mut ready = String::new();
        stderr.read_line(&mut ready).expect("it says something");
        if ready.starts_with("lannerd: ready: ") {
            return Some(Running { child, stderr, ready });
        }
        let code = child.wait().expect("it has ended").code();
        assert_eq!(code, Some(3), "{test}: {ready}");
        lanner_tests::not_run(ready.trim_end());
        None
    }

    /// Sends a signal and waits for the end: its status, and what it said.
    fn end(&mut self, signal: &str) -> (Option<i32>, String) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill exists");
        assert!(sent.success());
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).expect("it is text");
        (self.child.wait().expect("it ends").code(), said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether these batches tell that a program was run with this argument.
fn ran(batches: &[Batch], argument: &str) -> bool {
    batches.iter().filter(|batch| !batch.snapshot).flat_map(|batch| &batch.events).any(|event| match &event.payload {
        Payload::Exec(exec) => exec.image.args.list.iter().any(|arg| *arg == *argument),
        _ => false,
    })
}

fn run_program(argument: &str) {
    assert!(Command::new("true").arg(argument).status().expect("true exists").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_kernel_sees_reaches_a_client_and_the_recording() {
    let folder = Folder::new();
    let (address, file) = (format!("unix://{}", folder.join("l.sock").display()), folder.join("a.lanner"));
    let path = file.to_string_lossy().into_owned();
    let args = ["--listen", &address, "--record", &path, "--node-name", "a-node"];
    let Some(mut running) = Running::start("what_the_kernel_sees_reaches_a_client_and_the_recording", &args) else {
        return;
    };
    assert!(running.ready.contains("watching a-node with") && running.ready.contains(&address), "{}", running.ready);

    let (node, mut client) = Client::connect(&address).await.unwrap();
    assert_eq!(node.name, "a-node");
    assert!(node.hooks.iter().any(|hook| hook.state == HookState::Attached));
    let argument = format!("lannerd-test-{}", std::process::id());
    let first = tokio::time::timeout(LONG, client.next()).await.unwrap().unwrap().unwrap();
    assert!(first.snapshot);
    run_program(&argument);
    let mut batches = vec![first];
    while !ran(&batches, &argument) {
        batches.push(tokio::time::timeout(LONG, client.next()).await.unwrap().unwrap().expect("it is still there"));
    }
    let lives = |batch: &Batch| batch.events.iter().any(|event| event.header.process.pid == std::process::id());
    assert!(batches.iter().any(lives), "this test lives, and is told of");

    // Seen only just now: what the kernel still holds is not lost.
    let last = format!("{argument}-last");
    run_program(&last);
    let (code, said) = tokio::task::block_in_place(|| running.end("-TERM"));
    assert_eq!((code, said.as_str()), (Some(0), ""));
    while let Some(batch) = tokio::time::timeout(LONG, client.next()).await.unwrap().unwrap() {
        batches.push(batch);
    }
    assert!(ran(&batches, &last));
    let newest = batches.iter().map(|batch| batch.now).max().unwrap();
    assert!(newest < BootTime(u64::MAX / 2), "the node's time stays a time to the end: {newest:?}");

    assert!(!folder.join("l.sock").exists());
    let mut reader = Reader::new(File::open(&file).unwrap()).unwrap();
    assert_eq!(reader.header().node, node);
    let recorded: Vec<Batch> = reader.by_ref().collect();
    assert_eq!(reader.report().problem, None);
    assert!(ran(&recorded, &argument) && ran(&recorded, &last));
}

#[test]
fn an_interrupt_ends_it_and_what_is_in_use_is_said() {
    let folder = Folder::new();
    let address = format!("unix://{}", folder.join("l.sock").display());
    let test = "an_interrupt_ends_it_and_what_is_in_use_is_said";
    let Some(mut running) = Running::start(test, &["--listen", &address]) else { return };
    let second = lannerd(&["--listen", &address]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(stderr(&second).contains("is in use: another collector listens there"), "{}", stderr(&second));
    assert_eq!(running.end("-INT"), (Some(0), String::new()));

    let precious = folder.join("precious.lanner");
    std::fs::write(&precious, "precious").unwrap();
    let over = lannerd(&["--listen", &address, "--record", &precious.to_string_lossy()]).output().unwrap();
    assert_eq!(over.status.code(), Some(1));
    assert!(stderr(&over).contains("a recording is never overwritten"), "{}", stderr(&over));
    assert_eq!(std::fs::read(&precious).unwrap(), b"precious");
    assert!(!folder.join("l.sock").exists(), "nothing is left of a start that failed");
}

#[test]
fn a_full_disk_ends_the_recording_and_not_the_collector() {
    let folder = Folder::new();
    let address = format!("unix://{}", folder.join("l.sock").display());
    // A file may have so many blocks of 1 KiB: enough for the header, not for a node's processes and what follows.
    let script = format!(
        "trap '' XFSZ; ulimit -f 6; exec {} --listen {address} --record {}",
        env!("CARGO_BIN_EXE_lannerd"),
        folder.join("a.lanner").display()
    );
    let test = "a_full_disk_ends_the_recording_and_not_the_collector";
    let Some(mut probe) = Running::start(test, &["--listen", &address]) else { return };
    probe.end("-TERM");
    let mut child = Command::new("bash")
        .args(["-c", &script])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bash exists");
    let stderr = BufReader::new(child.stderr.take().expect("it is a pipe"));
    let mut running = Running { child, stderr, ready: String::new() };
    let mut said = String::new();
    while !said.contains("the recording ends here") {
        run_program("to-fill-the-disk");
        let before = said.len();
        running.stderr.read_line(&mut said).unwrap();
        assert!(said.len() > before, "it ended: {said}");
    }
    assert!(said.contains("are safe in it"), "{said}");
    assert!(Path::new(&folder.join("l.sock")).exists(), "clients are still served");
    let (code, said) = running.end("-TERM");
    assert_eq!(code, Some(1));
    assert!(said.contains("the recording is not complete"), "{said}");
}

#[test]
fn wrong_usage_and_missing_privileges_have_statuses_of_their_own() {
    let usage = lannerd(&["--listen", "http://192.0.2.1:4317"]).output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
    assert!(stderr(&usage).contains("does not speak TLS yet"), "{}", stderr(&usage));
    let help = lannerd(&["--help"]).output().unwrap();
    assert!(String::from_utf8_lossy(&help.stdout).contains("3 when a privilege or a feature of the kernel is missing"));

    // As somebody without privileges; a test that has none itself needs no other user for that.
    let folder = Folder::new();
    let program = folder.join("lannerd");
    lanner_tests::executable(&program, &std::fs::read(env!("CARGO_BIN_EXE_lannerd")).unwrap());
    let mut command = Command::new(&program);
    if std::fs::metadata(folder.join("lannerd")).is_ok_and(|file| std::os::unix::fs::MetadataExt::uid(&file) == 0) {
        std::os::unix::process::CommandExt::uid(&mut command, 65_534);
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("CAP_BPF") && stderr(&output).contains("run as root"), "{}", stderr(&output));
}
