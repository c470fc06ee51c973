//! Performs the attack, on nodes of its own, and looks for what it may have left behind. Needs root and the packages that
//! `node.sh packages` names; without them the tests say that they did not run, or fail when LANNER_REQUIRE_PRIVILEGED is 1.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stderr, reason = "a test that cannot run says why")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SCENARIOS: &str = env!("CARGO_MANIFEST_DIR");

/// A directory for a node that no other test uses, unless it cannot run.
fn node_dir(test: &str) -> Option<PathBuf> {
    lanner_tests::has_a_nodes_parts()
        .then(|| PathBuf::from(format!("/var/tmp/lanner-node-{test}-{}", std::process::id())))
}

fn run_sh(node: &Path) -> Command {
    let mut command = Command::new(Path::new(SCENARIOS).join("container-escape/run.sh"));
    command.env("NODE", node).args(["--gap", "0.2", "--interval", "0.2"]).stdin(Stdio::null());
    command
}

/// The node's id: the inode of its pid 1's uts namespace, which all of its processes share but those of containers.
fn uts_namespace(pid: &str) -> Option<u64> {
    fs::metadata(format!("/proc/{pid}/ns/uts")).ok().map(|ns| ns.ino())
}

/// Everything on the machine that is of this node: its directory, mounts, control groups and processes.
fn remains(node: &Path, uts: Option<u64>) -> Vec<String> {
    let name = node.file_name().and_then(|name| name.to_str()).expect("the tests name their nodes");
    let mut found = Vec::new();
    if node.exists() {
        found.push(format!("directory {}", node.display()));
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("proc is mounted");
    found.extend(mounts.lines().filter(|line| line.contains(name)).map(|line| format!("mount {line}")));
    for hierarchy in fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
        if hierarchy.path().join(name).exists() {
            found.push(format!("control group {}", hierarchy.path().join(name).display()));
        }
    }
    for process in fs::read_dir("/proc").expect("proc is mounted").flatten() {
        let Some(pid) = process.file_name().to_str().filter(|name| name.parse::<u32>().is_ok()).map(String::from)
        else {
            continue;
        };
        let read = |file: &str| fs::read(process.path().join(file)).unwrap_or_default();
        // One that has ended and waits to be reaped has no arguments any more, and is none of the node's.
        let args = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
        let in_pod = String::from_utf8_lossy(&read("cgroup")).contains(name);
        let on_node = uts.is_some() && uts_namespace(&pid) == uts;
        if !args.is_empty() && (in_pod || on_node || args.contains(name)) {
            found.push(format!("process {pid} {args}"));
        }
    }
    found
}

#[test]
fn the_attack_is_performed_and_leaves_nothing() {
    let Some(node) = node_dir("whole") else { return };
    let folder = std::env::temp_dir().join(format!("lanner-scenario-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("the temporary directory is writable");
    let (marks, init) = (folder.join("marks"), folder.join("init"));
    // What identifies the node is noted while it is up.
    let note =
        format!("read -r pid <'{}/init.pid'; stat -L -c %i /proc/$pid/ns/uts >'{}'", node.display(), init.display());
    let output = run_sh(&node).arg("--marks").arg(&marks).args(["--on-ready", &note]).output().expect("run.sh starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    if text.contains("not by a kubelet") {
        eprintln!("the containers were started by ctr, as no kubelet was built");
    }

    let written = fs::read_to_string(&marks).expect("the marks were written");
    let (stages, times): (Vec<&str>, Vec<u64>) = written
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(stage, time)| time.parse().ok().map(|time: u64| (stage, time)))
        .unzip();
    assert_eq!(
        stages,
        [
            "foothold",
            "escape",
            "persistence",
            "hidden-container",
            "execution",
            "command-and-control",
            "collection",
            "exfiltration",
            "end"
        ]
    );
    assert!(times.is_sorted(), "{written}");
    let bytes = text
        .lines()
        .find_map(|line| line.strip_prefix("the story is complete: ")?.split(' ').rev().nth(3)?.parse().ok());
    assert!(bytes.is_some_and(|bytes: u64| bytes >= 200_000), "{text}");

    let uts = fs::read_to_string(&init).ok().and_then(|ino| ino.trim().parse().ok());
    assert!(uts.is_some(), "the node's namespace was noted");
    assert_eq!(remains(&node, uts), Vec::<String>::new());
    fs::remove_dir_all(&folder).expect("the test's own files can be removed");
}

#[test]
fn an_interrupted_attack_leaves_nothing() {
    let Some(node) = node_dir("cut") else { return };
    let mut run = run_sh(&node).arg("--without-kubelet").stdout(Stdio::piped()).spawn().expect("run.sh starts");
    let mut lines = BufReader::new(run.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("[3/8]")), "the third stage is reached");
    let pid = fs::read_to_string(node.join("init.pid")).expect("a node is up");
    let uts = uts_namespace(pid.trim());
    assert!(uts.is_some() && !remains(&node, uts).is_empty(), "what is looked for at the end is there before it");

    let killed = Command::new("kill").args(["-TERM", &run.id().to_string()]).status().expect("kill starts");
    assert!(killed.success());
    let rest: Vec<String> = lines.collect();
    assert_eq!(run.wait().expect("it was started").code(), Some(143), "{rest:?}");
    assert_eq!(remains(&node, uts), Vec::<String>::new());
}
