//! Sigma rules, translated into the language of Lanner's own: one evaluator serves both. What cannot be translated is told with
//! its reason, a rule at a time.
//!
//! - [`translate`]: a file of Sigma rules.
//! - [`FIELDS`]: the one table of which Sigma field is which of ours.
//!
//! Process creation, file events and network connections of Linux are understood. Texts compare in any case, as Sigma
//! wants it, unless `cased` is asked for.
#![forbid(unsafe_code)]

mod bounds;
mod condition;
mod documents;
mod encoded;
mod fields;
mod item;
mod value;

use documents::{Document, documents};
use lanner_core::detect::rules::{Given, Loader};
use rsigma_parser::{Level, SigmaRule, parse_sigma_yaml};

pub use fields::{Category, FIELDS, Kind, Mapped};

/// How long a translated condition may be, in bytes: the most that the engine takes.
const MAX_CONDITION: usize = 64 << 10;

/// What became of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Translation {
    /// Rules that could be translated.
    pub rules: Vec<Given>,
    /// Rules that could not: name, line, and the reason.
    pub refused: Vec<(String, usize, String)>,
    /// What is wrong with the file, with the line where that is known, else 1.
    pub errors: Vec<(usize, String)>,
}

/// Whether a file is one of Sigma rules and not of Falco's: its documents are mappings with a log source and a detection.
pub fn is_sigma(text: &str) -> bool {
    let has = |key: &str| text.lines().any(|line| line.trim_start_matches('\u{feff}').starts_with(key));
    has("detection:") && has("logsource:")
}

/// Loads a file of Sigma rules.
pub fn load(loader: &mut Loader, name: &str, text: &str) {
    let translation = translate(text);
    for (line, message) in translation.errors {
        loader.wrong(name, text, line, &message);
    }
    for (rule, line, reason) in translation.refused {
        loader.refused(name, text, &rule, line, &reason);
    }
    loader.given(name, text, translation.rules);
}

/// Translates a file of Sigma rules.
pub fn translate(text: &str) -> Translation {
    let mut translation = Translation::default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Err(error) = bounds::check(text) {
        translation.errors.push(error);
        return translation;
    }
    for document in documents(text) {
        translate_document(&document, &mut translation);
    }
    translation
}

fn translate_document(document: &Document<'_>, translation: &mut Translation) {
    let collection = match parse_sigma_yaml(document.text) {
        Ok(collection) => collection,
        Err(error) => {
            translation.errors.push(document.complaint(&error.to_string()));
            return;
        }
    };
    for error in &collection.errors {
        let (line, message) = document.complaint(error);
        match document.unread_condition(error).filter(|rest| rest.starts_with('|')) {
            Some(rest) => {
                let title = title_of(document.text).unwrap_or_default();
                let reason = format!("`{rest}` counts events, which is not translated");
                translation.refused.push((title.to_owned(), document.line_of_title(title), reason));
            }
            None => translation.errors.push((line, message)),
        }
    }
    for rule in &collection.rules {
        let line = document.line_of_title(&rule.title);
        match given(rule, line) {
            Ok(given) => translation.rules.push(given),
            Err(reason) => translation.refused.push((rule.title.clone(), line, reason)),
        }
    }
    for correlation in &collection.correlations {
        let reason = "correlations of several events are not translated".to_owned();
        translation.refused.push((correlation.title.clone(), document.line_of_title(&correlation.title), reason));
    }
    for filter in &collection.filters {
        let reason = "filters of other rules are not translated".to_owned();
        translation.refused.push((filter.title.clone(), document.line_of_title(&filter.title), reason));
    }
}

/// The first title that stands in a document.
fn title_of(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("title:")).map(|title| title.trim().trim_matches(['"', '\'']))
}

fn given(rule: &SigmaRule, line: usize) -> Result<Given, String> {
    let category = Category::of(&rule.logsource)?;
    if rule.detection.timeframe.is_some() {
        return Err("`timeframe` counts events, which is not translated".to_owned());
    }
    let detection = condition::of(&rule.detection, category)?;
    let condition = format!("{} and {detection}", category.events());
    if condition.len() > MAX_CONDITION {
        return Err(format!("its condition has {} bytes; at most {MAX_CONDITION} are allowed", condition.len()));
    }
    let mut tags: Vec<String> = rule.tags.iter().map(|tag| tag_of(tag)).collect();
    tags.push("sigma".to_owned());
    Ok(Given {
        name: rule.title.clone(),
        desc: rule.description.clone().unwrap_or_default(),
        condition,
        output: format!("{}: {}", rule.title.replace('%', "%%"), category.output()),
        priority: priority(rule.level).to_owned(),
        tags,
        line,
    })
}

/// Sigma's levels as Falco's priorities.
fn priority(level: Option<Level>) -> &'static str {
    match level {
        Some(Level::Informational) => "INFORMATIONAL",
        Some(Level::Low) => "NOTICE",
        Some(Level::Medium) | None => "WARNING",
        Some(Level::High) => "ERROR",
        Some(Level::Critical) => "CRITICAL",
    }
}

/// `attack.t1059.004` as `T1059.004`, `attack.defense-evasion` as `mitre_defense_evasion`; others as they are.
fn tag_of(tag: &str) -> String {
    let Some(attack) = tag.strip_prefix("attack.") else { return tag.to_owned() };
    match attack.strip_prefix('t') {
        Some(number) if number.starts_with(|c: char| c.is_ascii_digit()) => format!("T{number}"),
        _ => format!("mitre_{}", attack.replace('-', "_")),
    }
}
