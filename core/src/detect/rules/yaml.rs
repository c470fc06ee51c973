//! YAML, of which every part knows its place. Numbers and words such as `yes` keep the spelling they have in the file:
//! in a list of names they are names.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Spanned, budget};

/// How large a rule file may be, in bytes. The largest that the Falco project publishes has about 170 000.
const MAX_FILE: usize = 4 << 20;

/// A part of a file.
#[derive(Debug, Clone)]
pub(in crate::detect) struct Yaml {
    pub(in crate::detect) kind: YamlKind,
    pub(in crate::detect) place: Place,
}

/// Where it begins, and the bytes that it takes there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::detect) struct Place {
    /// From 1.
    pub(in crate::detect) line: usize,
    /// In characters, from 1.
    pub(in crate::detect) column: usize,
    /// In bytes.
    pub(in crate::detect) offset: usize,
}

#[derive(Debug, Clone)]
pub(in crate::detect) enum YamlKind {
    Scalar(String),
    Sequence(Vec<Yaml>),
    Mapping(Vec<(String, Place, Yaml)>),
}

/// What is wrong with a file as a whole, and the line and column where it is seen.
pub(in crate::detect) struct Malformed {
    pub(in crate::detect) place: Place,
    pub(in crate::detect) message: String,
}

/// Reads a file.
pub(in crate::detect) fn read(text: &str) -> Result<Yaml, Malformed> {
    if text.len() > MAX_FILE {
        // How large it is, is not known: who reads files stops when it is too much.
        let message = format!("the file is too large: at most {} MiB are read", MAX_FILE >> 20);
        return Err(Malformed { place: Place { line: 1, column: 1, offset: 0 }, message });
    }
    let options = serde_saphyr::options! {
        budget: budget! {
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_depth: 32,
            max_nodes: 500_000,
            max_total_scalar_bytes: 2 * MAX_FILE,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 100_000,
            max_replay_stack_depth: 8,
        },
        emit_comments: false,
        with_snippet: false,
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::PassThrough,
    };
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options) {
        Ok(raw) => Ok(resolve(text, raw)),
        Err(error) => {
            let place = error.location().map_or(Place { line: 1, column: 1, offset: 0 }, |l| found(text, place(l)));
            let message = error.without_snippet().to_string();
            Err(Malformed { place, message: in_our_words(&message) })
        }
    }
}

/// A complaint without its place, which is shown beside it, and without names that only the reader of YAML knows.
fn in_our_words(message: &str) -> String {
    let what = message.lines().next().unwrap_or_default().split(" at line ").next().unwrap_or_default();
    match what {
        _ if what.starts_with("alias replay limit") => "aliases (`*name`) repeat too much".to_owned(),
        _ if what.starts_with("recursion limit") => "lists and mappings nest too deep".to_owned(),
        _ => what.to_owned(),
    }
}

fn place(location: serde_saphyr::Location) -> Place {
    Place {
        line: location.line() as usize,
        column: location.column() as usize,
        offset: location.span().byte_offset().unwrap_or(0) as usize,
    }
}

/// A place of which only line and column are known.
fn found(text: &str, place: Place) -> Place {
    let before: usize = text.split_inclusive('\n').take(place.line.saturating_sub(1)).map(str::len).sum();
    let line = text[before..].lines().next().unwrap_or("");
    let within = line.char_indices().nth(place.column.saturating_sub(1)).map_or(line.len(), |(i, _)| i);
    Place { offset: before + within, ..place }
}

enum Raw {
    Text(String),
    /// A number or a word: its spelling must be looked up.
    Typed(String),
    Nothing,
    Sequence(Vec<Spanned<Raw>>),
    Mapping(Vec<(Spanned<String>, Spanned<Raw>)>),
}

fn resolve(text: &str, raw: Spanned<Raw>) -> Yaml {
    let span = raw.referenced.span();
    let kind = match raw.value {
        Raw::Text(value) => YamlKind::Scalar(value),
        Raw::Typed(value) => {
            let defined = raw.defined.span();
            let spelled = defined
                .byte_offset()
                .zip(defined.byte_len())
                .and_then(|(from, len)| text.get(from as usize..(from + len) as usize))
                .map(str::trim)
                .filter(|s| !s.is_empty() && !s.contains(['\n', '"', '\'']));
            YamlKind::Scalar(spelled.map_or(value, str::to_owned))
        }
        Raw::Nothing => YamlKind::Scalar(String::new()),
        Raw::Sequence(items) => YamlKind::Sequence(items.into_iter().map(|item| resolve(text, item)).collect()),
        Raw::Mapping(entries) => YamlKind::Mapping(
            entries.into_iter().map(|(key, value)| (key.value, place(key.referenced), resolve(text, value))).collect(),
        ),
    };
    let mut place = place(raw.referenced);
    place.offset = span.byte_offset().map_or(place.offset, |o| o as usize);
    Yaml { kind, place }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_str<E>(self, v: &str) -> Result<Raw, E> {
        Ok(Raw::Text(v.to_owned()))
    }

    fn visit_string<E>(self, v: String) -> Result<Raw, E> {
        Ok(Raw::Text(v))
    }

    fn visit_bool<E>(self, v: bool) -> Result<Raw, E> {
        Ok(Raw::Typed(v.to_string()))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Raw, E> {
        Ok(Raw::Typed(v.to_string()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Raw, E> {
        Ok(Raw::Typed(v.to_string()))
    }

    fn visit_i128<E>(self, v: i128) -> Result<Raw, E> {
        Ok(Raw::Typed(v.to_string()))
    }

    fn visit_u128<E>(self, v: u128) -> Result<Raw, E> {
        Ok(Raw::Typed(v.to_string()))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Raw, E> {
        Ok(Raw::Typed(v.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Mapping(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalars(yaml: &Yaml, out: &mut Vec<(String, usize, usize)>) {
        match &yaml.kind {
            YamlKind::Scalar(text) => out.push((text.clone(), yaml.place.line, yaml.place.column)),
            YamlKind::Sequence(items) => items.iter().for_each(|item| scalars(item, out)),
            YamlKind::Mapping(entries) => entries.iter().for_each(|(_, _, value)| scalars(value, out)),
        }
    }

    #[test]
    fn scalars_keep_their_spelling_and_their_place() {
        let text = "- list: x\n  items: [yes, 0x10, 007, 1e3, \"true\", ~, 1.50, '0']\n- macro: m\n  condition: >\n    a.b = 1\n    and c\n";
        let mut found = Vec::new();
        scalars(&read(text).unwrap_or_else(|e| panic!("{}", e.message)), &mut found);
        let texts: Vec<&str> = found.iter().map(|(t, ..)| t.as_str()).collect();
        assert_eq!(texts, ["x", "yes", "0x10", "007", "1e3", "true", "", "1.50", "0", "m", "a.b = 1 and c\n"]);
        assert_eq!((found[1].1, found[1].2), (2, 11));
    }

    #[test]
    fn a_bomb_of_aliases_is_an_error() {
        let mut text = String::from("- &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for i in 1..12 {
            let refs = vec![format!("*a{}", i - 1); 10].join(", ");
            text += &format!("- &a{i} [{refs}]\n");
        }
        assert!(read(&text).is_err());
    }

    #[test]
    fn deep_nesting_is_an_error() {
        assert!(read(&"[".repeat(5_000)).is_err());
        assert!(read(&"- ".repeat(5_000)).is_err());
    }
}
