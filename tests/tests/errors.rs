//! Bad input and missing rights: one sentence that names the thing and the way out, and the documented status.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};

use lanner_tests::{command, json_lines, root};

fn lanner(args: &[&str]) -> Output {
    command("lanner", args).output().unwrap()
}

fn said(out: &Output) -> String {
    String::from_utf8(out.stderr.clone()).unwrap()
}

fn recording() -> Vec<u8> {
    fs::read(root().join("demo-scenarios/container-escape/recording.lanner")).unwrap()
}

/// Writes a file for a test and gives what `events` makes of it.
fn events_of(folder: &Path, name: &str, bytes: &[u8]) -> (Output, usize) {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    let out = lanner(&["events", path.to_str().unwrap(), "--json"]);
    let events = json_lines(std::str::from_utf8(&out.stdout).unwrap()).iter().filter(|l| l["type"] == "event").count();
    (out, events)
}

#[test]
fn a_damaged_recording_is_shown_as_far_as_it_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let whole = recording();
    let (out, all) = events_of(folder.path(), "whole.lanner", &whole);
    assert_eq!((out.status.code(), said(&out).as_str()), (Some(0), ""));
    let (out, some) = events_of(folder.path(), "cut.lanner", &whole[..whole.len() / 2]);
    assert_eq!(out.status.code(), Some(4));
    assert!(some < all && said(&out).contains("cut short"), "{some} of {all}: {}", said(&out));
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x55;
    let (out, _) = events_of(folder.path(), "flipped.lanner", &flipped);
    assert_eq!(out.status.code(), Some(4));
    assert!(said(&out).contains("damaged"), "{}", said(&out));
}

#[test]
fn what_is_no_recording_is_called_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (out, _) = events_of(folder.path(), "log.json", b"{\"process_exec\":{}}\n");
    assert_eq!(out.status.code(), Some(1));
    assert!(said(&out).contains("not a Lanner recording") && said(&out).contains("JSON"), "{}", said(&out));
    let mut future = recording();
    future[8] = 99;
    let (out, _) = events_of(folder.path(), "future.lanner", &future);
    assert_eq!(out.status.code(), Some(1));
    assert!(said(&out).contains("format 99") && said(&out).contains("newer"), "{}", said(&out));
}

#[test]
fn a_source_that_does_not_exist_is_named_with_what_does() {
    let out = lanner(&["watch", "no-such-thing"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(said(&out).contains("no-such-thing") && said(&out).contains("container-escape"), "{}", said(&out));
    let out = lanner(&["watch", "unix:///nonexistent/lanner.sock"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(said(&out).contains("/nonexistent/lanner.sock") && said(&out).contains("lannerd"), "{}", said(&out));
}

#[test]
fn a_filter_that_makes_no_sense_is_explained() {
    let out = lanner(&["events", "container-escape", "--filter", "proc.nmae = sh"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(said(&out).contains("proc.nmae") && said(&out).contains("proc.name"), "{}", said(&out));
}

#[test]
fn without_rights_one_sentence_says_what_is_missing() {
    // A process without capabilities, whoever runs the tests.
    let program = lanner_tests::program("lanner");
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("lanner");
    lanner_tests::executable(&copy, &fs::read(program).unwrap());
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for verb in [["watch", "--json"], ["record", "-o/dev/null"]] {
        let mut as_nobody = std::process::Command::new("setpriv");
        as_nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]);
        let is_root = fs::metadata("/proc/self").map(|m| std::os::unix::fs::MetadataExt::uid(&m)).unwrap() == 0;
        let out = if is_root {
            as_nobody.arg(&copy).args(verb).stdin(Stdio::null()).output().unwrap()
        } else {
            std::process::Command::new(&copy).args(verb).stdin(Stdio::null()).output().unwrap()
        };
        assert_eq!(out.status.code(), Some(3), "{}", said(&out));
        assert!(out.stdout.is_empty());
        let said = said(&out);
        assert!(said.lines().count() == 1 && said.contains("CAP_") && said.contains("root"), "{said}");
    }
}

#[test]
fn output_that_is_no_terminal_gets_no_escape_codes() {
    for args in [["replay", "container-escape"].as_slice(), &["watch", "container-escape"], &["doctor"], &["scenarios"]]
    {
        let out = lanner(args);
        for stream in [&out.stdout, &out.stderr] {
            assert!(!stream.contains(&0x1b), "{args:?}: {}", String::from_utf8_lossy(stream));
        }
    }
    let out = lanner(&["replay", "container-escape"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(said(&out).contains("lanner watch"), "{}", said(&out));
}

#[test]
fn a_full_disk_is_said_and_is_a_failure() {
    let out = lanner(&["record", "container-escape", "-o", "/dev/full"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(said(&out).contains("/dev/full") && said(&out).contains("No space left"), "{}", said(&out));
    assert_eq!(said(&out).matches("No space left").count(), 1, "each reason is said once: {}", said(&out));
}

#[test]
fn a_recording_that_nobody_takes_is_a_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut record = command("lanner", &["record", "container-escape", "-o", "-"]);
    let out = record.stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(1));
    assert!(said(&out).contains("Broken pipe"), "{}", said(&out));
}

#[test]
fn a_source_that_does_not_open_leaves_no_recording_behind_and_a_copy_says_what_the_first_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.lanner");
    let out = lanner(&["record", "unix:///nonexistent/lanner.sock", "-o", path.to_str().unwrap()]);
    assert_eq!((out.status.code(), path.exists()), (Some(1), false), "{}", said(&out));
    let out = lanner(&["record", "container-escape", "-o", path.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    let header = |source: &str| {
        let lines = json_lines(std::str::from_utf8(&lanner(&["events", source, "--json"]).stdout).unwrap());
        lines.into_iter().find(|line| line["type"] == "recording").unwrap()
    };
    let (first, copy) = (header("container-escape"), header(path.to_str().unwrap()));
    assert_eq!((&first["note"], &first["stretched"]), (&copy["note"], &copy["stretched"]));
    assert!(!copy["stretched"].as_array().unwrap().is_empty());
    let out = lanner(&["record", "container-escape", "-o", path.to_str().unwrap()]);
    assert!(out.status.code() == Some(1) && said(&out).contains("never overwritten"), "{}", said(&out));
}

#[test]
fn a_hostile_recording_obeys_no_terminal() {
    use lanner_core::event::{Hook, HookLayer, HookState};
    use lanner_recording::{Header, Options, Reader, Writer};

    let hostile = |name: &str| format!("{name}\x1b]0;owned\x07\x1b[2J\u{202e}\n");
    let whole = recording();
    let mut reader = Reader::new(whole.as_slice()).unwrap();
    let mut header = Header { note: hostile("note"), recorded_by: hostile("version"), ..reader.header().clone() };
    header.node.name = hostile("node");
    header.node.kernel = hostile("kernel");
    header.node.hooks.push(Hook {
        name: hostile("hook"),
        layer: HookLayer::Base,
        state: HookState::Refused(hostile("why")),
        without: hostile("without"),
    });
    let mut writer = Writer::new(Vec::new(), &header, Options::LIVE).unwrap();
    reader.by_ref().for_each(|batch| writer.write(&batch).unwrap());
    let folder = tempfile::tempdir().unwrap();
    // Cut, so that there is something to complain about; in a file whose name is hostile too.
    let bytes = writer.finish().unwrap();
    let path = folder.path().join("\x1b[31mred.lanner");
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let (path, copy) = (path.to_str().unwrap(), folder.path().join("\x1b[31mcopy.lanner"));
    for args in [
        ["watch", path].as_slice(),
        &["watch", path, "--json"],
        &["events", path],
        &["events", path, "--json"],
        &["record", path, "-o", copy.to_str().unwrap()],
        &["record", path, "-o", path],
    ] {
        let out = lanner(args);
        assert!(!out.stderr.is_empty());
        for stream in [&out.stdout, &out.stderr] {
            let text = std::str::from_utf8(stream).unwrap();
            assert!(!text.contains(['\x1b', '\x07', '\u{202e}']), "{args:?}: {text:?}");
        }
    }
}
