//! What a field has.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::event::Text;

/// One value of a field. That there is none is said by its absence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// Bytes; a path, a name, an argument.
    Text(Cow<'a, [u8]>),
    /// A number; every integer of an event fits.
    Number(i128),
    /// True or false.
    Flag(bool),
    /// An address.
    Address(IpAddr),
}

/// Of what kind a field's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Text,
    Number,
    Flag,
    Address,
}

impl Kind {
    /// In words, with its article.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Text => "a text",
            Kind::Number => "a number",
            Kind::Flag => "true or false",
            Kind::Address => "an address",
        }
    }
}

impl<'a> Value<'a> {
    /// The bytes of a text.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Text(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// As an output shows it, safe to print.
    pub fn shown(&self) -> String {
        match self {
            Value::Text(bytes) => Text::from(&**bytes).to_string(),
            Value::Number(n) => n.to_string(),
            Value::Flag(b) => b.to_string(),
            Value::Address(a) => a.to_string(),
        }
    }
}
