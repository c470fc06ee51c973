//! Texts that a condition puts together of several: `join("-", (proc.name, proc.pid))`, and what it writes itself where a
//! field could stand: `toupper("x")`.

use std::borrow::Cow;

use super::fields::Found;
use super::program::Subject;
use super::value::Value;
use super::view::View;

/// A text of several parts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Made {
    /// What stands between them.
    pub(super) separator: Box<str>,
    pub(super) parts: Box<[Part]>,
}

/// A part of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Literal(Box<str>),
    /// A field's value, or all of its values.
    Field(Subject),
}

impl Made {
    /// The text; absent when one of its fields is.
    pub(super) fn text<'a>(&self, view: View<'a>) -> Found<'a> {
        let mut text = Vec::new();
        let mut first = true;
        let mut push = |part: &[u8]| {
            if !std::mem::take(&mut first) {
                text.extend_from_slice(self.separator.as_bytes());
            }
            text.extend_from_slice(part);
        };
        for part in &self.parts {
            match part {
                Part::Literal(literal) => push(literal.as_bytes()),
                Part::Field(subject) => {
                    let mut some = false;
                    subject.each(view, &mut |value| {
                        some = true;
                        match &value {
                            Value::Text(bytes) => push(bytes),
                            other => push(other.shown().as_bytes()),
                        }
                        true
                    });
                    if !some {
                        return None;
                    }
                }
            }
        }
        Some(Cow::Owned(text))
    }

    /// As a condition writes it.
    pub(super) fn written(&self) -> String {
        let quoted = |text: &str| format!("\"{}\"", super::shown(text).replace('"', "\\\""));
        let part = |part: &Part| match part {
            Part::Literal(literal) => quoted(literal),
            Part::Field(subject) => subject.written(),
        };
        match &*self.parts {
            [Part::Literal(only)] if self.separator.is_empty() => quoted(only),
            parts => {
                let parts: Vec<String> = parts.iter().map(part).collect();
                format!("join({}, ({}))", quoted(&self.separator), parts.join(", "))
            }
        }
    }

    /// Its fields.
    pub(super) fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.parts.iter().filter_map(|part| match part {
            Part::Field(subject) => Some(subject),
            Part::Literal(_) => None,
        })
    }
}
