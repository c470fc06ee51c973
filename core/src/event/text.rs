//! Bytes that someone else chose.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::sync::Arc;

/// Bytes under an attacker's control: a path, an argument, a name. Usually UTF-8, never trusted to be. [`fmt::Display`]
/// gives an escaped form that is safe to put on a terminal or into a log: control, bidirectional and invisible
/// characters and invalid bytes appear as `\n`, `\x1b` or `\u{202e}`, a backslash stays as it is. Clones share the bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Arc<[u8]>);

impl Text {
    /// No bytes.
    pub fn empty() -> Self {
        Text(Arc::from([].as_slice()))
    }

    /// The bytes as they came.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether somebody else has the same bytes.
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As UTF-8, with U+FFFD in the place of what is not. Not safe for a terminal: use `Display` there.
    pub fn to_str_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// The part after the last `/`, or all of it.
    pub fn file_name(&self) -> &[u8] {
        self.0.rsplit(|b| *b == b'/').next().unwrap_or(&self.0)
    }
}

impl From<&str> for Text {
    fn from(s: &str) -> Self {
        Text(Arc::from(s.as_bytes()))
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Text(Arc::from(bytes))
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Text(Arc::from(bytes))
    }
}

impl From<String> for Text {
    fn from(s: String) -> Self {
        Text(Arc::from(s.into_bytes()))
    }
}

impl Default for Text {
    fn default() -> Self {
        Text::empty()
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other.as_bytes()
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == *other.as_bytes()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            let valid = chunk.valid();
            // Mostly there is nothing to escape.
            if valid.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
                f.write_str(valid)?;
            } else {
                valid.chars().try_for_each(|c| escape(c, f))?;
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

fn escape(c: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match c {
        '\n' => f.write_str("\\n"),
        '\t' => f.write_str("\\t"),
        '\r' => f.write_str("\\r"),
        c if c.is_ascii_control() => write!(f, "\\x{:02x}", u32::from(c)),
        c if is_deceptive(c) => write!(f, "\\u{{{:x}}}", u32::from(c)),
        c => f.write_char(c),
    }
}

/// Characters that change how others are shown, or are not shown themselves (Unicode's Cc, Cf, Zl, Zp, variation
/// selectors, private use and tag characters).
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xad | 0x61c | 0x180e | 0x115f..=0x1160 | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff
            | 0xffa0 | 0xfff0..=0xfffb | 0xe000..=0xf8ff | 0xe0000..=0xe0fff | 0xf0000..=0x10ffff)
}

impl serde::Serialize for Text {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_str_lossy())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_bytes_are_shown_and_never_interpreted() {
        let shown = |bytes: &[u8]| Text::from(bytes).to_string();
        assert_eq!(shown(b"/bin/sh"), "/bin/sh");
        assert_eq!(shown(b"\x1b[2J\x07\n"), "\\x1b[2J\\x07\\n");
        assert_eq!(shown("\u{202e}gpj.exe".as_bytes()), "\\u{202e}gpj.exe");
        assert_eq!(shown(b"caf\xc3\xa9 \xff"), "caf\u{e9} \\xff");
        assert_eq!(shown("\u{9b}31m".as_bytes()), "\\u{9b}31m");
        assert_eq!(shown(b"s/a\\.b/"), "s/a\\.b/");
    }

    #[test]
    fn file_name_is_what_follows_the_last_slash() {
        assert_eq!(Text::from("/usr/bin/env").file_name(), b"env");
        assert_eq!(Text::from("env").file_name(), b"env");
        assert_eq!(Text::from("/").file_name(), b"");
    }
}
