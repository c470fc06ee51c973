//! Texts: in quotes, with their escapes, or bare.

use super::super::ast::Literal;
use super::super::error::quoted;
use super::{Parser, Result};

impl Parser<'_> {
    pub(super) fn quoted_string(&mut self) -> Result<Option<Literal>> {
        let start = self.at;
        let Some(quote @ ('"' | '\'')) = self.text[start..].chars().next() else { return Ok(None) };
        let mut text = String::new();
        let mut chars = self.text[start + 1..].char_indices();
        while let Some((i, c)) = chars.next() {
            if c == quote {
                self.at = start + 1 + i + 1;
                return Ok(Some(Literal { text, quoted: true, span: start..self.at }));
            }
            if c != '\\' {
                text.push(c);
                continue;
            }
            let from = start + 1 + i;
            let Some((_, escaped)) = chars.next() else { break };
            text.push(match escaped {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                // Falco reads an escaped blank as a backslash, for the sake of rules that were published so.
                '\\' | ' ' => '\\',
                '/' => '/',
                'x' => {
                    // A character of several bytes may be written by its bytes.
                    let digits = |at: usize| self.text.get(at..at + 2).and_then(|d| u8::from_str_radix(d, 16).ok());
                    let mut bytes = Vec::new();
                    let mut at = from + 2;
                    while let Some(byte) = digits(at) {
                        bytes.push(byte);
                        chars.nth(1);
                        at += 2;
                        if std::str::from_utf8(&bytes).is_ok()
                            || bytes.len() == 4
                            || !self.text[at..].starts_with("\\x")
                        {
                            break;
                        }
                        chars.nth(1);
                        at += 2;
                    }
                    match std::str::from_utf8(&bytes) {
                        Ok(written) if !bytes.is_empty() && bytes != [0] => {
                            text.push_str(written);
                            continue;
                        }
                        _ => {
                            return Err(self.error(from..at.min(self.text.len()), "these bytes are no text").hint(
                                "write `\\x` and two hexadecimal digits, and compare other bytes by `bcontains`",
                            ));
                        }
                    }
                }
                c if c == quote => c,
                c => {
                    let span = from..from + 1 + c.len_utf8();
                    return Err(self
                        .error(span, format!("{} is no escape in this string", quoted(&format!("\\{c}"))))
                        .hint("write `\\\\` for a backslash"));
                }
            });
        }
        Err(self.error(start..start + 1, "this string is not closed"))
    }

    pub(super) fn bare(&mut self, allowed: fn(char) -> bool) -> Option<Literal> {
        let rest = &self.text[self.at..];
        let len = rest.find(|c| !allowed(c)).unwrap_or(rest.len());
        let start = self.at;
        self.at += len;
        (len > 0).then(|| Literal { text: rest[..len].to_owned(), quoted: false, span: start..self.at })
    }
}
