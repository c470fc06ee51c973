//! The story of an incident: where it started, what it touched and whether it goes on; then its stages in time order,
//! each with what happened and why it belongs to the ones before.

use lanner_core::detect::{Incident, Stage, Status, technique_name};
use lanner_core::event::BootTime;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::look::{Look, glyph};
use super::super::scene::Scene;
use super::super::state::State;
use super::super::text::{cell, cell_right, count, grouped, safe, shown, width, wrap};
use super::super::view::ViewState;
use super::super::{when, words};
use super::{Focus, incidents, paint_row, span};

/// Where a stage's sentence begins.
const INDENT: usize = 5;

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
    let width = usize::from(area.width).saturating_sub(1);
    let airy = area.height >= 14;
    // Each line with the stage that it tells; those before the first stage tell of all.
    let mut lines: Vec<(Option<usize>, Line<'static>)> =
        summary(scene, incident, width, state.look).into_iter().map(|l| (None, l)).collect();
    let mut before = None;
    for (i, stage) in scene.stages(incident).iter().enumerate() {
        if airy || i == 0 {
            lines.push((None, Line::default()));
        }
        lines.extend(stage_lines(scene, i, stage, before, width, state.look).into_iter().map(|l| (Some(i), l)));
        before = Some(stage.time);
    }

    let selected = state.story.then_some(state.stage);
    let height = usize::from(area.height);
    let first = lines.iter().position(|(of, _)| selected.is_some() && *of == selected);
    let last = lines.iter().rposition(|(of, _)| selected.is_some() && *of == selected);
    view.story = match (first, last) {
        // The first stage is seen together with what leads to it.
        (Some(_), _) if selected == Some(0) => 0,
        (Some(first), Some(last)) => {
            let lowest = (last + 1).saturating_sub(height).min(first);
            view.story.clamp(lowest, first)
        }
        _ => 0,
    }
    .min(lines.len().saturating_sub(height));
    for (row, (of, line)) in lines.iter().skip(view.story).take(height).enumerate() {
        let focus = if of.is_some() && *of == selected { Focus::Here } else { Focus::No };
        paint_row(buffer, area, row, line, focus, state.look);
    }
    let hidden = lines.len().saturating_sub(view.story + height);
    if hidden > 0 {
        let more = format!(" {} below ", count(hidden, "line", "lines"));
        let x = area.right().saturating_sub(u16::try_from(more.len()).unwrap_or(0) + 1).max(area.x);
        buffer.set_stringn(x, area.bottom() - 1, more, usize::from(area.right() - x), state.look.dim());
    }
}

/// What a responder asks first, in three lines.
fn summary(scene: &Scene<'_>, incident: &Incident, columns: usize, look: Look) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut fact = |label: &str, text: String| {
        for (i, part) in wrap(&text, columns.saturating_sub(10)).into_iter().enumerate().take(3) {
            let label = if i == 0 { cell(label, 9) } else { cell("", 9) };
            lines.push(Line::from(vec![span(label, look.dim()), span(part, ratatui::style::Style::new())]));
        }
    };
    if let Some(first) = scene.stages(incident).first() {
        let place = match &first.process.container {
            Some(id) => format!("in container {}", words::container(id)),
            None => "on the host".to_owned(),
        };
        let who = words::who(first.process.key, scene);
        fact("started", format!("{} UTC, with {who} {place}", when::clock(scene.node, first.time)));
    }
    let mut touched = Vec::new();
    touched.extend(incident.files.iter().map(|f| shown(f, 120)));
    touched.extend(incident.peers.iter().map(ToString::to_string));
    if !touched.is_empty() {
        let more = touched.len().saturating_sub(6);
        touched.truncate(6);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        fact("touched", format!("{}{more}", touched.join(", ")));
    }
    let living = incident.processes.iter().filter(|p| {
        p.key.start <= scene.now() && scene.graph.process(p.key).is_some_and(|known| scene.is_alive(known))
    });
    let (living, all) = (living.count(), incident.processes.len());
    let seen = when::age(scene.now().since(incident.last_time));
    fact(
        "now",
        match scene.status(incident) {
            Status::Ongoing if living > 0 => {
                format!("ongoing: {living} of its {} alive, last seen {seen} ago", count(all, "process", "processes"))
            }
            Status::Ongoing => format!("ongoing, last seen {seen} ago"),
            Status::Over => format!("over: all of its {} have ended, {seen} ago", count(all, "process", "processes")),
            Status::Merged => "part of another incident".to_owned(),
        },
    );
    if let Some(chain) = &incident.chain {
        let begun = scene.stages(incident).len();
        fact("follows", format!("{} of {} steps of \"{}\"", chain.found.min(begun), chain.steps, safe(&chain.name)));
    }
    let (word, style) = incidents::status(scene, incident, look);
    // The status stands out in its own colour.
    for line in &mut lines {
        if let Some(text) = line.spans.get_mut(1)
            && let Some(rest) = text.content.strip_prefix(word).map(str::to_owned)
        {
            line.spans.truncate(1);
            line.spans.push(span(word, style));
            line.spans.push(span(rest, ratatui::style::Style::new()));
        }
    }
    lines
}

/// One stage.
pub(crate) fn stage_lines(
    scene: &Scene<'_>,
    index: usize,
    stage: &Stage,
    before: Option<BootTime>,
    columns: usize,
    look: Look,
) -> Vec<Line<'static>> {
    let severity = look.severity(stage.severity);
    let gap = before.map(|b| format!("+{}", when::short(stage.time.since(b)))).unwrap_or_default();
    let name = technique_name(&stage.technique).unwrap_or_default();
    let technique = safe(format!("{} {name}", stage.technique).trim());
    let tactic = stage.tactic.to_string();

    let mut head = vec![
        span(cell_right(&(index + 1).to_string(), 2), severity),
        span(format!(" {} ", glyph(stage.severity)), severity),
        span(when::clock(scene.node, stage.time), look.strong()),
        span(format!(" {} ", cell_right(&gap, 7)), look.dim()),
    ];
    let taken: usize = head.iter().map(|s| s.width()).sum();
    let mut lines = Vec::new();
    let indent = || span(" ".repeat(INDENT), look.dim());
    if taken + width(&tactic) + 2 + width(&technique) <= columns {
        head.extend([span(tactic, look.accent()), span(format!("  {technique}"), look.dim())]);
        lines.push(Line::from(head));
    } else {
        head.push(span(tactic, look.accent()));
        lines.push(Line::from(head));
        lines.extend(
            wrap(&technique, columns.saturating_sub(INDENT))
                .into_iter()
                .map(|t| Line::from(vec![indent(), span(t, look.dim())])),
        );
    }
    let body = columns.saturating_sub(INDENT);
    for part in wrap(&safe(&stage.sentence), body) {
        lines.push(Line::from(vec![indent(), span(part, ratatui::style::Style::new())]));
    }
    if stage.count > 1 {
        let times = format!("{} times, until {}", grouped(stage.count), when::clock(scene.node, stage.last_time));
        lines.push(Line::from(vec![indent(), span(times, look.dim())]));
    }
    if let Some(link) = &stage.link {
        let why = format!("linked to {}: {}", link.to_stage + 1, safe(&link.why));
        for (i, part) in wrap(&why, body.saturating_sub(2)).into_iter().enumerate() {
            let lead = if i == 0 { "╰ " } else { "  " };
            lines.push(Line::from(vec![indent(), span(lead, look.dim()), span(part, look.link())]));
        }
    }
    lines
}
