//! All keys, read from the table of commands.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::super::command::{Binding, Context};
use super::super::state::State;
use super::super::text::cell;
use super::{Focus, paint_more, paint_row, span};

const MARKS: [(&str, &str); 13] = [
    ("◆ critical", "▲ high"),
    ("• medium", "· low"),
    ("n", "speaks to the network"),
    ("w", "writes files"),
    ("m", "runs or made a file that is in memory only"),
    ("d", "runs a file that has been deleted"),
    ("s", "gained a user or capabilities by what it runs"),
    ("u", "runs a file not in its container's image"),
    ("x", "has ended"),
    ("w x r n + d", "files: written, executed, read, renamed, made executable, deleted"),
    ("▲", "files: written, then executed"),
    ("RTT RETR", "flows: how long an answer takes, segments that were sent again"),
    ("^X", "Control and X together"),
];

/// What works on the screen below the help, and then what works elsewhere.
fn entries<'a>(state: &'a State, context: &Context) -> Vec<(&'a Binding, bool)> {
    let below = Context { help: false, ..*context };
    let works = |b: &Binding| (b.when)(&below);
    let mut seen = Vec::new();
    let mut out = Vec::new();
    for now in [true, false] {
        for binding in state.keymap.bindings() {
            // The same command may stand there twice, with other words: those that fit now are shown.
            let known = seen.contains(&(binding.command, binding.keys[0]));
            if works(binding) == now && !known {
                seen.push((binding.command, binding.keys[0]));
                out.push((binding, now));
            }
        }
    }
    out
}

fn lines(state: &State, context: &Context) -> Vec<Line<'static>> {
    let look = state.look;
    let mut lines = Vec::new();
    let mut now_before = true;
    for (binding, now) in entries(state, context) {
        if now_before && !now {
            lines.push(Line::default());
            lines.push(Line::from(span("elsewhere", look.dim())));
        }
        now_before = now;
        let keys: Vec<_> = binding.keys.iter().map(ToString::to_string).collect();
        let style = if now { look.accent() } else { look.dim() };
        let words = if now { Style::new() } else { look.dim() };
        lines.push(Line::from(vec![span(cell(&keys.join(" "), 10), style), span(binding.long, words)]));
    }
    lines.push(Line::default());
    lines.push(Line::from(span("marks", look.dim())));
    for (mark, words) in MARKS {
        lines.push(Line::from(vec![span(cell(mark, 12), look.accent()), span(words, Style::new())]));
    }
    lines
}

/// As many columns as have room for the longest line: none of it is cut where it can be scrolled to.
fn columns(lines: &[Line<'_>], area: Rect) -> u16 {
    let widest = lines.iter().map(Line::width).max().unwrap_or_default() + 2;
    u16::try_from(usize::from(area.width) / widest).unwrap_or(1).max(1)
}

pub(crate) fn draw(state: &State, context: &Context, from: usize, area: Rect, buffer: &mut Buffer) {
    let lines = lines(state, context);
    let columns = columns(&lines, area);
    let height = usize::from(area.height).max(1);
    let from = from.min(last(state, context, area));
    for column in 0..columns {
        let width = area.width / columns;
        let part = Rect { x: area.x + width * column, width, ..area };
        let shown = lines.iter().skip(from + height * usize::from(column)).take(height);
        for (row, line) in shown.enumerate() {
            paint_row(buffer, part, row, line, Focus::No, state.look);
        }
    }
    paint_more(buffer, area, lines.len().saturating_sub(from + height * usize::from(columns)), state.look);
}

/// The last line from which the help can be shown.
pub(crate) fn last(state: &State, context: &Context, area: Rect) -> usize {
    let lines = lines(state, context);
    lines.len().saturating_sub(usize::from(area.height) * usize::from(columns(&lines, area)))
}
