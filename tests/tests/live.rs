//! The attack performed for real, beside what people do on any day, on this machine's kernel.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::BufRead;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use lanner_tests::{
    Running, assert_tells_the_story, command, has_a_nodes_parts, json_lines, privileged, root, signal, wait_for,
};
use serde_json::Value;

/// Something that runs beside the test; it is ended when this goes.
struct Beside(Child);

impl Drop for Beside {
    fn drop(&mut self) {
        signal(self.0.id(), libc::SIGTERM);
        let _ = self.0.wait();
    }
}

fn scenario(script: &str, node: &Path) -> Command {
    let mut run = Command::new(root().join("demo-scenarios").join(script));
    run.env("NODE", node).stdin(Stdio::null()).stdout(Stdio::null());
    run
}

/// The last revision of each incident that stands on its own.
fn standing(lines: &[Value]) -> Vec<Value> {
    let mut last: Vec<Value> = Vec::new();
    for line in lines.iter().filter(|l| l["type"] == "incident") {
        last.retain(|l| l["id"] != line["id"]);
        last.push(line.clone());
    }
    last.retain(|l| l["status"] != "merged");
    last
}

fn assert_is_the_attack(incident: &Value) {
    assert_tells_the_story(incident);
    // Not one process of the attack leaves its containers' control groups, and nobody else is in them.
    for process in incident["processes"].as_array().unwrap() {
        assert!(!process["container"].is_null(), "{process}");
        let exe = process["exe"].as_str().unwrap();
        for other in ["cc1", "dpkg-query", "gcc", "kubelet", "containerd", "ctr", "httpd", "runc"] {
            assert!(!exe.ends_with(&format!("/{other}")), "{process}");
        }
    }
}

#[test]
fn the_attack_is_one_incident_and_nothing_else_is_in_it() {
    if !privileged() || !has_a_nodes_parts() {
        return;
    }
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    let recording = folder.path().join("run.lanner");
    let mut watch = Running::start(command("lanner", &["watch", "--json"]));
    let ready = watch.next_of("ready");
    let degraded = ready["degraded"].as_array().expect("a list");
    // What asks for the names of containers is no hook: others may have made control groups without a runtime.
    let attaches = |d: &Value| d["layer"] == "full" || d["hook"] == "container names";
    assert!(degraded.iter().all(attaches), "every hook of the base layer attaches here: {degraded:?}");
    let recorder = command("lanner", &["record", "-o", recording.to_str().unwrap()]).spawn().unwrap();
    wait_for("the recorder", || fs::metadata(&recording).ok().filter(|m| m.len() > 0));

    let node = folder.path().join("node");
    let noise = Beside(scenario("noise.sh", &node).args(["--rounds", "3"]).spawn().unwrap());
    let attack =
        scenario("container-escape/run.sh", &node).args(["--gap", "0.5", "--interval", "0.6"]).status().unwrap();
    assert!(attack.success());
    drop(noise);

    signal(recorder.id(), libc::SIGINT);
    let recorded = { recorder }.wait_with_output().unwrap();
    assert_eq!(recorded.status.code(), Some(0));
    let (lines, status) = watch.stop();
    assert_eq!(status, Some(10));
    let summary = lines.last().unwrap();
    assert_eq!(summary["type"], "summary");
    // What the kernel skips, anybody on the machine can bring about; nothing else is lost, and the story is whole.
    let lost: Vec<_> = lines.iter().filter(|l| l["type"] == "loss" && l["cause"] != "skipped").collect();
    assert!(lost.is_empty(), "{lost:?}");
    let live = standing(&lines);
    assert_eq!(live.len(), 1, "{live:#?}");
    assert_is_the_attack(&live[0]);

    // What was recorded beside it tells the same story.
    let replay = command("lanner", &["watch", recording.to_str().unwrap(), "--json", "--final"]).output().unwrap();
    let replayed = standing(&json_lines(std::str::from_utf8(&replay.stdout).unwrap()));
    assert_eq!(replayed.len(), 1, "{replayed:#?}");
    assert_is_the_attack(&replayed[0]);
    let told = |incident: &Value| -> Vec<String> {
        incident["stages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| format!("{} {}", s["signal"], s["process"]["pid"]))
            .collect()
    };
    assert_eq!(told(&live[0]), told(&replayed[0]));
}

#[test]
fn a_collector_tells_its_clients_the_same_and_says_when_it_goes() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix://{}/lanner.sock", folder.path().display());
    let mut daemon = command("lannerd", &["--listen", &address, "--node-name", "here"]).spawn().unwrap();
    wait_for("the socket", || fs::metadata(folder.path().join("lanner.sock")).ok());
    let mut events = Running::start(command("lanner", &["events", &address, "--json"]));
    assert_eq!(events.next_of("ready")["node"], "here");
    // Processes that live already come first, this test's own among them.
    let own = std::process::id();
    while events.next_of("event")["process"]["pid"] != own {}
    let marker = folder.path().join("marker");
    let script = format!("exec 3>{}; exit 7", marker.display());
    let child = Command::new("sh").args(["-c", &script]).spawn().unwrap();
    let pid = child.id();
    let mut seen = Vec::new();
    { child }.wait().unwrap();
    // What files hold and users are called is read beside the stream, sooner or later.
    let read_beside = ["digest", "accounts"];
    loop {
        let event = events.next_of("event");
        if event["process"]["pid"] == pid && !read_beside.iter().any(|family| event["event"] == *family) {
            seen.push(event["event"].as_str().unwrap().to_owned());
            if event["event"] == "open" {
                assert_eq!(event["data"]["file"]["path"], marker.to_str().unwrap());
                assert_eq!(event["data"]["created"], true);
            }
            if event["event"] == "exit" {
                assert_eq!(event["data"]["code"], 7);
                break;
            }
        }
    }
    assert_eq!(seen, ["exec", "open", "exit"]);

    signal(daemon.id(), libc::SIGKILL);
    daemon.wait().unwrap();
    let (_, status) = events.stop();
    assert_eq!(status, Some(4), "the collector went away, and the client says so");
}

#[test]
fn watch_ends_by_itself_when_asked() {
    if !privileged() {
        return;
    }
    let out = command("lanner", &["watch", "--json", "--for", "5"]).output().unwrap();
    assert_eq!(out.status.code(), Some(0));
    let lines = json_lines(std::str::from_utf8(&out.stdout).unwrap());
    assert_eq!(lines[0]["type"], "ready");
    assert_eq!(lines.last().unwrap()["type"], "summary");
    assert!(lines.last().unwrap()["events"].as_u64().unwrap() > 10, "what lives is told");
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_on_a_quiet_node_too() {
    if !privileged() {
        return;
    }
    let mut watch = command("lanner", &["watch", "--json", "--final"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    std::io::BufReader::new(watch.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    assert!(ready.contains("ready"));
    let status = wait_for("its end", || watch.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
}
