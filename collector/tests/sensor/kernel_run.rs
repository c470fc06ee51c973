//! Programs that the kernel itself runs, for whoever wrote their names where it looks: they descend from nobody who did.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio as Redirect};

use lanner_core::event::{Exec, Fork, Payload, ProcessKey, Stdio, StdioKind};
use lanner_core::graph::Graph;

use super::stage::{Stage, expect_of_anybody, file_id, life_of, namespace, shell, stage};

/// `kthreadd`, from which all that the kernel runs descends.
const KTHREADD: u32 = 2;

/// A program of the test's own, and the folder that it lies in.
fn program() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().canonicalize().expect("it is there").join("helper");
    lanner_tests::executable(&path, &fs::read("/bin/true").expect("a program"));
    (dir, path)
}

/// Expects that the kernel runs the program with these arguments, once, and to be told all of it.
fn is_run_by_the_kernel(stage: Stage, program: &Path, args: &[&str], stdin: StdioKind) {
    let path = program.to_str().expect("text");
    let (key, exec): (ProcessKey, Exec) = expect_of_anybody(stage, &format!("{path} runs"), |e| match &e.payload {
        Payload::Exec(exec) if exec.image.exe.path == path => Some((e.header.process, *exec.clone())),
        _ => None,
    });
    let (maker, fork): (ProcessKey, Fork) = expect_of_anybody(stage, "its fork", |e| match &e.payload {
        Payload::Fork(fork) if fork.child == key => Some((e.header.process, *fork.clone())),
        _ => None,
    });
    let is_of_kernel = |key: ProcessKey| {
        let stat = fs::read_to_string(format!("/proc/{}/stat", key.pid)).unwrap_or_default();
        // Behind the name: state, parent. Workers that have ended by now were `kthreadd`'s as well.
        stat.is_empty() || stat.rsplit(") ").next().is_some_and(|rest| rest[2..].starts_with(&format!("{KTHREADD} ")))
    };
    assert!(is_of_kernel(maker), "{maker:?} made it");
    let parent = exec.task.parent.expect("a parent");
    assert!(parent.pid == KTHREADD || parent == maker, "{exec:?}");
    assert_eq!(fork.task.parent, Some(parent));

    let task = &exec.task;
    assert_eq!((task.comm.as_bytes(), task.ns_pid), (&b"helper"[..], key.pid));
    let creds = &task.context.creds;
    assert_eq!((creds.uid, creds.euid, creds.gid, creds.egid, creds.login_uid), (0, 0, 0, 0, None));
    assert_eq!((creds.cap_effective, creds.cap_permitted), (capabilities("CapEff:"), capabilities("CapPrm:")));
    assert_eq!((task.session, task.group, &task.context.tty, &task.context.container), (0, 0, &None, &None));
    let ns = task.context.namespaces;
    for (number, name) in [
        (ns.mnt, "mnt"),
        (ns.pid, "pid"),
        (ns.net, "net"),
        (ns.uts, "uts"),
        (ns.ipc, "ipc"),
        (ns.cgroup, "cgroup"),
        (ns.user, "user"),
    ] {
        assert_eq!(number, namespace("2", name), "{name}");
    }
    let image = &exec.image;
    assert_eq!((image.exe.id, &image.script, image.compat), (file_id(program), &None, false));
    let told: Vec<String> = image.args.list.iter().map(ToString::to_string).collect();
    assert_eq!(told, [&[path], args].concat());
    assert!(!image.args.truncated && image.env.list.is_empty() && !image.env.truncated);
    // The kernel's threads share theirs with the machine's first process.
    let cwd = fs::read_link(format!("/proc/{KTHREADD}/cwd")).expect("kthreadd's directory");
    assert_eq!((image.cwd.to_string(), image.stdio[0].kind), (cwd.display().to_string(), stdin));
    assert_eq!(image.stdio[1..], [Stdio { kind: StdioKind::Closed, ino: 0, peer: None }; 2]);

    let mut graph = Graph::default();
    life_of(stage, key).iter().for_each(|event| graph.apply(event));
    assert_eq!(graph.process(key).and_then(|p| p.parent), Some(parent));
}

/// Of what the kernel gives its own.
fn capabilities(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/2/status").expect("kthreadd's status");
    let line = status.lines().find_map(|l| l.strip_prefix(name)).expect("a line");
    u64::from_str_radix(line.trim(), 16).expect("capabilities")
}

/// Whether settings of the whole machine may be changed.
fn is_guest() -> bool {
    let guest = std::env::var_os("LANNER_GUEST").is_some();
    if !guest {
        lanner_tests::not_here("it changes a setting of the whole machine: `cargo xtask vm` runs it");
    }
    guest
}

/// A setting of the whole machine, until this is dropped.
struct Setting {
    path: &'static str,
    before: String,
}

impl Setting {
    fn new(path: &'static str, value: &str) -> Self {
        let before = fs::read_to_string(path).expect("a setting");
        fs::write(path, value).expect("set");
        Setting { path, before }
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        let _ = fs::write(self.path, &self.before);
    }
}

/// A hierarchy of control groups of the test's own; gone with this.
struct Hierarchy(tempfile::TempDir);

impl Drop for Hierarchy {
    fn drop(&mut self) {
        let _ = fs::remove_dir(self.0.path().join("child"));
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn what_runs_when_a_control_group_empties() {
    let Some(stage) = stage() else { return };
    let hierarchy = Hierarchy(tempfile::tempdir().expect("a folder"));
    let at = hierarchy.0.path();
    let options = format!("none,name=lanner-{}", std::process::id());
    let mounted = Command::new("mount").args(["-t", "cgroup", "-o", &options, "none"]).arg(at).status();
    if !mounted.is_ok_and(|status| status.success()) {
        return lanner_tests::not_here("no control groups of version 1");
    }
    let (_dir, program) = program();
    fs::write(at.join("release_agent"), program.to_str().expect("text")).expect("named");
    fs::create_dir(at.join("child")).expect("a control group");
    fs::write(at.join("child/notify_on_release"), "1").expect("set");
    let mut last = shell(&format!("echo $$ > {}/child/cgroup.procs", at.display())).spawn().expect("it runs");
    last.wait().expect("it ends");
    is_run_by_the_kernel(stage, &program, &["/child"], StdioKind::Closed);
}

#[test]
fn what_takes_core_dumps() {
    let Some(stage) = stage() else { return };
    if !is_guest() {
        return;
    }
    let (_dir, program) = program();
    let _setting = Setting::new("/proc/sys/kernel/core_pattern", &format!("|{} %P two", program.display()));
    let mut crashes = shell("kill -SEGV $$").stdout(Redirect::null()).spawn().expect("it runs");
    let pid = crashes.id();
    crashes.wait().expect("it ends");
    is_run_by_the_kernel(stage, &program, &[&pid.to_string(), "two"], StdioKind::Pipe);
}

#[test]
fn what_loads_modules() {
    let Some(stage) = stage() else { return };
    if !is_guest() {
        return;
    }
    let (_dir, program) = program();
    let _setting = Setting::new("/proc/sys/kernel/modprobe", program.to_str().expect("text"));
    // SAFETY: no pointers.
    let socket = unsafe { libc::socket(libc::AF_X25, libc::SOCK_SEQPACKET, 0) };
    assert!(socket < 0, "nobody has loaded it");
    is_run_by_the_kernel(stage, &program, &["-q", "--", "net-pf-9"], StdioKind::Closed);
}
