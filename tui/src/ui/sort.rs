//! By what the rows of a screen are ordered.

use super::state::Screen;

/// What a screen's rows can be ordered by, the first at the start.
pub(crate) fn orders(screen: Screen) -> &'static [&'static str] {
    match screen {
        Screen::Incidents => &["severity", "time", "stages"],
        Screen::Tree => &["start", "name", "pid", "severity"],
        Screen::Flows => &["latest", "bytes", "round trip", "failures", "process", "peer"],
        Screen::Files => &["latest", "path", "process"],
        Screen::Graph | Screen::Timeline | Screen::Sensor => &[],
    }
}

/// The order of one screen's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Sort {
    /// Which of its [`orders`].
    pub(crate) by: usize,
    pub(crate) reversed: bool,
}

/// The order of each screen's rows.
#[derive(Debug, Default)]
pub(crate) struct Sorts {
    of: [Sort; Screen::ALL.len()],
}

impl Sorts {
    pub(crate) fn of(&self, screen: Screen) -> Sort {
        self.of[screen as usize]
    }

    /// The next order of a screen; says which.
    pub(crate) fn next(&mut self, screen: Screen) -> String {
        let orders = orders(screen).len().max(1);
        let sort = &mut self.of[screen as usize];
        sort.by = (sort.by + 1) % orders;
        self.words(screen)
    }

    /// The other way round; says how.
    pub(crate) fn reverse(&mut self, screen: Screen) -> String {
        let sort = &mut self.of[screen as usize];
        sort.reversed = !sort.reversed;
        self.words(screen)
    }

    pub(crate) fn words(&self, screen: Screen) -> String {
        let sort = self.of(screen);
        let by = orders(screen).get(sort.by).copied().unwrap_or("time");
        format!("by {by}{}", if sort.reversed { ", reversed" } else { "" })
    }
}
