//! From an expression to something that can be asked quickly: macros put in their places, fields found, types checked,
//! constants prepared.

use std::sync::Arc;

use super::ast::{Check, Expr, ExprKind, Joined, JoinedPart, Literal, Operand, Operator, Right, Span, Transform};
use super::calls;
use super::error::{ConditionError, nearest, quoted};
use super::fields::{Accepts, Argument, Field, MADE, Shape, why_lacking};
use super::known;
use super::made::{Made, Part};
use super::names::Names;
use super::program::{Compared, Node, Subject, Tested};
use super::test::{Test, Unfit, comparable};
use super::value::Kind;
use crate::event::Family;

/// How much a condition may grow to: its tests and all their values, macros and lists in their places.
const MAX_SIZE: usize = 100_000;
/// How deep it may nest, macros in their places.
const MAX_DEPTH: usize = 128;

type Result<T> = std::result::Result<T, ConditionError>;

/// What a pattern counts as, against [`MAX_SIZE`]: it takes far more room than a test.
const PATTERN_SIZE: usize = 200;

/// A system call that a condition asks for, though no event is ever of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// Its name.
    pub call: Box<str>,
    /// Where the condition, or a macro of it, names it.
    pub span: Span,
}

/// How many of those are taken down.
const MAX_UNSEEN: usize = 16;

/// Compiles an expression that was parsed from `source`. Its size, also when it fails, is added to `spent`.
pub(super) fn compile(source: &str, expr: &Expr, names: &Names, spent: &mut usize) -> Result<(Node, Vec<Unseen>)> {
    let mut compiler = Compiler { macros: true, ..Compiler::new(source, names) };
    let node = compiler.node(expr);
    *spent += compiler.size;
    Ok((node?, compiler.unseen))
}

/// Finds what is wrong with an expression by itself; macros that it uses are not looked into.
pub(super) fn check(source: &str, expr: &Expr, names: &Names) -> Result<()> {
    Compiler::new(source, names).node(expr).map(drop)
}

/// Whether it is the name of the event's call, or its direction, as it is.
fn is_call(subject: &Subject) -> bool {
    matches!(subject.field.name, "evt.type" | "syscall.type" | "evt.dir") && subject.transforms.is_empty()
}

/// Finds the field of an output, with its argument.
pub(super) fn subject(source: &str, operand: &Operand) -> Result<Subject> {
    let names = Names::default();
    Compiler::new(source, &names).subject(operand)
}

struct Compiler<'a> {
    source: &'a str,
    names: &'a Names,
    /// The macros that are being put in their places, outermost first, each with where the outermost one was named.
    within: Vec<(&'a str, Span)>,
    /// Whether macros are put in their places at all.
    macros: bool,
    unseen: Vec<Unseen>,
    size: usize,
    depth: usize,
}

impl<'a> Compiler<'a> {
    fn new(source: &'a str, names: &'a Names) -> Self {
        Compiler { source, names, within: Vec::new(), macros: false, unseen: Vec::new(), size: 0, depth: 0 }
    }

    fn node(&mut self, expr: &'a Expr) -> Result<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(&expr.span, format!("with its macros the condition nests deeper than {MAX_DEPTH}")));
        }
        self.grow(1, &expr.span)?;
        let node = match &expr.kind {
            ExprKind::And(parts) => Node::All(self.nodes(parts)?),
            ExprKind::Or(parts) => Node::Any(self.nodes(parts)?),
            ExprKind::Not(inner) => Node::Not(Box::new(self.node(inner)?)),
            ExprKind::Macro(name) => self.named(name, &expr.span)?,
            ExprKind::Check(check) => self.check(check)?,
        };
        self.depth -= 1;
        Ok(node)
    }

    fn nodes(&mut self, parts: &'a [Expr]) -> Result<Box<[Node]>> {
        parts.iter().map(|part| self.node(part)).collect()
    }

    fn named(&mut self, name: &'a str, span: &Span) -> Result<Node> {
        let names = self.names;
        let Some(expr) = names.get_macro(name) else {
            let error = self.error(span, format!("no macro is named {}", quoted(name)));
            return Err(match names.nearest_macro(name) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None if names.has_list(name) => {
                    error.hint(format!("it is a list: write it as in `proc.name in ({name})`"))
                }
                None => error.hint("a test has a field, an operator and a value, as in `proc.name = sh`"),
            });
        };
        if self.within.iter().any(|(outer, _)| *outer == name) {
            return Err(self
                .error(span, format!("the macro `{name}` uses itself"))
                .hint("a macro cannot be defined by itself"));
        }
        if !self.macros {
            return Ok(Node::All(Box::default()));
        }
        let site = self.within.first().map_or_else(|| span.clone(), |(_, site)| site.clone());
        self.within.push((name, site));
        let node = self.node(expr)?;
        self.within.pop();
        Ok(node)
    }

    fn check(&mut self, check: &'a Check) -> Result<Node> {
        let subject = self.subject(&check.left)?;
        let operator = check.operator;
        let values = match &check.right {
            Right::Nothing => return Ok(Node::Exists(Arc::new(subject))),
            Right::Field(operand) => return self.field_to_field(check, subject, operand),
            Right::Value(literal) => vec![(literal.text.clone(), literal)],
            Right::Values(literals) => self.listed(literals)?,
            Right::List(literal) => {
                if !self.names.has_list(&literal.text) {
                    return Err(self.no_list(literal));
                }
                self.listed(std::slice::from_ref(literal))?
            }
        };
        let values = match is_call(&subject) {
            true => self.calls(subject.field.name != "evt.dir", operator, values)?,
            false => values,
        };
        self.grow(values.len(), &check.left.span)?;
        // One call has several names, so that one of them is asked for as all of them are.
        let (operator, negated) = match operator {
            Operator::Eq if is_call(&subject) => (Operator::In, false),
            Operator::Ne if is_call(&subject) => (Operator::In, true),
            operator => (operator, false),
        };
        let patterns = match operator {
            Operator::Regex | Operator::Glob | Operator::IGlob => 1,
            Operator::PMatch => values.iter().map(|(text, _)| text.matches(['*', '?', '[']).count()).sum(),
            _ => 0,
        };
        self.grow(patterns * PATTERN_SIZE, &check.left.span)?;
        let texts: Vec<String> = values.iter().map(|(text, _)| text.clone()).collect();
        let test = Test::new(subject.kind, operator, &texts).map_err(|unfit| match unfit {
            Unfit::Operator => self.wrong_operator(check, &subject),
            Unfit::Value(i, hint) => {
                let (text, literal) = &values[i];
                let what = if operator == Operator::Regex || operator == Operator::Glob || operator == Operator::IGlob {
                    format!("{} is no pattern", quoted(text))
                } else if subject.kind == Kind::Text {
                    format!("{} is no value for `{}`", quoted(text), operator.word())
                } else {
                    format!("`{}` is {}, and {} is none", check.left.field, subject.kind.words(), quoted(text))
                };
                self.error(&literal.span, what).hint(hint)
            }
        })?;
        let node = Node::Test(Arc::new(Tested { subject, operator, test }));
        Ok(if negated { Node::Not(Box::new(node)) } else { node })
    }

    /// The names of calls, with the others of the same doing. Those that no event is of are taken down, if they are to be
    /// `told`; one that there is not is a mistake.
    fn calls(
        &mut self,
        told: bool,
        operator: Operator,
        values: Vec<(String, &'a Literal)>,
    ) -> Result<Vec<(String, &'a Literal)>> {
        if !matches!(operator, Operator::Eq | Operator::Ne | Operator::In | Operator::Intersects) {
            return Ok(values);
        }
        let mut all = Vec::with_capacity(values.len());
        for (name, literal) in values {
            let same = calls::same(&name);
            if told && !calls::is_seen(&name) && !known::is_known(&name) {
                return Err(self.no_event(&name, literal));
            }
            if told && operator != Operator::Ne && !calls::is_seen(&name) && self.unseen.len() < MAX_UNSEEN {
                let site = self.within.first().map_or_else(|| literal.span.clone(), |(_, site)| site.clone());
                let unseen = Unseen { call: crate::condition::shown(&name).into(), span: site };
                if !self.unseen.iter().any(|u| u.call == unseen.call) {
                    self.unseen.push(unseen);
                }
            }
            all.extend(same.iter().filter(|s| **s != name).map(|s| ((*s).to_owned(), literal)));
            all.push((name, literal));
        }
        Ok(all)
    }

    fn no_event(&self, name: &str, literal: &Literal) -> ConditionError {
        let error = self.error(&literal.span, format!("no event is called {}", quoted(name)));
        match nearest(name, Family::ALL.iter().flat_map(|family| family.event_types()).copied().chain(known::all())) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(
                "events are called by their system calls, as `openat`, and `lanner.event` tells them by what was done",
            ),
        }
    }

    fn field_to_field(&mut self, check: &'a Check, left: Subject, operand: &'a Operand) -> Result<Node> {
        let right = self.subject(operand)?;
        if !comparable(left.kind, check.operator) {
            return Err(self
                .error(
                    &check.operator_span,
                    format!("`{}` cannot compare `{}` with another field", check.operator.word(), check.left.field),
                )
                .hint("fields are compared by = != < <= > >= contains icontains startswith endswith in intersects"));
        }
        if left.kind != right.kind {
            let message = format!(
                "`{}` is {}, and `{}` is {}",
                check.left.field,
                left.kind.words(),
                operand.field,
                right.kind.words()
            );
            return Err(self.error(&operand.span, message).hint("both must be of the same kind"));
        }
        Ok(Node::Compare(Arc::new(Compared { left, operator: check.operator, right })))
    }

    /// Values in parentheses, those of lists in the places of their names.
    fn listed(&mut self, literals: &'a [Literal]) -> Result<Vec<(String, &'a Literal)>> {
        let mut values = Vec::with_capacity(literals.len());
        for literal in literals {
            if literal.quoted || !self.names.has_list(&literal.text) {
                values.push((literal.text.clone(), literal));
                continue;
            }
            let Some(items) = self.names.items(&literal.text, MAX_SIZE) else {
                let message = format!("the list {} names itself, or is too long", quoted(&literal.text));
                return Err(self.error(&literal.span, message));
            };
            self.grow(items.len(), &literal.span)?;
            values.extend(items.into_iter().map(|item| (item, literal)));
        }
        Ok(values)
    }

    fn subject(&mut self, operand: &Operand) -> Result<Subject> {
        let (field, argument) = match &operand.made {
            Some(joined) => (&MADE, Argument::Made(Arc::new(self.made(joined)?))),
            None => self.field(operand)?,
        };
        let mut kind = field.kind();
        let mut shape = if argument == Argument::None { field.shape() } else { Shape::One };
        for (i, transform) in operand.transforms.iter().enumerate() {
            let many = shape != Shape::One;
            if kind != Kind::Text && !(many && *transform == Transform::Len) {
                let word = Transform::ALL.iter().find(|(_, t)| t == transform).map_or("", |(w, _)| w);
                let message = format!("`{word}()` changes texts, and `{}` is {}", operand.field, kind.words());
                return Err(self.error(&operand.span, message));
            }
            if *transform == Transform::Len {
                (kind, shape) = (Kind::Number, Shape::One);
                if i + 1 < operand.transforms.len() {
                    return Err(self.error(&operand.span, "`len()` gives a number, which cannot be changed further"));
                }
            }
        }
        Ok(Subject { field, argument, transforms: operand.transforms.as_slice().into(), kind, shape })
    }

    fn made(&mut self, joined: &Joined) -> Result<Made> {
        let part = |part: &JoinedPart| match part {
            JoinedPart::Literal(literal) => {
                self.grow(1, &literal.span)?;
                Ok(Part::Literal(literal.text.as_str().into()))
            }
            JoinedPart::Operand(operand) => {
                self.grow(1, &operand.span)?;
                self.subject(operand).map(Part::Field)
            }
        };
        let parts = joined.parts.iter().map(part).collect::<Result<_>>()?;
        Ok(Made { separator: joined.separator.as_str().into(), parts })
    }

    fn field(&self, operand: &Operand) -> Result<(&'static Field, Argument)> {
        let name = operand.field.as_str();
        if let Some(field) = Field::find(name) {
            let argument = self.argument(field, operand.argument.as_ref(), &operand.span)?;
            return Ok((field, argument));
        }
        // `evt.arg.flags` is another way to write `evt.arg[flags]`; a key may have dots of its own.
        let split = |(at, _): (usize, &str)| {
            let field = Field::find(&name[..at])?;
            matches!(field.accepts(), Accepts::Name(_) | Accepts::Key).then_some((field, &name[at + 1..]))
        };
        if operand.argument.is_none()
            && let Some((field, last)) = name.match_indices('.').find_map(split)
        {
            let literal = Literal { text: last.to_owned(), quoted: true, span: operand.span.clone() };
            return Ok((field, self.argument(field, Some(&literal), &operand.span)?));
        }
        Err(self.no_field(name, &operand.span))
    }

    fn argument(&self, field: &Field, argument: Option<&Literal>, span: &Span) -> Result<Argument> {
        match (field.accepts(), argument) {
            (Accepts::Nothing | Accepts::Generation | Accepts::MaybeKey, None) => Ok(Argument::None),
            (Accepts::Generation, Some(literal)) => match literal.text.parse::<u32>() {
                Ok(n) if n <= 64 => Ok(Argument::Generation(n)),
                _ => Err(self
                    .error(&literal.span, format!("{} is no generation", quoted(&literal.text)))
                    .hint(format!("write a number up to 64, as in `{}[2]` for the parent's parent", field.name))),
            },
            (Accepts::Name(_), Some(literal)) if literal.text.bytes().all(|b| b.is_ascii_digit()) => {
                match literal.text.parse::<u32>() {
                    Ok(n) if n < 32 => Ok(Argument::Position(n)),
                    _ => Err(self.error(&literal.span, "no call has so many arguments")),
                }
            }
            (Accepts::Name(names), Some(literal)) => {
                let found = names.iter().find(|name| **name == literal.text);
                found.map(|name| Argument::Name(name)).ok_or_else(|| {
                    self.error(&literal.span, format!("events have no argument {} of the call", quoted(&literal.text)))
                        .hint(match nearest(&literal.text, names.iter().copied()) {
                            Some(near) => format!("did you mean `{}.{near}`?", field.name),
                            None => "docs/fields.md lists those that there are".to_owned(),
                        })
                        .about(&format!("{}.{}", field.name, literal.text), true)
                })
            }
            (Accepts::Name(names), None) => Err(self
                .error(span, format!("`{}` needs the name of an argument", field.name))
                .hint(format!("write it as in `{}.{}`", field.name, names[0]))),
            (Accepts::Key | Accepts::MaybeKey, Some(literal)) => Ok(Argument::Key(literal.text.as_str().into())),
            (Accepts::Key, None) => Err(self
                .error(span, format!("`{}` needs a key", field.name))
                .hint(format!("write it as in `{}[app]`", field.name))),
            (Accepts::Nothing, Some(literal)) => {
                Err(self.error(&literal.span, format!("`{}` takes no argument in brackets", field.name)))
            }
        }
    }

    fn no_field(&self, name: &str, span: &Span) -> ConditionError {
        let mut prefixes = std::iter::successors(Some(name), |n| n.rsplit_once('.').map(|(class, _)| class));
        if let Some(why) = prefixes.find_map(why_lacking) {
            return self
                .error(span, format!("{} is a field of Falco's that Lanner does not have", quoted(name)))
                .hint(why)
                .about(name, true);
        }
        let error = self.error(span, format!("there is no field {}", quoted(name))).about(name, false);
        match nearest(name, Field::all().map(|f| f.name)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => {
                error.hint("the fields' classes are evt, proc, thread, user, group, fd, fs, container, k8s and lanner")
            }
        }
    }

    fn no_list(&self, literal: &Literal) -> ConditionError {
        let error = self.error(&literal.span, format!("no list is named {}", quoted(&literal.text)));
        match self.names.nearest_list(&literal.text) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("values stand in parentheses, as in `({})`", literal.text)),
        }
    }

    fn wrong_operator(&self, check: &Check, subject: &Subject) -> ConditionError {
        let message = format!(
            "`{}` does not go with `{}`, which is {}",
            check.operator.word(),
            check.left.field,
            subject.kind.words()
        );
        let right = match subject.kind {
            Kind::Text => "texts take = != contains startswith endswith glob regex in pmatch and more",
            Kind::Number => "numbers take = != < <= > >= in intersects exists",
            Kind::Flag => "what is true or false takes = != in exists",
            Kind::Address => "addresses take = != in intersects exists, also with networks such as 10.0.0.0/8",
        };
        self.error(&check.operator_span, message).hint(right)
    }

    fn grow(&mut self, by: usize, span: &Span) -> Result<()> {
        self.size += by;
        if self.size > MAX_SIZE {
            return Err(
                self.error(span, format!("with its macros and lists the condition has more than {MAX_SIZE} parts"))
            );
        }
        Ok(())
    }

    /// An error at a place of the condition; or, inside a macro, at the macro's name.
    fn error(&self, span: &Span, message: impl Into<Box<str>>) -> ConditionError {
        match self.within.last() {
            None => ConditionError::new(self.source, span.clone(), message),
            Some((name, site)) => {
                ConditionError::new(self.source, site.clone(), format!("in the macro `{name}`: {}", message.into()))
            }
        }
    }
}
