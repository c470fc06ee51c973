//! How many events there were when, in a line of bars; below it the signals, and the moment that is looked at.

use lanner_core::detect::Severity;
use lanner_core::event::BootTime;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::super::look::glyph;
use super::super::super::scene::Scene;
use super::super::super::state::State;

const BARS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

pub(super) fn draw(scene: &Scene<'_>, state: &State, area: Rect, buffer: &mut Buffer) {
    let look = state.look;
    let columns = usize::from(area.width.saturating_sub(2));
    let time_of = |row: usize| state.listing.number(scene, row).and_then(|n| scene.history.time(n));
    let (Some(first), Some(last)) = (time_of(0), time_of(state.listing.len(scene).saturating_sub(1))) else { return };
    let length = last.0.saturating_sub(first.0).max(1);
    if columns == 0 {
        return;
    }
    // Where a column begins. Wide arithmetic: a time may be as large as numbers are.
    let edge = |column: usize| {
        BootTime(first.0 + u64::try_from(u128::from(length) * column as u128 / columns as u128).unwrap_or(length))
    };
    let column_of = |time: BootTime| {
        let into = u128::from(time.0.saturating_sub(first.0)) * columns as u128 / u128::from(length);
        usize::try_from(into).unwrap_or(columns).min(columns - 1)
    };
    let rows_at: Vec<usize> = (0..=columns)
        .map(|column| match column == columns {
            true => state.listing.len(scene),
            false => state.listing.rows_before(scene, scene.history.number_at(edge(column))),
        })
        .collect();
    let counts: Vec<usize> = rows_at.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    let mut worst: Vec<Option<Severity>> = vec![None; columns];
    for (number, severity) in scene.history.signals().take_while(|(n, _)| *n < scene.until.end) {
        if let Some(time) = scene.history.time(number).filter(|time| (first..=last).contains(time)) {
            let column = column_of(time);
            worst[column] = worst[column].max(Some(severity));
        }
    }
    let cursor = state.cursor.map(|cursor| column_of(cursor.time));
    for column in 0..columns {
        let x = area.x + 1 + u16::try_from(column).unwrap_or(u16::MAX);
        let style = if cursor == Some(column) { look.accent() } else { look.dim() };
        buffer.set_stringn(x, area.y, bar(counts[column], most), 1, style);
        let below = area.y + 1;
        match (worst[column], cursor == Some(column)) {
            (Some(severity), _) => buffer.set_stringn(x, below, glyph(severity), 1, look.severity(severity)),
            (None, true) => buffer.set_stringn(x, below, "↑", 1, look.accent()),
            (None, false) => buffer.set_stringn(x, below, "─", 1, look.dim()),
        };
        if cursor == Some(column) {
            buffer[(x, below)].modifier.insert(ratatui::style::Modifier::REVERSED);
        }
    }
}

/// A bar for a count: by its logarithm, so that a single event is seen beside a thousand.
fn bar(count: usize, most: usize) -> &'static str {
    let bits = |n: usize| (usize::BITS - n.leading_zeros()) as usize;
    match count {
        0 => BARS[0],
        _ => BARS[(bits(count) * (BARS.len() - 1)).div_ceil(bits(most)).clamp(1, BARS.len() - 1)],
    }
}
