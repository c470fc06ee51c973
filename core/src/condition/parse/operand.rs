//! What stands before an operator, or behind it in the place of a value: a field, maybe transformed, or several joined.

use super::super::ast::{Joined, JoinedPart, Operand, Transform};
use super::{MAX_DEPTH, Parser, Result};

/// What a `join()` has between its parentheses.
const PART: &str = "a field, or a text in quotes, is expected here";
/// How many parts a `join()` may have.
const MAX_PARTS: usize = 32;

impl Parser<'_> {
    /// A field, maybe transformed, or several joined; `None`, and nothing taken, when there is none.
    pub(super) fn operand(&mut self) -> Result<Option<Operand>> {
        match self.transform() {
            Some(transform) => self.transformed(transform).map(Some),
            None => match self.join()? {
                Some(joined) => Ok(Some(joined)),
                None => self.field(),
            },
        }
    }

    /// `join("separator", (part, part))`, or with one field, whose values it joins.
    fn join(&mut self) -> Result<Option<Operand>> {
        self.blank();
        let start = self.at;
        let Some(tail) = self.text[start..].strip_prefix("join").map(str::trim_start).filter(|t| t.starts_with('('))
        else {
            return Ok(None);
        };
        self.at = self.text.len() - tail.len() + 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(start..self.at, format!("parentheses nest deeper than {MAX_DEPTH}")));
        }
        self.blank();
        let Some(separator) = self.quoted_string()? else {
            return Err(self
                .error(self.here(), "`join()` begins with what is to stand between its parts, in quotes")
                .hint("as in `join(\"-\", (proc.name, proc.pid))`"));
        };
        self.blank();
        if !self.take(",") {
            return Err(self.error(self.here(), "`join()` needs a comma and its parts here"));
        }
        self.blank();
        let list = self.at;
        let mut parts = Vec::new();
        if self.take("(") {
            loop {
                parts.push(self.part(PART)?);
                if parts.len() > MAX_PARTS {
                    return Err(self.error(list..self.at, format!("more than {MAX_PARTS} parts to be joined")));
                }
                self.blank();
                if !self.take(",") {
                    break;
                }
            }
            self.close(list, "this list")?;
        } else {
            parts.push(self.part(PART)?);
        }
        self.close(start + 4, "the parenthesis of `join()`")?;
        self.depth -= 1;
        let joined = Joined { separator: separator.text, parts };
        let span = start..self.at;
        let (argument, made) = (None, Some(Box::new(joined)));
        Ok(Some(Operand { field: "join".to_owned(), argument, made, transforms: Vec::new(), span }))
    }

    /// A text in quotes, or what may stand in the place of a field; `missing` says that there is neither.
    pub(super) fn part(&mut self, missing: &str) -> Result<JoinedPart> {
        self.blank();
        if let Some(literal) = self.quoted_string()? {
            return Ok(JoinedPart::Literal(literal));
        }
        match self.operand()? {
            Some(operand) => Ok(JoinedPart::Operand(operand)),
            None => Err(self.error(self.here(), missing)),
        }
    }

    /// The name of a transformer with its parenthesis.
    pub(super) fn transform(&mut self) -> Option<Transform> {
        self.blank();
        let rest = &self.text[self.at..];
        for (name, transform) in Transform::ALL {
            if let Some(tail) = rest.strip_prefix(name)
                && tail.trim_start().starts_with('(')
            {
                self.at += rest.len() - tail.trim_start().len() + 1;
                return Some(transform);
            }
        }
        None
    }

    /// What follows a transformer's parenthesis.
    pub(super) fn transformed(&mut self, outermost: Transform) -> Result<Operand> {
        let start = self.at - 1;
        let mut transforms = vec![outermost];
        while let Some(transform) = self.transform() {
            transforms.push(transform);
            if transforms.len() > 8 {
                return Err(self.error(start..self.at, "more than 8 transformers of one field"));
            }
        }
        let mut operand = match self.part("a field is expected in the transformer's parentheses")? {
            JoinedPart::Operand(operand) => operand,
            JoinedPart::Literal(literal) => {
                let (field, span) = (format!("\"{}\"", crate::condition::shown(&literal.text)), literal.span.clone());
                let made = Joined { separator: String::new(), parts: vec![JoinedPart::Literal(literal)] };
                let (argument, made) = (None, Some(Box::new(made)));
                Operand { field, argument, made, transforms: Vec::new(), span }
            }
        };
        for _ in &transforms {
            self.close(start, "the transformer's parenthesis")?;
        }
        transforms.reverse();
        // A join may stand in a transformer, and have none of its own.
        operand.transforms.extend(transforms);
        Ok(operand)
    }

    /// A field's name and argument; `None`, and nothing taken, when there is no name with a dot.
    pub(super) fn field(&mut self) -> Result<Option<Operand>> {
        self.blank();
        let start = self.at;
        let name = self.name(true).to_owned();
        if !name.contains('.') {
            self.at = start;
            return Ok(None);
        }
        let mut argument = None;
        if self.take("[") {
            let from = self.at;
            argument = Some(match self.quoted_string()? {
                Some(literal) => literal,
                None => self.bare(|c| !c.is_whitespace() && !matches!(c, '[' | ']' | '"' | '\'')).ok_or_else(|| {
                    self.error(self.here(), "the field's argument is missing").hint("write it as in `proc.aname[2]`")
                })?,
            });
            if !self.take("]") {
                return Err(self.error(from - 1..self.at, "this bracket is not closed"));
            }
        }
        Ok(Some(Operand { field: name, argument, made: None, transforms: Vec::new(), span: start..self.at }))
    }

    /// `val(field)`, or a transformer and its field, or several joined.
    pub(super) fn other_field(&mut self) -> Result<Option<Operand>> {
        if let Some(transform) = self.transform() {
            return Ok(Some(self.transformed(transform)?));
        }
        if let Some(joined) = self.join()? {
            return Ok(Some(joined));
        }
        let start = self.at;
        if !self.take("val") {
            return Ok(None);
        }
        self.blank();
        if !self.take("(") {
            self.at = start;
            return Ok(None);
        }
        let operand = match self.join()? {
            Some(joined) => Some(joined),
            None => self.field()?,
        };
        let Some(operand) = operand else {
            return Err(self.error(self.here(), "a field is expected in `val(...)`"));
        };
        self.close(start + 3, "this parenthesis")?;
        Ok(Some(operand))
    }
}
