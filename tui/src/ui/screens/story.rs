//! The story of an incident: where it started, what it touched and whether it goes on; then its stages in time order,
//! each with what happened and why it belongs to the ones before. Where it does not fit whole, each stage takes two lines, of
//! low severity one and at last of medium severity too, and only the selected one is told in full, so that the whole attack
//! is seen at once.

use std::collections::HashSet;

use lanner_core::detect::{Incident, Severity, Stage, Status, technique_name};
use lanner_core::event::BootTime;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::super::look::{Look, glyph};
use super::super::scene::Scene;
use super::super::state::State;
use super::super::text::{cell, cell_right, clip, count, grouped, safe, shown, width, wrap};
use super::super::view::ViewState;
use super::super::{when, words};
use super::{Focus, incidents, paint_more, paint_row, span};

/// Where a stage's sentence begins.
const INDENT: usize = 5;

/// Fewer columns hold no sentence beside a tactic.
const TERSE_FROM: usize = 60;

/// How much is said of each stage.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// All, on as many lines as it takes.
    Full,
    /// A line, and the whole sentence that says what happened; of the selected stage all.
    Said,
    /// Two lines; of the selected stage all.
    Brief,
    /// As [`Detail::Brief`], and of a stage of low severity one line.
    Terse,
    /// As [`Detail::Terse`], and of a stage of medium severity one line too.
    Tersest,
}

/// How many lines the summary of an incident may take: its story, each other fact, and whether where it started is said.
#[derive(Clone, Copy)]
struct Room {
    story: usize,
    fact: usize,
    started: bool,
}

impl Room {
    const AMPLE: Room = Room { story: 6, fact: 3, started: true };
    const SHORT: Room = Room { fact: 1, ..Room::AMPLE };
    /// The story says where it started.
    const SHORTER: Room = Room { started: false, ..Room::SHORT };
    const SHORTEST: Room = Room { story: 3, ..Room::SHORTER };
    const LEAST: Room = Room { story: 1, ..Room::SHORTER };
}

/// A line, and the stage that it tells; `None` for those that tell of all.
type Told = (Option<usize>, Line<'static>);

/// Draws the story below a rule, in which it says how much of it lies further down.
pub(crate) fn draw(
    scene: &Scene<'_>,
    state: &State,
    incident: &Incident,
    view: &mut ViewState,
    area: Rect,
    buffer: &mut Buffer,
) {
    if area.height == 0 {
        return;
    }
    let height = usize::from(area.height);
    let selected = state.in_story().then_some(state.selection.stage);
    let lines = lines(scene, incident, selected, area, state.look);
    let first = lines.iter().position(|(of, _)| selected.is_some() && *of == selected);
    let last = lines.iter().rposition(|(of, _)| selected.is_some() && *of == selected);
    view.story = match (first, last) {
        // The first stage is seen together with what leads to it, when both fit.
        (Some(_), Some(last)) if selected == Some(0) && last < height => 0,
        (Some(first), Some(last)) => {
            let lowest = (last + 1).saturating_sub(height).min(first);
            view.story.clamp(lowest, first)
        }
        _ => 0,
    }
    .min(lines.len().saturating_sub(height));
    for (row, (of, line)) in lines.iter().skip(view.story).take(height).enumerate() {
        let focus = match of.is_some() && *of == selected {
            false => Focus::No,
            true if first == Some(view.story + row) => Focus::Here,
            true => Focus::Further,
        };
        paint_row(buffer, area, row, line, focus, state.look);
    }
    paint_more(buffer, area, lines.len().saturating_sub(view.story + height), state.look);
}

fn lines(scene: &Scene<'_>, incident: &Incident, selected: Option<usize>, area: Rect, look: Look) -> Vec<Told> {
    let columns = usize::from(area.width).saturating_sub(1);
    let height = usize::from(area.height);
    let told = |room, selected, detail, air| -> Vec<Told> {
        let summary = summary(scene, incident, columns, room, look).into_iter().map(|line| (None, line));
        summary.chain(stages(scene, incident, selected, detail, air, columns, look)).collect()
    };
    let has_room = columns >= TERSE_FROM;
    let terse = |detail| if has_room { detail } else { Detail::Brief };
    let (tersest, shortest) = (terse(Detail::Tersest), if has_room { Room::SHORTEST } else { Room::LEAST });
    // In full and with air, in full, and ever shorter: the first that fits.
    for (room, selected, detail, air) in [
        (Room::AMPLE, None, Detail::Full, true),
        (Room::AMPLE, None, Detail::Full, false),
        (Room::AMPLE, selected, Detail::Said, false),
        (Room::AMPLE, selected, Detail::Brief, false),
        (Room::SHORT, selected, Detail::Brief, false),
        (Room::SHORT, selected, terse(Detail::Terse), false),
        (Room::SHORTER, selected, terse(Detail::Terse), false),
        (Room::SHORTER, selected, tersest, false),
    ] {
        let lines = told(room, selected, detail, air);
        if lines.len() <= height {
            return lines;
        }
    }
    told(shortest, selected, tersest, false)
}

fn stages(
    scene: &Scene<'_>,
    incident: &Incident,
    selected: Option<usize>,
    detail: Detail,
    air: bool,
    columns: usize,
    look: Look,
) -> Vec<Told> {
    let mut lines = Vec::new();
    let mut before = None;
    for (i, stage) in scene.stages(incident).iter().enumerate() {
        if air || (i == 0 && detail == Detail::Full) {
            lines.push((None, Line::default()));
        }
        let detail = match detail {
            _ if selected == Some(i) => Detail::Full,
            Detail::Terse if stage.severity > Severity::Low => Detail::Brief,
            Detail::Tersest if stage.severity > Severity::Medium => Detail::Brief,
            detail => detail,
        };
        let told = head(scene, i, stage, before, detail, columns, look);
        let rest = match detail {
            Detail::Full => in_full(scene, stage, columns, look),
            Detail::Said => said(stage, columns),
            Detail::Brief => in_brief(stage, columns),
            Detail::Terse | Detail::Tersest => Vec::new(),
        };
        lines.extend(told.into_iter().chain(rest).map(|l| (Some(i), l)));
        before = Some(stage.time);
    }
    lines
}

/// Whether the attack goes on: the line above its story.
pub(crate) fn title(scene: &Scene<'_>, incident: &Incident, look: Look) -> Line<'static> {
    let (status, style) = incidents::status(scene, incident, look);
    let living = incident.processes.iter().filter(|p| {
        p.key.start <= scene.now() && scene.graph.process(p.key).is_some_and(|known| scene.is_alive(known))
    });
    let (living, all) = (living.count(), count(incident.processes.len(), "process", "processes"));
    let seen = words::age(incident.last_time, scene.now());
    let rest = match scene.status(incident) {
        Status::Ongoing if living > 0 => format!(": {living} of its {all} alive, last seen {seen} ago"),
        Status::Ongoing => format!(", last seen {seen} ago"),
        Status::Over => format!(": its {all} have ended, the last {seen} ago"),
        Status::Merged => " with another incident".to_owned(),
    };
    Line::from(vec![span(status, style), span(rest, look.dim())])
}

/// What a responder asks first: where it started, what it touched and what happened.
fn summary(scene: &Scene<'_>, incident: &Incident, columns: usize, most: Room, look: Look) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let room = columns.saturating_sub(9);
    let mut fact = |label: &str, text: &str, most: usize| {
        let parts = wrap(text, room);
        let cut = parts.len() > most;
        for (i, mut part) in parts.into_iter().enumerate().take(most) {
            if cut && i + 1 == most {
                part = clip(&format!("{part} …"), room);
            }
            let label = cell(if i == 0 { label } else { "" }, 9);
            lines.push(Line::from(vec![span(label, look.dim()), span(part, Style::new())]));
        }
    };
    if let Some(first) = scene.stages(incident).first().filter(|_| most.started) {
        let place = match &first.process.container {
            Some(id) => format!("in container {}", words::container_title(id, scene.graph)),
            None => "on the host".to_owned(),
        };
        let who = words::who(first.process.key, scene);
        fact("started", &format!("{} UTC, with {who} {place}", when::clock(scene.node, first.time)), most.fact);
    }
    let touched = touched(incident, room * most.fact);
    if !touched.is_empty() {
        fact("touched", &touched, most.fact);
    }
    // It tells of all that was found, which at an earlier moment had not happened.
    let is_told = |stages: usize| scene.stages(incident).len() >= stages;
    if let Some(chain) = incident.chain.as_ref().filter(|c| !c.story.is_empty() && is_told(incident.stages.len())) {
        fact("story", &safe(&chain.story), most.story);
    }
    if let Some(chain) = incident.chain.as_ref().filter(|chain| chain.name != incident.name) {
        let found = chain.found.min(scene.stages(incident).len());
        fact("follows", &format!("{found} of {} steps of \"{}\"", chain.steps, safe(&chain.name)), most.fact);
    }
    lines
}

/// Files and peers in turn, as many as about `room` columns hold: first those that a stage is about.
fn touched(incident: &Incident, room: usize) -> String {
    let times = || incident.stages.iter().flat_map(|stage| &stage.times);
    let (mut files, mut peers): (Vec<_>, Vec<_>) = (incident.files.iter().collect(), incident.peers.iter().collect());
    let (of_files, of_peers): (HashSet<_>, HashSet<_>) =
        (times().map(|time| &time.file).collect(), times().filter_map(|time| time.peer.as_ref()).collect());
    files.sort_by_key(|file| !of_files.contains(file));
    peers.sort_by_key(|peer| !of_peers.contains(peer));
    let all: Vec<String> = (0..files.len().max(peers.len()))
        .flat_map(|i| [files.get(i).map(|f| shown(f, 60)), peers.get(i).map(ToString::to_string)])
        .flatten()
        .collect();
    let mut out = String::new();
    for (i, one) in all.iter().enumerate() {
        let more = format!(", and {} more", all.len() - i);
        let last = i + 1 == all.len();
        if i > 0 && width(&out) + 2 + width(one) + if last { 0 } else { width(&more) } > room {
            out.push_str(&more);
            break;
        }
        if i > 0 {
            out.push_str(", ");
        }
        out.push_str(one);
    }
    out
}

/// Number, time, tactic and technique, or in the place of that what happened, when no line follows that says it; and what it
/// follows from, when no more is said of that.
fn head(
    scene: &Scene<'_>,
    index: usize,
    stage: &Stage,
    before: Option<BootTime>,
    detail: Detail,
    columns: usize,
    look: Look,
) -> Vec<Line<'static>> {
    let brief = detail != Detail::Full;
    let severity = look.severity(stage.severity);
    let gap = before.map(|b| format!("+{}", when::short(stage.time.since(b)))).unwrap_or_default();
    let tactic = stage.tactic.to_string();
    let (what, style) = match detail {
        Detail::Terse | Detail::Tersest => (safe(&stage.sentence), Style::new()),
        _ => (technique(stage), look.dim()),
    };
    let mut spans = vec![
        span(cell_right(&(index + 1).to_string(), 2), severity),
        span(format!(" {} ", glyph(stage.severity)), severity),
        span(when::clock(scene.node, stage.time), look.strong()),
        span(format!(" {} ", cell_right(&gap, 7)), look.dim()),
        span(tactic, look.accent()),
    ];
    let taken: usize = spans.iter().map(|s| s.width()).sum();
    let from = match &stage.link {
        Some(link) if brief => format!("╰ {}", link.to_stage + 1),
        _ => String::new(),
    };
    let room = columns.saturating_sub(taken + 2 + if from.is_empty() { 0 } else { width(&from) + 2 });
    let fits = width(&what) <= room;
    if fits || brief {
        let room = if fits || room >= 12 { room } else { 0 };
        spans.push(span(format!("  {}", cell(&what, room)), style));
        if room > 0 {
            spans.push(span(format!("  {from}"), look.link()));
        }
        return vec![Line::from(spans)];
    }
    let mut lines = vec![Line::from(spans)];
    lines.extend(wrap(&what, columns.saturating_sub(INDENT)).into_iter().map(|t| body(t, style)));
    lines
}

fn technique(stage: &Stage) -> String {
    let name = technique_name(&stage.technique).unwrap_or_default();
    safe(format!("{} {name}", stage.technique).trim())
}

fn body(text: String, style: Style) -> Line<'static> {
    Line::from(vec![span(" ".repeat(INDENT), style), span(text, style)])
}

fn said(stage: &Stage, columns: usize) -> Vec<Line<'static>> {
    let room = columns.saturating_sub(INDENT);
    wrap(&safe(&stage.sentence), room).into_iter().map(|t| body(t, Style::new())).collect()
}

fn in_brief(stage: &Stage, columns: usize) -> Vec<Line<'static>> {
    vec![body(clip(&safe(&stage.sentence), columns.saturating_sub(INDENT)), Style::new())]
}

fn in_full(scene: &Scene<'_>, stage: &Stage, columns: usize, look: Look) -> Vec<Line<'static>> {
    let room = columns.saturating_sub(INDENT);
    let mut lines = said(stage, columns);
    if stage.count > 1 {
        let times = format!("{} times, until {}", grouped(stage.count), when::clock(scene.node, stage.last_time));
        lines.push(body(times, look.dim()));
    }
    if let Some(link) = &stage.link {
        let why = format!("linked to {}: {}", link.to_stage + 1, safe(&link.why));
        for (i, part) in wrap(&why, room.saturating_sub(2)).into_iter().enumerate() {
            let lead = if i == 0 { "╰ " } else { "  " };
            lines.push(body(format!("{lead}{part}"), look.link()));
        }
    }
    lines
}
