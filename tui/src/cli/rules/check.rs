//! `lanner rules check`: whether files are right, and what of them cannot work here.

use std::io::{self, Write};
use std::path::PathBuf;

use lanner_core::detect::chain;
use lanner_core::detect::rules::{Problem, Unsupported};
use serde::Serialize;

use crate::cli::Status;
use crate::detection::{self, Content, File};
use crate::lines::json;

/// What was found.
#[derive(Debug, Default, Serialize)]
struct Report {
    /// Rules of the files that work.
    rules: usize,
    errors: Vec<Finding>,
    warnings: Vec<Finding>,
    unsupported: Vec<Refused>,
}

#[derive(Debug, Serialize)]
struct Finding {
    file: String,
    line: usize,
    column: usize,
    message: String,
    hint: Option<String>,
    /// As it is shown to people.
    #[serde(skip)]
    shown: String,
}

#[derive(Debug, Serialize)]
struct Refused {
    rule: String,
    field: Option<String>,
    file: String,
    line: usize,
    reason: String,
}

pub(super) fn run(paths: &[PathBuf], as_json: bool) -> anyhow::Result<Status> {
    let files = detection::files(paths)?;
    let report = report(files)?;
    let mut out = io::stdout().lock();
    if as_json {
        writeln!(out, "{}", json(&report))?;
    } else {
        print(&mut out, &report)?;
    }
    Ok(if report.errors.is_empty() { Status::Fine } else { Status::Failed })
}

fn report(files: Vec<File>) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let (chains, files): (Vec<File>, Vec<File>) = files.into_iter().partition(|f| detection::is_chains(&f.text));
    for file in chains {
        if let Err(errors) = chain::load(&file.name, &file.text) {
            report.errors.extend(errors.0.iter().map(Finding::of));
        }
    }
    let set = Content::of(&files)?.rules;
    let built_in = |file: &str| lanner_rules::RULES.iter().any(|(name, _)| *name == file);
    report.rules = set.rules.iter().filter(|rule| !built_in(&rule.file)).count();
    report.errors.extend(set.errors.iter().map(Finding::of));
    report.warnings.extend(set.warnings.iter().map(Finding::of));
    report.unsupported.extend(set.unsupported.iter().map(Refused::of));
    Ok(report)
}

impl Finding {
    fn of(problem: &Problem) -> Finding {
        Finding {
            file: problem.file.to_string(),
            line: problem.error.line,
            column: problem.error.column,
            message: problem.error.message.to_string(),
            hint: problem.error.hint.as_ref().map(|hint| hint.to_string()),
            shown: problem.render(),
        }
    }
}

impl Refused {
    fn of(rule: &Unsupported) -> Refused {
        Refused {
            rule: rule.rule.to_string(),
            field: rule.field.as_ref().map(|field| field.to_string()),
            file: rule.file.to_string(),
            line: rule.line,
            reason: rule.reason.clone(),
        }
    }
}

fn print(out: &mut impl Write, report: &Report) -> io::Result<()> {
    for error in &report.errors {
        writeln!(out, "error: {}", error.shown)?;
    }
    for warning in &report.warnings {
        writeln!(out, "warning: {}", warning.shown)?;
    }
    // What is wrong with a rule makes it unsupported, and was told above.
    let is_told = |refused: &Refused| report.errors.iter().any(|e| e.file == refused.file && e.line == refused.line);
    for refused in report.unsupported.iter().filter(|r| !is_told(r)) {
        writeln!(
            out,
            "unsupported: {}\n --> {}:{}\n  = {}\n",
            refused.rule, refused.file, refused.line, refused.reason
        )?;
    }
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    writeln!(
        out,
        "{} {}, {} unsupported; {}, {}",
        count(report.rules, "rule"),
        if report.rules == 1 { "works" } else { "work" },
        report.unsupported.len(),
        count(report.errors.len(), "error"),
        count(report.warnings.len(), "warning")
    )
}
