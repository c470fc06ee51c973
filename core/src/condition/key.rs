//! What an event must have for a condition to be worth asking.

use super::Shape;
use super::ast::Transform;
use super::fields::{Argument, Field, alike};
use super::narrow::Narrowed;
use super::program::{Node, Subject};
use super::test::Sought;
use super::value::Value;
use super::view::View;
use crate::event::{Family, FamilySet};

/// Shorter parts of a text are too common to look for.
const MIN_PART: usize = 3;
/// How many different fields a rule may be looked up by.
const MAX_KEYS: usize = 4;

/// What the events of one family need, for a condition to hold: the field has one of these values, or contains one.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) subject: KeyField,
    pub(crate) sought: Sought,
}

/// A field that is looked up.
#[derive(Debug, Clone)]
pub(crate) struct KeyField(Subject);

impl KeyField {
    pub(super) fn of(subject: &Subject) -> KeyField {
        KeyField(subject.clone())
    }

    /// Tells `each` its values.
    pub(crate) fn each<'a>(&self, view: &View<'a>, each: &mut dyn FnMut(Value<'a>)) {
        if self.0.shape == Shape::One {
            self.0.one(*view).map(each);
            return;
        }
        self.0.each(*view, &mut |value| {
            each(value);
            true
        });
    }

    /// Whether it is the same field.
    pub(crate) fn is(&self, other: &KeyField) -> bool {
        self.0.is(&other.0)
    }
}

impl Narrowed {
    /// What to look it up by, for events of the family that it is narrowed to: one of these must be true of an event that
    /// meets it. Empty: it must always be asked.
    pub(crate) fn keys(&self, family: Family) -> Vec<Key> {
        let keys = keys(self.node(), family).unwrap_or_default();
        keys.into_iter().map(|key| key.looked_up(family)).collect()
    }
}

impl Key {
    /// The same by a field that others are looked up by too: several say the same, or a part of what another says, and each
    /// one that is looked up takes its time.
    fn looked_up(self, family: Family) -> Key {
        let Key { subject: KeyField(mut subject), sought } = self;
        match &sought {
            _ if subject.argument != Argument::None => {}
            Sought::Texts { parts: true, .. } => {
                // A part of a part is a part of the whole, and upper and lower case are not told apart.
                let case = |t: &Transform| matches!(t, Transform::Lower | Transform::Upper);
                let whole = alike::whole(subject.field.name, family).and_then(Field::find);
                if whole.is_some() || subject.transforms.iter().all(case) {
                    subject.transforms = Box::default();
                }
                subject.field = whole.unwrap_or(subject.field);
            }
            Sought::Texts { parts: false, .. } => {
                let same = alike::same(subject.field.name, family);
                if let Some((field, transform)) = same.and_then(|(name, t)| Some((Field::find(name)?, t))) {
                    subject.field = field;
                    subject.transforms = transform.into_iter().chain(subject.transforms).collect();
                }
            }
            Sought::Numbers(_) => {}
        }
        Key { subject: KeyField(subject), sought }
    }
}

/// What must be true for the node to match: one of these. `None`: nothing that could be looked up.
fn keys(node: &Node, family: Family) -> Option<Vec<Key>> {
    match node {
        Node::All(nodes) => {
            nodes.iter().filter_map(|node| keys(node, family)).min_by_key(|keys| commonness(keys, family))
        }
        Node::Any(nodes) => {
            let mut all: Vec<Key> = Vec::new();
            for key in nodes.iter().map(|node| keys(node, family)).collect::<Option<Vec<_>>>()?.into_iter().flatten() {
                match all.iter_mut().find(|known| known.subject.is(&key.subject)) {
                    Some(known) => known.sought.extend(key.sought),
                    None => all.push(key),
                }
            }
            (!all.is_empty() && all.len() <= MAX_KEYS && all.iter().all(is_worth_it)).then_some(all)
        }
        Node::Test(tested) => {
            let subject = &tested.subject;
            // Others than these cost more than they save.
            let cheap = |t: &Transform| matches!(t, Transform::Lower | Transform::Upper | Transform::Basename);
            if !subject.transforms.iter().all(cheap) {
                return None;
            }
            // Of several values at least one must hold, whatever the operator makes of the others.
            let key = Key { sought: tested.test.sought()?, subject: KeyField(subject.clone()) };
            is_worth_it(&key).then(|| vec![key])
        }
        Node::Not(_) | Node::Exists(_) | Node::Compare(_) => None,
    }
}

fn is_worth_it(key: &Key) -> bool {
    match &key.sought {
        Sought::Texts { parts: true, texts } => texts.iter().all(|t| t.len() >= MIN_PART),
        _ => true,
    }
}

/// The less, the fewer events will have it, as far as its form tells. What can have a few values only is met by many; and
/// what a process is, by all that it does.
fn commonness(keys: &[Key], family: Family) -> usize {
    let one = |key: &Key| match &key.sought {
        _ if key.subject.0.field.is_narrow() => 100_000,
        _ if key.subject.0.field.on == FamilySet::ALL && family != Family::Exec => 10_000,
        Sought::Texts { parts: false, texts } => texts.len(),
        Sought::Numbers(numbers) => 10 + numbers.len(),
        Sought::Texts { parts: true, texts } => {
            let shortest = texts.iter().map(|t| t.len()).min().unwrap_or(0);
            1_000 + texts.len() + 100_usize.saturating_sub(shortest)
        }
    };
    keys.iter().map(one).sum()
}
