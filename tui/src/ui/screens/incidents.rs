//! The incidents, and the story of the selected one. It is the first screen: what happened, where it started, what it
//! touched and whether it goes on.

use lanner_core::detect::{Incident, Stage, Status};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::super::command::Command;
use super::super::look::{Look, glyph};
use super::super::scene::Scene;
use super::super::state::{Screen, State, Subject};
use super::super::text::{self, cell, cell_right, count, safe};
use super::super::view::ViewState;
use super::super::{when, words};
use super::{Focus, moved, paint_empty, paint_row, paint_rule, scroll, span, story, waiting};

/// Below this height the pane that has the keys gets all it can.
const LOW: u16 = 12;

/// The incidents that are listed: those of the moment that the filter lets through.
pub(crate) fn listed<'a>(scene: &Scene<'a>, state: &State) -> Vec<&'a Incident> {
    let scope = state.scope(scene);
    let passes = |i: &&Incident| scope.incident(i, scene) && state.filter.incident(i, scene);
    let mut listed: Vec<&Incident> = scene.incidents().into_iter().filter(passes).collect();
    let sort = state.sorts.of(Screen::Incidents);
    match sort.by {
        1 => listed.sort_by_key(|i| std::cmp::Reverse(i.first_time)),
        2 => listed.sort_by_key(|i| std::cmp::Reverse(scene.stages(i).len())),
        _ => {}
    }
    if sort.reversed {
        listed.reverse();
    }
    listed
}

/// The selected incident: the one that was chosen, or that it became part of, else the first of the list.
pub(crate) fn selected<'a>(scene: &Scene<'a>, state: &State) -> Option<&'a Incident> {
    let listed = listed(scene, state);
    let chosen = state.selection.incident.as_deref().and_then(|id| scene.incident(id)).map(|incident| {
        let whole = incident.merged_into.as_deref().and_then(|id| scene.incident(id));
        whole.unwrap_or(incident)
    });
    chosen.filter(|c| listed.iter().any(|i| i.id == c.id)).or(listed.first().copied())
}

/// What Enter looks into: the incident, or in its story the stage.
pub(crate) fn selected_subject(scene: &Scene<'_>, state: &State) -> Option<Subject> {
    let incident = selected(scene, state)?;
    Some(match state.in_story() {
        true => Subject::Stage { incident: incident.id.clone(), stage: state.selection.stage },
        false => Subject::Incident(incident.id.clone()),
    })
}

/// Turns to the incident and stage that rest on an event, if there are such.
pub(crate) fn turn_to_event(scene: &Scene<'_>, state: &mut State, seq: u64) {
    for incident in scene.incidents() {
        let rests = |stage: &Stage| stage.evidence.contains(&seq);
        if let Some(stage) = scene.stages(incident).iter().position(rests) {
            state.selection.incident = Some(incident.id.clone());
            state.selection.stage = stage;
            return;
        }
    }
}

/// Makes the process of the selected stage the selection of the screens that show processes: of a new incident that with
/// which it began.
pub(crate) fn turn_to_process(scene: &Scene<'_>, state: &mut State) {
    let Some(incident) = selected(scene, state) else { return };
    if let Some(stage) = scene.stages(incident).get(state.selection.stage) {
        state.select_process(stage.process.key);
    }
}

/// The areas of the list and of the story, with a rule between them.
fn areas(area: Rect, incidents: usize, state: &State) -> (Rect, Rect) {
    let most = if state.in_story() && area.height < LOW { 1 } else { (area.height / 3).max(1) };
    let height = u16::try_from(incidents).unwrap_or(u16::MAX).clamp(1, most).min(area.height);
    let below = area.height.saturating_sub(height + 1);
    (Rect { height, ..area }, Rect { y: area.bottom() - below, height: below, ..area })
}

pub(crate) fn draw(scene: &Scene<'_>, state: &State, view: &mut ViewState, area: Rect, buffer: &mut Buffer) {
    let look = state.look;
    let incidents = listed(scene, state);
    let Some(selected) = selected(scene, state) else {
        draw_empty(scene, state, area, buffer);
        return;
    };
    let (list, below) = areas(area, incidents.len(), state);
    let at = incidents.iter().position(|i| i.id == selected.id).unwrap_or(0);
    view.incidents = scroll(view.incidents, at, usize::from(list.height), incidents.len());
    let visible = incidents.iter().enumerate().skip(view.incidents).take(usize::from(list.height));
    for (row, (i, incident)) in visible.enumerate() {
        let focus = match (i == at, state.in_story()) {
            (false, _) => Focus::No,
            (true, false) => Focus::Here,
            (true, true) => Focus::Elsewhere,
        };
        paint_row(buffer, list, row, &line(scene, incident, usize::from(list.width), look), focus, look);
    }
    paint_rule(buffer, area, list.bottom(), story::title(scene, selected, look), look);
    story::draw(scene, state, selected, view, below, buffer);
}

fn draw_empty(scene: &Scene<'_>, state: &State, area: Rect, buffer: &mut Buffer) {
    if !state.filter.is_empty() && !scene.incidents().is_empty() {
        let sentences = ["Every incident is filtered away. Esc takes the filter off."];
        paint_empty(buffer, area, "No incident matches the filter", &sentences, state.look);
        return;
    }
    if let Some((title, sentence)) = waiting(scene) {
        paint_empty(buffer, area, &title, &[&sentence], state.look);
        return;
    }
    if state.cursor.is_some() && !scene.in_hindsight().incidents().is_empty() {
        let sentences =
            ["Nothing that had happened until then weighed enough. ] goes on to the next signal, f back to now."];
        paint_empty(buffer, area, "No incident at this moment", &sentences, state.look);
        return;
    }
    let raised = match scene.signals.len() {
        0 => String::new(),
        n => {
            format!("{} so far: each alone weighs too little. [ shows the latest.", count(n, "signal", "signals"))
        }
    };
    let sentences = [
        "Every event is held against the rules. When what fits weighs enough, its story begins here.",
        &raised,
        "2 shows the processes, 4 their connections, 5 their files, 6 the events as they come, 7 what the sensor can and cannot see.",
    ];
    paint_empty(buffer, area, "No incident so far", &sentences, state.look);
}

/// Whether an incident goes on, in a word and its colour.
pub(crate) fn status(scene: &Scene<'_>, incident: &Incident, look: Look) -> (&'static str, Style) {
    match scene.status(incident) {
        Status::Ongoing => ("ongoing", look.warn()),
        Status::Over => ("over", look.dim()),
        Status::Merged => ("merged", look.dim()),
    }
}

/// `8/8`: stages found, of those that the known story has.
fn stages(scene: &Scene<'_>, incident: &Incident) -> String {
    let begun = scene.stages(incident).len();
    match &incident.chain {
        Some(chain) => format!("{}/{}", chain.found.min(begun), chain.steps),
        None => begun.to_string(),
    }
}

fn places(incident: &Incident, scene: &Scene<'_>) -> String {
    let mut containers: Vec<_> = incident.processes.iter().filter_map(|p| p.container.as_ref()).collect();
    containers.sort_unstable();
    containers.dedup();
    let on_host = incident.processes.iter().any(|p| p.container.is_none());
    match (containers.as_slice(), on_host) {
        ([], _) => "host".to_owned(),
        ([one], false) => words::container_label(one, scene.graph),
        ([one], true) => format!("{}, host", words::container_label(one, scene.graph)),
        (many, _) => format!("{} containers", many.len()),
    }
}

fn line(scene: &Scene<'_>, incident: &Incident, width: usize, look: Look) -> Line<'static> {
    let (status, status_style) = status(scene, incident, look);
    let severity = look.severity(incident.severity);
    let end = if scene.status(incident) == Status::Ongoing { scene.now() } else { incident.last_time };
    let lasted = when::short(end.since(incident.first_time));
    let name = safe(&incident.name);
    let mut spans = vec![span(format!("{} ", glyph(incident.severity)), severity)];
    // From the right: the status matters most, then how much of the story, then where, then how long.
    let mut right = vec![span(cell_right(status, 8), status_style)];
    if width >= 50 {
        right.insert(0, span(cell_right(&stages(scene, incident), 6), look.strong()));
    }
    if width >= 70 {
        right.insert(1, span(cell_right(&lasted, 7), look.dim()));
        spans.push(span(cell(incident.severity.word(), 9), severity));
    }
    if width >= 96 {
        right.insert(0, span(cell_right(&places(incident, scene), 22), look.dim()));
    }
    let taken: usize = spans.iter().chain(&right).map(|s| s.width()).sum();
    let room = width.saturating_sub(taken + 2);
    // Several incidents may have one name: where there is no column for the place, it takes what the name leaves.
    let place = if width < 96 { format!(" {}", places(incident, scene)) } else { String::new() };
    if text::width(&name) + text::width(&place) <= room {
        spans.push(span(cell(&name, room - text::width(&place)), look.strong()));
        spans.push(span(place, look.dim()));
    } else {
        spans.push(span(cell(&name, room), look.strong()));
    }
    spans.extend(right);
    Line::from(spans)
}

/// Carries out a command.
pub(crate) fn act(scene: &Scene<'_>, state: &mut State, command: Command, page: usize) {
    let Some(incident) = selected(scene, state) else { return };
    let id = incident.id.clone();
    state.selection.incident = Some(id.clone());
    let stages = scene.stages(incident);
    if state.in_story() {
        match command {
            Command::Left => drop(state.step_back()),
            Command::Open => {
                let stage = state.selection.stage.min(stages.len().saturating_sub(1));
                state.select_stage(scene, stage);
                state.open(Subject::Stage { incident: id, stage });
            }
            // A stage takes about four lines.
            _ => {
                if let Some(to) = moved(command, state.selection.stage, stages.len(), page / 4) {
                    state.select_stage(scene, to);
                }
            }
        }
        return;
    }
    if matches!(command, Command::Open | Command::Right) {
        state.open(Subject::Incident(id));
        state.select_stage(scene, state.selection.stage);
        return;
    }
    let listed = listed(scene, state);
    let at = listed.iter().position(|i| i.id == id).unwrap_or(0);
    if let Some(to) = moved(command, at, listed.len(), page) {
        state.select(scene, &Subject::Incident(listed[to].id.clone()));
    }
}
