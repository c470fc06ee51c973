//! `lanner rules explain`: all about a rule.

use std::io::{self, Write};

use lanner_core::detect::rules::Explanation;
use lanner_core::detect::technique_name;

use crate::cli::Status;
use crate::cli::args::RuleArgs;

pub(super) fn run(name: &str, args: &RuleArgs) -> anyhow::Result<Status> {
    let set = super::load(args)?;
    let told = set.explain(super::find(&set, name)?);
    match told {
        Some(told) => print(&mut io::stdout().lock(), &told)?,
        None => anyhow::bail!("the rule {name:?} is gone"),
    }
    Ok(super::status(&set))
}

fn print(out: &mut impl Write, told: &Explanation<'_>) -> io::Result<()> {
    let row = |out: &mut dyn Write, name: &str, value: &str| writeln!(out, "{name:<11} {value}");
    writeln!(out, "{}", told.name)?;
    if !told.desc.is_empty() {
        writeln!(out, "{}", told.desc)?;
    }
    writeln!(out)?;
    row(out, "defined in", &format!("{}:{}", told.file, told.line))?;
    match told.rule {
        Some(rule) => {
            row(out, "severity", &format!("{} ({})", rule.severity.word(), rule.priority))?;
            let technique = match technique_name(&rule.technique) {
                Some(name) => format!("{} {name}", rule.technique),
                None => rule.technique.to_string(),
            };
            let tactic = rule.tactic.map(|tactic| tactic.id()).unwrap_or_default();
            if !technique.is_empty() || !tactic.is_empty() {
                row(out, "ATT&CK", format!("{tactic} {technique}").trim())?;
            }
            let families: Vec<&str> = rule.condition.families().iter().map(|f| f.name()).collect();
            row(out, "events", &families.join(" "))?;
            row(out, "fields", &rule.condition.fields().join(" "))?;
            if !rule.condition.unseen().is_empty() {
                let calls: Vec<&str> = rule.condition.unseen().iter().map(|unseen| &*unseen.call).collect();
                row(out, "not seen", &format!("{}, which it asks for too", calls.join(" ")))?;
            }
        }
        None => row(out, "priority", &told.priority)?,
    }
    if !told.tags.is_empty() {
        row(out, "tags", &told.tags.join(" "))?;
    }
    if let Some(why) = told.unsupported {
        row(out, "unsupported", &format!("{} ({}:{})", why.reason, why.file, why.line))?;
    } else if !told.enabled {
        row(out, "off", "it is switched off: `enabled` is false")?;
    }
    row(out, "output", &told.output)?;
    let indented = |text: &str| text.lines().map(|line| format!("  {line}\n")).collect::<String>();
    write!(out, "\nIt holds when\n{}", indented(&told.condition))?;
    for (name, condition) in &told.exceptions {
        write!(out, "but not (exception {name:?}) when\n{}", indented(condition))?;
    }
    Ok(())
}
