//! The events as lines, oldest first. While none is selected it follows what happens.

use std::collections::VecDeque;

use lanner_core::event::BootTime;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::command::Command;
use super::super::filter::Filter;
use super::super::history::Entry;
use super::super::look::glyph;
use super::super::scene::Scene;
use super::super::state::{Clock, State, Subject};
use super::super::text::{cell, clip, grouped};
use super::super::view::ViewState;
use super::super::{when, words};
use super::{Focus, moved, paint_empty, paint_row, scroll, span, waiting};

/// Which events are listed: all that are kept, or those that the filter lets through.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// The numbers of those that match; `None` while there is no filter.
    matching: Option<VecDeque<u64>>,
    /// All events before this number have been asked.
    asked: u64,
}

impl Listing {
    /// Asks the events that have come since.
    pub(crate) fn extend(&mut self, scene: &Scene<'_>, filter: &Filter) {
        let Some(matching) = &mut self.matching else { return };
        let first = scene.history.start();
        while matching.front().is_some_and(|number| *number < first) {
            matching.pop_front();
        }
        for number in self.asked.max(first)..scene.history.end() {
            if scene.history.get(number).is_some_and(|e| filter.event(&e.event, scene)) {
                matching.push_back(number);
            }
        }
        self.asked = scene.history.end();
    }

    /// Asks all events anew.
    pub(crate) fn rebuild(&mut self, scene: &Scene<'_>, filter: &Filter) {
        self.matching = (!filter.is_empty()).then(VecDeque::new);
        self.asked = 0;
        self.extend(scene, filter);
    }

    /// How many are listed as of the moment that is shown.
    pub(crate) fn len(&self, scene: &Scene<'_>) -> usize {
        match &self.matching {
            Some(matching) => matching.partition_point(|n| *n < scene.at.end),
            None => usize::try_from(scene.at.end.saturating_sub(scene.history.start())).unwrap_or(usize::MAX),
        }
    }

    /// The numbers of the events that match the filter; none while there is no filter.
    pub(crate) fn matching(&self) -> impl Iterator<Item = u64> {
        self.matching.iter().flatten().copied()
    }

    /// The number of the event in a row.
    fn number(&self, scene: &Scene<'_>, row: usize) -> Option<u64> {
        match &self.matching {
            Some(matching) => matching.get(row).copied(),
            None => Some(scene.history.start() + row as u64),
        }
    }

    /// The row of an event, or of the first after it.
    fn row(&self, scene: &Scene<'_>, number: u64) -> usize {
        let row = match &self.matching {
            Some(matching) => matching.partition_point(|n| *n < number),
            None => usize::try_from(number.saturating_sub(scene.history.start())).unwrap_or(usize::MAX),
        };
        row.min(self.len(scene).saturating_sub(1))
    }
}

/// The row of the selection; the last one while the view follows.
fn position(scene: &Scene<'_>, state: &State) -> usize {
    match state.event {
        Some(number) => state.listing.row(scene, number),
        None => state.listing.len(scene).saturating_sub(1),
    }
}

pub(crate) fn draw(scene: &Scene<'_>, state: &State, view: &mut ViewState, area: Rect, buffer: &mut Buffer) {
    let look = state.look;
    let len = state.listing.len(scene);
    if len == 0 {
        let (title, sentence) = match waiting(scene) {
            Some(waiting) => waiting,
            None => (
                "No event matches the filter".to_owned(),
                "New ones appear as soon as they come. Esc takes the filter off.".to_owned(),
            ),
        };
        paint_empty(buffer, area, &title, &[&sentence], look);
        return;
    }
    let at = position(scene, state);
    draw_head(scene, state, at, len, area, buffer);
    let list = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    view.timeline = scroll(view.timeline, at, usize::from(list.height), len);
    let zero = state.listing.number(scene, 0).and_then(|n| scene.event(n)).map(|e| e.event.header.time);
    for row in 0..usize::from(list.height) {
        let index = view.timeline + row;
        let Some(entry) = state.listing.number(scene, index).filter(|_| index < len).and_then(|n| scene.event(n))
        else {
            break;
        };
        let before = index.checked_sub(1).and_then(|i| state.listing.number(scene, i)).and_then(|n| scene.event(n));
        let time = match state.clock {
            Clock::Wall => when::clock_millis(scene.node, entry.event.header.time),
            Clock::SinceStart => precise_since(zero, entry),
            Clock::SinceLast => precise_since(before.map(|e| e.event.header.time), entry),
        };
        let focus = if index == at { Focus::Here } else { Focus::No };
        paint_row(buffer, list, row, &line(scene, state, entry, &time, usize::from(list.width)), focus, look);
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
    let following = match (state.event, state.paused) {
        (None, None) => span("following", look.good()),
        (None, Some(_)) => span("held", look.warn()),
        (Some(_), _) => span("G follows", look.dim()),
    };
    let mut spans = vec![
        span(format!("{}   ", cell(clock, 12)), look.dim()),
        following,
        span(format!("  {} of {}", grouped(at as u64 + 1), grouped(len as u64)), look.dim()),
    ];
    if scene.history.let_go() > 0 {
        spans.push(span(format!("  {} older let go", grouped(scene.history.let_go())), look.warn()));
    }
    paint_row(buffer, area, 0, &Line::from(spans), Focus::No, look);
}

fn line(scene: &Scene<'_>, state: &State, entry: &Entry, time: &str, width: usize) -> Line<'static> {
    let look = state.look;
    let event = &entry.event;
    let mut spans = vec![span(format!("{time} "), look.dim())];
    match &entry.signal {
        Some((severity, _)) => spans.push(span(glyph(*severity), look.severity(*severity))),
        None => spans.push(Span::raw(" ")),
    }
    if width >= 60 {
        spans.push(span(format!(" {}", cell(event.payload.family(), 10)), look.accent()));
    } else {
        spans.push(Span::raw(" "));
    }
    let columns = if width >= 60 { 19 } else { 12 };
    spans.push(span(
        format!("{} ", cell(&words::who_within(event.header.process, scene, columns), columns)),
        look.strong(),
    ));
    if width >= 110 {
        let container =
            scene.container_of_event(event).map(|id| words::container_label(id, scene.graph)).unwrap_or_default();
        spans.push(span(format!("{} ", cell(&container, 12)), look.dim()));
    }
    let left = width.saturating_sub(spans.iter().map(|s| s.width()).sum::<usize>() + 1);
    spans.push(span(clip(&words::phrase(event, scene), left), Style::new()));
    Line::from(spans)
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
        Command::Last => state.event = None,
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
                let stays_last = to + 1 == len && state.event.is_none();
                if !stays_last {
                    state.select_event(scene, number);
                }
            }
        }
    }
}
