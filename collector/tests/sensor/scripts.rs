//! Scripts: which file it is that an interpreter was run for.

use std::fs;
use std::io::Write as _;
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use lanner_core::event::{Event, File, Image, Payload};
use lanner_core::graph::Graph;

use lanner_tests::executable;

use super::images::exec_fd;
use super::stage::{file_id, helper, perform, shell, stage};

fn images(life: &[Event]) -> Vec<&Image> {
    life.iter().filter_map(|e| if let Payload::Exec(exec) = &e.payload { Some(&exec.image) } else { None }).collect()
}

/// What the last exec was given, by a shell.
fn script(life: &[Event]) -> &File {
    let image = images(life).pop().unwrap_or_else(|| panic!("an exec: {life:?}"));
    assert_eq!(image.exe.id, file_id("/bin/sh"), "{image:?}");
    image.script.as_ref().unwrap_or_else(|| panic!("a script: {image:?}"))
}

/// A folder and an executable in it.
fn written(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().canonicalize().expect("it is there").join(name);
    executable(&path, text.as_bytes());
    (dir, path)
}

/// The file as the kernel resolves it.
fn resolved(path: &Path) -> File {
    let id = file_id(path);
    File::new(path.to_str().expect("text"), id.dev, id.ino)
}

#[test]
fn however_a_script_is_named_it_is_the_file_that_the_kernel_read() {
    let Some(stage) = stage() else { return };
    let (dir, path) = written("hello", "#!/bin/sh -e\nexit 3\n");
    let (at, is) = (dir.path().display(), resolved(&path));
    symlink(&path, dir.path().join("alias")).expect("linked");
    symlink(dir.path(), dir.path().join("folder")).expect("linked");
    for way in [
        format!("exec {at}/hello"),
        format!("cd {at}; exec ./hello"),
        format!("cd {at}; PATH=.; exec hello"),
        format!("cd /; exec {at}/../{}/./hello", dir.path().file_name().expect("a name").display()),
        format!("exec {at}/alias"),
        format!("cd {at}; exec folder/folder/alias"),
        format!("exec /proc/self/root/{at}/hello"),
        format!("exec 7< {at}/alias; exec /proc/self/fd/7"),
        format!("exec 7< {at}/alias; exec /dev/fd/7"),
    ] {
        let (_, life) = perform(stage, &mut shell(&way));
        assert_eq!(script(&life), &is, "{way}");
    }
    let (_, life) = perform(stage, helper("scripts::runs_by_descriptor").env("SCRIPT", &path));
    assert_eq!(script(&life), &is, "fexecve");
    assert!(images(&life)[1].args.list[2].as_bytes().starts_with(b"/dev/fd/"), "{life:?}");
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn runs_by_descriptor() {
    let file = fs::File::open(std::env::var_os("SCRIPT").expect("another test sets it")).expect("opened");
    keep_open(file.as_raw_fd());
    panic!("{}", exec_fd(file.as_raw_fd()));
}

/// An interpreter opens the script again, by its descriptor.
fn keep_open(fd: i32) {
    // SAFETY: no pointers.
    assert_eq!(unsafe { libc::fcntl(fd, libc::F_SETFD, 0) }, 0);
}

#[test]
fn scripts_of_scripts_are_told_as_the_one_that_was_run() {
    let Some(stage) = stage() else { return };
    let (dir, inner) = written("inner", "#!/bin/sh\nexit 0\n");
    let outer = dir.path().join("outer");
    executable(&outer, format!("#!{} -x\n", inner.display()).as_bytes());
    let outermost = dir.path().canonicalize().expect("a folder").join("outermost");
    executable(&outermost, format!("#!{}\n", outer.display()).as_bytes());
    let (_, life) = perform(stage, &mut Command::new(&outermost));
    assert_eq!(script(&life), &resolved(&outermost));
    let args: Vec<String> = images(&life)[0].args.list.iter().map(ToString::to_string).collect();
    let name = |path: &Path| path.display().to_string();
    assert_eq!(args, ["/bin/sh", &name(&inner), "-x", &name(&outer), &name(&outermost)], "the others are arguments");
}

#[test]
fn what_env_runs_for_a_script_has_it_in_the_graph() {
    let Some(stage) = stage() else { return };
    let (_dir, path) = written("tool", "#!/usr/bin/env sh\nexit 0\n");
    let (_, life) = perform(stage, &mut Command::new(&path));
    let [env, sh] = images(&life)[..] else { panic!("two execs: {life:?}") };
    assert_eq!(env.exe.id, file_id("/usr/bin/env"));
    assert_eq!(env.script.as_ref(), Some(&resolved(&path)));
    assert_eq!((sh.exe.id, &sh.script), (file_id("/bin/sh"), &None), "the kernel knows of none");
    let mut graph = Graph::default();
    life.iter().for_each(|event| graph.apply(event));
    let process = graph.process(life[0].header.process).expect("known");
    assert_eq!(process.image().and_then(|image| image.script.as_ref()), Some(&resolved(&path)));
}

#[test]
fn a_script_that_is_gone_or_was_only_in_memory_is_told_as_such() {
    let Some(stage) = stage() else { return };
    let (_dir, path) = written("gone", "#!/bin/sh\nexit 0\n");
    let is = File { deleted: true, ..resolved(&path) };
    let name = path.display();
    let (_, life) = perform(stage, &mut shell(&format!("exec 7< {name}; rm {name}; exec /proc/self/fd/7")));
    assert_eq!(script(&life), &is);

    let (_dir, path) = written("goes", "#!/bin/sh\nrm \"$0\"\nexit 0\n");
    let is = resolved(&path);
    let (_, life) = perform(stage, &mut Command::new(&path));
    assert_eq!(script(&life), &is, "it was there when it began");

    let (_, life) = perform(stage, &mut helper("scripts::runs_from_memory"));
    let script = script(&life);
    assert!(script.is_memfd() && script.deleted && script.id.is_known() && !script.as_passed, "{script:?}");
    assert_eq!(script.path, "memfd:payload");
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn runs_from_memory() {
    // SAFETY: a NUL-terminated name.
    let fd = unsafe { libc::memfd_create(c"payload".as_ptr(), 0) };
    // SAFETY: this process's own, of which nobody else knows.
    let mut file = unsafe { fs::File::from_raw_fd(fd) };
    file.write_all(b"#!/bin/sh\nexit 0\n").expect("written");
    panic!("{}", Command::new(format!("/proc/self/fd/{fd}")).exec());
}

#[test]
fn files_that_the_exec_closes_are_not_taken_for_the_script() {
    let Some(stage) = stage() else { return };
    let (dir, path) = written("mine", "#!/bin/sh\nexit 0\n");
    // Nobody else runs it: the exec closes the program that it replaces, too.
    let own = dir.path().join("own");
    let this = std::env::current_exe().expect("this binary");
    executable(&own, &fs::read(this).expect("a program"));
    let run = |count: &str| {
        let mut command = Command::new(&own);
        command.args(["--ignored", "--exact", "scripts::runs_with_open_files", "--nocapture"]);
        command.env("SCRIPT", &path).env("COUNT", count).current_dir(dir.path());
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        perform(stage, &mut command).1
    };
    for count in ["0", "400"] {
        assert_eq!(script(&run(count)), &resolved(&path), "{count} files");
    }
    let exactly = stage.has("security_bprm_check");
    let passed = File { path: resolved(&path).path, as_passed: true, ..File::default() };
    let is = if exactly { resolved(&path) } else { passed };
    assert_eq!(script(&run("600")), &is, "more than are looked at");
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn runs_with_open_files() {
    let variable = |name: &str| std::env::var(name).expect("another test sets it");
    let own = std::env::current_exe().expect("this binary");
    let count = variable("COUNT").parse().expect("a number");
    let open: Vec<fs::File> = (0..count).map(|_| fs::File::open(&own).expect("opened")).collect();
    let name = variable("SCRIPT");
    let name = Path::new("./").join(Path::new(&name).file_name().expect("a name"));
    // In a thread that is not the first, as tests are.
    let error = Command::new(&name).exec();
    drop(open);
    panic!("{error}");
}
