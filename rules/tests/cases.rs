//! Each rule is met by what it describes, and not by the near miss beside it. `cases/` has a file for each tactic:
//!
//! ```text
//! Name of a rule
//!   + a story that meets it
//!   - one that does not
//! ```
#![allow(clippy::unwrap_used)]

mod story;
#[path = "../../core/tests/world/mod.rs"]
mod world;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use lanner_core::detect::rules::RuleSet;

/// A story, and whether it meets the rule.
struct Case {
    rule: String,
    meets: bool,
    story: String,
    place: String,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut cases = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut rule = String::new();
        for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let place = format!("{}:{}", path.file_name().unwrap().display(), n + 1);
            let case = |meets, story: &str| Case { rule: rule.clone(), meets, story: story.to_owned(), place };
            match (line.strip_prefix("  + "), line.strip_prefix("  - ")) {
                (Some(story), _) => cases.push(case(true, story)),
                (_, Some(story)) => cases.push(case(false, story)),
                _ => rule = line.to_owned(),
            }
        }
    }
    cases
}

#[test]
fn every_rule_is_met_by_what_it_describes_and_not_by_what_lies_beside_it() {
    let rules = RuleSet::load(lanner_rules::RULES);
    let mut wrong = String::new();
    for case in cases() {
        assert!(rules.explain(&case.rule).is_some(), "{}: there is no rule {:?}", case.place, case.rule);
        let met = story::met(&rules, &case.story).contains(&case.rule);
        if met != case.meets {
            let what = if case.meets { "does not meet" } else { "meets" };
            writeln!(wrong, "{}: {} {what} {:?}", case.place, case.story, case.rule).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_rule_has_a_story_and_a_near_miss() {
    let mut stories: HashMap<String, [usize; 2]> = HashMap::new();
    for case in cases() {
        stories.entry(case.rule).or_default()[usize::from(case.meets)] += 1;
    }
    let elsewhere = include_str!("signals.rs");
    let lacking: Vec<String> = RuleSet::load(lanner_rules::RULES)
        .rules
        .iter()
        .filter(|rule| !elsewhere.contains(&format!("\"{}\"", rule.name)))
        .filter(|rule| stories.get(&*rule.name).is_none_or(|[misses, hits]| *misses == 0 || *hits == 0))
        .map(|rule| rule.name.to_string())
        .collect();
    assert!(lacking.is_empty(), "without a story or a near miss:\n{}", lacking.join("\n"));
}
