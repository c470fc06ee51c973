//! What is wrong with a condition, where, and what would be right.

use std::fmt;

use super::ast::Span;

/// Something is wrong with a condition. `Display` gives one line; [`ConditionError::render`] shows the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionError {
    /// The bytes of the condition that are wrong; may be empty, at its end.
    pub span: Span,
    /// Line of the condition, from 1.
    pub line: usize,
    /// Column in that line, in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: Box<str>,
    /// What would be right.
    pub hint: Option<Box<str>>,
    /// The field that events do not have, when that is what is wrong.
    pub field: Option<Box<str>>,
    /// That field is one of Falco's: nothing is misspelt, Lanner lacks it.
    pub lacking: bool,
    /// The line of the condition.
    text: Box<str>,
    /// How many characters of it are wrong, at least 1.
    width: u32,
}

/// How much of a long line is shown on either side of what is wrong.
const CONTEXT: usize = 60;

impl ConditionError {
    /// An error at `span` of `source`.
    pub fn new(source: &str, span: Span, message: impl Into<Box<str>>) -> Self {
        let start = floor(source, span.start);
        let end = floor(source, span.end).max(start);
        let before = &source[..start];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        let line_end = source[start..].find('\n').map_or(source.len(), |i| start + i);
        ConditionError {
            line: before.matches('\n').count() + 1,
            column: source[line_start..start].chars().count() + 1,
            message: message.into(),
            hint: None,
            field: None,
            lacking: false,
            text: source[line_start..line_end].trim_end_matches('\r').into(),
            width: u32::try_from(source[start..end.min(line_end).max(start)].chars().count().max(1))
                .unwrap_or(u32::MAX),
            span: start..end,
        }
    }

    /// The same, with what would be right.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Box<str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, because events have no such field; `lacking`: though Falco's have.
    #[must_use]
    pub(super) fn about(mut self, field: &str, lacking: bool) -> Self {
        self.field = Some(field.into());
        self.lacking = lacking;
        self
    }

    /// The same, because events do not have what Falco's would.
    #[must_use]
    pub(crate) fn lacking(self, field: &str) -> Self {
        self.about(field, true)
    }

    /// The same error as it stands in `source`, of which the condition is a part that begins elsewhere.
    #[must_use]
    pub(crate) fn moved(&self, source: &str, span: Span) -> Self {
        let mut moved = ConditionError::new(source, span, self.message.clone());
        moved.hint.clone_from(&self.hint);
        moved.field.clone_from(&self.field);
        moved.lacking = self.lacking;
        moved
    }

    /// Several lines: what is wrong, the place with a caret below it, and what would be right. `name` is that of the
    /// file or of whatever the condition is. Safe to print.
    pub fn render(&self, name: &str) -> String {
        let (text, column, width) = self.window();
        let gutter = " ".repeat(self.line.to_string().len());
        let mut out = format!("{}\n", self.message);
        out += &format!("{gutter}--> {name}:{}:{}\n", self.line, self.column);
        out += &format!("{gutter} |\n{} | {text}\n", self.line);
        out += &format!("{gutter} | {}{}\n", " ".repeat(column), "^".repeat(width));
        if let Some(hint) = &self.hint {
            out += &format!("{gutter} = {hint}\n");
        }
        out
    }

    /// The line, escaped and cut to what is near the error; how many characters of that stand before it, and how many it has.
    fn window(&self) -> (String, usize, usize) {
        let from = (self.column - 1).saturating_sub(CONTEXT);
        let cut = self.text.chars().skip(from);
        let before: String = cut.clone().take(self.column - 1 - from).collect();
        let mut rest = cut.skip(self.column - 1 - from);
        let wrong: String = rest.by_ref().take(CONTEXT.min(self.width as usize)).collect();
        let behind: String = rest.take(CONTEXT).collect();
        let wrong = shown(&wrong);
        let ellipsis = if from > 0 { "..." } else { "" };
        let before = format!("{ellipsis}{}", shown(&before));
        let column = before.chars().count();
        (before + &wrong + &shown(&behind), column, wrong.chars().count().max(1))
    }
}

impl fmt::Display for ConditionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, ": {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ConditionError {}

/// Text that someone else wrote, in a form that is safe to print, on one line, and not longer than it should be.
pub(crate) fn shown(text: &str) -> String {
    crate::event::Text::from(text.replace('\t', " ")).to_string()
}

/// As [`shown`], in backquotes, and cut when it is long.
pub(crate) fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("`{}...`", shown(&text[..end])),
        None => format!("`{}`", shown(text)),
    }
}

fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// How many names are searched for one that may have been meant.
const MAX_NAMES: usize = 2_000;

/// That of `names` which is nearest to `name`, if one is near enough to be what was meant.
pub(crate) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > 64 {
        return None;
    }
    let most = (name.len() / 3).max(1);
    let names = names.take(MAX_NAMES).filter(|n| n.len().abs_diff(name.len()) <= most);
    names.map(|n| (distance(name, n), n)).filter(|(d, _)| *d <= most).min_by_key(|(d, _)| *d).map(|(_, n)| n)
}

/// How many letters must be added, taken away, replaced or swapped with their neighbour to make `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let (mut two_up, mut one_up): (Vec<usize>, Vec<usize>) = (vec![0; b.len() + 1], (0..=b.len()).collect());
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let differ = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (one_up[j - 1] + differ).min(one_up[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(two_up[j - 2] + 1);
            }
        }
        two_up = std::mem::replace(&mut one_up, row);
    }
    one_up[b.len()]
}
