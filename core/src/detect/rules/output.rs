//! A rule's output: words with fields in them, as in `%proc.name wrote %fd.name`.

use crate::condition::{ConditionError, Part, View, parse_operand, shown};

/// How much of one value is shown, in characters.
const MAX_VALUE: usize = 512;
/// How long a sentence may be, in bytes.
const MAX_SENTENCE: usize = 8 * 1024;

/// An output, ready to be filled in.
#[derive(Debug, Clone, Default)]
pub(super) struct Output(Vec<Piece>);

#[derive(Debug, Clone)]
enum Piece {
    /// Escaped.
    Words(String),
    Field(Part),
    /// A field of Falco's that events do not carry.
    Lacking,
}

impl Output {
    /// Parses an output. Fields of Falco's that Lanner lacks make no error: they are given back, and show as `<NA>`.
    pub(super) fn parse(text: &str) -> Result<(Output, Vec<ConditionError>), ConditionError> {
        let mut pieces = Vec::new();
        let mut lacking = Vec::new();
        let mut words = String::new();
        let mut at = 0;
        // Falco's mark for "even when a field is absent", which is always so here.
        if text.starts_with("*%") {
            at = 1;
        }
        while let Some(c) = text[at..].chars().next() {
            let behind = &text[at + c.len_utf8()..];
            if c != '%' || !behind.starts_with(|c: char| c.is_ascii_alphabetic()) {
                // `%%` is a percent sign.
                let doubled = c == '%' && behind.starts_with('%');
                words.push(c);
                at += c.len_utf8() + usize::from(doubled);
                continue;
            }
            if !words.is_empty() {
                pieces.push(Piece::Words(shown(&std::mem::take(&mut words))));
            }
            let (piece, len) = field(text, at + 1, &mut lacking)?;
            pieces.push(piece);
            at += 1 + len;
        }
        if !words.is_empty() {
            pieces.push(Piece::Words(shown(&words)));
        }
        Ok((Output(pieces), lacking))
    }

    /// The sentence for an event: escaped, safe to show; `<NA>` stands for what is absent.
    pub(super) fn fill(&self, view: &View<'_>) -> String {
        let mut sentence = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Words(words) => sentence += words,
                Piece::Lacking => sentence += "<NA>",
                Piece::Field(part) => match part.shown(view) {
                    None => sentence += "<NA>",
                    Some(value) => match value.char_indices().nth(MAX_VALUE) {
                        Some((end, _)) => {
                            sentence += &value[..end];
                            sentence += "...";
                        }
                        None => sentence += &value,
                    },
                },
            }
            if sentence.len() > MAX_SENTENCE {
                sentence += "...";
                break;
            }
        }
        sentence
    }
}

/// The field that begins at `from`, and how long it is written.
fn field(text: &str, from: usize, lacking: &mut Vec<ConditionError>) -> Result<(Piece, usize), ConditionError> {
    let placed = |e: ConditionError| e.moved(text, from + e.span.start..from + e.span.end);
    let rest = &text[from..];
    let (operand, len) = parse_operand(rest).map_err(placed)?;
    let error = match Part::new(rest, &operand) {
        Ok(part) => return Ok((Piece::Field(part), len)),
        Err(error) => error,
    };
    // `%proc.name.` with the next sentence right behind it: a shorter name may be what is meant.
    let mut name = operand.field.as_str();
    while let Some((shorter, _)) = name.rsplit_once('.')
        && operand.transforms.is_empty()
        && shorter.contains('.')
    {
        name = shorter;
        let (operand, len) = parse_operand(name).map_err(placed)?;
        if let Ok(part) = Part::new(name, &operand) {
            return Ok((Piece::Field(part), len));
        }
    }
    if error.lacking {
        lacking.push(placed(error));
        return Ok((Piece::Lacking, len));
    }
    Err(placed(error))
}
