//! A compiled condition, and how it is asked. Nothing is allocated unless a field has to be put together (a command
//! line, a connection's name) or a transformer changes something.

use std::borrow::Cow;
use std::sync::Arc;

use super::ast::{Operator, Transform};
use super::fields::{Argument, Field, Shape};
use super::test::{Test, compare};
use super::value::{Kind, Value};
use super::view::View;
use crate::event::{Family, FamilySet};

#[derive(Debug, Clone)]
pub(super) enum Node {
    All(Box<[Node]>),
    Any(Box<[Node]>),
    Not(Box<Node>),
    Exists(Arc<Subject>),
    Test(Arc<Tested>),
    Compare(Arc<Compared>),
}

/// A field, compared with values of the condition.
#[derive(Debug, Clone)]
pub(super) struct Tested {
    pub(super) subject: Subject,
    pub(super) operator: Operator,
    pub(super) test: Test,
}

/// A field, compared with another.
#[derive(Debug, Clone)]
pub(super) struct Compared {
    pub(super) left: Subject,
    pub(super) operator: Operator,
    pub(super) right: Subject,
}

/// A field, maybe transformed, whose values are compared.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) field: &'static Field,
    pub(super) argument: Argument,
    pub(super) transforms: Box<[Transform]>,
    /// Of what kind the values are, after the transformers.
    pub(super) kind: Kind,
    /// How many there may be, after the transformers.
    pub(super) shape: Shape,
}

impl PartialEq for Subject {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.field, other.field) && self.argument == other.argument && self.transforms == other.transforms
    }
}

impl Node {
    pub(super) fn matches(&self, view: View<'_>) -> bool {
        match self {
            Node::All(nodes) => nodes.iter().all(|node| node.matches(view)),
            Node::Any(nodes) => nodes.iter().any(|node| node.matches(view)),
            Node::Not(node) => !node.matches(view),
            Node::Exists(subject) => subject.any(view, |_| true),
            Node::Test(t) => t.subject.holds(view, t.operator, |value| t.test.holds(value)),
            Node::Compare(c) => c.left.holds(view, c.operator, |l| match c.operator {
                Operator::In | Operator::Intersects => c.right.any(view, |r| compare(Operator::Eq, l, r)),
                _ => c.right.holds(view, c.operator, |r| compare(c.operator, l, r)),
            }),
        }
    }

    /// Tells `each` every field that it looks at.
    pub(super) fn subjects<'n>(&'n self, each: &mut dyn FnMut(&'n Subject)) {
        match self {
            Node::All(nodes) | Node::Any(nodes) => nodes.iter().for_each(|node| node.subjects(each)),
            Node::Not(node) => node.subjects(each),
            Node::Exists(subject) => subject.and_parts(each),
            Node::Test(tested) => tested.subject.and_parts(each),
            Node::Compare(compared) => {
                compared.left.and_parts(each);
                compared.right.and_parts(each);
            }
        }
    }

    /// Tells `each` the fields because of which it matches; what does not match, or is asked not to, is no ground.
    pub(super) fn grounds<'n>(&'n self, view: View<'_>, each: &mut dyn FnMut(&'n Subject)) {
        match self {
            Node::All(nodes) => nodes.iter().for_each(|node| node.grounds(view, each)),
            Node::Any(nodes) => {
                nodes.iter().filter(|node| node.matches(view)).for_each(|node| node.grounds(view, each))
            }
            Node::Not(_) => {}
            node => node.subjects(each),
        }
    }

    /// The families of which an event can match, and those of which every event does.
    pub(super) fn families(&self) -> (FamilySet, FamilySet) {
        match self {
            Node::All(nodes) => nodes
                .iter()
                .map(Node::families)
                .fold((FamilySet::ALL, FamilySet::ALL), |(may, must), (other_may, other_must)| {
                    (may.and(other_may), must.and(other_must))
                }),
            Node::Any(nodes) => nodes
                .iter()
                .map(Node::families)
                .fold((FamilySet::NONE, FamilySet::NONE), |(may, must), (other_may, other_must)| {
                    (may.or(other_may), must.or(other_must))
                }),
            Node::Not(node) => {
                let (may, must) = node.families();
                (must.not(), may.not())
            }
            Node::Exists(subject) => (subject.field.on, FamilySet::NONE),
            Node::Compare(c) => (c.left.field.on.and(c.right.field.on), FamilySet::NONE),
            Node::Test(tested) => tested.families(),
        }
    }
}

impl Tested {
    fn families(&self) -> (FamilySet, FamilySet) {
        let (mut may, mut must) = (FamilySet::NONE, FamilySet::NONE);
        for family in self.subject.field.on.iter() {
            let one = FamilySet::of(&[family]);
            let Some(values) = constants(self.subject.field, family) else {
                may = may.or(one);
                continue;
            };
            let holds = |text: &&&str| {
                let value = Value::Text(Cow::Borrowed(text.as_bytes()));
                self.subject.transformed(value).is_some_and(|v| self.test.holds(&v))
            };
            let holding = values.iter().filter(holds).count();
            may = if holding > 0 { may.or(one) } else { may };
            must = if holding == values.len() { must.or(one) } else { must };
        }
        (may, must)
    }
}

/// All that a field can be for a family's events, when that is known beforehand.
fn constants(field: &Field, family: Family) -> Option<Cow<'static, [&'static str]>> {
    match field.name {
        "evt.type" | "syscall.type" => Some(Cow::Borrowed(family.event_types())),
        "lanner.event" => Some(Cow::Owned(vec![family.name()])),
        "evt.dir" => Some(Cow::Borrowed(&["<"])),
        "evt.source" => Some(Cow::Borrowed(&["syscall"])),
        _ => None,
    }
}

impl Subject {
    /// Tells `each` of itself, or of the fields that it is put together of.
    fn and_parts<'n>(&'n self, each: &mut dyn FnMut(&'n Subject)) {
        match &self.argument {
            Argument::Made(made) => made.subjects().for_each(|subject| subject.and_parts(each)),
            _ => each(self),
        }
    }

    /// As a condition writes it.
    pub(super) fn written(&self) -> String {
        let argument = match &self.argument {
            Argument::None | Argument::Made(_) => String::new(),
            Argument::Generation(n) | Argument::Position(n) => format!("[{n}]"),
            Argument::Name(name) => format!(".{name}"),
            Argument::Key(key) => format!("[{key}]"),
        };
        let field = match &self.argument {
            Argument::Made(made) => made.written(),
            _ => format!("{}{argument}", self.field.name),
        };
        self.transforms.iter().fold(field, |field, transform| {
            let word = Transform::ALL.iter().find(|(_, t)| t == transform).map_or("", |(word, _)| word);
            format!("{word}({field})")
        })
    }

    /// Whether it is the same field, asked for and transformed in the same way.
    pub(super) fn is(&self, other: &Subject) -> bool {
        std::ptr::eq(self.field, other.field) && self.argument == other.argument && self.transforms == other.transforms
    }

    /// Its value, when it has one at a time.
    pub(super) fn one<'a>(&self, view: View<'a>) -> Option<Value<'a>> {
        if self.counts() {
            let mut count = 0;
            self.field.each(view, &self.argument, &mut |_| {
                count += 1;
                true
            });
            return Some(Value::Number(count));
        }
        self.transformed(self.field.one(view, &self.argument)?)
    }

    /// Tells `each` its values until it says that it has enough.
    pub(super) fn each<'a>(&self, view: View<'a>, each: &mut dyn FnMut(Value<'a>) -> bool) {
        if self.shape == Shape::One {
            self.one(view).map(each);
            return;
        }
        self.field.each(view, &self.argument, &mut |value| match self.transformed(value) {
            Some(value) => each(value),
            None => true,
        });
    }

    /// Whether its values are counted: `len()` of a list.
    fn counts(&self) -> bool {
        self.kind == Kind::Number
            && self.transforms.contains(&Transform::Len)
            && self.argument == Argument::None
            && self.field.shape() != Shape::One
    }

    /// Whether `holds` holds for its values, as the operator and their number want it.
    fn holds(&self, view: View<'_>, operator: Operator, holds: impl Fn(&Value<'_>) -> bool) -> bool {
        match (self.shape, operator) {
            (Shape::One, _) => self.one(view).is_some_and(|value| holds(&value)),
            (Shape::List, Operator::In | Operator::Ne) | (Shape::Ends, Operator::Ne) => {
                let (mut some, mut all) = (false, true);
                self.each(view, &mut |value| {
                    some = true;
                    all = holds(&value);
                    all
                });
                some && all
            }
            _ => self.any(view, holds),
        }
    }

    fn any(&self, view: View<'_>, holds: impl Fn(&Value<'_>) -> bool) -> bool {
        if self.shape == Shape::One {
            return self.one(view).is_some_and(|value| holds(&value));
        }
        let mut found = false;
        self.each(view, &mut |value| {
            found = holds(&value);
            !found
        });
        found
    }

    fn transformed<'a>(&self, value: Value<'a>) -> Option<Value<'a>> {
        self.transforms.iter().try_fold(value, |value, transform| match value {
            Value::Text(bytes) => transform.apply(bytes),
            other => Some(other),
        })
    }
}

impl Transform {
    fn apply(self, bytes: Cow<'_, [u8]>) -> Option<Value<'_>> {
        Some(Value::Text(match self {
            Transform::Lower if bytes.iter().any(u8::is_ascii_uppercase) => Cow::Owned(bytes.to_ascii_lowercase()),
            Transform::Upper if bytes.iter().any(u8::is_ascii_lowercase) => Cow::Owned(bytes.to_ascii_uppercase()),
            Transform::Lower | Transform::Upper => bytes,
            Transform::Basename => match bytes.iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1) {
                0 => bytes,
                from => match bytes {
                    Cow::Borrowed(b) => Cow::Borrowed(&b[from..]),
                    Cow::Owned(b) => Cow::Owned(b[from..].to_vec()),
                },
            },
            Transform::Len => return Some(Value::Number(bytes.len() as i128)),
            Transform::Base64 => Cow::Owned(decode_base64(&bytes)?),
        }))
    }
}

/// Standard or URL-safe base64, with its padding or without.
fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    if text.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0);
    for byte in text {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    Some(out)
}
