//! Many alternatives of which few can hold: those that want a field to be a certain text are looked up by it. Rule files
//! list exceptions by the dozen, each for programs of its own.

use super::ast::Transform;
use super::key::KeyField;
use super::program::Node;
use super::test::Sought;
use super::value::Value;
use super::view::View;
use crate::hash::HashMap;

/// Fewer alternatives are asked one by one.
pub(super) const MANY: usize = 8;

type ByText = HashMap<Box<[u8]>, Vec<u32>>;

/// Alternatives, by what they want.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    fields: Vec<(KeyField, ByText)>,
    /// Those that cannot be looked up.
    others: Box<[u32]>,
}

/// What a field must be for a node to hold.
struct Wish {
    field: KeyField,
    texts: Vec<Box<[u8]>>,
}

impl Choice {
    /// The alternatives, each with what it is called; `None` when that saves nothing.
    pub(super) fn new(nodes: &[Node], names: &[u32]) -> Option<Choice> {
        let wishes: Vec<Vec<Wish>> = nodes.iter().map(wishes).collect();
        let count = |field: &KeyField| wishes.iter().filter(|all| all.iter().any(|wish| wish.field.is(field))).count();
        let mut choice = Choice { fields: Vec::new(), others: Box::default() };
        let mut others = Vec::new();
        for (all, name) in wishes.iter().zip(names) {
            // The field that most of them can be looked up by: each that is looked up takes its time.
            match all.iter().max_by_key(|wish| count(&wish.field)).filter(|wish| count(&wish.field) > 1) {
                Some(wish) => choice.add(wish, *name),
                None => others.push(*name),
            }
        }
        choice.others = others.into();
        (names.len() >= choice.others.len() + MANY).then_some(choice)
    }

    fn add(&mut self, wish: &Wish, name: u32) {
        let known = self.fields.iter().position(|(field, _)| field.is(&wish.field)).unwrap_or_else(|| {
            self.fields.push((wish.field.clone(), ByText::default()));
            self.fields.len() - 1
        });
        for text in &wish.texts {
            let names = self.fields[known].1.entry(text.clone()).or_default();
            if names.last() != Some(&name) {
                names.push(name);
            }
        }
    }

    /// Whether one of them holds, as `holds` says of each that may.
    pub(super) fn any(&self, view: View<'_>, mut holds: impl FnMut(u32) -> bool) -> bool {
        let mut found = self.others.iter().any(|name| holds(*name));
        for (field, names) in &self.fields {
            if found {
                break;
            }
            field.each(&view, &mut |value| {
                if let Value::Text(text) = value {
                    found = found || names.get(&*text).is_some_and(|names| names.iter().any(|name| holds(*name)));
                }
            });
        }
        found
    }
}

/// By what a node can be looked up: each must be so for it to hold.
fn wishes(node: &Node) -> Vec<Wish> {
    match node {
        Node::All(nodes) => nodes.iter().flat_map(wishes).collect(),
        Node::Any(nodes) => {
            // All of them want the same field to be something.
            let mut each = nodes.iter().map(wishes);
            let mut common = each.next().unwrap_or_default();
            for all in each {
                common.retain_mut(|wish| match all.iter().find(|other| other.field.is(&wish.field)) {
                    Some(other) => {
                        wish.texts.extend(other.texts.iter().cloned());
                        true
                    }
                    None => false,
                });
            }
            common
        }
        Node::Test(tested) => {
            let cheap = |t: &Transform| matches!(t, Transform::Lower | Transform::Upper | Transform::Basename);
            match tested.test.sought() {
                Some(Sought::Texts { texts, parts: false }) if tested.subject.transforms.iter().all(cheap) => {
                    vec![Wish { field: KeyField::of(&tested.subject), texts }]
                }
                _ => Vec::new(),
            }
        }
        Node::Not(_) | Node::Exists(_) | Node::Compare(_) => Vec::new(),
    }
}
