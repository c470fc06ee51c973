//! What stands round every screen: the header that says what is shown and how far it can be trusted, the titles of the
//! screens with the way that led here, and the footer with the keys that work now.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::command::{Command, Context};
use super::details;
use super::feed::{ConnectionState, Source, Speed};
use super::known::lag::WORTH_TELLING;
use super::look::Look;
use super::prompt::{Prompt, PromptKind};
use super::scene::Scene;
use super::screens::span;
use super::state::{Pending, Screen, State};
use super::text::{clip, grouped, safe, short, shown, width};
use super::view::Regions;
use super::when;

/// What is left for them when something long is told.
const HELP_AND_QUIT: usize = 20;

/// A part of the header: what matters most has the lowest rank and goes last when room is short.
struct Part {
    rank: u8,
    spans: Vec<Span<'static>>,
}

pub(crate) fn header(scene: &Scene<'_>, state: &State, area: Rect, buffer: &mut Buffer) {
    let look = state.look;
    let mut left = vec![
        Part { rank: 6, spans: vec![span("lanner", look.accent())] },
        Part { rank: 4, spans: vec![span(place(scene), look.strong())] },
        Part { rank: 0, spans: vec![mode(scene, state)] },
        Part { rank: 2, spans: time(scene, state) },
    ];
    left.retain(|part| part.spans.iter().any(|s| s.width() > 0));
    let lost = scene.health.lost();
    let degraded = scene.node.degraded().count();
    let mut right = vec![
        Part {
            rank: 7,
            spans: vec![span(format!("{} ev/s", short(scene.health.rate(scene.latest.time))), Style::new())],
        },
        Part { rank: 8, spans: vec![span(format!("{} procs", grouped(scene.living() as u64)), Style::new())] },
        match lost {
            0 => Part { rank: 5, spans: vec![span("lost 0", look.dim())] },
            n => Part { rank: 1, spans: vec![span(format!("lost {}", short(n)), look.bad())] },
        },
    ];
    if state.recording.is_some() {
        right.push(Part { rank: 2, spans: vec![span("REC", look.bad())] });
    }
    let unseen: Duration = scene.health.gaps.iter().map(|(from, to)| to.since(*from)).sum();
    if !unseen.is_zero() {
        right.push(Part { rank: 2, spans: vec![span(format!("{} unseen", when::short(unseen)), look.bad())] });
    }
    let behind = scene.reception.behind;
    if behind >= WORTH_TELLING {
        right.push(Part { rank: 2, spans: vec![span(format!("{} behind", when::short(behind)), look.warn())] });
    }
    if degraded > 0 {
        let words = format!("{degraded} {} off", if degraded == 1 { "hook" } else { "hooks" });
        right.push(Part { rank: 3, spans: vec![span(words, look.warn())] });
    }
    let columns = usize::from(area.width);
    while total(&left) + total(&right) + 2 > columns && left.len() + right.len() > 1 {
        drop_least(&mut left, &mut right);
    }
    buffer.set_line(area.x, area.y, &joined(left), area.width);
    let right_width = u16::try_from(total(&right)).unwrap_or(area.width).min(area.width);
    buffer.set_line(area.right() - right_width, area.y, &joined(right), right_width);
}

fn total(parts: &[Part]) -> usize {
    parts.iter().map(|p| p.spans.iter().map(Span::width).sum::<usize>() + 2).sum()
}

fn joined(parts: Vec<Part>) -> Line<'static> {
    let mut spans = Vec::new();
    for part in parts {
        spans.push(Span::raw(" "));
        spans.extend(part.spans);
        spans.push(Span::raw(" "));
    }
    Line::from(spans)
}

fn drop_least(left: &mut Vec<Part>, right: &mut Vec<Part>) {
    let worst = |parts: &[Part]| parts.iter().map(|p| p.rank).max();
    let from = if worst(left) >= worst(right) { left } else { right };
    if let Some(rank) = worst(from) {
        from.retain(|p| p.rank != rank);
    }
}

/// The node; before it is known, where it is sought.
fn place(scene: &Scene<'_>) -> String {
    let node = clip(&safe(&scene.node.name), 24);
    match &scene.reception.source {
        Source::Recording(name, _) if node.is_empty() => clip(&safe(name), 24),
        Source::Recording(name, _) => format!("{} on {node}", clip(&safe(name), 24)),
        Source::Remote(address) if node.is_empty() => clip(&safe(address), 32),
        _ => node,
    }
}

/// LIVE, PAUSED, REPLAY x4, how it ended, or the state of the connection.
fn mode(scene: &Scene<'_>, state: &State) -> Span<'static> {
    let look = state.look;
    let reception = scene.reception;
    if state.cursor.is_some() {
        return span("PAST", look.warn().patch(look.strong()));
    }
    if state.is_paused() {
        return span("PAUSED", look.warn().patch(look.strong()));
    }
    match &reception.ended {
        Some(end) if !end.complete => return span("CUT SHORT", look.bad().patch(look.strong())),
        Some(_) => return span("ENDED", look.strong()),
        None => {}
    }
    match (&reception.connection, &reception.source) {
        (ConnectionState::Lost { .. }, _) => span("LOST", look.bad()),
        (ConnectionState::Connecting, _) => span("CONNECTING", look.warn()),
        (ConnectionState::Connected, Source::Recording(..)) => {
            // As fast as can be there is nothing to watch but how far it has come.
            let read = reception.read.filter(|_| reception.speed == Speed::MAX);
            let words = read.map_or_else(|| format!("REPLAY {}", reception.speed), |n| format!("READING {n} %"));
            span(words, look.accent())
        }
        (ConnectionState::Connected, _) => span("LIVE", look.good().patch(look.strong())),
    }
}

/// The time that is shown, and what else is to be said of it.
fn time(scene: &Scene<'_>, state: &State) -> Vec<Span<'static>> {
    let look = state.look;
    let mut spans = Vec::new();
    if scene.latest.time.0 > 0 {
        spans.push(span(format!("{}Z", when::clock(scene.node, scene.now())), Style::new()));
    }
    if state.cursor.is_some() {
        let ago = when::short(scene.latest.time.since(scene.at.time));
        spans.push(span(format!(" {ago} ago"), look.warn()));
    }
    let since = scene.latest.end.saturating_sub(scene.until.end);
    if state.is_paused() && since > 0 {
        spans.push(span(format!(" +{} since", short(since)), look.dim()));
    }
    if let ConnectionState::Lost { retry_in, .. } = &scene.reception.connection {
        let lead = if spans.is_empty() { "" } else { " " };
        spans.push(span(format!("{lead}again in {}", when::short(*retry_in)), look.warn()));
    }
    spans
}

/// The titles of the screens, and where the user has drilled down to.
pub(crate) fn titles(scene: &Scene<'_>, state: &State, area: Rect, buffer: &mut Buffer) {
    let look = state.look;
    let columns = usize::from(area.width);
    buffer.set_stringn(area.x, area.y, "─".repeat(columns), columns, look.dim());
    let way = way(scene, state);
    // All names when there is room for them beside the way; else the current one's alone.
    let all = titles_of(state, true);
    let needed = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>() + 1;
    let mut spans = match () {
        () if needed(&all) + width(&way).min(24) <= columns => all,
        () if columns < 60 => titles_of(state, false).into_iter().filter(|s| s.content.chars().count() > 4).collect(),
        () => titles_of(state, false),
    };
    let room = columns.saturating_sub(needed(&spans));
    if !way.is_empty() && room > 4 {
        let kept = clip_front(&way, room - 1);
        spans.push(span(format!("{kept} "), look.accent()));
    }
    buffer.set_line(area.x + 1, area.y, &Line::from(spans), area.width.saturating_sub(1));
}

fn titles_of(state: &State, all: bool) -> Vec<Span<'static>> {
    let look = state.look;
    let mut spans = Vec::new();
    for screen in Screen::ALL {
        let current = screen == state.screen;
        let title = if current || all { format!(" {}", screen.title()) } else { String::new() };
        let style = if current { look.accent().patch(look.strong()) } else { look.dim() };
        spans.push(span(format!(" {}{title} ", state.keymap.key_of(Command::Show(screen))), style));
        spans.push(span("─", look.dim()));
    }
    spans
}

/// The way that was drilled down, and the filter.
fn way(scene: &Scene<'_>, state: &State) -> String {
    let mut way: Vec<String> = Vec::new();
    if state.help.is_some() {
        way.push("help".to_owned());
    } else {
        way.extend(state.trail.iter().map(|step| details::title(scene, &step.subject)));
        if state.in_story() {
            way.push(format!("stage {}", state.selection.stage + 1));
        }
    }
    let mut text: String = way.iter().map(|step| format!(" › {}", clip(step, 28))).collect();
    if !state.filter.is_empty() && state.prompt.is_none() {
        text.push_str(&format!("  / {}", safe(state.filter.text())));
    }
    text
}

/// The end of it: where one is.
fn clip_front(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = text;
    while width(kept) + 2 > columns {
        match kept[1..].find(" › ").or_else(|| kept[1..].find("  / ")) {
            Some(next) => kept = &kept[next + 1..],
            None => return clip(kept, columns),
        }
    }
    format!(" …{kept}")
}

/// What is typed, and above it what it may become.
pub(crate) fn prompt(state: &State, area: Rect, buffer: &mut Buffer) {
    let Some(prompt) = &state.prompt else { return };
    if area.height == 0 {
        return;
    }
    let look = state.look;
    if area.height > 1 {
        offers(prompt, look, area, buffer);
    }
    let style = if prompt.error.is_some() { look.bad() } else { Style::new() };
    let room = usize::from(area.width).saturating_sub(4).max(1);
    let scroll = prompt.input.visual_scroll(room);
    let value: String = prompt.input.value().chars().skip(scroll).collect();
    let cursor = prompt.input.cursor().saturating_sub(scroll);
    let before: String = value.chars().take(cursor).collect();
    let under: String = value.chars().nth(cursor).map_or_else(|| " ".to_owned(), String::from);
    let after: String = value.chars().skip(cursor + 1).collect();
    let reversed = style.add_modifier(ratatui::style::Modifier::REVERSED);
    let sign = match prompt.kind {
        PromptKind::Filter => " / ",
        PromptKind::Palette => " : ",
    };
    let mut spans = vec![span(sign, look.accent())];
    spans.extend([span(safe(&before), style), span(safe(&under), reversed), span(safe(&after), style)]);
    buffer.set_line(area.x, area.bottom() - 1, &Line::from(spans), area.width);
}

/// What the word may become: the one that stands there now is marked, and its meaning told.
fn offers(prompt: &Prompt, look: Look, area: Rect, buffer: &mut Buffer) {
    let columns = usize::from(area.width);
    let at = prompt.taken.unwrap_or(0);
    let meaning = prompt.offers.get(at).map(|offer| offer.meaning.as_str()).unwrap_or_default();
    let meaning = if meaning.is_empty() || columns < 60 { String::new() } else { clip(meaning, columns / 2) };
    let room = columns.saturating_sub(width(&meaning) + 4);
    let mut spans = vec![span("   ", Style::new())];
    let mut used = 3;
    for (i, offer) in prompt.offers.iter().enumerate().skip(at) {
        let text = clip(&safe(&offer.shown), room);
        used += width(&text) + 2;
        if used > room && i > at {
            spans.push(span("…", look.dim()));
            break;
        }
        let style = if prompt.taken == Some(i) { look.selected() } else { look.link() };
        spans.extend([span(text, style), span("  ", Style::new())]);
    }
    buffer.set_line(area.x, area.y, &Line::from(spans), area.width);
    let wide = u16::try_from(width(&meaning)).unwrap_or(0);
    if wide > 0 {
        buffer.set_stringn(area.right() - wide - 1, area.y, &meaning, wide.into(), look.dim());
    }
}

/// The keys that work now; what does not fit is in the help. While a filter is wrong: why.
pub(crate) fn footer(scene: &Scene<'_>, state: &State, context: &Context, regions: &Regions, buffer: &mut Buffer) {
    let look = state.look;
    let area = regions.footer;
    if let Some(error) = state.prompt.as_ref().and_then(|p| p.error.as_ref()) {
        let hint = error.hint.as_deref().map(|h| format!("; {h}")).unwrap_or_default();
        let why = format!(" ✗ column {}: {}{hint}", error.column, error.message);
        buffer.set_line(area.x, area.y, &Line::from(span(shown(safe(&why), 400), look.bad())), area.width);
        return;
    }
    let columns = usize::from(area.width);
    let asked = state.pending.map(|pending| match pending {
        Pending::SetMark => "a letter to mark this place with",
        Pending::GoToMark => "the letter of a mark",
        Pending::Export => super::takeaway::export::ASKED,
    });
    let told = asked
        .or(state.notice.as_deref())
        .map(|n| span(clip(n, columns.saturating_sub(HELP_AND_QUIT).max(columns * 2 / 3)), look.warn()))
        .or_else(|| trouble(scene, look, columns));
    let room = columns.saturating_sub(told.as_ref().map_or(0, |t| t.width() + 3));
    let mut spans = Vec::new();
    // Help and quit come last in the table and must always be seen: their room is kept.
    let entries: Vec<(String, &str)> = state
        .keymap
        .bindings()
        .iter()
        .filter(|b| !b.short.is_empty() && (b.when)(context))
        .map(|b| (b.keys[0].to_string(), b.short))
        .collect();
    let room_of = |(key, words): &(String, &str)| width(key) + width(words) + 3;
    let kept = if context.prompt.is_some() { 0 } else { entries.len().min(2) };
    let (first, last) = entries.split_at(entries.len() - kept);
    let mut left = room.saturating_sub(last.iter().map(room_of).sum::<usize>());
    let mut push = |entry: &(String, &str)| {
        spans.push(span(format!(" {}", entry.0), look.accent()));
        spans.push(span(format!(" {} ", entry.1), look.dim()));
    };
    for entry in first {
        if room_of(entry) <= left {
            left -= room_of(entry);
            push(entry);
        }
    }
    last.iter().for_each(&mut push);
    buffer.set_line(area.x, area.y, &Line::from(spans), area.width);
    if let Some(told) = told {
        let wide = u16::try_from(told.width()).unwrap_or(area.width).min(area.width.saturating_sub(1));
        buffer.set_line(area.right() - wide - 1, area.y, &Line::from(told), wide + 1);
    }
}

/// Why nothing comes, when nothing comes.
fn trouble(scene: &Scene<'_>, look: Look, columns: usize) -> Option<Span<'static>> {
    let (words, style) = match (&scene.reception.ended, &scene.reception.connection) {
        // The header says that it ended; where room is short that is enough.
        (Some(end), _) if end.complete && columns < 110 => return None,
        (Some(end), _) => (safe(&end.words), if end.complete { look.dim() } else { look.bad() }),
        (None, ConnectionState::Lost { why, .. }) => (safe(why), look.bad()),
        _ => return None,
    };
    Some(span(clip(&words, columns / 2), style))
}
