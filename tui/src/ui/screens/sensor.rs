//! What the sensor sees and what it does not: hooks, events, losses. Silence means that nothing happened only as far as
//! this screen says so.

use lanner_core::detect::duration;
use lanner_core::event::{HookLayer, HookState};
use lanner_recording::Header;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::super::command::Command;
use super::super::feed::{ConnectionState, Source};
use super::super::known::lag::WORTH_TELLING;
use super::super::scene::Scene;
use super::super::state::State;
use super::super::text::{cell, cell_right, count, grouped, safe, wrap};
use super::super::when;
use super::{Focus, moved, paint_more, paint_row, span};

/// Columns of a number that stands before what it counts.
const COUNT: usize = 12;

/// Columns of a family of events and how many of it were seen.
const FAMILY: usize = 26;

pub(crate) fn draw(scene: &Scene<'_>, state: &State, area: Rect, buffer: &mut Buffer) {
    let lines = lines(scene, state, usize::from(area.width).saturating_sub(1));
    for (row, line) in lines.iter().skip(state.sensor_line).take(usize::from(area.height)).enumerate() {
        paint_row(buffer, area, row, line, Focus::No, state.look);
    }
    paint_more(buffer, area, lines.len().saturating_sub(state.sensor_line + usize::from(area.height)), state.look);
}

fn lines(scene: &Scene<'_>, state: &State, columns: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    node(scene, state, columns, &mut lines);
    losses(scene, state, columns, &mut lines);
    load(scene, state, columns, &mut lines);
    hooks(scene, state, columns, &mut lines);
    events(scene, state, columns, &mut lines);
    blind(scene, state, columns, &mut lines);
    attached(scene, state, columns, &mut lines);
    lines
}

fn heading(state: &State, title: &str, note: String) -> Line<'static> {
    Line::from(vec![span(format!("{title}  "), state.look.strong()), span(note, state.look.dim())])
}

fn node(scene: &Scene<'_>, state: &State, columns: usize, lines: &mut Vec<Line<'static>>) {
    let node = scene.node;
    if node.name.is_empty() {
        lines.push(heading(state, "Node", "not yet known".to_owned()));
    } else {
        let what = format!("{}  {}  {}", safe(&node.name), safe(&node.kernel), safe(&node.machine));
        lines.push(heading(state, "Node", what));
        let ids = format!("boot {}, collector {}", safe(&node.boot_id), safe(&node.version));
        lines.push(Line::from(span(ids, state.look.dim())));
    }
    if let Some(header) = &scene.reception.recording {
        lines.extend(about(header).iter().flat_map(|said| wrap(said, columns)).map(Line::from));
    }
    if let Some(end) = scene.reception.ended.as_ref().filter(|end| !end.complete) {
        lines.extend(wrap(&safe(&end.words), columns).into_iter().map(|said| Line::from(span(said, state.look.bad()))));
    }
    if let ConnectionState::Lost { why, retry_in } = &scene.reception.connection {
        let why = safe(why);
        let said =
            format!("No connection: {}. It is tried again in {}.", why.trim_end_matches('.'), when::short(*retry_in));
        lines.extend(wrap(&said, columns).into_iter().map(|said| Line::from(span(said, state.look.bad()))));
    }
    lines.push(Line::default());
}

/// What a recording says of itself, in sentences.
fn about(header: &Header) -> Vec<String> {
    let mut said = vec![format!("Recorded by lanner {}. {}", safe(&header.recorded_by), safe(&header.note))];
    if !header.stretched.is_empty() {
        let all = header.stretched.iter().map(|s| s.by).sum();
        let gaps = count(header.stretched.len(), "quiet gap was", "quiet gaps were");
        said.push(format!("Its times are not all as they were: {gaps} stretched, by {} in all.", duration(all)));
    }
    said
}

fn hooks(scene: &Scene<'_>, state: &State, columns: usize, lines: &mut Vec<Line<'static>>) {
    let look = state.look;
    let all = scene.node.hooks.len();
    let (attached, refused) = (scene.node.attached(), scene.node.degraded().count());
    let waiting = match all - attached - refused {
        0 => String::new(),
        n => format!(", {n} waiting"),
    };
    lines.push(heading(state, "Hooks", format!("{attached} attached, {refused} refused{waiting}")));
    let indented = |text: &str, style: Style, lines: &mut Vec<Line<'static>>| {
        for part in wrap(text, columns.saturating_sub(18)) {
            lines.push(Line::from(span(format!("{}{part}", " ".repeat(18)), style)));
        }
    };
    // What is missing comes first: it is why one looks here.
    for refusal in scene.node.refusals() {
        let (first, others) = (safe(refusal.names[0]), refusal.names.len() - 1);
        let name = if others == 0 { first } else { format!("{first} and {others} more") };
        lines.push(row(state, "refused", look.bad(), refusal.layer, name));
        let text = format!("{}. Without it: {}", safe(refusal.why).trim_end_matches('.'), safe(refusal.without));
        indented(&text, look.warn(), lines);
        if others > 0 {
            let names: Vec<String> = refusal.names[1..].iter().map(|name| safe(name)).collect();
            indented(&format!("Also {}", names.join("; ")), look.dim(), lines);
        }
    }
    for hook in &scene.node.hooks {
        let HookState::Waiting(what) = &hook.state else { continue };
        lines.push(row(state, "waiting", look.warn(), hook.layer, safe(&hook.name)));
        let what = safe(what);
        indented(&format!("For {what}. Not seen till then: {}", safe(&hook.without)), look.dim(), lines);
    }
    if all == 0 {
        lines.push(Line::from(span("  none known yet", look.dim())));
    }
    lines.push(Line::default());
}

/// A hook, or several of one state.
fn row(state: &State, word: &str, style: Style, of: HookLayer, names: String) -> Line<'static> {
    let layer = match of {
        HookLayer::Base => "base",
        HookLayer::Full => "full",
    };
    Line::from(vec![
        span(format!("  {}", cell(word, 10)), style),
        span(cell(layer, 6), state.look.dim()),
        span(names, Style::new()),
    ])
}

/// What it costs to watch, and what waits to be fetched.
fn load(scene: &Scene<'_>, state: &State, columns: usize, lines: &mut Vec<Line<'static>>) {
    let Some(told) = &scene.health.load else { return };
    let whose = match scene.reception.source {
        Source::Live => "this program, which is the collector too",
        _ => "the collector",
    };
    lines.push(heading(state, "Cost", format!("of {whose}")));
    let share = told.share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0));
    let mib = format!("{} MiB", told.load.memory >> 20);
    let waiting = grouped(told.load.waiting);
    let room = format!("events wait to be taken in, of at most {}", grouped(told.load.room));
    for (n, what) in [(share, "of one processor"), (mib, "of memory"), (waiting, room.as_str())] {
        counted(&n, Style::new(), what, lines, columns);
    }
    lines.push(Line::default());
}

/// What no hook here tells.
fn blind(scene: &Scene<'_>, state: &State, columns: usize, lines: &mut Vec<Line<'static>>) {
    const INDENT: usize = 15;
    if scene.node.blind.is_empty() {
        return;
    }
    lines.push(heading(state, "Blind", "not seen on this kernel, whatever happens".to_owned()));
    for spot in &scene.node.blind {
        for (row, part) in wrap(&safe(&spot.what), columns.saturating_sub(INDENT)).into_iter().enumerate() {
            let family = if row == 0 { cell(&safe(&spot.family), INDENT - 2) } else { " ".repeat(INDENT - 2) };
            lines
                .push(Line::from(vec![span(format!("  {family}"), state.look.accent()), span(part, state.look.dim())]));
        }
    }
    lines.push(Line::default());
}

/// The hooks at which nothing is missing.
fn attached(scene: &Scene<'_>, state: &State, columns: usize, lines: &mut Vec<Line<'static>>) {
    if scene.node.attached() == 0 {
        return;
    }
    lines.push(heading(state, "Attached", "hooks at which nothing is missing".to_owned()));
    for of in [HookLayer::Base, HookLayer::Full] {
        let attached = scene.node.hooks.iter().filter(|h| h.state == HookState::Attached && h.layer == of);
        let names: Vec<String> = attached.map(|h| safe(&h.name)).collect();
        for (i, part) in wrap(&names.join("; "), columns.saturating_sub(18)).into_iter().enumerate() {
            match (i, names.len()) {
                (_, 0) => {}
                (0, _) => lines.push(row(state, "attached", state.look.good(), of, part)),
                _ => lines.push(Line::from(span(format!("{}{part}", " ".repeat(18)), Style::new()))),
            }
        }
    }
    lines.push(Line::default());
}

/// So much, and of what, on as many lines as that takes.
fn counted(n: &str, style: Style, what: &str, lines: &mut Vec<Line<'static>>, columns: usize) {
    for (i, part) in wrap(what, columns.saturating_sub(COUNT + 4)).into_iter().enumerate() {
        let n = cell_right(if i == 0 { n } else { "" }, COUNT);
        lines.push(Line::from(vec![span(format!("  {n}  "), style), span(part, Style::new())]));
    }
}

fn losses(scene: &Scene<'_>, state: &State, columns: usize, lines: &mut Vec<Line<'static>>) {
    let look = state.look;
    let lost = scene.health.lost();
    lines.push(heading(state, "Lost", if lost == 0 { "nothing".to_owned() } else { grouped(lost) }));
    let behind = scene.reception.behind;
    if behind >= WORTH_TELLING {
        let what = "behind what happens: events wait to be taken in";
        counted(&when::short(behind), look.warn(), what, lines, columns);
    }
    for (cause, n) in scene.health.losses.iter().filter(|(_, n)| **n > 0) {
        counted(&grouped(*n), look.bad(), cause.words(), lines, columns);
    }
    for (from, to) in &scene.health.gaps {
        let what = format!(
            "from {} on, of which nothing is known: the connection was lost, and what happened could not be had",
            when::clock(scene.node, *from)
        );
        counted(&when::short(to.since(*from)), look.bad(), &what, lines, columns);
    }
    let gone = scene.latest_picture.engine.let_go();
    for (n, what) in [
        (scene.health.truncated, "events with a text of which the sensor read only the beginning: it ends in …"),
        (scene.health.orphans, "times that a process was told of without its parent, which nobody saw"),
        (scene.history.let_go(), "events let go by this program, oldest first, to bound its memory"),
        (gone.processes, "processes forgotten by this program, to bound its memory"),
        (gone.objects, "files and remote ends forgotten, to bound the memory"),
        (gone.names, "names of addresses forgotten, to bound the memory"),
        (gone.lists, "lists of users, and sums of files, forgotten, to bound the memory"),
        (gone.signals, "signals forgotten, to bound the memory; incidents keep what they tell of them"),
        (gone.cases, "groups of signals that were no incident forgotten: what follows them begins anew"),
        (gone.untold, "signals that no incident tells of, for there are too many incidents"),
        (gone.unlisted, "times that an incident did not list one of its processes, for there are too many"),
    ] {
        if n > 0 {
            counted(&grouped(n), look.warn(), what, lines, columns);
        }
    }
    lines.push(Line::default());
}

fn events(scene: &Scene<'_>, state: &State, columns: usize, lines: &mut Vec<Line<'static>>) {
    let events = scene.health.events();
    let note = format!("{}, {} processes alive", count(events as usize, "event", "events"), scene.living());
    lines.push(heading(state, "Seen", note));
    let mib = scene.of_the_past >> 20;
    if mib > 0 {
        let most = scene.room_for_the_past >> 20;
        let what = format!("of memory hold the past, of at most {most}: events, and what was known when");
        counted(&format!("{mib} MiB"), Style::new(), &what, lines, columns);
    }
    // The most frequent first, beside each other.
    let mut families: Vec<_> = scene.health.families.iter().collect();
    families.sort_by_key(|(family, n)| (std::cmp::Reverse(**n), **family));
    let across = (columns / FAMILY).max(1);
    let down = families.len().div_ceil(across);
    for row in 0..down {
        let of_row = families.iter().skip(row).step_by(down);
        let spans = of_row.flat_map(|(family, n)| {
            let n = format!("  {}  ", cell_right(&grouped(**n), 10));
            [span(n, Style::new()), span(cell(family, FAMILY - 14), state.look.accent())]
        });
        lines.push(Line::from_iter(spans));
    }
    lines.push(Line::default());
}

/// Carries out a command.
pub(crate) fn act(scene: &Scene<'_>, state: &mut State, command: Command, columns: usize, page: usize) {
    let last = lines(scene, state, columns).len().saturating_sub(page);
    let page = page.max(1);
    if let Some(to) = moved(command, state.sensor_line, last + 1, page) {
        state.sensor_line = to;
    }
}
