//! Recordings that are committed hold what was performed for them, and nothing of the machine that they were made on: they are
//! decoded, and every path in them must be one that the scripts speak of, or that any Linux machine has.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use lanner_tests::{command, root};
use serde_json::Value;

/// Where the paths of any machine begin.
const SYSTEM: &[&str] = &[
    "/", "/bin", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys", "/usr", "/var", "/home", "/mnt",
    "/opt", "/srv",
];
/// What programs make by themselves in somebody's home and among temporary files, where a machine's own would lie, and names
/// that are put together. `*` stands for any characters but a slash, `?` for one.
const BY_PROGRAMS: &[&str] = &[
    "/root",
    "/tmp",
    "/root/.ansible",
    "/root/.bash_history",
    "/root/.bash_logout",
    "/root/.bash_profile",
    "/root/.bash_login",
    "/root/.bashrc",
    "/root/.config",
    "/root/.gitconfig",
    "/root/.gnupg",
    "/root/.lesshst*",
    "/root/.local",
    "/root/.profile",
    "/root/.rsync*",
    "/root/.vimrc",
    "/root/other-1.deb*",
    "/root/tool-?.deb*",
    "/tmp/#*",
    "/tmp/????????",
    "/tmp/ansible_*_payload_*",
    "/tmp/apt-*",
    "/tmp/cc??????.*",
    "/tmp/containerd-mount*",
    "/tmp/dpkg-deb.??????",
    "/tmp/fileutl.message.*",
    "/tmp/pty*",
    "/tmp/runc-process*",
    "/tmp/sort??????",
    "/tmp/ssh-????????????",
    "/tmp/tmp????????",
    "/org/freedesktop",
    "/kubepods",
    "/k8s.io",
    "/lanner-everyday",
    "/lanner-manager",
    "/lanner-rules-node",
    // `mkdir work`, `>got` in a script, f"/proc/{p}/maps"
    "/root/work",
    "/tmp/got",
    "/maps",
    "/mem",
];
/// Where the scripts lie that were performed.
const SCRIPTS: [&str; 4] = ["rules/tests/attacks", "rules/tests/performed", "rules/tests/recordings", "demo-scenarios"];

/// The files of a folder of the project that have one of these endings.
fn files(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    fn walk(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap_or_default();
            if path.is_dir() && name != "target" && name != ".git" {
                walk(&path, endings, found);
            } else if path.extension().is_some_and(|ending| endings.iter().any(|e| ending == *e)) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), endings, &mut found);
    found.sort();
    found
}

/// The paths that the scripts speak of.
fn scripted() -> BTreeSet<String> {
    let files = SCRIPTS.iter().flat_map(|folder| files(folder, &["py", "rs", "sh", "txt", "yaml"]));
    files.flat_map(|file| paths(&std::fs::read_to_string(file).unwrap())).collect()
}

/// All texts of a value.
fn texts<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(entries) => entries.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

/// The absolute paths in a text, cut behind their second name.
fn paths(text: &str) -> Vec<String> {
    let is_name = |c: char| c.is_alphanumeric() || "._+@#~-".contains(c);
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    for (i, c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| chars[i]);
        // `a/b`, `//` and `*/b` begin no path; `https://` is followed by a machine's name.
        if *c != '/' || before.is_some_and(|c| is_name(c) || matches!(c, '/' | '}' | '*' | ']')) {
            continue;
        }
        let slashes = chars[i..].iter().take_while(|c| **c == '/').count();
        if before == Some(':') && slashes == 2 {
            continue;
        }
        let rest: String = chars[i + slashes..].iter().take_while(|c| is_name(**c) || **c == '/').collect();
        let mut names = rest.split('/').filter(|name| !name.is_empty());
        let path: String = names.by_ref().take(2).map(|name| format!("/{name}")).collect();
        found.push(if path.is_empty() { "/".to_owned() } else { path });
    }
    found
}

/// Whether a name is of a pattern with `*` and `?`.
fn is_like(name: &[u8], pattern: &[u8]) -> bool {
    match pattern {
        [] => name.is_empty(),
        [b'*', rest @ ..] => (0..=name.len()).any(|n| !name[..n].contains(&b'/') && is_like(&name[n..], rest)),
        [b'?', rest @ ..] => name.first().is_some_and(|c| *c != b'/') && is_like(&name[1..], rest),
        [c, rest @ ..] => name.first() == Some(c) && is_like(&name[1..], rest),
    }
}

/// Whether a path, of at most two names, is one that is expected.
fn is_expected(path: &str, scripted: &BTreeSet<String>) -> bool {
    let first = path[1..].split('/').next().map_or_else(|| path.to_owned(), |name| format!("/{name}"));
    let by_programs = |path: &str| BY_PROGRAMS.iter().any(|pattern| is_like(path.as_bytes(), pattern.as_bytes()));
    // Of what lies there every name is told apart.
    let told_apart = matches!(&*first, "/root" | "/tmp") && *path != *first;
    let known = |path: &str| scripted.contains(path) || by_programs(path);
    SYSTEM.contains(&&*first) || known(path) || (!told_apart && known(&first))
}

/// What the containers and the guest of one recording have at their root.
fn is_of_one(recording: &str, path: &str) -> bool {
    let its_own: &[&str] = match recording {
        "containers" | "everyday-containers" | "recording" => &["/pause"],
        "modules" => &["/init", "/modules", "/test"],
        _ => &[],
    };
    its_own.iter().any(|own| path == *own || path.starts_with(&format!("{own}/")))
}

#[test]
fn recordings_hold_nothing_of_the_machine_that_they_were_made_on() {
    let mut wrong: BTreeMap<String, String> = BTreeMap::new();
    let scripted = scripted();
    let recordings = files("", &["lanner"]);
    assert!(recordings.len() >= 17, "{recordings:?}");
    for recording in &recordings {
        let name = recording.file_stem().unwrap().to_str().unwrap();
        let told = command("lanner", &["events", "--json", recording.to_str().unwrap()]).output().unwrap();
        assert!(told.status.success(), "{name}: {}", String::from_utf8_lossy(&told.stderr));
        let (mut found, mut events, mut looked_at) = (BTreeMap::new(), 0, HashSet::new());
        for (n, line) in String::from_utf8(told.stdout).unwrap().lines().enumerate() {
            let line: Value = serde_json::from_str(line).unwrap();
            events += usize::from(line["type"] == "event");
            if line["type"] == "ready" {
                let (node, kernel) = (line["node"].as_str().unwrap(), line["kernel"].as_str().unwrap());
                if node != "node1" || kernel.contains(|c: char| !c.is_ascii_digit() && c != '.') {
                    found.insert(format!("{node}, {kernel}"), "the node's name and kernel".to_owned());
                }
                continue; // What its sensor could not see is the program's own words.
            }
            let program = line["process"]["exe"].as_str().unwrap_or_default();
            if program.ends_with("/lanner") {
                found.insert(program.to_owned(), format!("line {}: the recorder itself", n + 1));
            }
            let mut all = Vec::new();
            texts(&line, &mut all);
            for text in all.into_iter().filter(|text| looked_at.insert((*text).to_owned())) {
                let unexpected = |path: &String| !is_expected(path, &scripted) && !is_of_one(name, path);
                for path in paths(text).into_iter().filter(unexpected) {
                    found.entry(path).or_insert_with(|| format!("line {}: {text:.200}", n + 1));
                }
            }
        }
        assert!(events > 50, "{name} has {events} events");
        wrong.extend(found.into_iter().map(|(path, text)| (format!("{name}: {path}"), text)));
    }
    assert!(wrong.is_empty(), "paths that no script speaks of: {wrong:#?}");
}

#[test]
fn paths_are_found_in_texts() {
    let found = |text: &str| paths(text).join(" ");
    assert_eq!(found("tar czf /a/b/c d/e -C /f"), "/a/b /f");
    assert_eq!(found("PATH=/a/b:/c/d x>/e"), "/a/b /c/d /e");
    assert_eq!(found("https://host/a unix:///b/c //d //"), "/b/c /d /");
    let scripted: BTreeSet<String> = ["/x", "/tmp/said"].map(str::to_owned).into();
    for path in ["/", "/usr/x", "/tmp/ccA1b2C3.s", "/x/y", "/tmp", "/tmp/said"] {
        assert!(is_expected(path, &scripted), "{path}");
    }
    for path in ["/somewhere/x", "/tmp/notes", "/root/x"] {
        assert!(!is_expected(path, &scripted), "{path}");
    }
}
