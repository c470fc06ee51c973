//! What a person types to see less: a condition, or plain words.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::Condition;
use super::ast::{Operator, Transform};
use super::error::ConditionError;
use super::fields::Field;
use super::names::Names;
use super::test::contains_any_case;
use super::view::View;
use crate::event::{FamilySet, Image, Payload};

/// A filter: the UI's `/`, the command line's `--filter`.
///
/// The text is a **condition** as soon as a field stands in it (a name with a dot, of a class that fields have, maybe in a
/// transformer) with an operator behind it; then it must be right as a whole. Else it is **words**: all of them must
/// occur, in upper or lower case, each anywhere in what the event or its process shows: the program's path, name and
/// arguments, a file's path, an address with its port, the container's id, the event's family; or be its pid. Words in quotes
/// stay together. No text at all lets everything through.
#[derive(Debug, Clone)]
pub struct Filter(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Everything,
    Condition(Condition),
    /// In lower case.
    Words(Vec<String>),
}

impl Filter {
    /// Parses a filter.
    pub fn parse(text: &str) -> Result<Filter, ConditionError> {
        Ok(Filter(if text.trim().is_empty() {
            Kind::Everything
        } else if is_condition(text) {
            Kind::Condition(Condition::parse(text, &Names::default())?)
        } else {
            Kind::Words(words(text))
        }))
    }

    /// Whether the event passes.
    pub fn matches(&self, view: &View<'_>) -> bool {
        match &self.0 {
            Kind::Everything => true,
            Kind::Condition(condition) => condition.matches(view),
            Kind::Words(words) => words.iter().all(|word| mentions(*view, word)),
        }
    }

    /// The families of which an event can pass.
    pub fn families(&self) -> FamilySet {
        match &self.0 {
            Kind::Condition(condition) => condition.families(),
            _ => FamilySet::ALL,
        }
    }

    /// Whether it lets everything through.
    pub fn is_everything(&self) -> bool {
        matches!(self.0, Kind::Everything)
    }

    /// The words, when it is words.
    pub fn words(&self) -> &[String] {
        match &self.0 {
            Kind::Words(words) => words,
            _ => &[],
        }
    }
}

/// Whether a field with an operator behind it stands anywhere in the text.
fn is_condition(text: &str) -> bool {
    let begins_word = |at: usize| {
        text[..at].chars().next_back().is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/')))
    };
    text.char_indices().filter(|(at, c)| c.is_ascii_alphabetic() && begins_word(*at)).any(|(at, _)| {
        let rest = &text[at..];
        let transformed = Transform::ALL.iter().any(|(name, _)| {
            rest.strip_prefix(name)
                .and_then(|r| r.trim_start().strip_prefix('('))
                .is_some_and(|r| field_length(r.trim_start()) > 0)
        });
        let length = field_length(rest);
        transformed || (length > 0 && has_operator(&rest[length..]))
    })
}

/// The length of a field's name, with what stands in brackets, at the beginning of a text.
fn field_length(text: &str) -> usize {
    let length = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))).unwrap_or(text.len());
    match text[..length].split_once('.') {
        Some((class, _)) if Field::is_class(class) => {}
        _ => return 0,
    }
    match text[length..].starts_with('[') {
        true => text[length..].find(']').map_or(length, |end| length + end + 1),
        false => length,
    }
}

fn has_operator(text: &str) -> bool {
    let text = text.trim_start();
    Operator::ALL.iter().any(|(word, _)| {
        text.strip_prefix(word).is_some_and(|rest| {
            !word.as_bytes()[0].is_ascii_alphabetic()
                || !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        })
    })
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        let quoted = match c {
            '"' | '\'' => rest[1..].find(c).map(|end| (&rest[1..=end], &rest[end + 2..])),
            _ => None,
        };
        let (word, behind) =
            quoted.unwrap_or_else(|| rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())));
        if !word.is_empty() {
            words.push(word.to_ascii_lowercase());
        }
        rest = behind.trim_start();
    }
    words
}

fn mentions(view: View<'_>, word: &str) -> bool {
    let needle = word.as_bytes();
    let has = |bytes: &[u8]| contains_any_case(bytes, needle);
    let address = |address: SocketAddr| {
        let mut shown = Shown::default();
        // An address that does not fit is none: the longest has 58 characters.
        let _ = write!(shown, "{address}");
        has(&shown.bytes[..shown.len])
    };
    let image = |image: &Image| {
        has(image.exe.path.as_bytes())
            || image.args.list.iter().any(|a| has(a.as_bytes()))
            || (word.contains(' ') && has(image.args.joined().as_bytes()))
            || image.script.as_ref().is_some_and(|s| has(s.path.as_bytes()))
    };
    view.image().is_some_and(image)
        || view.task().is_some_and(|t| has(t.comm.as_bytes()))
        || view.container_id().is_some_and(|id| has(id.0.as_bytes()))
        || view.file().is_some_and(|f| has(f.path.as_bytes()))
        || view.flow().is_some_and(|f| address(f.local) || address(f.remote))
        || matches!(&view.event.payload, Payload::Listen(l) if address(l.local))
        || has(view.event.payload.family().as_bytes())
        || word.parse() == Ok(view.key().pid)
}

/// Room for one address.
struct Shown {
    bytes: [u8; 64],
    len: usize,
}

impl Default for Shown {
    fn default() -> Self {
        Shown { bytes: [0; 64], len: 0 }
    }
}

impl std::fmt::Write for Shown {
    fn write_str(&mut self, s: &str) -> std::fmt::Result {
        let room = self.bytes.get_mut(self.len..self.len + s.len()).ok_or(std::fmt::Error)?;
        room.copy_from_slice(s.as_bytes());
        self.len += s.len();
        Ok(())
    }
}
