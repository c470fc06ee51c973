//! How things look: colours by meaning, glyphs, and what remains of both on a terminal that has neither.

use lanner_core::detect::Severity;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

/// How it looks: what the terminal can show, and which colours are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Its colours.
    pub colours: Colours,
    /// Only ASCII may be drawn.
    pub ascii: bool,
    /// Which of them.
    pub theme: Theme,
}

/// How many colours may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Colours {
    /// None: bold, dim and reversed only
    None,
    /// The terminal's own sixteen
    #[serde(rename = "16")]
    #[value(name = "16")]
    Base,
    /// Any
    True,
}

/// Which colours are chosen. In all of them, severity is a word or a shape too, and colours that people confuse never stand
/// for different things alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    /// For a dark background
    #[default]
    Dark,
    /// For a light background
    Light,
    /// Strong contrasts, in colours that the colour-blind can tell apart
    HighContrast,
}

/// What a colour stands for.
#[derive(Debug, Clone, Copy)]
enum Meaning {
    Accent,
    Link,
    Good,
    Warn,
    High,
    Bad,
}

impl Theme {
    /// Its name, as settings spell it.
    pub fn name(self) -> &'static str {
        match self {
            Theme::Dark => "dark",
            Theme::Light => "light",
            Theme::HighContrast => "high-contrast",
        }
    }

    /// One of the terminal's sixteen, and the same with any colour. Those of the high contrast are Okabe's and Ito's.
    fn colour(self, meaning: Meaning) -> (Color, (u8, u8, u8)) {
        match (self, meaning) {
            (Theme::Dark, Meaning::Accent) => (Color::Cyan, (94, 200, 216)),
            // The plain blue of many terminals cannot be read on black.
            (Theme::Dark, Meaning::Link) => (Color::LightBlue, (122, 162, 247)),
            (Theme::Dark, Meaning::Good) => (Color::Green, (132, 204, 137)),
            (Theme::Dark, Meaning::Warn) => (Color::Yellow, (229, 192, 96)),
            (Theme::Dark, Meaning::High) => (Color::Magenta, (240, 144, 80)),
            (Theme::Dark, Meaning::Bad) => (Color::Red, (244, 112, 103)),
            (Theme::Light, Meaning::Accent) => (Color::Blue, (0, 98, 128)),
            (Theme::Light, Meaning::Link) => (Color::Blue, (38, 78, 178)),
            (Theme::Light, Meaning::Good) => (Color::Green, (20, 110, 40)),
            (Theme::Light, Meaning::Warn) => (Color::Magenta, (135, 92, 0)),
            (Theme::Light, Meaning::High) => (Color::Magenta, (176, 70, 0)),
            (Theme::Light, Meaning::Bad) => (Color::Red, (178, 20, 30)),
            (Theme::HighContrast, Meaning::Accent) => (Color::LightCyan, (120, 215, 255)),
            (Theme::HighContrast, Meaning::Link) => (Color::LightCyan, (86, 180, 233)),
            (Theme::HighContrast, Meaning::Good) => (Color::LightBlue, (86, 180, 233)),
            (Theme::HighContrast, Meaning::Warn) => (Color::LightYellow, (240, 228, 66)),
            (Theme::HighContrast, Meaning::High) => (Color::LightYellow, (230, 159, 0)),
            (Theme::HighContrast, Meaning::Bad) => (Color::LightRed, (255, 140, 90)),
        }
    }
}

impl Look {
    /// Neither colours nor a terminal: for words that are looked for and not shown.
    pub(crate) const PLAIN: Look = Look { colours: Colours::None, ascii: false, theme: Theme::Dark };

    /// What the environment says: `NO_COLOR`, `COLORTERM`, the locale in `LC_ALL`, `LC_CTYPE` or `LANG`, and `TERM=linux`,
    /// whose font has few characters.
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
        let console = set("TERM").is_some_and(|term| term == "linux");
        Look { colours, ascii: !utf8 || console, theme: Theme::default() }
    }

    fn pick(self, meaning: Meaning) -> Style {
        let (base, rgb) = self.theme.colour(meaning);
        match self.colours {
            Colours::None => Style::new(),
            Colours::Base => Style::new().fg(base),
            Colours::True => Style::new().fg(Color::Rgb(rgb.0, rgb.1, rgb.2)),
        }
    }

    /// What matters less: labels, times, what has ended.
    pub(crate) fn dim(self) -> Style {
        match (self.colours, self.theme) {
            // What is dimmed has little contrast.
            (_, Theme::HighContrast) => Style::new(),
            (Colours::True, Theme::Dark) => Style::new().fg(Color::Rgb(128, 136, 150)),
            (Colours::True, Theme::Light) => Style::new().fg(Color::Rgb(96, 102, 114)),
            (Colours::Base | Colours::None, _) => Style::new().add_modifier(Modifier::DIM),
        }
    }

    /// Names of things.
    pub(crate) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What the eye should find first when nothing is wrong: titles, keys, the current screen.
    pub(crate) fn accent(self) -> Style {
        self.pick(Meaning::Accent)
    }

    /// A link to something else.
    pub(crate) fn link(self) -> Style {
        self.pick(Meaning::Link)
    }

    /// Well.
    pub(crate) fn good(self) -> Style {
        self.pick(Meaning::Good)
    }

    /// To be looked at.
    pub(crate) fn warn(self) -> Style {
        self.pick(Meaning::Warn)
    }

    /// Wrong: losses, errors.
    pub(crate) fn bad(self) -> Style {
        self.pick(Meaning::Bad).add_modifier(Modifier::BOLD)
    }

    /// The selected row of the pane that has the keys.
    pub(crate) fn selected(self) -> Style {
        match (self.colours, self.theme) {
            (Colours::True, Theme::Dark) => Style::new().bg(Color::Rgb(42, 56, 84)),
            (Colours::True, Theme::Light) => Style::new().bg(Color::Rgb(208, 220, 244)),
            // One colour all along: reversed colours of their own would make a patchwork of the row.
            (Colours::True | Colours::Base | Colours::None, _) => {
                Style::new().fg(Color::Reset).add_modifier(Modifier::REVERSED).remove_modifier(Modifier::DIM)
            }
        }
    }

    /// The further lines of something selected that takes more than one.
    pub(crate) fn selected_further(self) -> Style {
        match (self.colours, self.theme) {
            (Colours::True, Theme::Dark | Theme::Light) => self.selected(),
            _ => Style::new(),
        }
    }

    /// The selected row of a pane that has not.
    pub(crate) fn selected_elsewhere(self) -> Style {
        match (self.colours, self.theme) {
            (Colours::True, Theme::Dark) => Style::new().bg(Color::Rgb(34, 39, 51)),
            (Colours::True, Theme::Light) => Style::new().bg(Color::Rgb(228, 232, 240)),
            _ => Style::new().add_modifier(Modifier::BOLD),
        }
    }

    /// How grave.
    pub(crate) fn severity(self, severity: Severity) -> Style {
        match severity {
            Severity::Low => self.pick(Meaning::Link),
            Severity::Medium => self.pick(Meaning::Warn),
            Severity::High => self.pick(Meaning::High).add_modifier(Modifier::BOLD),
            Severity::Critical => self.pick(Meaning::Bad).add_modifier(Modifier::BOLD),
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
        let of = |vars: &[(&str, &str)]| (look(vars).colours, look(vars).ascii);
        assert_eq!(of(&[]), (Colours::Base, true));
        assert_eq!(of(&[("LANG", "en_US.UTF-8")]), (Colours::Base, false));
        assert_eq!(of(&[("LANG", "en_US.UTF-8"), ("TERM", "linux")]), (Colours::Base, true));
        assert_eq!(of(&[("LANG", "en_US.UTF-8"), ("LC_ALL", "C")]), (Colours::Base, true));
        assert_eq!(of(&[("LC_CTYPE", "C.utf8"), ("COLORTERM", "truecolor")]), (Colours::True, false));
        assert_eq!(look(&[("NO_COLOR", "1"), ("COLORTERM", "24bit")]).colours, Colours::None);
        assert_eq!(look(&[("NO_COLOR", ""), ("COLORTERM", "24bit")]).colours, Colours::True);
    }

    /// The luminance of a colour, as WCAG 2.2 defines it.
    fn luminance((r, g, b): (u8, u8, u8)) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    #[test]
    fn every_colour_can_be_read_on_its_background() {
        use Meaning::{Accent, Bad, Good, High, Link, Warn};
        for (theme, background, least) in [
            (Theme::Dark, (24, 26, 32), 4.5),
            (Theme::Light, (255, 255, 255), 4.5),
            (Theme::HighContrast, (0, 0, 0), 7.0),
        ] {
            for meaning in [Accent, Link, Good, Warn, High, Bad] {
                let (a, b) = (luminance(theme.colour(meaning).1), luminance(background));
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(contrast >= least, "{meaning:?} of {theme:?}: {contrast:.1}");
            }
        }
    }

    #[test]
    fn ascii_keeps_the_columns() {
        let mut buffer = Buffer::with_lines(["│容器 ◆ é│"]);
        to_ascii(&mut buffer);
        assert_eq!(buffer, Buffer::with_lines(["|???? # ?|"]));
    }
}
