//! `lanner rules`: what rules there are, what they mean, and whether they work.

mod check;
mod explain;
mod list;
mod test;

use lanner_core::detect::rules::RuleSet;

use super::args::{ListFormat, RuleArgs, RulesCommand};
use super::{Status, say};
use crate::detection::{self, Content};
use crate::source::SourceError;

/// How many mistakes are told, beyond which their number is.
const MAX_TOLD: usize = 10;

pub(super) fn run(command: RulesCommand) -> anyhow::Result<Status> {
    match command {
        RulesCommand::Check { files, json } => check::run(&files, json),
        RulesCommand::List { rules, json: true, .. } => list::run(&rules, ListFormat::Json),
        RulesCommand::List { rules, format, .. } => list::run(&rules, format),
        RulesCommand::Explain { rule, rules } => explain::run(&rule, &rules),
        RulesCommand::Test { rule, recording, rules, json } => test::run(&rule, recording, &rules, json),
    }
}

/// The rules, also of files with mistakes: those are told, and shown by [`status`].
fn load(args: &RuleArgs) -> anyhow::Result<RuleSet> {
    let set = Content::of(&detection::files(&args.files)?)?.rules;
    set.errors.iter().take(MAX_TOLD).for_each(|error| say(&error.to_string()));
    if set.errors.len() > MAX_TOLD {
        say(&format!("and {} mistakes more: `lanner rules check` shows them all", set.errors.len() - MAX_TOLD));
    }
    Ok(set)
}

fn status(set: &RuleSet) -> Status {
    if set.errors.is_empty() { Status::Fine } else { Status::Failed }
}

/// The name of the rule that is meant: upper and lower case do not matter.
fn find<'a>(rules: &'a RuleSet, name: &str) -> Result<&'a str, SourceError> {
    let exact = rules.names().find(|known| *known == name);
    let found = exact.or_else(|| rules.names().find(|known| known.eq_ignore_ascii_case(name)));
    found.ok_or_else(|| {
        let hint = match rules.nearest(name) {
            Some(near) => format!("did you mean {near:?}?"),
            None => "`lanner rules list` tells the names".to_owned(),
        };
        SourceError::Usage(format!("there is no rule {name:?}: {hint}"))
    })
}
