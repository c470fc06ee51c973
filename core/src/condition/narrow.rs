//! What is left of a condition once it is known of which family the event is.

use std::sync::Arc;

use super::ast::Operator;
use super::fields::Argument;
use super::program::{Node, Subject, Tested};
use super::test::Test;
use super::value::Kind;
use super::{Condition, Shape};
use crate::event::{Family, FamilySet};

/// Of more families than these a condition is not narrowed for each: it would be kept as many times.
const MAX_FAMILIES: usize = 8;

/// A condition, as it is asked about the events of one family.
#[derive(Debug, Clone)]
pub(crate) struct Narrowed(Arc<Node>);

impl Condition {
    /// The condition for events of a family; `None` when none of them meets it.
    pub(crate) fn narrowed(&self, family: Family) -> Option<Narrowed> {
        if !self.families.has(family) {
            return None;
        }
        if self.families.iter().count() > MAX_FAMILIES {
            return Some(Narrowed(Arc::clone(&self.node)));
        }
        match narrowed(&self.node, FamilySet::of(&[family])) {
            Left::Never => None,
            Left::Always => Some(Narrowed(Arc::new(Node::All(Box::default())))),
            Left::Node(node) => Some(Narrowed(Arc::new(node))),
        }
    }
}

impl Narrowed {
    pub(super) fn node(&self) -> &Node {
        &self.0
    }
}

enum Left {
    Never,
    Always,
    Node(Node),
}

fn narrowed(node: &Node, family: FamilySet) -> Left {
    match node {
        Node::All(nodes) => {
            let mut left = Vec::new();
            for node in nodes {
                match narrowed(node, family) {
                    Left::Never => return Left::Never,
                    Left::Always => {}
                    Left::Node(node) => left.push(node),
                }
            }
            merge(&mut left, true);
            joined(left, Node::All, Left::Always)
        }
        Node::Any(nodes) => {
            let mut left = Vec::new();
            for node in nodes {
                match narrowed(node, family) {
                    Left::Always => return Left::Always,
                    Left::Never => {}
                    Left::Node(node) => left.push(node),
                }
            }
            merge(&mut left, false);
            joined(left, Node::Any, Left::Never)
        }
        Node::Not(node) => match narrowed(node, family) {
            Left::Never => Left::Always,
            Left::Always => Left::Never,
            Left::Node(node) => Left::Node(Node::Not(Box::new(node))),
        },
        leaf => match leaf.families() {
            (may, _) if may.and(family).is_empty() => Left::Never,
            (_, must) if !must.and(family).is_empty() => Left::Always,
            _ => Left::Node(leaf.clone()),
        },
    }
}

/// Makes one test of several on the same field that stand beside each other: of `x = a or x = b`, and with `negated`, of
/// `not x = a and not x = b`.
fn merge(nodes: &mut Vec<Node>, negated: bool) {
    let mut at = 0;
    while at < nodes.len() {
        let own = tested(&nodes[at], negated).cloned();
        let Some(own) = own.filter(|own| Test::any(&[&own.test]).is_some()) else {
            at += 1;
            continue;
        };
        let goes_with = |node: &Node| {
            tested(node, negated)
                .is_some_and(|t| t.subject.is(&own.subject) && Test::any(&[&own.test, &t.test]).is_some())
        };
        let (others, kept): (Vec<Node>, Vec<Node>) = nodes.drain(at + 1..).partition(goes_with);
        nodes.extend(kept);
        let tests: Vec<&Test> = others.iter().filter_map(|node| Some(&tested(node, negated)?.test)).collect();
        if let Some(test) =
            Some(tests).filter(|t| !t.is_empty()).and_then(|t| Test::any(&[&[&own.test][..], &t].concat()))
        {
            let merged = Node::Test(Arc::new(Tested { test, operator: Operator::In, subject: own.subject.clone() }));
            nodes[at] = if negated { Node::Not(Box::new(merged)) } else { merged };
        }
        at += 1;
    }
}

/// The test that a node is, or is the negation of; of a field with one value.
fn tested(node: &Node, negated: bool) -> Option<&Arc<Tested>> {
    let node = match node {
        Node::Not(inner) if negated => inner,
        node if !negated => node,
        _ => return None,
    };
    match node {
        Node::Test(tested) if tested.subject.shape == Shape::One => Some(tested),
        _ => None,
    }
}

fn joined(mut left: Vec<Node>, join: fn(Box<[Node]>) -> Node, empty: Left) -> Left {
    // What is cheap to ask comes first; what is as cheap keeps its order.
    left.sort_by_key(cost);
    match left.len() {
        0 => empty,
        1 => Left::Node(left.remove(0)),
        _ => Left::Node(join(left.into())),
    }
}

/// How much it takes to ask, roughly: what follows ancestors or puts a text together comes last.
fn cost(node: &Node) -> u32 {
    match node {
        Node::All(nodes) | Node::Any(nodes) => nodes.iter().map(cost).fold(1, u32::saturating_add),
        Node::Not(node) => cost(node),
        Node::Exists(subject) => cost_of(subject),
        Node::Test(tested) => cost_of(&tested.subject),
        Node::Compare(compared) => cost_of(&compared.left).saturating_add(cost_of(&compared.right)),
    }
}

fn cost_of(subject: &Subject) -> u32 {
    let shape = if subject.shape == Shape::One { 1 } else { 8 };
    let ancestors = if matches!(subject.argument, Argument::Generation(_)) { 4 } else { 0 };
    let kind = if subject.kind == Kind::Text { 2 } else { 1 };
    let made = if subject.field.name.ends_with("line") { 6 } else { 0 };
    shape + ancestors + kind + made + 2 * subject.transforms.len() as u32
}
