//! The built-in recording of the reference attack gives one incident, whole, always the same.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::process::Stdio;

use lanner_tests::{Running, assert_tells_the_story, command, json_lines, root};
use serde_json::Value;

fn watch(args: &[&str]) -> (String, i32) {
    let out = command("lanner", args).output().unwrap();
    assert!(out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    (String::from_utf8(out.stdout).unwrap(), out.status.code().unwrap())
}

fn incidents(text: &str) -> Vec<Value> {
    json_lines(text).into_iter().filter(|line| line["type"] == "incident").collect()
}

#[test]
fn the_attack_is_one_incident_with_all_of_its_stages_in_order() {
    let (text, status) = watch(&["watch", "container-escape", "--json", "--final"]);
    assert_eq!(status, 10, "an incident was found");
    let incidents = incidents(&text);
    assert_eq!(incidents.len(), 1);
    assert_tells_the_story(&incidents[0]);
    let stages = incidents[0]["stages"].as_array().unwrap();
    for (i, stage) in stages.iter().enumerate() {
        assert!(stage["technique"].as_str().unwrap().starts_with('T'), "{stage}");
        assert!(!stage["technique_name"].is_null(), "{stage}");
        assert!(!stage["evidence"].as_array().unwrap().is_empty(), "{stage}");
        assert!(stage["process"]["exe"].as_str().unwrap().starts_with('/'), "{stage}");
        match i {
            0 => assert!(stage["link"].is_null()),
            _ => assert!(stage["link"]["to_stage"].as_u64().unwrap() < i as u64, "{stage}"),
        }
    }
    assert_eq!(incidents[0]["severity"], "critical");
    assert_eq!(incidents[0]["name"], "Container escape to hidden static pod");
}

#[test]
fn the_manifest_joins_the_two_containers() {
    let (text, _) = watch(&["watch", "container-escape", "--json", "--final"]);
    let incident = incidents(&text).remove(0);
    let stages = incident["stages"].as_array().unwrap();
    let planted = stages.iter().find(|s| s["tactic"] == "defense-evasion").unwrap();
    let from = &stages[planted["link"]["to_stage"].as_u64().unwrap() as usize];
    assert_eq!(from["tactic"], "persistence");
    let container = |stage: &Value| stage["process"]["container"].as_str().unwrap().to_owned();
    assert_ne!(container(planted), container(from));
    let manifest = incident["files"].as_array().unwrap().iter().filter_map(Value::as_str);
    assert!(
        manifest.clone().any(|f| f.starts_with("/etc/kubernetes/manifests/")),
        "{:?}",
        manifest.collect::<Vec<_>>()
    );
}

#[test]
fn what_is_listed_belongs_to_the_attack() {
    let (text, _) = watch(&["watch", "container-escape", "--json", "--final"]);
    let incident = incidents(&text).remove(0);
    for process in incident["processes"].as_array().unwrap() {
        let exe = process["exe"].as_str().unwrap();
        let name = exe.rsplit('/').next().unwrap();
        assert!(!process["container"].is_null(), "the attack never leaves its control groups: {process}");
        for others in ["kubelet", "containerd", "containerd-shim-runc-v2", "ctr", "httpd", "tini"] {
            assert_ne!(name, others, "{process}");
        }
    }
}

#[test]
fn the_same_recording_gives_the_same_bytes() {
    let once = watch(&["watch", "container-escape", "--json"]);
    assert_eq!(once, watch(&["watch", "container-escape", "--json"]));
    assert!(once.0.lines().count() > 10);
    let events = watch(&["events", "container-escape", "--json"]);
    assert_eq!(events, watch(&["events", "container-escape", "--json"]));
}

#[test]
fn every_line_follows_the_schema() {
    let schema = std::fs::read_to_string(root().join("docs/schema/lines.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    for verb in ["watch", "events"] {
        let (text, _) = watch(&[verb, "container-escape", "--json"]);
        let mut types = std::collections::BTreeSet::new();
        for line in json_lines(&text) {
            let problems: Vec<String> =
                schema.iter_errors(&line).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(problems.is_empty(), "{problems:?}\n{line}");
            types.insert(line["type"].as_str().unwrap().to_owned());
        }
        assert!(types.contains(if verb == "watch" { "incident" } else { "event" }), "{types:?}");
    }
}

#[test]
fn whatever_is_in_an_incident_has_a_reason_and_so_has_what_is_not() {
    let (text, _) = watch(&["watch", "container-escape", "--json", "--final"]);
    let incident = incidents(&text).remove(0);
    let schema = std::fs::read_to_string(root().join("docs/schema/lines.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let explain = |what: &str| {
        let (text, status) = watch(&["watch", "container-escape", "--json", "--explain", what]);
        let lines = json_lines(&text);
        assert!(lines.iter().all(|line| schema.is_valid(line)), "{text}");
        (lines.last().unwrap().clone(), status)
    };
    let (why, status) = explain(incident["id"].as_str().unwrap());
    assert_eq!((why["type"].as_str(), status), (Some("explanation"), 10));
    assert_eq!(why["incident"], incident);
    for part in ["stages", "processes", "files", "peers"] {
        assert_eq!(why[part].as_array().unwrap().len(), incident[part].as_array().unwrap().len(), "{part}");
    }
    assert!(!why.to_string().contains("forgotten"), "{why}");
    let sum: u64 = why["weights"].as_array().unwrap().iter().map(|w| w.as_u64().unwrap()).sum();
    assert_eq!(Some(sum), incident["score"].as_u64());

    let insider = &incident["processes"][0];
    let (why, _) = explain(&format!("{}:{}", insider["pid"], insider["start"].as_str().unwrap()));
    assert_eq!(why["incident"], incident["id"]);
    let (events, _) = watch(&["events", "container-escape", "--json", "--filter", "proc.name=kubelet"]);
    let kubelet = json_lines(&events).into_iter().find(|l| l["type"] == "event").unwrap()["process"]["pid"].clone();
    let (why, status) = explain(&kubelet.to_string());
    assert_eq!((&why["incident"], status), (&Value::Null, 0));
    let kinds: Vec<&str> = why["reasons"].as_array().unwrap().iter().map(|r| r["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"boundary") && kinds.contains(&"only-read"), "{why}");
    let unknown = command("lanner", &["watch", "container-escape", "--explain", "inc-00000000"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(1));
}

#[test]
fn a_recording_from_standard_input_is_as_good() {
    let recording = std::fs::read(root().join("demo-scenarios/container-escape/recording.lanner")).unwrap();
    let mut child =
        command("lanner", &["watch", "-", "--json"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || stdin.write_all(&recording));
    let out = child.wait_with_output().unwrap();
    feeder.join().unwrap().unwrap();
    assert_eq!(String::from_utf8(out.stdout).unwrap(), watch(&["watch", "container-escape", "--json"]).0);
}

#[test]
fn a_filter_keeps_what_meets_it() {
    let (text, status) =
        watch(&["events", "container-escape", "--json", "--filter", "evt.type=connect and fd.rport=8443"]);
    assert_eq!(status, 0);
    let events: Vec<Value> = json_lines(&text).into_iter().filter(|l| l["type"] == "event").collect();
    assert!(events.iter().all(|e| e["event"] == "connect"));
    let (text, _) = watch(&["events", "container-escape", "--json", "--filter", "evt.type=execve and proc.name=tar"]);
    let tars: Vec<Value> = json_lines(&text).into_iter().filter(|l| l["type"] == "event").collect();
    assert!(
        !tars.is_empty() && tars.iter().all(|e| e["data"]["exe"]["path"].as_str().unwrap().ends_with("/tar")),
        "{text}"
    );
}

#[test]
fn a_silent_pipe_does_not_keep_it_from_ending_and_what_came_is_told() {
    let recording = std::fs::read(root().join("demo-scenarios/container-escape/recording.lanner")).unwrap();
    let (reader, mut writer) = std::io::pipe().unwrap();
    let mut watch = command("lanner", &["watch", "-", "--json"]);
    watch.stdin(reader);
    let mut watch = Running::start(watch);
    writer.write_all(&recording[..recording.len() - 100]).unwrap();
    watch.next_of("incident");
    let (rest, status) = watch.stop();
    assert_eq!(status, Some(10), "{rest:?}");
    assert_eq!(rest.last().unwrap()["type"], "summary");
    drop(writer);
}
