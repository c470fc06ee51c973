//! From text to expressions: Falco's grammar, by recursive descent. What a word means depends on where it stands (`in`
//! is an operator behind a field and a string behind `=`), so there is no separate list of tokens.
//!
//! ```text
//! or        = and ("or" and)*                   and    = not ("and" not)*
//! not       = "not"* primary                    primary = "(" or ")" | operand test | macro
//! operand   = transformer "(" (operand | string) ")" | join | field ("[" argument "]")?
//! join      = "join" "(" string "," (operand | "(" (operand | string) ("," (operand | string))* ")") ")"
//! test      = "exists" | operator (value | "val(" field ")" | operand with a transformer)
//!           | ("in" | "intersects" | "pmatch") ("(" (value ("," value)*)? ")" | list | val or transformer as above)
//! ```

mod operand;
mod text;

use super::ast::{Check, Expr, ExprKind, Literal, Operand, Operator, Right, Span, Transform};
use super::error::{ConditionError, nearest, quoted};

/// How deep parentheses and `not` may nest. Falco's limit is the same.
const MAX_DEPTH: usize = 100;
/// How long a condition may be, in bytes. The longest that the Falco project publishes has about 6 000.
const MAX_LENGTH: usize = 64 * 1024;

type Result<T> = std::result::Result<T, ConditionError>;

/// Parses a condition.
pub fn parse(text: &str) -> Result<Expr> {
    if text.len() > MAX_LENGTH {
        let message = format!("the condition has {} bytes; at most {MAX_LENGTH} are allowed", text.len());
        return Err(ConditionError::new(text, 0..0, message));
    }
    let mut parser = Parser { text, at: 0, depth: 0 };
    let expr = parser.or()?;
    parser.blank();
    if parser.at < text.len() {
        return Err(parser.unexpected());
    }
    Ok(expr)
}

/// Parses a field, maybe with an argument and in transformers, at the beginning of `text`: as outputs have them behind
/// a `%`. Gives the number of bytes that it took.
pub(crate) fn parse_operand(text: &str) -> Result<(Operand, usize)> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let operand = parser.operand()?.ok_or_else(|| parser.error(0..0, "a field's name is expected here"))?;
    Ok((operand, parser.at))
}

/// What a string in quotes means, when the text is one and nothing else.
pub(super) fn parse_quoted(text: &str) -> Option<String> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let literal = parser.quoted_string().ok().flatten()?;
    (parser.at == text.len()).then_some(literal.text)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn or(&mut self) -> Result<Expr> {
        self.chain("or", ExprKind::Or, Self::and)
    }

    fn and(&mut self) -> Result<Expr> {
        self.chain("and", ExprKind::And, Self::not)
    }

    fn chain(
        &mut self,
        word: &str,
        make: fn(Vec<Expr>) -> ExprKind,
        part: fn(&mut Self) -> Result<Expr>,
    ) -> Result<Expr> {
        let first = part(self)?;
        let mut parts = vec![first];
        while self.word(word) {
            parts.push(part(self)?);
        }
        if parts.len() == 1 {
            return Ok(parts.remove(0));
        }
        let span = parts[0].span.start..self.at;
        Ok(Expr { kind: make(parts), span })
    }

    fn not(&mut self) -> Result<Expr> {
        self.blank();
        let start = self.at;
        let mut negated = false;
        while self.word("not") {
            negated = !negated;
        }
        let expr = self.primary()?;
        if !negated {
            return Ok(expr);
        }
        Ok(Expr { span: start..expr.span.end, kind: ExprKind::Not(Box::new(expr)) })
    }

    fn primary(&mut self) -> Result<Expr> {
        self.blank();
        let start = self.at;
        if self.take("(") {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(self.error(start..self.at, format!("parentheses nest deeper than {MAX_DEPTH}")));
            }
            let mut expr = self.or()?;
            self.depth -= 1;
            self.close(start, "this parenthesis")?;
            expr.span = start..self.at;
            return Ok(expr);
        }
        if let Some(left) = self.operand()? {
            let kind = ExprKind::Check(Box::new(self.test(left)?));
            return Ok(Expr { kind, span: start..self.at });
        }
        let name = self.name(false);
        if name.is_empty() {
            return Err(self.nothing_here());
        }
        let span = start..self.at;
        if matches!(name, "and" | "or") {
            return Err(self
                .error(span, format!("a test is expected here, but there is `{name}`"))
                .hint("`and` and `or` stand between two tests"));
        }
        let name = name.to_owned();
        if self.text[self.at..].starts_with('(') {
            let error = self.error(span, format!("there is no transformer {}", quoted(&name)));
            let known = Transform::ALL.map(|(word, _)| word);
            return Err(match (name.as_str(), nearest(&name, known.into_iter())) {
                ("concat", _) => error.hint("write `join(\"\", (...))`"),
                ("val", _) => error.hint("`val()` stands behind an operator, as in `proc.name = val(proc.pname)`"),
                (_, Some(near)) => error.hint(format!("did you mean `{near}`?")),
                (_, None) => error.hint(format!("there are {}", known.join(", "))),
            });
        }
        // A macro is followed by `and`, `or`, `)` or the end: what else comes shows that a field was meant.
        let behind = self.at;
        if let Some(operator) = self.operator() {
            self.at = behind;
            return Err(self
                .error(span, format!("{} is no field: a field has a class and a name", quoted(&name)))
                .hint(format!("write it as in `proc.name {} ...`", operator.word())));
        }
        Ok(Expr { kind: ExprKind::Macro(name), span })
    }

    /// What stands behind a field.
    fn test(&mut self, left: Operand) -> Result<Check> {
        self.blank();
        let start = self.at;
        let Some(operator) = self.operator() else { return Err(self.no_operator(&left)) };
        let operator_span = start..self.at;
        self.blank();
        let right = match operator {
            Operator::Exists => Right::Nothing,
            _ => match self.other_field()? {
                Some(operand) => Right::Field(operand),
                None if operator.takes_list() => self.list(operator)?,
                None => Right::Value(self.value(operator)?),
            },
        };
        Ok(Check { left, operator, operator_span, right })
    }

    fn list(&mut self, operator: Operator) -> Result<Right> {
        let start = self.at;
        if !self.take("(") {
            let name = self.name(false);
            if name.is_empty() {
                return Err(self
                    .error(self.here(), format!("`{}` needs values in parentheses", operator.word()))
                    .hint(format!("write it as in `proc.name {} (sh, bash)`", operator.word())));
            }
            let text = name.to_owned();
            return Ok(Right::List(Literal { text, quoted: false, span: start..self.at }));
        }
        let mut values = Vec::new();
        self.blank();
        if !self.text[self.at..].starts_with(')') {
            values.push(self.value(operator)?);
            self.blank();
            while self.take(",") {
                values.push(self.value(operator)?);
                self.blank();
            }
        }
        self.close(start, "this list").map_err(|error| match self.at < self.text.len() {
            true => error.hint("the values of a list have commas between them"),
            false => error,
        })?;
        Ok(Right::Values(values))
    }

    fn value(&mut self, operator: Operator) -> Result<Literal> {
        self.blank();
        if let Some(literal) = self.quoted_string()? {
            return Ok(literal);
        }
        self.bare(is_bare).ok_or_else(|| {
            self.error(self.here(), format!("`{}` needs a value to compare with", operator.word()))
                .hint("a value with blanks, parentheses, commas, quotes or `=` in it stands in quotes")
        })
    }

    fn operator(&mut self) -> Option<Operator> {
        self.blank();
        for (word, operator) in Operator::ALL {
            let taken = if word.as_bytes()[0].is_ascii_alphabetic() { self.word(word) } else { self.take(word) };
            if taken {
                return Some(operator);
            }
        }
        None
    }

    /// A name: letters, digits and underscores, a letter first; `dotted`: several of those with dots between.
    fn name(&mut self, dotted: bool) -> &'a str {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut at = start;
        while bytes.get(at).is_some_and(u8::is_ascii_alphabetic) {
            while bytes.get(at).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_') {
                at += 1;
            }
            self.at = at;
            if !dotted || bytes.get(at) != Some(&b'.') {
                break;
            }
            at += 1;
        }
        &self.text[start..self.at]
    }

    /// Takes a whole word.
    fn word(&mut self, word: &str) -> bool {
        self.blank();
        let Some(rest) = self.text[self.at..].strip_prefix(word) else { return false };
        if rest.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')) {
            return false;
        }
        self.at += word.len();
        true
    }

    fn take(&mut self, what: &str) -> bool {
        let found = self.text[self.at..].starts_with(what);
        if found {
            self.at += what.len();
        }
        found
    }

    fn close(&mut self, opened: usize, what: &str) -> Result<()> {
        self.blank();
        if self.take(")") {
            return Ok(());
        }
        if self.at < self.text.len() {
            return Err(self.unexpected());
        }
        Err(self.error(opened..opened + 1, format!("{what} is not closed")))
    }

    fn blank(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\u{8}', '\r', '\n']).len();
    }

    fn error(&self, span: Span, message: impl Into<Box<str>>) -> ConditionError {
        ConditionError::new(self.text, span, message)
    }

    /// The word that comes next; empty at the end.
    fn here(&self) -> Span {
        let rest = &self.text[self.at..];
        let len = rest.find(|c: char| !is_bare(c)).unwrap_or(rest.len());
        let len = if len == 0 { rest.chars().next().map_or(0, char::len_utf8) } else { len };
        self.at..self.at + len
    }

    fn nothing_here(&self) -> ConditionError {
        let span = self.here();
        if span.is_empty() {
            return self.error(span, "the condition ends where a test is expected").hint("as in `proc.name = sh`");
        }
        let what = quoted(&self.text[span.clone()]);
        self.error(span, format!("a test is expected here, not {what}"))
            .hint("a test begins with a field, as in `proc.name = sh`")
    }

    fn unexpected(&self) -> ConditionError {
        let span = self.here();
        let found = &self.text[span.clone()];
        let error = self.error(span, format!("{} is not expected here", quoted(found)));
        match found {
            ")" => error.hint("no parenthesis is open"),
            "&&" | "&" => error.hint("write `and`"),
            "||" | "|" => error.hint("write `or`"),
            "," => error.hint("several values stand in parentheses, as in `proc.name in (sh, bash)`"),
            _ => error.hint("tests are joined by `and` or `or`, and a value with blanks in it stands in quotes"),
        }
    }

    fn no_operator(&self, left: &Operand) -> ConditionError {
        let span = self.here();
        let found = &self.text[span.clone()];
        let what =
            if found.is_empty() { "the condition ends".to_owned() } else { format!("there is {}", quoted(found)) };
        let error = self.error(span, format!("an operator is expected behind `{}`, but {what}", left.field));
        match nearest(found, Operator::ALL.iter().map(|(word, _)| *word)) {
            Some(word) if found.len() > 2 => error.hint(format!("did you mean `{word}`?")),
            _ => error.hint(
                "one of = != < <= > >= contains icontains startswith endswith glob regex in intersects pmatch exists",
            ),
        }
    }
}

/// Whether a string without quotes may have this character.
pub(super) fn is_bare(c: char) -> bool {
    !matches!(c, ' ' | '\t' | '\u{8}' | '\r' | '\n' | '(' | ')' | ',' | '=' | '"' | '\'')
}
