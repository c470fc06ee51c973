//! The screens, one a file: `draw` paints it from a scene, `act` carries out a command on it.

pub(crate) mod files;
pub(crate) mod flows;
pub(crate) mod graph;
pub(crate) mod help;
pub(crate) mod incidents;
pub(crate) mod sensor;
mod story;
pub(crate) mod timeline;
pub(crate) mod tree;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::command::Command;
use super::feed::{ConnectionState, Source};
use super::look::Look;
use super::scene::Scene;
use super::state::{Screen, State, Subject};
use super::text::{clip, count, safe, width, wrap};
use super::when;

/// What is selected on the screen that is shown.
pub(crate) fn selected(scene: &Scene<'_>, state: &State) -> Option<Subject> {
    match state.screen {
        Screen::Incidents => incidents::selected_subject(scene, state),
        Screen::Tree => tree::selected(scene, state),
        Screen::Graph => graph::selected(scene, state),
        Screen::Flows => flows::selected(scene, state),
        Screen::Files => files::selected(scene, state),
        Screen::Timeline => timeline::selected(scene, state),
        Screen::Sensor => None,
    }
}

/// Whether there may be something to select there, without looking through all of it: this is asked for every frame.
pub(crate) fn has_any(scene: &Scene<'_>, state: &State) -> bool {
    match state.screen {
        Screen::Incidents => incidents::selected(scene, state).is_some(),
        Screen::Tree => scene.processes().next().is_some(),
        Screen::Graph => graph::has_any(scene, state),
        Screen::Flows => scene.flows.len() > 0,
        Screen::Files => scene.files.len() > 0,
        Screen::Timeline => state.listing.len(scene) > 0,
        Screen::Sensor => false,
    }
}

/// What has the selection in a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Focus {
    /// Not this row.
    No,
    /// This row, but the keys go elsewhere.
    Elsewhere,
    /// This row, and the keys go here.
    Here,
    /// As [`Focus::Here`], but not its first line.
    Further,
}

/// Paints one row of a list; the selected one is marked at its left edge, so that it is found without colours too. What
/// does not fit ends in `…`.
pub(crate) fn paint_row(buffer: &mut Buffer, area: Rect, row: usize, line: &Line<'_>, focus: Focus, look: Look) {
    let Some(y) = u16::try_from(row).ok().and_then(|r| area.y.checked_add(r)) else { return };
    if y >= area.bottom() || area.width == 0 {
        return;
    }
    let style = match focus {
        Focus::No => None,
        Focus::Elsewhere => Some(look.selected_elsewhere()),
        Focus::Here => Some(look.selected()),
        Focus::Further => Some(look.selected_further()),
    };
    buffer.set_line(area.x + 1, y, line, area.width - 1);
    let room = usize::from(area.width) - 1;
    // No character has more columns than bytes: most rows are known to fit without being measured.
    let bytes: usize = line.spans.iter().map(|s| s.content.len()).sum();
    if room > 0 && bytes > room && line.width() > room && width(line.to_string().trim_end()) > room {
        let last = area.right() - 1;
        // Half of a wide character cannot stand there.
        if area.width > 2 && width(buffer[(last - 1, y)].symbol()) > 1 {
            buffer[(last - 1, y)].set_symbol(" ");
        }
        buffer[(last, y)].set_symbol("…");
    }
    if let Some(style) = style {
        buffer.set_style(Rect { y, height: 1, ..area }, style);
        buffer.set_stringn(area.x, y, "▌", 1, look.accent());
    }
}

/// Says at the right end of the row above a list how many lines lie below its last row, where that row has room.
pub(crate) fn paint_more(buffer: &mut Buffer, area: Rect, hidden: usize, look: Look) {
    let words = format!(" ↓ {} ", count(hidden, "more line", "more lines"));
    let columns = u16::try_from(width(&words)).unwrap_or(u16::MAX);
    if hidden == 0 || area.y == 0 || columns + 1 >= area.width {
        return;
    }
    let (x, y) = (area.right() - columns - 1, area.y - 1);
    if (x..area.right()).all(|x| [" ", "─"].contains(&buffer[(x, y)].symbol())) {
        buffer.set_stringn(x, y, words, columns.into(), look.dim());
    }
}

/// The first row to show so that the selected one is seen and as little as possible moves.
pub(crate) fn scroll(before: usize, selected: usize, height: usize, len: usize) -> usize {
    let height = height.max(1);
    let lowest = (selected + 1).saturating_sub(height);
    before.clamp(lowest, selected.max(lowest)).min(len.saturating_sub(height))
}

/// Where a move leads in a list of `len`; `None` when the command is no move, or there is nowhere to go.
pub(crate) fn moved(command: Command, from: usize, len: usize, page: usize) -> Option<usize> {
    let last = len.checked_sub(1)?;
    let page = page.max(2) - 1;
    Some(match command {
        Command::Up => from.saturating_sub(1),
        Command::Down => (from + 1).min(last),
        Command::PageUp => from.saturating_sub(page),
        Command::PageDown => (from + page).min(last),
        Command::First => 0,
        Command::Last => last,
        _ => return None,
    })
}

/// Says what a screen waits for while it has nothing to show.
pub(crate) fn paint_empty(buffer: &mut Buffer, area: Rect, title: &str, sentences: &[&str], look: Look) {
    let width = usize::from(area.width).saturating_sub(6).clamp(1, 76);
    let mut lines = vec![Line::from(Span::styled(title.to_owned(), look.strong())), Line::default()];
    for sentence in sentences {
        lines.extend(wrap(sentence, width).into_iter().map(|l| Line::from(Span::styled(l, look.dim()))));
    }
    let top = area.y + area.height.saturating_sub(u16::try_from(lines.len()).unwrap_or(u16::MAX)) / 3;
    for (y, line) in (top..area.bottom()).zip(&lines) {
        buffer.set_line(area.x + area.width.min(3), y, line, area.width.saturating_sub(3));
    }
}

/// How what is left out comes back: a sentence; nothing where nothing is.
pub(crate) fn way_out(state: &State) -> &'static str {
    match (state.trail.is_empty(), state.filter.is_empty()) {
        (true, true) => "",
        (false, true) => "Esc goes back one step.",
        (true, false) => "Esc takes the filter off.",
        (false, false) => "Esc goes back one step, and then takes the filter off.",
    }
}

/// What is waited for while no event has come yet: what, and more of it.
pub(crate) fn waiting(scene: &Scene<'_>) -> Option<(String, String)> {
    if scene.history.end() > 0 || scene.graph.processes().next().is_some() {
        return None;
    }
    let place = match &scene.reception.source {
        Source::Live => "the sensor of this node".to_owned(),
        Source::Remote(address) => safe(address),
        Source::Recording(name, _) => safe(name),
    };
    Some(match (&scene.reception.ended, &scene.reception.connection) {
        (Some(end), _) => (format!("Nothing came from {place}"), safe(&end.words)),
        (None, ConnectionState::Connecting) => {
            (format!("Connecting to {place}"), "All screens fill as soon as it answers. q leaves.".to_owned())
        }
        (None, ConnectionState::Lost { why, retry_in }) => (
            format!("No connection to {place}"),
            format!("{}. It is tried again in {}. q leaves.", safe(why).trim_end_matches('.'), when::short(*retry_in)),
        ),
        (None, ConnectionState::Connected) => {
            (format!("Waiting for {place}"), "All screens fill with the first events that come.".to_owned())
        }
    })
}

/// A rule across, with a title in it.
pub(crate) fn paint_rule(buffer: &mut Buffer, area: Rect, y: u16, title: Line<'_>, look: Look) {
    if y >= area.bottom() || area.width == 0 {
        return;
    }
    let rule = "─".repeat(usize::from(area.width));
    buffer.set_stringn(area.x, y, &rule, usize::from(area.width), look.dim());
    if area.width > 6 {
        let title = clipped(title, usize::from(area.width) - 5);
        let spans = [Span::raw(" ")].into_iter().chain(title.spans).chain([Span::raw(" ")]);
        paint_over(buffer, area.x + 1, y, &Line::from_iter(spans), area.width - 2);
    }
}

/// Paints a line where something else stands: what was dim there does not stay so.
pub(crate) fn paint_over(buffer: &mut Buffer, x: u16, y: u16, line: &Line<'_>, columns: u16) {
    let width = u16::try_from(line.width()).unwrap_or(columns).min(columns);
    buffer.set_style(Rect { x, y, width, height: 1 }, Style::reset());
    buffer.set_line(x, y, line, columns);
}

/// A line of at most so many columns.
fn clipped(line: Line<'_>, columns: usize) -> Line<'_> {
    let mut left = columns;
    let mut spans = Vec::new();
    for part in line.spans {
        if part.width() > left {
            spans.push(Span::styled(clip(&part.content, left), part.style));
            break;
        }
        left -= part.width();
        spans.push(part);
    }
    Line::from(spans)
}

/// A span.
pub(crate) fn span(text: impl Into<String>, style: Style) -> Span<'static> {
    Span::styled(text.into(), style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selection_stays_in_sight_and_the_rest_stands_still() {
        assert_eq!(scroll(0, 3, 5, 20), 0);
        assert_eq!(scroll(0, 5, 5, 20), 1);
        assert_eq!(scroll(7, 3, 5, 20), 3);
        assert_eq!(scroll(18, 19, 5, 20), 15);
        assert_eq!(scroll(3, 0, 0, 0), 0);
    }

    #[test]
    fn moves_end_at_the_ends() {
        assert_eq!(moved(Command::Up, 0, 5, 3), Some(0));
        assert_eq!(moved(Command::PageDown, 1, 9, 4), Some(4));
        assert_eq!(moved(Command::PageDown, 7, 9, 4), Some(8));
        assert_eq!(moved(Command::Last, 0, 9, 4), Some(8));
        assert_eq!(moved(Command::Down, 0, 0, 4), None);
        assert_eq!(moved(Command::Open, 0, 9, 4), None);
    }
}
