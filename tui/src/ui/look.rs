//! How things look: colours by meaning, glyphs, and what remains of both on a terminal that has neither.

use lanner_core::detect::Severity;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

/// What the terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Its colours.
    pub colours: Colours,
    /// Only ASCII may be drawn.
    pub ascii: bool,
}

/// How many colours may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// None: bold, dim and reversed only.
    None,
    /// The terminal's own sixteen.
    Base,
    /// Any.
    True,
}

impl Look {
    /// Neither colours nor a terminal: for words that are looked for and not shown.
    pub(crate) const PLAIN: Look = Look { colours: Colours::None, ascii: false };

    /// What the environment says: `NO_COLOR`, `COLORTERM`, and the locale in `LC_ALL`, `LC_CTYPE` or `LANG`.
    pub fn from_env(var: impl Fn(&str) -> Option<String>) -> Look {
        let set = |name: &str| var(name).filter(|v| !v.is_empty());
        let colours = match set("COLORTERM").as_deref() {
            _ if set("NO_COLOR").is_some() => Colours::None,
            Some("truecolor" | "24bit") => Colours::True,
            _ => Colours::Base,
        };
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default();
        let locale = locale.to_ascii_lowercase();
        let utf8 = locale.contains("utf-8") || locale.contains("utf8");
        Look { colours, ascii: !utf8 }
    }

    fn pick(self, base: Color, rgb: (u8, u8, u8)) -> Style {
        match self.colours {
            Colours::None => Style::new(),
            Colours::Base => Style::new().fg(base),
            Colours::True => Style::new().fg(Color::Rgb(rgb.0, rgb.1, rgb.2)),
        }
    }

    /// What matters less: labels, times, what has ended.
    pub(crate) fn dim(self) -> Style {
        match self.colours {
            Colours::True => Style::new().fg(Color::Rgb(128, 136, 150)),
            Colours::Base | Colours::None => Style::new().add_modifier(Modifier::DIM),
        }
    }

    /// Names of things.
    pub(crate) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What the eye should find first when nothing is wrong: titles, keys, the current screen.
    pub(crate) fn accent(self) -> Style {
        self.pick(Color::Cyan, (94, 200, 216))
    }

    /// A link to something else.
    pub(crate) fn link(self) -> Style {
        self.pick(Color::Blue, (122, 162, 247))
    }

    /// Well.
    pub(crate) fn good(self) -> Style {
        self.pick(Color::Green, (132, 204, 137))
    }

    /// To be looked at.
    pub(crate) fn warn(self) -> Style {
        self.pick(Color::Yellow, (229, 192, 96))
    }

    /// Wrong: losses, errors.
    pub(crate) fn bad(self) -> Style {
        self.pick(Color::Red, (244, 112, 103)).add_modifier(Modifier::BOLD)
    }

    /// The selected row of the pane that has the keys.
    pub(crate) fn selected(self) -> Style {
        match self.colours {
            Colours::True => Style::new().bg(Color::Rgb(42, 56, 84)),
            // One colour all along: reversed colours of their own would make a patchwork of the row.
            Colours::Base | Colours::None => {
                Style::new().fg(Color::Reset).add_modifier(Modifier::REVERSED).remove_modifier(Modifier::DIM)
            }
        }
    }

    /// The further lines of something selected that takes more than one.
    pub(crate) fn selected_further(self) -> Style {
        match self.colours {
            Colours::True => self.selected(),
            Colours::Base | Colours::None => Style::new(),
        }
    }

    /// The selected row of a pane that has not.
    pub(crate) fn selected_elsewhere(self) -> Style {
        match self.colours {
            Colours::True => Style::new().bg(Color::Rgb(34, 39, 51)),
            Colours::Base | Colours::None => Style::new().add_modifier(Modifier::BOLD),
        }
    }

    /// How grave.
    pub(crate) fn severity(self, severity: Severity) -> Style {
        match severity {
            Severity::Low => self.pick(Color::Blue, (122, 162, 247)),
            Severity::Medium => self.pick(Color::Yellow, (229, 192, 96)),
            Severity::High => self.pick(Color::Magenta, (240, 144, 80)).add_modifier(Modifier::BOLD),
            Severity::Critical => self.pick(Color::Red, (244, 112, 103)).add_modifier(Modifier::BOLD),
        }
    }
}

/// A shape for each severity, so that none is told by its hue alone.
pub(crate) fn glyph(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "·",
        Severity::Medium => "•",
        Severity::High => "▲",
        Severity::Critical => "◆",
    }
}

/// The stand-ins for what we draw ourselves, where only ASCII may be drawn.
const ASCII: [(&str, &str); 28] = [
    ("▁", "."),
    ("▂", "."),
    ("▃", ":"),
    ("▄", ":"),
    ("▅", "|"),
    ("▆", "|"),
    ("▇", "#"),
    ("█", "#"),
    ("─", "-"),
    ("│", "|"),
    ("├", "|"),
    ("└", "`"),
    ("╰", "`"),
    ("┃", "|"),
    ("▌", ">"),
    ("…", "~"),
    ("›", ">"),
    ("·", "."),
    ("•", "o"),
    ("▲", "!"),
    ("◆", "#"),
    ("▸", "+"),
    ("▾", "-"),
    ("→", ">"),
    ("←", "<"),
    ("↑", "^"),
    ("↓", "v"),
    ("✗", "x"),
];

/// Replaces all that is not ASCII. A foreign character becomes `?`, once for each column it took.
pub(crate) fn to_ascii(buffer: &mut Buffer) {
    let area = buffer.area;
    for y in area.top()..area.bottom() {
        let mut covered = 0;
        for x in area.left()..area.right() {
            let cell = &mut buffer[(x, y)];
            if covered > 0 {
                covered -= 1;
                cell.set_symbol("?");
            } else if !cell.symbol().is_ascii() {
                covered = super::text::width(cell.symbol()).saturating_sub(1);
                let stand_in = ASCII.iter().find(|(from, _)| *from == cell.symbol()).map_or("?", |(_, to)| to);
                cell.set_symbol(stand_in);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(vars: &[(&str, &str)]) -> Look {
        Look::from_env(|name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn the_environment_decides() {
        assert_eq!(look(&[]), Look { colours: Colours::Base, ascii: true });
        assert_eq!(look(&[("LANG", "en_US.UTF-8")]), Look { colours: Colours::Base, ascii: false });
        assert_eq!(look(&[("LANG", "en_US.UTF-8"), ("LC_ALL", "C")]), Look { colours: Colours::Base, ascii: true });
        assert_eq!(
            look(&[("LC_CTYPE", "C.utf8"), ("COLORTERM", "truecolor")]),
            Look { colours: Colours::True, ascii: false }
        );
        assert_eq!(look(&[("NO_COLOR", "1"), ("COLORTERM", "24bit")]).colours, Colours::None);
        assert_eq!(look(&[("NO_COLOR", ""), ("COLORTERM", "24bit")]).colours, Colours::True);
    }

    #[test]
    fn ascii_keeps_the_columns() {
        let mut buffer = Buffer::with_lines(["│容器 ◆ é│"]);
        to_ascii(&mut buffer);
        assert_eq!(buffer, Buffer::with_lines(["|???? # ?|"]));
    }
}
