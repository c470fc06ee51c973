//! Falco's condition language: parse, check against the fields that events have, compile, evaluate. Rules, the UI's
//! `/`, `--filter` and a stream's filter are all this.
//!
//! - [`parse()`]: text to an expression ([`ast`]).
//! - [`Condition`]: an expression compiled against the [`Field`]s and the macros and lists of [`Names`].
//! - [`View`]: what a condition looks at: an event, and the graph after it.
//! - [`Filter`]: a condition or plain words.
//!
//! Falco's meaning is kept: texts compare as bytes, a comparison with a field that the event does not have is false
//! (`!=` too), `regex` and `glob` must match the whole value.

pub mod ast;
mod calls;
mod choice;
mod compile;
mod error;
mod fields;
mod filter;
mod key;
mod known;
mod made;
mod names;
mod narrow;
mod parse;
mod part;
mod pattern;
mod program;
mod scratch;
mod shared;
mod spread;
mod test;
mod texts;
mod value;
mod view;

use std::sync::Arc;

use ast::Expr;
pub use compile::Unseen;
pub use error::ConditionError;
pub(crate) use error::{nearest, quoted, shown};
pub use fields::{Accepts, Field, Shape};
pub use filter::Filter;
pub(crate) use key::{Key, KeyField};
pub use names::Names;
pub(crate) use names::unquoted;
pub use parse::parse;
pub(crate) use parse::parse_operand;
use program::{Node, Subject};
pub use scratch::Scratch;
pub(crate) use shared::{Answers, Root, Shared, Sharing};
pub(crate) use spread::spread;
pub(crate) use test::Sought;
pub(crate) use texts::Outline;
pub use value::{Kind, Value};
pub use view::View;

use crate::event::FamilySet;

/// A condition, ready to be asked. Clones share it.
#[derive(Debug, Clone)]
pub struct Condition {
    node: Arc<Node>,
    families: FamilySet,
    unseen: Arc<[Unseen]>,
}

impl Condition {
    /// Parses, checks and compiles a condition.
    pub fn parse(text: &str, names: &Names) -> Result<Condition, ConditionError> {
        Condition::compile(text, &parse(text)?, names)
    }

    /// Checks and compiles an expression that was parsed from `text`.
    pub fn compile(text: &str, expr: &Expr, names: &Names) -> Result<Condition, ConditionError> {
        Condition::compile_counting(text, expr, names, &mut 0)
    }

    /// As [`Condition::compile`]; the number of its parts, also when it fails, is added to `spent`.
    pub(crate) fn compile_counting(
        text: &str,
        expr: &Expr,
        names: &Names,
        spent: &mut usize,
    ) -> Result<Condition, ConditionError> {
        let (node, unseen) = compile::compile(text, expr, names, spent)?;
        Ok(Condition { unseen: unseen.into(), ..Condition::new(node) })
    }

    /// Finds what is wrong with an expression by itself; macros that it uses are not looked into.
    pub(crate) fn check(text: &str, expr: &Expr, names: &Names) -> Result<(), ConditionError> {
        compile::check(text, expr, names)
    }

    fn new(node: Node) -> Condition {
        Condition { families: node.families().0, node: Arc::new(node), unseen: Arc::default() }
    }

    /// The system calls that it asks for, though no event is of them.
    pub fn unseen(&self) -> &[Unseen] {
        &self.unseen
    }

    /// The fields that it looks at, as conditions write them, each once.
    pub fn fields(&self) -> Vec<String> {
        let mut fields = Vec::new();
        self.node.subjects(&mut |subject| fields.push(subject.written()));
        fields.sort_unstable();
        fields.dedup();
        fields
    }

    /// Why an event meets it: the fields whose tests hold, with their values, safe to show. Empty when it does not.
    pub fn grounds(&self, view: &View<'_>) -> Vec<(String, String)> {
        let mut grounds: Vec<(String, String)> = Vec::new();
        if self.matches(view) {
            self.node.grounds(*view, &mut |subject| {
                let field = subject.written();
                if !grounds.iter().any(|(known, _)| *known == field) {
                    let value = Part(subject.clone()).shown(view).unwrap_or_else(|| "<NA>".to_owned());
                    grounds.push((field, value));
                }
            });
        }
        grounds
    }

    /// Whether the event meets it.
    pub fn matches(&self, view: &View<'_>) -> bool {
        self.node.matches(*view)
    }

    /// The families of which an event can meet it; no event of another family does.
    pub fn families(&self) -> FamilySet {
        self.families
    }

    /// This condition, and none of the others.
    #[must_use]
    pub(crate) fn except(&self, others: &[Condition]) -> Condition {
        if others.is_empty() {
            return self.clone();
        }
        let not = |other: &Condition| Node::Not(Box::new((*other.node).clone()));
        let all = std::iter::once((*self.node).clone()).chain(others.iter().map(not)).collect();
        Condition { unseen: Arc::clone(&self.unseen), ..Condition::new(Node::All(all)) }
    }
}

/// A field of an output, ready to be asked.
#[derive(Debug, Clone)]
pub(crate) struct Part(Subject);

impl Part {
    /// Finds the field; `text` is what `operand` was parsed from.
    pub(crate) fn new(text: &str, operand: &ast::Operand) -> Result<Part, ConditionError> {
        compile::subject(text, operand).map(Part)
    }

    /// Its value, escaped; several with commas between, in parentheses. `None` when it is absent.
    pub(crate) fn shown(&self, view: &View<'_>) -> Option<String> {
        if self.0.shape == Shape::One {
            return self.0.one(*view).map(|value| value.shown());
        }
        let mut values = Vec::new();
        self.0.each(*view, &mut |value| {
            values.push(value.shown());
            values.len() < 64
        });
        (!values.is_empty()).then(|| format!("({})", values.join(",")))
    }
}
