//! A rule in full: as it is written, and with its macros and lists in their places.

use indexmap::IndexMap;

use super::read::RuleText;
use super::{Rule, RuleSet, Unsupported};
use crate::condition::{Names, nearest, parse, shown, spread};

/// What the files defined, kept for explanations.
#[derive(Debug, Default)]
pub(super) struct Defined {
    pub(super) rules: IndexMap<String, RuleText>,
    /// By layer.
    pub(super) names: Vec<Names>,
}

/// A rule in full. All of it is safe to show; the conditions are several lines.
#[derive(Debug, Clone)]
pub struct Explanation<'a> {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub desc: String,
    /// The file that defines it.
    pub file: &'a str,
    /// The line there.
    pub line: usize,
    /// As it is written, in capitals or not.
    pub priority: String,
    /// All of its tags.
    pub tags: Vec<String>,
    /// Its condition, with its macros and lists in their places; as it is written when it cannot be read.
    pub condition: String,
    /// Its exceptions, each as a condition.
    pub exceptions: Vec<(String, String)>,
    /// The words of its signals.
    pub output: String,
    /// It is switched on.
    pub enabled: bool,
    /// The rule, when it works here.
    pub rule: Option<&'a Rule>,
    /// Why it does not.
    pub unsupported: Option<&'a Unsupported>,
}

impl RuleSet {
    /// The names of all rules, also of those that do not work or are switched off, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.defined.rules.keys().map(String::as_str)
    }

    /// The name of a rule that is nearest to this one, if one is near enough to be what was meant.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.names())
    }

    /// Explains the rule of this name; `None` when there is none.
    pub fn explain(&self, name: &str) -> Option<Explanation<'_>> {
        let text = self.defined.rules.get(name)?;
        let known = shown(name);
        let none = Names::default();
        let names = self.defined.names.get(text.layer).unwrap_or(&none);
        let condition = match parse(&text.condition.text) {
            Ok(expr) => spread(&expr, names),
            Err(_) => in_one_line(&text.condition.text),
        };
        let exceptions = text.exceptions.iter().filter_map(|(exception, _)| {
            let expr = exception.expr().ok().flatten()?;
            Some((shown(&exception.name), spread(&expr, names)))
        });
        Some(Explanation {
            desc: shown(&text.desc),
            file: &text.source.name,
            line: text.place.line,
            priority: shown(&text.priority.0),
            tags: text.tags.iter().map(|tag| shown(tag)).collect(),
            condition,
            exceptions: exceptions.collect(),
            output: shown(&text.output.text),
            enabled: text.enabled,
            rule: self.rules.iter().find(|rule| *rule.name == *known),
            unsupported: self.unsupported.iter().find(|rule| *rule.rule == *known),
            name: known,
        })
    }
}

/// A condition that cannot be read, as it is written.
fn in_one_line(condition: &str) -> String {
    shown(&condition.split_whitespace().collect::<Vec<_>>().join(" "))
}
