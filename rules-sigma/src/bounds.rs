//! What a file may be, before a parser is let at it that recurses as deep as the file likes.

use serde::Deserialize;
use yaml_serde::{Deserializer, Value};

/// How large a file may be, in bytes.
const MAX_FILE: usize = 4 << 20;
/// How deep the parentheses of a condition may nest.
const MAX_DEPTH: usize = 64;
/// How often a condition may say `not`.
const MAX_NOTS: usize = 256;

/// Finds what is too much, with the line where that is known, else 1.
pub(crate) fn check(text: &str) -> Result<(), (usize, String)> {
    if text.len() > MAX_FILE {
        return Err((1, format!("the file is too large: at most {} MiB are read", MAX_FILE >> 20)));
    }
    for document in Deserializer::from_str(text) {
        let document = Value::deserialize(document)
            .map_err(|e| (e.location().map_or(1, |at| at.line()), format!("this is no YAML: {e}")))?;
        conditions(&document).map_err(|what| (1, what))?;
    }
    Ok(())
}

/// Looks at every condition of a document. The reader of YAML bounds how deep a document is.
fn conditions(value: &Value) -> Result<(), String> {
    match value {
        Value::Sequence(items) => items.iter().try_for_each(conditions),
        Value::Tagged(tagged) => conditions(&tagged.value),
        Value::Mapping(entries) => entries.iter().try_for_each(|(key, value)| match (key.as_str(), value) {
            (Some("condition"), Value::String(text)) => depth(text),
            (Some("condition"), Value::Sequence(items)) => items.iter().filter_map(Value::as_str).try_for_each(depth),
            _ => conditions(value),
        }),
        _ => Ok(()),
    }
}

fn depth(condition: &str) -> Result<(), String> {
    let mut depth = 0_usize;
    for c in condition.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(format!("the condition's parentheses nest deeper than {MAX_DEPTH}"));
        }
    }
    let words = condition.split(|c: char| !c.is_alphanumeric());
    match words.filter(|word| word.eq_ignore_ascii_case("not")).count() {
        n if n > MAX_NOTS => Err(format!("the condition says `not` more than {MAX_NOTS} times")),
        _ => Ok(()),
    }
}
