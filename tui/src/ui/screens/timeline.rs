//! The events as lines, oldest first, and above them how many there were when. While none is selected it follows what
//! happens; moving to an earlier one moves all screens to that moment.

mod density;

use lanner_core::event::{BootTime, Event, Payload};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::command::Command;
use super::super::known::history::Entry;
use super::super::look::glyph;
use super::super::scene::Scene;
use super::super::scope::file_of;
use super::super::state::{Clock, State, Subject};
use super::super::text::{cell, clip, clip_middle, grouped, width};
use super::super::view::ViewState;
use super::super::{when, words};
use super::{Focus, moved, paint_empty, paint_row, scroll, span, waiting, way_out};

/// Lines above the list, at most.
pub(crate) const HEAD: usize = 3;

/// From this height on there is room for the strip.
const STRIP_FROM: u16 = 8;

/// In fewer columns a path is cut at its end: nothing of its name could be seen.
const NAME_FROM: usize = 8;

/// Lines that are seen before and after the selected one: what led to a signal, and what came of it.
const CONTEXT: usize = 3;

/// The row of the selection; the last one while the view follows.
fn position(scene: &Scene<'_>, state: &State) -> usize {
    match state.selection.event {
        Some(number) => state.listing.row(scene, number),
        None => state.listing.len(scene).saturating_sub(1),
    }
}

/// The selected event.
pub(crate) fn selected(scene: &Scene<'_>, state: &State) -> Option<Subject> {
    if state.listing.len(scene) == 0 {
        return None;
    }
    state.listing.number(scene, position(scene, state)).map(Subject::Event)
}

pub(crate) fn draw(scene: &Scene<'_>, state: &State, view: &mut ViewState, area: Rect, buffer: &mut Buffer) {
    let look = state.look;
    // It tells of all times: who did something is known by the name that became known later, too.
    let scene = &scene.in_hindsight();
    let len = state.listing.len(scene);
    if len == 0 {
        let (title, sentence) = match (waiting(scene), state.listing.progress(scene)) {
            (Some(waiting), _) => waiting,
            (None, Some(percent)) => {
                (format!("Looking through the events: {percent} %"), "What is found appears here.".to_owned())
            }
            (None, None) => {
                ("No event here".to_owned(), format!("New ones appear as soon as they come. {}", way_out(state)))
            }
        };
        paint_empty(buffer, area, &title, &[&sentence], look);
        return;
    }
    let at = position(scene, state);
    draw_head(scene, state, at, len, area, buffer);
    let strip = if area.height >= STRIP_FROM { 2 } else { 0 };
    if strip > 0 {
        density::draw(scene, state, Rect { y: area.y + 1, height: strip, ..area }, buffer);
    }
    let list = Rect { y: area.y + 1 + strip, height: area.height.saturating_sub(1 + strip), ..area };
    let height = usize::from(list.height);
    let around = CONTEXT.min(height.saturating_sub(1) / 2);
    let first = scroll(view.timeline, at.saturating_sub(around), height, len);
    view.timeline = scroll(first, (at + around).min(len - 1), height, len);
    let time_of = |row: usize| state.listing.number(scene, row).and_then(|n| scene.history.time(n));
    let zero = time_of(0);
    for row in 0..usize::from(list.height) {
        let index = view.timeline + row;
        let Some(entry) = state.listing.number(scene, index).filter(|_| index < len).and_then(|n| scene.event(n))
        else {
            break;
        };
        let time = match state.clock {
            Clock::Wall => when::clock_millis(scene.node, entry.event.header.time),
            Clock::SinceStart => precise_since(zero, &entry),
            Clock::SinceLast => precise_since(index.checked_sub(1).and_then(time_of), &entry),
        };
        let focus = if index == at { Focus::Here } else { Focus::No };
        paint_row(buffer, list, row, &line(scene, state, &entry, &time, usize::from(list.width)), focus, look);
    }
}

fn precise_since(earlier: Option<BootTime>, entry: &Entry) -> String {
    let time = entry.event.header.time;
    when::precise(time.since(earlier.unwrap_or(time)))
}

fn draw_head(scene: &Scene<'_>, state: &State, at: usize, len: usize, area: Rect, buffer: &mut Buffer) {
    let look = state.look;
    let clock = match state.clock {
        Clock::Wall => "UTC",
        Clock::SinceStart => "SINCE START",
        Clock::SinceLast => "SINCE LAST",
    };
    let following = match (state.selection.event, state.held) {
        (None, None) => span("following", look.good()),
        (None, Some(_)) => span("held", look.warn()),
        (Some(_), _) => span("G follows", look.dim()),
    };
    let searched = state.listing.progress(scene).map(|percent| format!("  {percent} % looked through"));
    let mut spans = vec![
        span(format!("{}   ", cell(clock, 12)), look.dim()),
        following,
        span(format!("  {} of {}", grouped(at as u64 + 1), grouped(len as u64)), look.dim()),
    ];
    spans.extend(searched.map(|words| span(words, look.warn())));
    if scene.history.let_go() > 0 {
        spans.push(span(format!("  {} older let go", grouped(scene.history.let_go())), look.warn()));
    }
    paint_row(buffer, area, 0, &Line::from(spans), Focus::No, look);
}

fn line(scene: &Scene<'_>, state: &State, entry: &Entry, time: &str, columns: usize) -> Line<'static> {
    let look = state.look;
    let event = &entry.event;
    let mut spans = vec![span(format!("{time} "), look.dim())];
    match entry.worst() {
        Some(severity) => spans.push(span(glyph(severity), look.severity(severity))),
        None => spans.push(Span::raw(" ")),
    }
    if columns >= 60 {
        spans.push(span(format!(" {}", cell(event.payload.family(), 10)), look.accent()));
    } else {
        spans.push(Span::raw(" "));
    }
    let doer = if columns >= 60 { 19 } else { 12 };
    spans.push(span(format!("{} ", cell(&words::who_within(event.header.process, scene, doer), doer)), look.strong()));
    if columns >= 110 {
        let container =
            scene.container_of_event(event).map(|id| words::container_label(id, scene.graph)).unwrap_or_default();
        spans.push(span(format!("{} ", cell(&container, 12)), look.dim()));
    }
    let left = columns.saturating_sub(spans.iter().map(|s| s.width()).sum::<usize>() + 1);
    spans.push(span(phrase_within(event, scene, left), Style::new()));
    Line::from(spans)
}

/// What happened, in so many columns: of a file that it is about the name is seen.
fn phrase_within(event: &Event, scene: &Scene<'_>, columns: usize) -> String {
    let phrase = words::phrase(event, scene);
    // Of what was run the beginning says most.
    let is_run = matches!(event.payload, Payload::Exec(_) | Payload::Alive(_));
    if let Some(file) = file_of(event).filter(|file| !is_run && !file.path.is_empty() && width(&phrase) > columns) {
        let path = file.path.to_string();
        let (before, _) = phrase.split_once(&path).unwrap_or((&phrase, ""));
        let room = columns.saturating_sub(width(before));
        if room >= NAME_FROM && width(&path) > room {
            return format!("{before}{}", clip_middle(&path, room));
        }
    }
    clip(&phrase, columns)
}

/// Carries out a command.
pub(crate) fn act(scene: &Scene<'_>, state: &mut State, command: Command, page: usize) {
    let len = state.listing.len(scene);
    match command {
        Command::Clock => {
            state.clock = match state.clock {
                Clock::Wall => Clock::SinceStart,
                Clock::SinceStart => Clock::SinceLast,
                Clock::SinceLast => Clock::Wall,
            };
        }
        Command::Last => state.follow(),
        Command::Open => {
            if let Some(number) = state.listing.number(scene, position(scene, state)).filter(|_| len > 0) {
                state.select_event(scene, number);
                state.open(Subject::Event(number));
            }
        }
        _ => {
            let at = position(scene, state);
            if let Some(to) = moved(command, at, len, page)
                && let Some(number) = state.listing.number(scene, to)
            {
                // Moving down from the last line goes on following.
                let stays_last = to + 1 == len && state.selection.event.is_none();
                if !stays_last {
                    state.go_to(scene, number);
                }
            }
        }
    }
}
