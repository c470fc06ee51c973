//! Many conditions as one: what several of them ask is asked once an event, and remembered.

use std::collections::HashMap;

use super::choice::{Choice, MANY};
use super::narrow::Narrowed;
use super::program::Node;
use super::view::View;

/// Conditions for the events of one family.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shared {
    parts: Vec<Part>,
    /// How many of the parts have an answer to be remembered.
    slots: u32,
}

/// One of the conditions of a [`Shared`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Root(u32);

/// A part of conditions; those that it is made of stand before it.
#[derive(Debug, Clone)]
struct Part {
    kind: Kind,
    /// Where its answer is remembered; `None` when only one other asks for it.
    slot: Option<u32>,
}

#[derive(Debug, Clone)]
enum Kind {
    All(Box<[u32]>),
    Any(Box<[u32]>),
    /// As `Any`, of many.
    Choice(Box<Choice>),
    Not(u32),
    /// Everything else is asked as it is.
    Leaf(Node),
}

/// What tells parts apart.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Identity {
    All(Box<[u32]>),
    Any(Box<[u32]>),
    Not(u32),
    /// As `Debug` writes it, which has all that it is made of.
    Leaf(String),
}

/// Makes a [`Shared`].
#[derive(Debug, Default)]
pub(crate) struct Sharing {
    parts: Vec<Kind>,
    /// How many ask for each part.
    asked: Vec<u32>,
    known: HashMap<Identity, u32>,
}

impl Sharing {
    /// Adds a condition.
    pub(crate) fn add(&mut self, condition: &Narrowed) -> Root {
        let root = self.part(condition.node());
        // It may be asked for in several ways, and is answered once.
        self.asked[root as usize] += 2;
        Root(root)
    }

    fn part(&mut self, node: &Node) -> u32 {
        let (identity, kind) = match node {
            Node::All(nodes) => {
                let parts = match exceptions_as_one(nodes) {
                    Some(nodes) => self.each(&nodes),
                    None => self.each(nodes),
                };
                (Identity::All(parts.clone()), Kind::All(parts))
            }
            Node::Any(nodes) => {
                let parts = self.each(nodes);
                let choice = (nodes.len() >= MANY).then(|| Choice::new(nodes, &parts)).flatten();
                let kind = choice.map_or_else(|| Kind::Any(parts.clone()), |choice| Kind::Choice(Box::new(choice)));
                (Identity::Any(parts), kind)
            }
            Node::Not(node) => {
                let part = self.part(node);
                (Identity::Not(part), Kind::Not(part))
            }
            leaf => (Identity::Leaf(format!("{leaf:?}")), Kind::Leaf(leaf.clone())),
        };
        if let Some(known) = self.known.get(&identity) {
            return *known;
        }
        let new = u32::try_from(self.parts.len()).unwrap_or(u32::MAX);
        // What it is made of is asked for by this one part, however many ask for the part itself.
        match &identity {
            Identity::All(parts) | Identity::Any(parts) => {
                parts.iter().for_each(|part| self.asked[*part as usize] += 1);
            }
            Identity::Not(part) => self.asked[*part as usize] += 1,
            Identity::Leaf(_) => {}
        }
        self.parts.push(kind);
        self.asked.push(0);
        self.known.insert(identity, new);
        new
    }

    fn each(&mut self, nodes: &[Node]) -> Box<[u32]> {
        nodes.iter().map(|node| self.part(node)).collect()
    }

    pub(crate) fn finish(self) -> Shared {
        let mut slots = 0;
        let parts = self.parts.into_iter().zip(self.asked).map(|(kind, asked)| {
            let slot = (asked > 1).then_some(slots);
            slots += u32::from(slot.is_some());
            Part { kind, slot }
        });
        Shared { parts: parts.collect(), slots }
    }
}

/// `not a and not b and ...` of many as `not (a or b or ...)`, behind what else must hold.
fn exceptions_as_one(nodes: &[Node]) -> Option<Vec<Node>> {
    let (mut left, mut exceptions) = (Vec::new(), Vec::new());
    for node in nodes {
        match node {
            Node::Not(inner) => match &**inner {
                Node::Any(alternatives) => exceptions.extend(alternatives.iter().cloned()),
                exception => exceptions.push(exception.clone()),
            },
            node => left.push(node.clone()),
        }
    }
    if exceptions.len() < MANY {
        return None;
    }
    left.push(Node::Not(Box::new(Node::Any(exceptions.into()))));
    Some(left)
}

impl Shared {
    /// Whether an event of the family meets a condition.
    pub(crate) fn matches(&self, root: Root, view: &View<'_>, answers: &mut Answers) -> bool {
        self.holds(root.0, *view, answers)
    }

    fn holds(&self, part: u32, view: View<'_>, answers: &mut Answers) -> bool {
        let part = &self.parts[part as usize];
        if let Some(known) = part.slot.and_then(|slot| answers.get(slot)) {
            return known;
        }
        let holds = match &part.kind {
            Kind::All(parts) => parts.iter().all(|part| self.holds(*part, view, answers)),
            Kind::Any(parts) => parts.iter().any(|part| self.holds(*part, view, answers)),
            Kind::Choice(choice) => choice.any(view, |part| self.holds(part, view, answers)),
            Kind::Not(part) => !self.holds(*part, view, answers),
            Kind::Leaf(node) => node.matches(view),
        };
        if let Some(slot) = part.slot {
            answers.set(slot, holds);
        }
        holds
    }
}

/// The answers that parts gave about one event.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// Twice the number of the event, and one more when the part holds; of earlier events when the number is another.
    slots: Vec<u32>,
    event: u32,
}

impl Answers {
    /// Forgets what was answered about the event before, and makes room for what `shared` will.
    pub(crate) fn begin(&mut self, shared: &Shared) {
        self.event += 1;
        if self.event > u32::MAX / 2 {
            self.slots.fill(0);
            self.event = 1;
        }
        if self.slots.len() < shared.slots as usize {
            self.slots.resize(shared.slots as usize, 0);
        }
    }

    fn get(&self, slot: u32) -> Option<bool> {
        let answer = self.slots[slot as usize];
        (answer >> 1 == self.event).then_some(answer & 1 == 1)
    }

    fn set(&mut self, slot: u32, holds: bool) {
        self.slots[slot as usize] = self.event << 1 | u32::from(holds);
    }
}
