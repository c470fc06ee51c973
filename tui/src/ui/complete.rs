//! What the word at the cursor of a filter may become: the name of a field, an operator, a value that was seen.

use std::collections::HashMap;

use lanner_core::condition::{Accepts, Field, View};

use super::prompt::Offer;
use super::scene::Scene;
use super::text::{safe, shown};

/// Offers that are made.
const MOST: usize = 24;

/// The latest events whose values are offered.
const LATEST: u64 = 4_000;

/// Different values that are counted.
const VALUES: usize = 2_000;

/// A value longer than this, in bytes, is not offered.
const LONGEST: usize = 120;

const OPERATORS: [&str; 10] =
    ["=", "!=", "contains", "icontains", "startswith", "endswith", "in", "glob", "exists", "regex"];

/// What the end of a line may become.
pub(crate) fn offers(line: &str, scene: &Scene<'_>) -> Vec<Offer> {
    let start = line
        .rfind(|c: char| c.is_whitespace() || "(),=<>!\"'".contains(c))
        .map_or(0, |at| at + line[at..].chars().next().map_or(1, char::len_utf8));
    let (before, word) = line.split_at(start);
    match expected(before) {
        Expected::Value(field) => values(before, word, field, scene),
        Expected::Operator => list(before, word, OPERATORS.iter().map(|o| ((*o).to_owned(), String::new()))),
        Expected::Joint => list(before, word, ["and", "or"].iter().map(|w| ((*w).to_owned(), String::new()))),
        Expected::Field if word.is_empty() => Vec::new(),
        Expected::Field => {
            let named = |field: &&'static Field| field.name.starts_with(word);
            let fields = Field::all().filter(named).map(|field| {
                let open = if matches!(field.accepts(), Accepts::Name(_) | Accepts::Key) { "[" } else { "" };
                (format!("{}{open}", field.name), field.meaning.to_owned())
            });
            list(before, word, fields)
        }
    }
}

/// Whether a line ends in the beginning of a field's name, its class and the dot included.
pub(crate) fn is_unfinished(line: &str) -> bool {
    let word = line.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
    word.contains('.') && Field::all().any(|field| field.name.starts_with(word))
}

enum Expected {
    Field,
    Operator,
    Value(&'static Field),
    Joint,
}

/// What comes next, going by the words that stand before.
fn expected(before: &str) -> Expected {
    let spaced = before.replace("!=", " != ").replace(['(', ')', ','], " ");
    let mut words: Vec<String> = Vec::new();
    for part in spaced.split_whitespace() {
        match part.split_once('=').filter(|_| part != "!=") {
            Some((left, right)) => {
                words.extend([left, "=", right].into_iter().filter(|w| !w.is_empty()).map(str::to_owned));
            }
            None => words.push(part.to_owned()),
        }
    }
    let field = |word: &String| Field::find(word.split('[').next().unwrap_or(word));
    let is_operator =
        |word: &String| OPERATORS.contains(&word.as_str()) || ["<", ">", "<=", ">="].contains(&word.as_str());
    match words.as_slice() {
        [.., name, operator] if is_operator(operator) => match field(name) {
            Some(_) if operator == "exists" => Expected::Joint,
            Some(field) => Expected::Value(field),
            None => Expected::Field,
        },
        [.., name] if field(name).is_some() => Expected::Operator,
        [.., name, operator, _] if is_operator(operator) && operator != "in" && field(name).is_some() => {
            Expected::Joint
        }
        _ => Expected::Field,
    }
}

fn list(before: &str, word: &str, items: impl Iterator<Item = (String, String)>) -> Vec<Offer> {
    let offer = |(item, meaning): (String, String)| Offer { line: format!("{before}{item}"), shown: item, meaning };
    items.filter(|(item, _)| item.starts_with(word) && item != word).map(offer).take(MOST).collect()
}

/// The values that a field has in the latest events, the most frequent first.
fn values(before: &str, word: &str, field: &'static Field, scene: &Scene<'_>) -> Vec<Offer> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let end = scene.until.end;
    for number in end.saturating_sub(LATEST).max(scene.history.start())..end {
        let Some(entry) = scene.history.get(number) else { continue };
        for value in field.values(&View::new(&entry.event, scene.graph), None) {
            let value = match value.bytes().map(std::str::from_utf8) {
                // What cannot be typed cannot be offered.
                Some(Err(_)) => continue,
                Some(Ok(text)) => text.to_owned(),
                None => value.shown(),
            };
            if value.is_empty() || value.len() > LONGEST || (counts.len() >= VALUES && !counts.contains_key(&value)) {
                continue;
            }
            *counts.entry(value).or_default() += 1;
        }
    }
    let bare = word.trim_start_matches(['"', '\'']);
    let mut found: Vec<(String, usize)> =
        counts.into_iter().filter(|(v, _)| v.starts_with(bare) && v != bare).collect();
    found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let offer = |(value, count): (String, usize)| Offer {
        line: format!("{before}{}", quoted(&value)),
        shown: shown(safe(&value), 40),
        meaning: if count == 1 { "seen once".to_owned() } else { format!("seen {count} times") },
    };
    found.into_iter().take(MOST).map(offer).collect()
}

/// A value as a condition takes it.
pub(crate) fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./:@%+".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    }
}
