//! Rules in Falco's format: lists, macros and rules from YAML files, loaded in order.
//!
//! A rule's priority gives its signals their severity: EMERGENCY, ALERT and CRITICAL are critical, ERROR is high, WARNING
//! is medium, NOTICE, INFORMATIONAL and DEBUG are low. Its tags say what it tells of an attack: `mitre_` and a tactic, and
//! a technique's id. Its `output` is the sentence that people read.
//!
//! A rule that cannot work here is never dropped in silence: it stands in [`RuleSet::unsupported`], with the reason.

mod exception;
mod explain;
mod index;
mod load;
mod output;
pub(super) mod place;
mod read;
pub(super) mod yaml;

use std::sync::Arc;

use super::{Severity, Signal, Tactic};
use crate::condition::{Condition, ConditionError, Names, View, parse, quoted};
use crate::event::{Family, FamilySet, Origin};
use explain::Defined;
pub use explain::Explanation;
use index::Index;
pub use load::{Given, Loader};
use output::Output;
pub use place::Problem;
use read::{Definitions, MAX_PROBLEMS, RuleText};

/// How many parts the rules may have together: tests and their values, macros and lists in their places.
const MAX_SIZE: usize = 1_000_000;

/// A rule, ready to be asked.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name.
    pub name: Arc<str>,
    /// What it is about.
    pub desc: Arc<str>,
    /// When it holds; its exceptions are part of it.
    pub condition: Condition,
    /// Falco's priority, in capitals.
    pub priority: Arc<str>,
    /// What that means for its signals.
    pub severity: Severity,
    /// The first of its tags that names a tactic.
    pub tactic: Option<Tactic>,
    /// The first of its tags that is a technique's id, such as `T1611`; else empty.
    pub technique: Arc<str>,
    /// All of its tags.
    pub tags: Vec<Arc<str>>,
    /// The file that defines it.
    pub file: Arc<str>,
    /// The line there.
    pub line: usize,
    output: Output,
}

impl Rule {
    /// What happened, in the words of its output: escaped, safe to show.
    pub fn sentence(&self, view: &View<'_>) -> String {
        self.output.fill(view)
    }

    /// The signal that an event raises by meeting it.
    pub fn signal(&self, view: &View<'_>) -> Signal {
        Signal {
            rule: Arc::clone(&self.name),
            severity: self.severity,
            tactic: self.tactic,
            technique: Arc::clone(&self.technique),
            seq: view.event.header.seq,
            time: view.event.header.time,
            process: view.key(),
            sentence: self.sentence(view),
        }
    }
}

/// A rule that cannot work here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// Its name.
    pub rule: Arc<str>,
    /// The field that events do not have, when that is the reason.
    pub field: Option<Box<str>>,
    /// The file where the reason stands.
    pub file: Arc<str>,
    /// The line there.
    pub line: usize,
    /// The reason, safe to show.
    pub reason: String,
}

/// All that rule files define.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    /// The rules that are enabled and can work, in the order in which they were first defined.
    pub rules: Vec<Rule>,
    /// The rules that cannot, with the reason.
    pub unsupported: Vec<Unsupported>,
    /// The names of rules that are switched off.
    pub disabled: Vec<Arc<str>>,
    /// What is wrong.
    pub errors: Vec<Problem>,
    /// What is odd, but harmless.
    pub warnings: Vec<Problem>,
    index: Index,
    defined: Arc<Defined>,
}

impl RuleSet {
    /// Loads files, given as names and contents, in order: a later one may change what an earlier one defines.
    pub fn load<N: AsRef<str>, T: AsRef<str>>(files: &[(N, T)]) -> RuleSet {
        RuleSet::load_layers(&[files])
    }

    /// As [`RuleSet::load`], in layers: a list or macro that files of an upper layer define is not meant by the rules of
    /// the lower layers, even if those have one of the same name. To append to it, or to change a rule, reaches down.
    pub fn load_layers<N: AsRef<str>, T: AsRef<str>>(layers: &[&[(N, T)]]) -> RuleSet {
        let mut loader = Loader::default();
        for files in layers {
            loader.layer();
            files.iter().for_each(|(name, text)| loader.file(name.as_ref(), text.as_ref()));
        }
        loader.finish()
    }

    fn from(mut definitions: Definitions) -> RuleSet {
        let mut set = RuleSet::default();
        for (rule, problem) in std::mem::take(&mut definitions.refused) {
            set.refuse(&rule, problem, false);
        }
        let names = names(&mut definitions);
        let mut spent = 0;
        for (n, (name, rule)) in definitions.rules.iter().enumerate() {
            let problems = set.unsupported.len() + set.warnings.len();
            if problems >= MAX_PROBLEMS || spent >= MAX_SIZE {
                let why =
                    if spent >= MAX_SIZE { "the rules together are too large" } else { "too many rules are wrong" };
                let message = format!("{why}: from here on {} are not loaded", definitions.rules.len() - n);
                set.errors.push(Problem::new(&rule.source, rule.place, message));
                break;
            }
            set.add(name, rule, names.get(rule.layer).unwrap_or(&Names::default()), &mut spent);
        }
        set.errors.splice(0..0, std::mem::take(&mut definitions.errors));
        set.warnings.splice(0..0, std::mem::take(&mut definitions.warnings));
        set.index = Index::new(set.rules.iter().map(|rule| &rule.condition));
        set.defined = Arc::new(Defined { rules: definitions.rules, names });
        set
    }

    /// The rules that the event meets, in their order. What was there before the sensor raises no signals.
    pub fn matching<'s>(&'s self, view: &View<'_>) -> impl ExactSizeIterator<Item = &'s Rule> + use<'s> {
        let live = view.event.header.origin == Origin::Live;
        let met = if live { self.index.matching(view) } else { Vec::new() };
        met.into_iter().map(|n| &self.rules[n as usize])
    }

    fn add(&mut self, name: &str, text: &RuleText, names: &Names, spent: &mut usize) {
        let name: Arc<str> = crate::condition::shown(name).into();
        let place = |written: &place::Written, error: &ConditionError| {
            written.problem(error).unwrap_or_else(|| Problem::new(&text.source, text.place, error.to_string()))
        };
        let source = &text.condition.text;
        let compile = |spent| parse(source).and_then(|expr| Condition::compile_counting(source, &expr, names, spent));
        if !text.enabled {
            self.disabled.push(name);
            // Whoever switches it on later is better told now.
            if let Err(error) = compile(spent)
                && !error.lacking
            {
                let mut problem = place(&text.condition, &error);
                problem.error.message = format!("in a rule that is switched off: {}", problem.error.message).into();
                self.warnings.push(problem);
            }
            return;
        }
        if text.event_source != "syscall" {
            let reason = format!("its events come from {}, not from the kernel", quoted(&text.event_source));
            self.refuse(&name, Problem::new(&text.source, text.place, reason), false);
            return;
        }
        let (severity, priority) = match severity(&text.priority.0) {
            Some(found) => found,
            None => {
                let message = format!("{} is no priority", quoted(&text.priority.0));
                let problem = Problem::new(&text.source, text.priority.1, message)
                    .hint("write EMERGENCY, ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFORMATIONAL or DEBUG");
                self.refuse(&name, problem, true);
                return;
            }
        };
        let condition = match compile(spent) {
            Ok(condition) => condition,
            Err(error) => {
                self.refuse(&name, place(&text.condition, &error), !error.lacking);
                return;
            }
        };
        let Some(exceptions) = self.exceptions(&name, text, names, spent) else { return };
        let condition = condition.except(&exceptions);
        if condition.families().and(FamilySet::of(&[Family::Alive]).not()).is_empty() {
            let problem = match condition.unseen().first() {
                Some(first) => {
                    let calls: Vec<String> = condition.unseen().iter().map(|u| format!("`{}`", u.call)).collect();
                    let reason = format!("Lanner sees no events of {}, which it asks for", calls.join(", "));
                    place(&text.condition, &ConditionError::new(source, first.span.clone(), reason).lacking("evt.type"))
                }
                None => {
                    let reason = "no event can meet it: what it asks for does not happen together";
                    Problem::new(&text.source, text.place, reason)
                }
            };
            self.refuse(&name, problem, false);
            return;
        }
        let output = match Output::parse(&text.output.text) {
            Ok((output, lacking)) => {
                let notes = lacking.iter().map(|error| place(&text.output, error));
                self.warnings.extend(notes);
                output
            }
            Err(error) => {
                self.refuse(&name, place(&text.output, &error), true);
                return;
            }
        };
        let tags: Vec<Arc<str>> = text.tags.iter().map(|t| crate::condition::shown(t).into()).collect();
        self.rules.push(Rule {
            name,
            desc: text.desc.as_str().into(),
            condition,
            priority: priority.into(),
            severity,
            tactic: tags.iter().find_map(|t| Tactic::from_tag(t)),
            technique: tags.iter().find(|t| is_technique(t)).cloned().unwrap_or_default(),
            tags,
            file: Arc::clone(&text.source.name),
            line: text.place.line,
            output,
        });
    }

    /// The rule's exceptions; `None` when one is wrong, and the rule refused.
    fn exceptions(
        &mut self,
        name: &Arc<str>,
        text: &RuleText,
        names: &Names,
        spent: &mut usize,
    ) -> Option<Vec<Condition>> {
        let mut conditions = Vec::new();
        for (exception, source) in &text.exceptions {
            let compiled = exception.expr().and_then(|expr| {
                let compile = |expr| Condition::compile_counting("", &expr, names, spent);
                expr.map(compile).transpose().map_err(|e| e.to_string())
            });
            match compiled {
                Ok(condition) => conditions.extend(condition),
                Err(why) => {
                    let message = format!("in the exception {}: {why}", quoted(&exception.name));
                    self.refuse(name, Problem::new(source, exception.place, message), true);
                    return None;
                }
            }
        }
        Some(conditions)
    }

    /// Takes down why a rule cannot work; `wrong` when it is a mistake and not something that Lanner lacks.
    fn refuse(&mut self, rule: &Arc<str>, problem: Problem, wrong: bool) {
        self.unsupported.push(Unsupported {
            rule: Arc::clone(rule),
            field: problem.error.field.clone(),
            file: Arc::clone(&problem.file),
            line: problem.error.line,
            reason: problem.error.to_string(),
        });
        if wrong {
            self.errors.push(problem);
        }
    }
}

/// The macros and lists that the rules of each layer may use. What is wrong with a macro itself is said here, once.
fn names(definitions: &mut Definitions) -> Vec<Names> {
    let mut all: Vec<Names> = Vec::new();
    for layer in &definitions.layers {
        let mut names = all.last().cloned().unwrap_or_default();
        for (name, items) in &layer.lists {
            names.define_list(name, items.clone());
        }
        let mut parsed = Vec::new();
        for (name, written) in &layer.macros {
            if definitions.errors.len() >= MAX_PROBLEMS {
                break;
            }
            match parse(&written.text) {
                Ok(expr) => {
                    names.define_macro(name, expr.clone());
                    parsed.push((written, expr));
                }
                Err(error) => definitions.errors.extend(written.problem(&error)),
            }
        }
        for (written, expr) in parsed {
            if definitions.errors.len() >= MAX_PROBLEMS {
                break;
            }
            if let Err(error) = Condition::check(&written.text, &expr, &names)
                && !error.lacking
            {
                definitions.errors.extend(written.problem(&error));
            }
        }
        all.push(names);
    }
    all
}

fn severity(priority: &str) -> Option<(Severity, &'static str)> {
    Some(match priority.to_ascii_uppercase().as_str() {
        "EMERGENCY" => (Severity::Critical, "EMERGENCY"),
        "ALERT" => (Severity::Critical, "ALERT"),
        "CRITICAL" => (Severity::Critical, "CRITICAL"),
        "ERROR" => (Severity::High, "ERROR"),
        "WARNING" => (Severity::Medium, "WARNING"),
        "NOTICE" => (Severity::Low, "NOTICE"),
        "INFO" | "INFORMATIONAL" => (Severity::Low, "INFORMATIONAL"),
        "DEBUG" => (Severity::Low, "DEBUG"),
        _ => return None,
    })
}

/// Whether a tag is the id of a technique, such as `T1059` or `T1059.004`.
fn is_technique(tag: &str) -> bool {
    let digits = |s: &str, n: usize| s.len() == n && s.bytes().all(|b| b.is_ascii_digit());
    let Some(rest) = tag.strip_prefix('T') else { return false };
    match rest.split_once('.') {
        Some((technique, sub)) => digits(technique, 4) && digits(sub, 3),
        None => digits(rest, 4),
    }
}
