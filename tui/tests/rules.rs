//! `lanner rules`, as it is typed: what it prints, and its exit status.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

use serde_json::Value;

fn rules(args: &[&str]) -> Output {
    let mut lanner = Command::new(env!("CARGO_BIN_EXE_lanner"));
    lanner.arg("rules").args(args).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rules"));
    lanner.env_clear().output().unwrap()
}

/// What it printed, what it said, and its exit status.
fn told(args: &[&str]) -> String {
    let out = rules(args);
    let said = String::from_utf8(out.stderr).unwrap();
    format!("{}{said}exit status {}", String::from_utf8(out.stdout).unwrap(), out.status.code().unwrap())
}

fn json(args: &[&str]) -> Value {
    serde_json::from_slice(&rules(args).stdout).unwrap()
}

#[test]
fn mistakes_are_shown_where_they_are() {
    insta::assert_snapshot!("check_bad", told(&["check", "bad.yaml", "chain.yaml"]));
    let report = json(&["check", "--json", "bad.yaml"]);
    let error = &report["errors"][1];
    assert_eq!((&error["file"], &error["line"], &error["column"]), (&"bad.yaml".into(), &7.into(), &9.into()));
    assert_eq!(error["hint"], "did you mean `proc.name`?");
    assert_eq!((report["rules"].as_u64(), report["errors"].as_array().unwrap().len()), (Some(0), 4));
}

#[test]
fn what_cannot_work_is_no_mistake() {
    insta::assert_snapshot!("check_good", told(&["check", "good.yaml"]));
    let report = json(&["check", "--json", "good.yaml"]);
    assert_eq!((&report["rules"], &report["errors"]), (&2.into(), &Value::Array(vec![])));
    let unsupported = &report["unsupported"][0];
    assert_eq!((&unsupported["rule"], &unsupported["line"]), (&"Page faults handled".into(), &32.into()));
}

#[test]
fn files_that_are_not_there_are_named() {
    let told = told(&["check", "nowhere.yaml"]);
    assert!(told.contains("nowhere.yaml cannot be read: No such file") && told.ends_with("exit status 1"), "{told}");
}

#[test]
fn the_list_has_every_rule_ours_and_those_that_are_added() {
    let ours = json(&["list", "--json"]);
    let all = json(&["list", "--json", "--rules", "good.yaml"]);
    let (ours, all) = (ours.as_array().unwrap(), all.as_array().unwrap());
    assert_eq!(all[..ours.len()], ours[..], "what is added leaves ours as they are");
    assert!(ours.iter().all(|rule| rule["supported"] == true && rule["reason"].is_null()));
    insta::assert_snapshot!("list", serde_json::to_string_pretty(&all[ours.len()..]).unwrap());
    let words = told(&["list", "--rules", "good.yaml"]);
    let added: Vec<&str> = words.lines().filter(|l| l.contains("good.yaml") || l.contains("switched off")).collect();
    assert_eq!(added.len(), 3, "{words}");
}

#[test]
fn a_rule_is_explained() {
    insta::assert_snapshot!("explain", told(&["explain", "carrier in a container", "--rules", "good.yaml"]));
    insta::assert_snapshot!("explain_unsupported", told(&["explain", "Page faults handled", "--rules", "good.yaml"]));
    let told = told(&["explain", "Carier in a container", "--rules", "good.yaml"]);
    assert!(told.contains("did you mean \"Carrier in a container\"?") && told.ends_with("exit status 2"), "{told}");
}

#[test]
fn a_rule_is_tried_on_a_recording() {
    let args = ["test", "Namespaces changed", "container-escape", "--rules", "good.yaml"];
    let words = told(&args);
    assert!(words.contains("setns") && words.contains("container.id"), "{words}");
    assert!(words.ends_with("exit status 0"), "{words}");
    let out = rules(&[&args[..], &["--json"]].concat());
    let hits: Vec<Value> =
        String::from_utf8(out.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert!(!hits.is_empty());
    assert!(hits.iter().all(|h| h["type"] == "hit" && h["fields"]["evt.type"] == "setns"), "{hits:#?}");
    for (rule, why, status) in [
        ("Quiet", "events meets", "exit status 1"),
        ("Page faults handled", "cannot work here", "exit status 1"),
        ("Switched off", "is switched off", "exit status 1"),
        ("Nonesuch", "there is no rule", "exit status 2"),
    ] {
        let words = told(&["test", rule, "container-escape", "--rules", "good.yaml", "--rules", "quiet.yaml"]);
        assert!(words.contains(why) && words.ends_with(status), "{words}");
    }
}

#[test]
fn sigma_rules_are_rules_too() {
    insta::assert_snapshot!("sigma_check", told(&["check", "sigma.yml"]));
    insta::assert_snapshot!("sigma_explain", told(&["explain", "Namespace tool started", "--rules", "sigma.yml"]));
    let all = json(&["list", "--json", "--rules", "sigma.yml"]);
    let refused = all.as_array().unwrap().iter().find(|rule| rule["name"] == "Logged by auditd").unwrap();
    assert_eq!(refused["supported"], false);
    assert!(refused["reason"].as_str().unwrap().contains("sigma.yml:15"), "{refused}");
    let words = told(&["test", "Namespace tool started", "container-escape", "--rules", "sigma.yml"]);
    assert!(words.contains("nsenter") && words.ends_with("exit status 0"), "{words}");
}

#[test]
fn the_navigators_layer_has_a_technique_for_every_place_that_rules_have() {
    let layer = json(&["list", "--format", "navigator", "--rules", "good.yaml"]);
    assert_eq!(layer["versions"]["layer"], "4.5");
    assert_eq!(layer["domain"], "enterprise-attack");
    let techniques = layer["techniques"].as_array().unwrap();
    let ours = json(&["list", "--json"]);
    let placed = |rule: &&Value| rule["tags"].as_array().unwrap().iter().any(|t| t.as_str().unwrap().starts_with("T1"));
    let score: u64 = techniques.iter().map(|technique| technique["score"].as_u64().unwrap()).sum();
    assert!(score >= ours.as_array().unwrap().iter().filter(placed).count() as u64, "{score}");
    let escape = techniques.iter().find(|t| t["techniqueID"] == "T1611" && t["tactic"] == "privilege-escalation");
    let comment = escape.unwrap()["comment"].as_str().unwrap();
    assert!(comment.contains("Container process entered the host's namespaces"), "{comment}");
    assert!(!rules(&["list", "--json", "--format", "navigator"]).status.success(), "they are two formats");
}
