//! Text that fits: escaped, clipped and wrapped by the columns it takes on a terminal.

use std::fmt::{self, Write};

use lanner_core::event::Text;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Ends what was clipped.
const ELLIPSIS: &str = "…";

/// A foreign string in the form in which it may be shown: control and invisible characters escaped.
pub(crate) fn safe(s: &str) -> String {
    Text::from(s).to_string()
}

/// The beginning of `value` as it displays itself, at most `max` columns of it: a row never pays for a long argument that
/// it cannot show. Escapes are the value's own.
pub(crate) fn shown(value: impl fmt::Display, max: usize) -> String {
    struct Bounded(String, usize);
    impl Write for Bounded {
        fn write_str(&mut self, s: &str) -> fmt::Result {
            if self.0.len() > self.1 {
                return Err(fmt::Error);
            }
            self.0.push_str(s);
            Ok(())
        }
    }
    // No character takes fewer columns than a fourth of its bytes, so this many bytes fill the columns.
    let mut out = Bounded(String::new(), max.saturating_mul(4));
    let complete = write!(out, "{value}").is_ok();
    if complete { clip(&out.0, max) } else { clip(&format!("{} ", out.0), max) }
}

/// Whether each byte is a character that takes one column: what most texts are, and quickly measured.
fn is_plain(s: &str) -> bool {
    s.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// How many columns it takes.
pub(crate) fn width(s: &str) -> usize {
    if is_plain(s) {
        return s.len();
    }
    s.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// At most `max` columns of it, with an ellipsis in the place of what was cut off.
pub(crate) fn clip(s: &str, max: usize) -> String {
    if width(s) <= max {
        return s.to_owned();
    }
    if is_plain(s) {
        return if max > 0 { format!("{}{ELLIPSIS}", &s[..max - 1]) } else { String::new() };
    }
    let mut out = String::new();
    let mut used = 0;
    for grapheme in s.graphemes(true) {
        let columns = grapheme.width();
        if used + columns + 1 > max {
            break;
        }
        out.push_str(grapheme);
        used += columns;
    }
    if max > 0 {
        out.push_str(ELLIPSIS);
    }
    out
}

/// At most `max` columns of it, cut in the middle: of a path both the place and the name are seen.
pub(crate) fn clip_middle(s: &str, max: usize) -> String {
    if width(s) <= max || max < 8 {
        return clip(s, max);
    }
    let head = (max - 1) / 3;
    let mut start = String::new();
    for grapheme in s.graphemes(true) {
        if width(&start) + grapheme.width() > head {
            break;
        }
        start.push_str(grapheme);
    }
    let room = max - 1 - width(&start);
    let mut tail: Vec<&str> = Vec::new();
    let mut used = 0;
    for grapheme in s.graphemes(true).rev() {
        if used + grapheme.width() > room {
            break;
        }
        used += grapheme.width();
        tail.push(grapheme);
    }
    tail.reverse();
    format!("{start}{ELLIPSIS}{}", tail.concat())
}

/// Exactly `columns` columns: clipped, or filled up with blanks at the right.
pub(crate) fn cell(s: &str, columns: usize) -> String {
    let mut out = clip(s, columns);
    let blank = columns.saturating_sub(width(&out));
    out.extend(std::iter::repeat_n(' ', blank));
    out
}

/// Exactly `columns` columns: clipped, or filled up with blanks at the left.
pub(crate) fn cell_right(s: &str, columns: usize) -> String {
    let clipped = clip(s, columns);
    let mut out = " ".repeat(columns.saturating_sub(width(&clipped)));
    out.push_str(&clipped);
    out
}

/// Lines of at most `columns` columns, broken between words where there are any.
pub(crate) fn wrap(s: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in s.split_inclusive(' ') {
        let wide = width(word);
        if used + width(word.trim_end()) > columns && used > 0 {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
            used = 0;
        }
        if wide <= columns {
            line.push_str(word);
            used += wide;
            continue;
        }
        for grapheme in word.graphemes(true) {
            let columns_of = grapheme.width();
            if used + columns_of > columns && used > 0 {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push_str(grapheme);
            used += columns_of;
        }
    }
    let rest = line.trim_end();
    if !rest.is_empty() || lines.is_empty() {
        lines.push(rest.to_owned());
    }
    lines
}

/// A number with thousands set apart: `12 345`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// A number in at most five columns: `999`, `1.2k`, `340k`, `1.0M`.
pub(crate) fn short(n: u64) -> String {
    for (unit, name) in [(1_000_000_000, 'G'), (1_000_000, 'M'), (1_000, 'k')] {
        if n >= unit * 100 {
            return format!("{}{name}", n / unit);
        }
        if n >= unit {
            return format!("{}.{}{name}", n / unit, n % unit / (unit / 10));
        }
    }
    n.to_string()
}

/// A count of bytes: `999 B`, `12.3 kB`, `4.0 MB`.
pub(crate) fn bytes(n: u64) -> String {
    for (unit, name) in [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")] {
        if n >= unit {
            return format!("{}.{} {name}", n / unit, n % unit / (unit / 10));
        }
    }
    format!("{n} B")
}

/// `1 process`, `2 processes`.
pub(crate) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n as u64), if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipping_counts_columns_and_not_characters() {
        assert_eq!(clip("container", 20), "container");
        assert_eq!(clip("container", 5), "cont…");
        assert_eq!(clip("容器容器", 5), "容器…");
        assert_eq!(clip("容器容器", 4), "容…");
        assert_eq!(clip("x", 0), "");
        assert_eq!(width(&cell("容器容器", 6)), 6);
        assert_eq!(clip_middle("/var/lib/containerd/config.json", 17), "/var/…config.json");
        assert_eq!(clip_middle("/容器容器容器", 9), "/…器容器");
        assert_eq!(cell_right("7", 3), "  7");
    }

    #[test]
    fn wrapping_breaks_between_words_and_cuts_what_is_too_long() {
        assert_eq!(wrap("a quick brown fox", 8), ["a quick", "brown", "fox"]);
        assert_eq!(wrap("/a/very/long/path x", 6), ["/a/ver", "y/long", "/path", "x"]);
        assert_eq!(wrap("容器容器", 4), ["容器", "容器"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn a_long_value_is_not_formatted_to_its_end() {
        let long = Text::from(vec![b'\x1b'; 100_000]);
        let shown = shown(&long, 20);
        assert!(width(&shown) <= 20, "{shown}");
        assert!(shown.starts_with("\\x1b\\x1b"));
    }

    #[test]
    fn numbers_are_short_or_grouped() {
        assert_eq!(grouped(1_234_567), "1 234 567");
        assert_eq!([short(999), short(1_234), short(340_000), short(2_500_000)], ["999", "1.2k", "340k", "2.5M"]);
        assert_eq!([bytes(10), bytes(12_345)], ["10 B", "12.3 kB"]);
    }
}
