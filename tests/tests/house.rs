//! The house's rules, as far as a program can check them: who may depend on whom, what may stand where, which licences
//! are linked in. ARCHITECTURE.md tells why.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use lanner_tests::root;
use serde_json::Value;

fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let out = Command::new(cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--offline",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

/// Names of the crates that each crate links, without what only its tests use.
fn links(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let name_of: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (p["id"].as_str().unwrap(), p["name"].as_str().unwrap()))
        .collect();
    let mut links: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().unwrap() {
        let own = links.entry(name_of[node["id"].as_str().unwrap()].to_owned()).or_default();
        for dep in node["deps"].as_array().unwrap() {
            if dep["dep_kinds"].as_array().unwrap().iter().any(|k| k["kind"].is_null()) {
                own.insert(name_of[dep["pkg"].as_str().unwrap()].to_owned());
            }
        }
    }
    links
}

fn reachable(links: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next = vec![from.to_owned()];
    while let Some(name) = next.pop() {
        for dep in links.get(&name).into_iter().flatten() {
            if found.insert(dep.clone()) {
                next.push(dep.clone());
            }
        }
    }
    found
}

#[test]
fn the_arrows_between_crates_point_one_way() {
    let links = links(&metadata());
    let ours = |name: &str| -> BTreeSet<String> {
        links[name].iter().filter(|d| d.starts_with("lanner") || *d == "xtask").cloned().collect()
    };
    assert_eq!(ours("lanner-core"), BTreeSet::new());
    assert_eq!(ours("lanner-proto"), BTreeSet::from(["lanner-core".to_owned()]));
    assert_eq!(ours("lanner-recording"), BTreeSet::from(["lanner-core".to_owned(), "lanner-proto".to_owned()]));
    assert_eq!(ours("lanner-collector-abi"), BTreeSet::new());
    for (name, deps) in &links {
        assert!(!deps.contains("lanner"), "{name} depends on the terminal program");
    }
}

#[test]
fn the_core_links_nothing_that_does_io() {
    let found = reachable(&links(&metadata()), "lanner-core");
    for forbidden in ["tokio", "tonic", "prost", "aya", "ratatui", "crossterm", "libc", "time", "rustix", "mio"] {
        assert!(!found.contains(forbidden), "lanner-core links {forbidden}");
    }
}

#[test]
fn only_permissive_licences_are_linked() {
    const FINE: &[&str] = &[
        "MIT",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "MPL-2.0",
        "Zlib",
        "Unicode-3.0",
        "Unlicense",
        "CC0-1.0",
        "0BSD",
        "BSL-1.0",
        "MIT-0",
        "Apache-2.0 WITH LLVM-exception",
        "WTFPL",
    ];
    let metadata = metadata();
    let links = links(&metadata);
    let shipped: BTreeSet<String> = ["lanner", "lanner-collector"].iter().flat_map(|p| reachable(&links, p)).collect();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        if !shipped.contains(name) {
            continue;
        }
        let licence = package["license"].as_str().unwrap_or_default().replace('/', " OR ");
        let fine = |part: &str| FINE.contains(&part.trim_matches(|c| c == '(' || c == ')' || c == ' '));
        let choice = licence.split(" OR ").any(|choice| choice.split(" AND ").all(fine));
        assert!(choice, "{name} is under {licence:?}");
    }
}

/// Every Rust file of a folder that is ours, with its text.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(path: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") && !path.ends_with("generated") {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push((path.clone(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    assert!(!found.is_empty(), "{folder} has no sources");
    found
}

#[test]
fn the_core_reads_no_clock_and_touches_no_file() {
    for (path, text) in sources("core/src") {
        for forbidden in
            ["Instant::", "SystemTime", "std::fs", "std::io", "std::env", "std::process", "std::thread", "TcpStream"]
        {
            assert!(!text.contains(forbidden), "{} uses {forbidden}", path.display());
        }
    }
}

#[test]
fn every_queue_is_bounded() {
    for folder in ["core/src", "proto/src", "recording/src", "collector/src", "tui/src"] {
        for (path, text) in sources(folder) {
            for forbidden in ["unbounded_channel", "mpsc::channel()", "= channel()", "mpsc::channel::<"] {
                assert!(!text.contains(forbidden), "{} has an unbounded channel: {forbidden}", path.display());
            }
        }
    }
}

#[test]
fn only_the_command_line_and_the_terminal_print() {
    for folder in
        ["core/src", "proto/src", "recording/src", "collector/src", "rules/src", "demo-scenarios/src", "tui/src"]
    {
        for (path, text) in sources(folder) {
            let shown = path.strip_prefix(root()).unwrap().to_owned();
            let is_test = shown.components().any(|part| part.as_os_str() == "tests");
            if is_test || shown.starts_with("tui/src/cli") || shown == Path::new("tui/src/ui/terminal.rs") {
                continue;
            }
            for forbidden in ["stdout()", "println!", "print!("] {
                assert!(!text.contains(forbidden), "{} writes to standard output: {forbidden}", shown.display());
            }
        }
    }
}

#[test]
fn unsafe_stands_only_at_the_kernels_border() {
    for folder in
        ["core/src", "proto/src", "recording/src", "tui/src", "rules/src", "rules-sigma/src", "demo-scenarios/src"]
    {
        for (path, text) in sources(folder) {
            assert!(!text.contains("unsafe {") && !text.contains("unsafe fn"), "{}", path.display());
        }
    }
    for folder in ["collector/src", "collector-ebpf/src", "collector-abi/src"] {
        for (path, text) in sources(folder) {
            let lines: Vec<&str> = text.lines().collect();
            for (i, line) in lines.iter().enumerate().filter(|(_, l)| l.contains("unsafe {")) {
                let above = &lines[i.saturating_sub(4)..=i];
                let told = above.iter().any(|l| l.contains("SAFETY"));
                assert!(told, "{}:{}: unsafe without a SAFETY line:\n{line}", path.display(), i + 1);
            }
        }
    }
}

#[test]
fn files_stay_small_enough_to_read_in_one_sitting() {
    for folder in
        ["core", "proto/src", "recording", "collector", "collector-abi", "collector-ebpf/src", "tui", "xtask", "tests"]
    {
        for (path, text) in sources(folder) {
            assert!(text.lines().count() <= 600, "{} has {} lines", path.display(), text.lines().count());
        }
    }
}

#[test]
fn each_family_of_hooks_has_a_test_of_the_same_name() {
    // What the families share, and what is put together of several.
    const SHARED: &[&str] = &["mod", "calls", "network"];
    let names = |folder: &str| -> BTreeMap<String, String> {
        sources(folder)
            .into_iter()
            .map(|(path, text)| {
                let inside = path.strip_prefix(root().join(folder)).unwrap();
                let first = inside.iter().next().unwrap().to_str().unwrap();
                (first.trim_end_matches(".rs").to_owned(), text)
            })
            .collect()
    };
    let tests = names("collector/tests/sensor");
    let families = names("collector/src/sensor/family");
    assert!(families.len() > 20, "{:?}", families.keys());
    for family in families.keys().filter(|name| !SHARED.contains(&name.as_str())) {
        let told = tests.get(family).is_some_and(|text| text.contains("#[test]"));
        assert!(told, "collector/tests/sensor/{family}.rs does not test collector/src/sensor/family/{family}.rs");
    }
}
