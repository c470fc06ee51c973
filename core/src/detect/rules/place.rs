//! Where in a file something stands that was read out of it.

use std::fmt;
use std::sync::Arc;

use super::yaml::Place;
use crate::condition::ConditionError;
use crate::condition::ast::Span;

/// A rule file.
#[derive(Debug)]
pub(in crate::detect) struct Source {
    pub(in crate::detect) name: Arc<str>,
    pub(in crate::detect) text: Box<str>,
}

/// Something wrong in a rule file, or worth knowing about it. `Display` gives one line, [`Problem::render`] shows the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: Arc<str>,
    /// What, with its line and column in the file.
    pub error: ConditionError,
}

impl Problem {
    pub(in crate::detect) fn new(source: &Source, place: Place, message: impl Into<Box<str>>) -> Problem {
        let rest = source.text.get(place.offset..).unwrap_or("");
        let width = rest.find(|c: char| c.is_whitespace() || matches!(c, ':' | ',' | ']')).unwrap_or(rest.len());
        let error = ConditionError::new(&source.text, place.offset..place.offset + width, message);
        Problem { file: Arc::clone(&source.name), error }
    }

    pub(in crate::detect) fn hint(self, hint: impl Into<Box<str>>) -> Problem {
        Problem { error: self.error.hint(hint), ..self }
    }

    /// Several lines: what is wrong, the place with a caret below it, and what would be right. Safe to print.
    pub fn render(&self) -> String {
        self.error.render(&self.file)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.error.line, self.error.column, self.error)
    }
}

/// Text that was written in a file, maybe in pieces, because a later file appended to it.
#[derive(Debug, Clone, Default)]
pub(in crate::detect) struct Written {
    pub(in crate::detect) text: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone)]
struct Piece {
    source: Arc<Source>,
    place: Place,
    /// Where it begins in the whole text.
    from: usize,
}

impl Written {
    pub(in crate::detect) fn new(source: &Arc<Source>, place: Place, text: &str) -> Written {
        let mut written = Written::default();
        written.append(source, place, text);
        written
    }

    /// Falco puts a blank between what was there and what is appended.
    pub(in crate::detect) fn append(&mut self, source: &Arc<Source>, place: Place, text: &str) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.pieces.push(Piece { source: Arc::clone(source), place, from: self.text.len() });
        self.text.push_str(text);
    }

    /// An error of this text, as an error of the file that the wrong part stands in.
    pub(in crate::detect) fn problem(&self, error: &ConditionError) -> Option<Problem> {
        let piece = self.pieces.iter().rev().find(|p| p.from <= error.span.start).or_else(|| self.pieces.first())?;
        let end = self.pieces.iter().map(|p| p.from).find(|from| *from > piece.from).unwrap_or(self.text.len());
        let text = &self.text[piece.from..end];
        let span = error.span.start.saturating_sub(piece.from)..error.span.end.saturating_sub(piece.from);
        let span = locate(&piece.source.text, piece.place.offset, text, span);
        Some(Problem { file: Arc::clone(&piece.source.name), error: error.moved(&piece.source.text, span) })
    }
}

/// Where bytes of a YAML scalar stand in its file. Folding and indentation change blanks only, so that counting all
/// other characters finds the place; where an escape makes that wrong, the place is the scalar's beginning.
fn locate(file: &str, offset: usize, text: &str, span: Span) -> Span {
    let raw = file.get(offset..).unwrap_or("");
    let begin = match raw.as_bytes().first() {
        Some(b'>' | b'|') => raw.find('\n').map_or(raw.len(), |end| end + 1),
        Some(b'"' | b'\'') => 1,
        _ => 0,
    };
    let dense = |s: &'_ str| s.char_indices().filter(|(_, c)| !c.is_whitespace()).collect::<Vec<_>>();
    let wanted: Vec<(usize, char)> = dense(text).into_iter().take_while(|(i, _)| *i <= span.end).collect();
    let found: Vec<(usize, char)> =
        raw[begin..].char_indices().filter(|(_, c)| !c.is_whitespace()).take(wanted.len()).collect();
    let agree = found.len() == wanted.len() && found.iter().zip(&wanted).all(|((_, f), (_, w))| f == w);
    if !agree {
        return offset..offset;
    }
    let place = |at: usize| {
        wanted
            .iter()
            .position(|(i, _)| *i >= at)
            .map(|n| found[n].0)
            .or_else(|| found.last().map(|(i, c)| i + c.len_utf8()))
    };
    let start = place(span.start).unwrap_or(0);
    // Its end is behind its last character, which may be followed by blanks that were folded.
    let last = wanted.iter().rposition(|(i, _)| *i < span.end && *i >= span.start);
    let end = last.map_or(start, |n| found[n].0 + found[n].1.len_utf8());
    offset + begin + start..offset + begin + end
}
