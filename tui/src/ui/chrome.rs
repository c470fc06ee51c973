//! What stands round every screen: the header that says what is shown and how far it can be trusted, the titles of the
//! screens with the way that led here, and the footer with the keys that work now.

use std::time::Duration;

use lanner_core::event::BootTime;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::command::{Command, Context};
use super::details;
use super::feed::{ConnectionState, Source, Speed};
use super::known::lag::WORTH_TELLING;
use super::look::Look;
use super::prompt::{Prompt, PromptKind};
use super::scene::Scene;
use super::screens::{Focus, paint_over, paint_row, span};
use super::state::{Pending, Screen, State};
use super::text::{cell, clip, grouped, safe, short, shown, width, wrap};
use super::view::Regions;
use super::when;

/// How many columns a step of the way takes at most, where there is room, and where there is ever less.
const STEP: [usize; 4] = [28, 20, 15, 11];

/// Offers that are shown at a time, where there is room.
const MOST_OFFERS: usize = 8;

/// From this width on there is room to say it in two words.
const ROOM_FOR_SINCE: usize = 60;

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
        Part { rank: 2, spans: time(scene, state, usize::from(area.width)) },
    ];
    left.retain(|part| part.spans.iter().any(|s| s.width() > 0));
    let lost = scene.health.lost();
    let degraded = scene.node.degraded().count();
    let mut right = Vec::new();
    // That there are none is said by since when it is so.
    if stillness(scene, state).is_none() {
        let rate = short(scene.health.rate(scene.latest.time));
        right.push(Part { rank: 7, spans: vec![span(format!("{rate} ev/s"), Style::new())] });
    }
    right.extend([
        Part { rank: 8, spans: vec![span(format!("{} procs", grouped(scene.living() as u64)), Style::new())] },
        match lost {
            0 => Part { rank: 5, spans: vec![span("lost 0", look.dim())] },
            n => Part { rank: 1, spans: vec![span(format!("lost {}", short(n)), look.bad())] },
        },
    ]);
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
        (ConnectionState::Connected, _) if reception.mute => span("LIVE", look.warn().patch(look.strong())),
        (ConnectionState::Connected, _) => span("LIVE", look.good().patch(look.strong())),
    }
}

/// The time that is shown, and what else is to be said of it.
fn time(scene: &Scene<'_>, state: &State, columns: usize) -> Vec<Span<'static>> {
    let look = state.look;
    let mut spans = Vec::new();
    // On a quiet node a clock would write to the terminal each second, to say nothing.
    if let Some((words, since, style)) = stillness(scene, state) {
        let words = if columns < ROOM_FOR_SINCE { words.to_owned() } else { format!("{words} since") };
        spans.push(span(format!("{words} {}Z", when::clock(scene.node, since)), style));
    } else if scene.latest.time.0 > 0 {
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

/// That nothing happens, or that it is not heard of, and since when: in place of the time.
fn stillness(scene: &Scene<'_>, state: &State) -> Option<(&'static str, BootTime, Style)> {
    match scene.quiet_since {
        _ if state.then().is_some() => None,
        _ if scene.reception.is_mute() => Some(("no word", scene.latest.time, state.look.bad())),
        since => since.map(|since| ("quiet", since, Style::new())),
    }
}

/// The titles of the screens, and where the user has drilled down to.
pub(crate) fn titles(scene: &Scene<'_>, state: &State, area: Rect, buffer: &mut Buffer) {
    let look = state.look;
    let columns = usize::from(area.width);
    buffer.set_stringn(area.x, area.y, "─".repeat(columns), columns, look.dim());
    let whole = way(scene, state, STEP[0]);
    // All names when there is room for them beside the way; else the current one's alone.
    let all = titles_of(state, true);
    let needed = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>() + 1;
    let mut spans = match () {
        () if needed(&all) + width(&whole).min(24) <= columns => all,
        () if columns < 60 => titles_of(state, false).into_iter().filter(|s| s.content.chars().count() > 4).collect(),
        () => titles_of(state, false),
    };
    let room = columns.saturating_sub(needed(&spans));
    if !whole.is_empty() && room > 4 {
        // Each step of it is said in fewer letters before the first ones go.
        let shorter = STEP.iter().map(|most| way(scene, state, *most));
        let fitting = shorter.clone().find(|way| width(way) < room).or(shorter.last()).unwrap_or(whole);
        let kept = clip_front(&fitting, room - 1);
        spans.push(span(format!("{kept} "), look.accent()));
    }
    paint_over(buffer, area.x + 1, area.y, &Line::from(spans), area.width.saturating_sub(1));
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

/// The way that was drilled down, of each step at most so many columns, and the filter.
fn way(scene: &Scene<'_>, state: &State, most: usize) -> String {
    let mut way: Vec<String> = Vec::new();
    if state.help.is_some() {
        way.push("help".to_owned());
    } else {
        way.extend(state.trail.iter().map(|step| details::title(scene, &step.subject)));
        if state.in_story() {
            way.push(format!("stage {}", state.selection.stage + 1));
        }
    }
    let mut text: String = way.iter().map(|step| format!(" › {}", clip(step, most))).collect();
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
    let wrong = why_wrong(prompt, area.width, area.height - 1);
    let rows = area.height - 1 - u16::try_from(wrong.len()).unwrap_or(0);
    offers(prompt, look, Rect { height: rows, ..area }, buffer);
    for (y, words) in (area.top() + rows + 1..area.bottom()).zip(wrong) {
        buffer.set_stringn(area.x, y, words, area.width.into(), look.bad());
    }
    let style = if prompt.error.is_some() { look.bad() } else { Style::new() };
    let room = usize::from(area.width).saturating_sub(4).max(1);
    let scroll = prompt.input.visual_scroll(room);
    let value: String = prompt.input.value().chars().skip(scroll).collect();
    let cursor = prompt.input.cursor().saturating_sub(scroll);
    let before: String = value.chars().take(cursor).collect();
    let under: String = value.chars().nth(cursor).map_or_else(|| " ".to_owned(), String::from);
    let after: String = value.chars().skip(cursor + 1).collect();
    let reversed = style.add_modifier(Modifier::REVERSED);
    let sign = match prompt.kind {
        PromptKind::Filter => " / ",
        PromptKind::Palette => " : ",
    };
    let mut spans = vec![span(sign, look.accent())];
    // From the wrong place on it is underlined.
    let from = prompt.error.as_ref().map(|error| (error.column - 1).saturating_sub(scroll));
    let marked = |text: &str, at: usize| {
        let start = from.map_or(usize::MAX, |from| from.saturating_sub(at));
        let (right, wrong) =
            (text.chars().take(start).collect::<String>(), text.chars().skip(start).collect::<String>());
        [span(safe(&right), style), span(safe(&wrong), style.add_modifier(Modifier::UNDERLINED))]
    };
    spans.extend(marked(&before, 0));
    spans.push(span(safe(&under), reversed));
    spans.extend(marked(&after, cursor + 1));
    buffer.set_line(area.x, area.top() + rows, &Line::from(spans), area.width);
}

/// Why what stands in the prompt cannot be applied, in as many lines as there is room for.
fn why_wrong(prompt: &Prompt, columns: u16, most: u16) -> Vec<String> {
    let Some(error) = &prompt.error else { return Vec::new() };
    let hint = error.hint.as_deref().map(|h| format!("; {h}")).unwrap_or_default();
    let why = shown(safe(&format!("✗ column {}: {}{hint}", error.column, error.message)), 400);
    let room = usize::from(columns).saturating_sub(2);
    let mut lines = wrap(&why, room);
    let most = usize::from(most);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = clip(&format!("{last} …"), room);
        }
    }
    lines.into_iter().map(|line| format!(" {line}")).collect()
}

/// How many rows the prompt takes on a screen of this size: for what is typed, for what it may become, for why it is wrong.
pub(crate) fn prompt_rows(prompt: &Prompt, size: Size) -> u16 {
    if size.height < 8 {
        return 1 + u16::from(prompt.error.is_some());
    }
    let most = usize::from(size.height / 4);
    let wrong = why_wrong(prompt, size.width, 2).len();
    u16::try_from(1 + prompt.offers.len().min(most).min(MOST_OFFERS) + wrong).unwrap_or(1)
}

/// What the word may become, one a row, with its meaning: the one that stands there now is marked.
fn offers(prompt: &Prompt, look: Look, area: Rect, buffer: &mut Buffer) {
    let (rows, columns) = (usize::from(area.height), usize::from(area.width));
    let from = prompt.taken.map_or(0, |at| (at + 1).saturating_sub(rows));
    let visible = || prompt.offers.iter().enumerate().skip(from).take(rows);
    let widest = visible().map(|(_, offer)| width(&safe(&offer.shown))).max().unwrap_or(0);
    let widest = widest.min(if columns < 60 { columns.saturating_sub(4) } else { columns / 2 });
    for (row, (i, offer)) in visible().enumerate() {
        let taken = prompt.taken == Some(i);
        let style = if taken { look.selected() } else { look.link() };
        let name = span(cell(&safe(&offer.shown), widest), style);
        let line = Line::from(vec![span("  ", Style::new()), name, span(format!("  {}", offer.meaning), look.dim())]);
        paint_row(buffer, area, row, &line, Focus::No, look);
    }
    // In the last row, where it covers nothing that matters more.
    let more = prompt.offers.len().saturating_sub(from + rows);
    if more > 0 && rows > 0 {
        let words = format!("  and {more} more ");
        let wide = u16::try_from(words.len()).unwrap_or(0);
        if wide + 24 < area.width {
            buffer.set_stringn(area.right() - wide, area.bottom() - 1, &words, wide.into(), look.dim());
        }
    }
}

/// The keys that work now; what does not fit is in the help.
pub(crate) fn footer(scene: &Scene<'_>, state: &State, context: &Context, regions: &Regions, buffer: &mut Buffer) {
    let look = state.look;
    let area = regions.footer;
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
    Some(span(clip(&words, columns.saturating_sub(HELP_AND_QUIT).max(columns / 2)), style))
}
