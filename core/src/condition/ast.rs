//! A condition as it was written. Every part knows the bytes it came from.

use std::ops::Range;

/// Bytes of the text that was parsed.
pub type Span = Range<usize>;

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExprKind {
    /// All of these, at least two.
    And(Vec<Expr>),
    /// Any of these, at least two.
    Or(Vec<Expr>),
    /// Not this.
    Not(Box<Expr>),
    /// A macro's name.
    Macro(String),
    /// A test of a field.
    Check(Box<Check>),
}

/// A test of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The field, maybe transformed.
    pub left: Operand,
    /// The comparison.
    pub operator: Operator,
    /// Where the operator stands.
    pub operator_span: Span,
    /// What the field is compared with.
    pub right: Right,
}

/// A field, maybe transformed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operand {
    /// The field's name, such as `proc.aname`; when something else stands in its place, what to call that.
    pub field: String,
    /// What stands in brackets behind it.
    pub argument: Option<Literal>,
    /// What stands in the place of a field.
    pub made: Option<Box<Joined>>,
    /// Applied to its value, innermost first.
    pub transforms: Vec<Transform>,
    /// Where the name and its argument stand.
    pub span: Span,
}

/// A text put together of others: `join(separator, (part, part))`, or one that the condition itself has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// What stands between the parts.
    pub separator: String,
    /// The parts.
    pub parts: Vec<JoinedPart>,
}

/// A part of such a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinedPart {
    /// Text of the condition's.
    Literal(Literal),
    /// A field, or another such text.
    Operand(Operand),
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Right {
    /// Nothing: `exists`.
    Nothing,
    /// One value.
    Value(Literal),
    /// Values, or names of lists, in parentheses.
    Values(Vec<Literal>),
    /// The name of a list.
    List(Literal),
    /// Another field: `val(...)` or a transformer.
    Field(Operand),
}

/// A value as it was written, its quotes and escapes resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    /// The value.
    pub text: String,
    /// It stood in quotes, so that it is no name of a list.
    pub quoted: bool,
    /// Where it stands, with its quotes.
    pub span: Span,
}

/// Changes a value before it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transform {
    /// ASCII letters in lower case.
    Lower,
    /// ASCII letters in upper case.
    Upper,
    /// What follows the last `/`.
    Basename,
    /// How many bytes, or how many values in a list.
    Len,
    /// Decoded from base64; absent when it is none.
    Base64,
}

impl Transform {
    /// All, by the names that conditions give them.
    pub const ALL: [(&'static str, Transform); 5] = [
        ("tolower", Transform::Lower),
        ("toupper", Transform::Upper),
        ("basename", Transform::Basename),
        ("len", Transform::Len),
        ("b64", Transform::Base64),
    ];
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Operator {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Contains,
    IContains,
    BContains,
    StartsWith,
    BStartsWith,
    EndsWith,
    Glob,
    IGlob,
    Regex,
    In,
    Intersects,
    PMatch,
    Exists,
}

impl Operator {
    /// All, as conditions write them, none before a longer one that begins with it.
    pub const ALL: [(&'static str, Operator); 20] = [
        ("==", Operator::Eq),
        ("=", Operator::Eq),
        ("!=", Operator::Ne),
        ("<=", Operator::Le),
        ("<", Operator::Lt),
        (">=", Operator::Ge),
        (">", Operator::Gt),
        ("contains", Operator::Contains),
        ("icontains", Operator::IContains),
        ("bcontains", Operator::BContains),
        ("startswith", Operator::StartsWith),
        ("bstartswith", Operator::BStartsWith),
        ("endswith", Operator::EndsWith),
        ("glob", Operator::Glob),
        ("iglob", Operator::IGlob),
        ("regex", Operator::Regex),
        ("intersects", Operator::Intersects),
        ("in", Operator::In),
        ("pmatch", Operator::PMatch),
        ("exists", Operator::Exists),
    ];

    /// As a condition writes it.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().rev().find(|(_, op)| *op == self).map_or("", |(word, _)| word)
    }

    /// The operator that a rule's exception names.
    pub fn from_word(word: &str) -> Option<Operator> {
        Self::ALL.iter().find(|(w, _)| *w == word).map(|(_, op)| *op)
    }

    /// Whether it compares with values in parentheses.
    pub fn takes_list(self) -> bool {
        matches!(self, Operator::In | Operator::Intersects | Operator::PMatch)
    }
}
