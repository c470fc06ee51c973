//! `lanner rules list`: every rule, and whether it works.

use std::io::{self, Write};

use lanner_core::detect::rules::{RuleSet, Unsupported};
use serde::Serialize;

use crate::cli::Status;
use crate::cli::args::{ListFormat, RuleArgs};
use crate::lines::json;
use crate::navigator::Layer;

/// A rule in the list.
#[derive(Debug, Serialize)]
struct Listed {
    name: String,
    priority: String,
    tags: Vec<String>,
    /// Of the events that it looks at.
    families: Vec<&'static str>,
    supported: bool,
    /// Why it does not work, or is not asked.
    reason: Option<String>,
}

pub(super) fn run(args: &RuleArgs, format: ListFormat) -> anyhow::Result<Status> {
    let set = super::load(args)?;
    let mut listed: Vec<Listed> = set.names().filter_map(|name| listed(&set, name)).collect();
    // Rules of other languages that could not be translated are known by name alone.
    let untold = set.unsupported.iter().filter(|rule| set.explain(&rule.rule).is_none());
    listed.extend(untold.map(|rule| Listed {
        name: rule.rule.to_string(),
        priority: String::new(),
        tags: Vec::new(),
        families: Vec::new(),
        supported: false,
        reason: Some(why(rule)),
    }));
    let mut out = io::stdout().lock();
    match format {
        ListFormat::Lines => print(&mut out, &listed)?,
        ListFormat::Json => writeln!(out, "{}", json(&listed))?,
        ListFormat::Navigator => writeln!(out, "{}", json(&Layer::of_rules(&set)))?,
    }
    Ok(super::status(&set))
}

/// Why a rule does not work, and where that stands.
fn why(rule: &Unsupported) -> String {
    format!("{} ({}:{})", rule.reason, rule.file, rule.line)
}

fn listed(set: &RuleSet, name: &str) -> Option<Listed> {
    let told = set.explain(name)?;
    let families = told.rule.map(|rule| rule.condition.families().iter().map(|f| f.name()).collect());
    let reason = match (told.unsupported, told.enabled) {
        (Some(rule), _) => Some(why(rule)),
        (None, false) => Some("it is switched off".to_owned()),
        (None, true) => None,
    };
    Some(Listed {
        name: told.name,
        priority: told.rule.map_or(told.priority, |rule| rule.priority.to_string()),
        tags: told.tags,
        families: families.unwrap_or_default(),
        supported: told.unsupported.is_none(),
        reason,
    })
}

fn print(out: &mut impl Write, rules: &[Listed]) -> io::Result<()> {
    let width = rules.iter().map(|rule| rule.name.chars().count()).max().unwrap_or(0).min(60);
    for rule in rules {
        let families = match rule.families.as_slice() {
            many if many.len() > 5 => format!("{} families", many.len()),
            few => few.join(" "),
        };
        let what = match (&rule.reason, rule.supported) {
            (Some(reason), false) => format!("unsupported: {reason}"),
            (Some(reason), true) => reason.clone(),
            (None, _) => families,
        };
        writeln!(out, "{:<width$}  {:<13}  {what}", rule.name, rule.priority)?;
    }
    let unsupported = rules.iter().filter(|rule| !rule.supported).count();
    let off = rules.iter().filter(|rule| rule.supported && rule.reason.is_some()).count();
    writeln!(out, "\n{} rules work, {unsupported} do not, {off} are switched off", rules.len() - unsupported - off)
}
