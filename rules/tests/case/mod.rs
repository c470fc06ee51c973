//! Files of cases, one for each tactic:
//!
//! ```text
//! Name of a rule
//!   + a case that meets it
//!   - one that does not
//! ```
#![allow(clippy::unwrap_used, dead_code)]

use std::collections::BTreeMap;
use std::path::Path;

/// A case, and whether it meets the rule.
pub(crate) struct Case {
    /// The rule's name.
    pub(crate) rule: String,
    /// Whether it meets the rule.
    pub(crate) meets: bool,
    /// What is done, and where: `PLACE: WHAT`.
    pub(crate) text: String,
    /// The file and the line that it stands in.
    pub(crate) place: String,
}

/// The cases of a file of `tests/`, or of all files of a folder there.
pub(crate) fn cases(place: &str) -> Vec<Case> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(place);
    let mut files = match place.is_dir() {
        true => std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()).collect(),
        false => vec![place],
    };
    files.sort();
    let mut cases = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut rule = String::new();
        for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let place = format!("{}:{}", path.file_name().unwrap().display(), n + 1);
            let case = |meets, text: &str| Case { rule: rule.clone(), meets, text: text.trim().to_owned(), place };
            match (line.strip_prefix("  + "), line.strip_prefix("  - ")) {
                (Some(text), _) => cases.push(case(true, text)),
                (_, Some(text)) => cases.push(case(false, text)),
                _ => rule = line.to_owned(),
            }
        }
    }
    cases
}

/// For each rule of these cases, how many do not meet it and how many do.
pub(crate) fn counted(cases: &[Case]) -> BTreeMap<&str, [usize; 2]> {
    let mut counted: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for case in cases {
        counted.entry(&case.rule).or_default()[usize::from(case.meets)] += 1;
    }
    counted
}
