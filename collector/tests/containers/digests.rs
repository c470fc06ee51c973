//! What the files hold that are run: on the node, in another mount namespace, by processes that live and by such that are
//! gone before anybody could look.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use lanner_core::event::{Digest, Event, File, Origin, Payload};

use lanner_tests::executable;

use super::watch::Watch;

/// A program of its own content: the shell's, and a remark behind it.
fn program(at: &Path, remark: &str) {
    let mut bytes = fs::read("/bin/sleep").expect("the node has sleep");
    bytes.extend_from_slice(remark.as_bytes());
    executable(at, &bytes);
}

/// What `sha256sum` says.
fn sum(of: &Path) -> String {
    let output = Command::new("sha256sum").arg(of).output().expect("sha256sum runs");
    String::from_utf8(output.stdout).expect("text").split(' ').next().expect("a sum").to_owned()
}

/// A process that ends with the test.
struct Beside(Child);

impl Beside {
    fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.end();
    }
}

fn told(watch: &mut Watch, name: &str, sha256: &str) -> (Event, Digest) {
    watch.expect(name, |event, _| match &event.payload {
        Payload::Digest(d) if d.file.path.file_name() == name.as_bytes() && d.sha256.to_string() == sha256 => {
            Some((event.clone(), d.as_ref().clone()))
        }
        _ => None,
    })
}

#[test]
fn what_is_run_is_told_by_its_content() {
    let Some(mut watch) = Watch::start() else { return };
    let dir = tempfile::tempdir_in("/var/tmp").expect("a folder");
    let at = dir.path().join("digested");
    program(&at, "first");
    let first = sum(&at);
    let mut living = Beside(Command::new(&at).arg("600").stdin(Stdio::null()).spawn().expect("it starts"));
    let (event, digest) = told(&mut watch, "digested", &first);
    assert_eq!((event.header.process.pid, event.header.origin), (living.0.id(), Origin::Backfill));
    let running = watch.graph.process(event.header.process).and_then(|p| p.images.last()).expect("it was seen").clone();
    let (id, since) = (running.image.exe.id, running.since);
    let file = File::new(at.display().to_string(), id.dev, id.ino);
    assert_eq!(digest, Digest { file, since, sha256: digest.sha256 });
    let known = watch.graph.digest(running.image.exe.id, running.since).expect("kept");
    assert_eq!(known, digest.sha256);

    // Another content in the same file, by a process that is gone at once: each has what it ran.
    living.end();
    program(&at, "second");
    let second = sum(&at);
    let status = Command::new(&at).arg("0").status().expect("it starts");
    assert!(status.success());
    let (event, digest) = told(&mut watch, "digested", &second);
    assert_eq!(digest.file.id, running.image.exe.id);
    assert_eq!(watch.graph.digest(digest.file.id, digest.since), Some(digest.sha256));
    assert_eq!(watch.graph.digest(running.image.exe.id, running.since), Some(known));
    assert!(digest.since > running.since && event.header.time >= digest.since);
}

#[test]
fn scripts_and_what_has_no_name_are_told_too() {
    let Some(mut watch) = Watch::start() else { return };
    let dir = tempfile::tempdir_in("/var/tmp").expect("a folder");
    let script = dir.path().join("digested.sh");
    executable(&script, b"#!/bin/sh\nread line\n");
    let wanted = sum(&script);
    let child = Beside(Command::new(&script).stdin(Stdio::piped()).spawn().expect("it starts"));
    let (event, digest) = told(&mut watch, "digested.sh", &wanted);
    assert_eq!(event.header.process.pid, child.0.id());
    assert_eq!(digest.file.path.to_string(), script.display().to_string());

    let gone = dir.path().join("gone");
    program(&gone, "gone");
    let wanted = sum(&gone);
    let at = gone.display();
    // It goes as soon as it runs; the process has it open.
    let run = format!("exec {at} 600");
    let child = Beside(Command::new("sh").args(["-c", &run]).stdin(Stdio::null()).spawn().expect("it starts"));
    let runs = || fs::read_link(format!("/proc/{}/exe", child.0.id())).is_ok_and(|exe| exe == gone);
    lanner_tests::wait_for("the program", || runs().then_some(()));
    fs::remove_file(&gone).expect("removed");
    told(&mut watch, "gone", &wanted);
}

#[test]
fn a_file_of_another_mount_namespace_is_found_there() {
    let Some(mut watch) = Watch::start() else { return };
    let dir = tempfile::tempdir_in("/var/tmp").expect("a folder");
    let (mounted, built) = (dir.path().join("mounted"), dir.path().join("built"));
    fs::create_dir(&mounted).expect("made");
    program(&built, "elsewhere");
    let wanted = sum(&built);
    let (mounted, built) = (mounted.display(), built.display());
    // It is copied to a file system that only this process has, run there at length, and once for a moment.
    let script = format!(
        "mount -t tmpfs none {mounted} && cp {built} {mounted}/elsewhere && {mounted}/elsewhere 0 && read line"
    );
    let unshare = Command::new("unshare").args(["-m", "sh", "-c", &script]).stdin(Stdio::piped()).spawn();
    let _child = Beside(unshare.expect("unshare starts"));
    let (_, digest) = told(&mut watch, "elsewhere", &wanted);
    assert_eq!(digest.file.path.to_string(), format!("{mounted}/elsewhere"));
}
