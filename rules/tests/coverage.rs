//! `docs/coverage.md` is made from the rules.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use lanner_core::detect::rules::{Rule, RuleSet};
use lanner_core::detect::{Tactic, technique_name};
use lanner_core::event::Family;

const HEAD: &str = "\
# Coverage

Which techniques of MITRE ATT&CK (Enterprise, v17) the built-in rules tell of, by which signal, and on which of the sensor's hooks
that stands: `base` is there on every kernel that Lanner runs on, `full` adds to it where the kernel allows
([events.md](events.md)). `lanner rules list --format navigator` prints the same as a layer for the ATT&CK Navigator.

That a technique stands here does not mean that all of its ways are seen. `lanner rules explain RULE` tells what a rule looks at.

This file is made from `rules/` by `LANNER_WRITE_DOCS=1 cargo test -p lanner-rules --test coverage`; a test holds one against the
other.
";

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

/// The layers of the hooks that each family stands on, as docs/events.md tells them.
fn layers() -> BTreeMap<String, Vec<&'static str>> {
    let mut layers: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for line in std::fs::read_to_string(docs("events.md")).unwrap().lines() {
        let cells: Vec<&str> = line.split(" | ").collect();
        let Some(family) = cells[0].strip_prefix("| `").and_then(|cell| cell.strip_suffix('`')) else { continue };
        let layer = if cells[1].contains("(full layer)") { "full" } else { "base" };
        let known = layers.entry(family.to_owned()).or_default();
        if !known.contains(&layer) {
            known.push(layer);
        }
    }
    layers
}

fn page(rules: &[Rule]) -> String {
    let layers = layers();
    let mut page = HEAD.to_owned();
    let techniques: std::collections::BTreeSet<&str> = rules.iter().map(|rule| &*rule.technique).collect();
    let tactics: Vec<Tactic> =
        Tactic::ALL.into_iter().filter(|tactic| rules.iter().any(|rule| rule.tactic == Some(*tactic))).collect();
    writeln!(page, "\n{} signals, {} techniques, {} tactics.", rules.len(), techniques.len(), tactics.len()).unwrap();
    for tactic in tactics {
        writeln!(page, "\n## {tactic}\n\n| technique | signal | priority | events | layer |\n|---|---|---|---|---|")
            .unwrap();
        let mut of: Vec<&Rule> = rules.iter().filter(|rule| rule.tactic == Some(tactic)).collect();
        of.sort_by_key(|rule| (&rule.technique, &rule.name));
        for rule in of {
            let families: Vec<Family> =
                rule.condition.families().iter().filter(|family| *family != Family::Alive).collect();
            let events: Vec<&str> = families.iter().map(|family| family.name()).collect();
            let mut layer: Vec<&str> =
                events.iter().flat_map(|event| layers.get(*event).into_iter().flatten().copied()).collect();
            layer.sort_unstable();
            layer.dedup();
            assert!(!layer.is_empty(), "{}: docs/events.md has none of {events:?}", rule.name);
            let name = technique_name(&rule.technique).unwrap();
            writeln!(
                page,
                "| {} {name} | {} | {} | {} | {} |",
                rule.technique,
                rule.name,
                rule.priority,
                events.join(", "),
                layer.join(", ")
            )
            .unwrap();
        }
    }
    page
}

#[test]
fn the_page_of_coverage_tells_the_rules() {
    let page = page(&RuleSet::load(lanner_rules::RULES).rules);
    if std::env::var_os("LANNER_WRITE_DOCS").is_some() {
        std::fs::write(docs("coverage.md"), &page).unwrap();
    }
    let found = std::fs::read_to_string(docs("coverage.md")).unwrap_or_default();
    assert!(found == page, "docs/coverage.md is not what the rules say: LANNER_WRITE_DOCS=1 writes it anew");
}

#[test]
fn at_least_eighty_signals_cover_at_least_eleven_tactics() {
    let rules = RuleSet::load(lanner_rules::RULES).rules;
    let tactics: std::collections::BTreeSet<_> = rules.iter().filter_map(|rule| rule.tactic).collect();
    assert!(rules.len() >= 80 && tactics.len() >= 11, "{} signals, {} tactics", rules.len(), tactics.len());
}
