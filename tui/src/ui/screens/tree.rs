//! The live process tree. The columns that are the same for all stand at the left, the tree itself at the right, where
//! its depth costs nobody else room.

use lanner_core::event::{ContainerId, Layer};
use lanner_core::graph::Process;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::super::command::Command;
use super::super::forest::{Forest, GroupId, NodeId, Row, TreeCache};
use super::super::look::{Look, glyph};
use super::super::scene::Scene;
use super::super::state::{State, Subject};
use super::super::text::{cell, cell_right, count, shown};
use super::super::view::ViewState;
use super::super::words;
use super::{Focus, moved, paint_empty, paint_more, paint_row, scroll, span, waiting, way_out};

/// Depths beyond this are drawn at it: the name must still be seen.
const DEEPEST: usize = 16;

/// Folds that the user made are tidied when there are more than this.
const MAX_FOLDS: usize = 16_384;

/// The columns for which there is room, and how wide they are.
struct Columns {
    user: usize,
    container: usize,
    width: usize,
}

impl Columns {
    fn of(width: usize) -> Self {
        Columns {
            user: if width >= 60 { 7 } else { 0 },
            container: if width >= 110 { 13 } else { 0 },
            width: width.saturating_sub(1),
        }
    }

    fn fixed(&self, marks: &str, pid: &str, user: &str, container: &str, age: &str) -> String {
        let user = if self.user > 0 { cell(user, self.user) } else { String::new() };
        let container = if self.container > 0 { cell(container, self.container) } else { String::new() };
        format!("{}{} {user}{container}{} ", cell(marks, 5), cell_right(pid, 7), cell_right(age, 4))
    }
}

pub(crate) fn draw(scene: &Scene<'_>, state: &State, view: &mut ViewState, area: Rect, buffer: &mut Buffer) {
    let look = state.look;
    let forest = TreeCache::get(scene, state);
    if forest.len() == 0 {
        let (title, sentence) = match waiting(scene) {
            Some(waiting) => waiting,
            None if scene.processes().next().is_none() => (
                "No process at this moment".to_owned(),
                "Nothing was known yet of what ran. f goes back to now.".to_owned(),
            ),
            None => (
                "No process here".to_owned(),
                format!("What is looked into, or the filter, leaves none. {}", way_out(state)),
            ),
        };
        paint_empty(buffer, area, &title, &[&sentence], look);
        return;
    }
    let columns = Columns::of(usize::from(area.width));
    let head = format!("  {}PROCESS", columns.fixed("", "PID", "USER", "CONTAINER", "AGE"));
    paint_row(buffer, area, 0, &Line::from(span(head, look.dim())), Focus::No, look);

    let list = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let at = position(&forest, state);
    view.tree = scroll(view.tree, at, usize::from(list.height), forest.len());
    for (row, node) in forest.rows_from(view.tree).take(usize::from(list.height)).enumerate() {
        let line = match &node.id {
            NodeId::Group(group) => group_line(scene, group, &node, look),
            NodeId::Process(key) => match scene.graph.process(*key) {
                Some(process) => process_line(scene, process, &node, &columns, look),
                None => continue,
            },
        };
        paint_row(buffer, list, row, &line, if view.tree + row == at { Focus::Here } else { Focus::No }, look);
    }
    paint_more(buffer, list, forest.len().saturating_sub(view.tree + usize::from(list.height)), look);
}

/// The row of the selected node; when it is folded away, that of what hides it.
fn position(forest: &Forest, state: &State) -> usize {
    let mut node = state.selection.node.clone();
    while let Some(id) = node {
        if let Some(at) = forest.position(&id) {
            return at;
        }
        node = forest.parent(&id);
    }
    0
}

fn severity_span(row: &Row, shown: bool, look: Look) -> Span<'static> {
    match row.worst.filter(|_| shown) {
        Some(severity) => span(format!("{} ", glyph(severity)), look.severity(severity)),
        None => Span::raw("  "),
    }
}

fn group_line(scene: &Scene<'_>, group: &GroupId, row: &Row, look: Look) -> Line<'static> {
    let fold = if row.open == Some(true) { "▾ " } else { "▸ " };
    let (kind, name, note) = match group {
        GroupId::Container(id) => ("container ", words::container_title(id, scene.graph), container_note(scene, id)),
        GroupId::Session(tty) => ("session ", shown(tty, 40), String::new()),
        GroupId::Service(unit) => ("service ", shown(unit, 80), String::new()),
        GroupId::Host => ("host", String::new(), String::new()),
        GroupId::Kernel => ("kernel", String::new(), String::new()),
    };
    // Folded, it tells of all that it hides; unfolded, each row tells of itself.
    let mut spans = vec![severity_span(row, row.open != Some(true), look)];
    spans.extend([span(fold, look.dim()), span(kind, look.accent()), span(name, look.strong())]);
    let living = if row.living == 0 { "  all ended".to_owned() } else { format!("  {} alive", row.living) };
    spans.push(span(living, look.dim()));
    spans.push(span(note, look.dim()));
    Line::from(spans)
}

/// What else is known of a container, what matters most first: its pod, why it was started, what it may, its image, its id
/// when a name stands for it.
fn container_note(scene: &Scene<'_>, id: &ContainerId) -> String {
    let info = scene.graph.container_info(id);
    let mut notes = Vec::new();
    match info {
        Some(info) if !info.is_known() => notes.push("unknown to the runtime".to_owned()),
        _ => {}
    }
    if let Some(container) = scene.graph.container(id) {
        let named = info.is_some_and(|info| info.pod.is_some());
        match &container.pod {
            Some(_) if named && container.static_pod => notes.push("static pod".to_owned()),
            Some(uid) if container.static_pod => notes.push(format!("static pod {}", shown(uid, 9))),
            Some(uid) if !named => notes.push(format!("pod {}", shown(uid, 9))),
            _ => {}
        }
        if let Some(cause) = &container.cause {
            notes.push(format!("from {}", shown(&cause.path, 80)));
        }
    }
    if info.is_some_and(|info| info.privileged == Some(true)) {
        notes.push("privileged".to_owned());
    }
    if let Some(image) = info.map(|info| &info.image.reference).filter(|reference| !reference.is_empty()) {
        notes.push(shown(image, 80));
    }
    if info.is_some_and(|info| info.is_known() && info.title().is_some()) {
        notes.push(words::container(id));
    }
    notes.iter().map(|note| format!("  {note}")).collect()
}

/// The marks before a process: network, writes; of its image the gravest of in memory only, deleted, raised in privilege,
/// not in the container's image; ended.
fn marks(scene: &Scene<'_>, process: &Process) -> String {
    let mark = scene.marks.of(process.key);
    let image = scene.image(process);
    let in_memory = image.is_some_and(|i| i.exe.is_memfd());
    let deleted = image.is_some_and(|i| i.exe.deleted && !i.exe.is_memfd());
    let raised = image.is_some_and(|i| i.gain.is_some_and(|gain| !gain.is_none()));
    let upper = image.is_some_and(|i| i.layer == Some(Layer::Upper));
    [
        if mark.network { 'n' } else { ' ' },
        if mark.writes { 'w' } else { ' ' },
        match () {
            () if in_memory || mark.memory_file => 'm',
            () if deleted => 'd',
            () if raised => 's',
            () if upper => 'u',
            () => ' ',
        },
        if scene.is_alive(process) { ' ' } else { 'x' },
    ]
    .iter()
    .collect()
}

fn process_line(scene: &Scene<'_>, process: &Process, row: &Row, columns: &Columns, look: Look) -> Line<'static> {
    let alive = scene.is_alive(process);
    let mark = scene.marks.of(process.key);
    let own = Row { worst: mark.worst, ..row.clone() };
    let severity = severity_span(if row.open == Some(false) { row } else { &own }, true, look);
    let container =
        process.task.context.container.as_ref().map(|id| words::container_label(id, scene.graph)).unwrap_or_default();
    let fixed = columns.fixed(
        &marks(scene, process),
        &process.key.pid.to_string(),
        &words::user(process.task.context.creds.euid),
        &container,
        &words::age(process.key.start, scene.now()),
    );
    let fold = match row.open {
        Some(true) => "▾ ",
        Some(false) => "▸ ",
        None => "  ",
    };
    let indent = "  ".repeat(row.depth.saturating_sub(1).min(DEEPEST));
    let name = match scene.name(process.key) {
        Some(name) if !name.is_empty() => shown(lanner_core::event::Text::from(name), 40),
        _ => "unknown".to_owned(),
    };
    let mut spans = vec![severity, span(fixed, look.dim()), span(indent, Style::new()), span(fold, look.dim())];
    spans.push(span(name, look.strong()));
    if row.open == Some(false) && row.living > 1 {
        spans.push(span(format!(" ({})", row.living), look.accent()));
    }
    let left = columns.width.saturating_sub(spans.iter().map(|s| s.width()).sum::<usize>());
    spans.push(span(format!(" {}", arguments(scene, process, left)), Style::new()));
    if scene.is_gone(process.key) && process.is_alive() {
        spans.push(span("  ended while nothing was seen", Style::new()));
    }
    if let Some(end) = process.ended.filter(|_| !alive) {
        let how = match (end.exit.signal, end.exit.code) {
            (0, 0) => String::new(),
            (0, code) => format!("  ended with {code}"),
            (signal, _) => format!("  ended by signal {signal}"),
        };
        spans.push(span(how, Style::new()));
    }
    if !alive {
        for span in spans.iter_mut().skip(1) {
            span.style = look.dim().remove_modifier(Modifier::BOLD);
        }
    }
    Line::from(spans)
}

/// The arguments after the program's own name, as far as there is room.
fn arguments(scene: &Scene<'_>, process: &Process, room: usize) -> String {
    let Some(image) = scene.image(process) else { return String::new() };
    let mut out = String::new();
    for argument in image.args.list.iter().skip(1) {
        if out.len() > room * 4 {
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&shown(argument, room.max(8)));
    }
    if image.args.truncated {
        out.push('…');
    }
    super::super::text::clip(&out, room.saturating_sub(1))
}

/// What is selected: a process or a container.
pub(crate) fn selected(scene: &Scene<'_>, state: &State) -> Option<Subject> {
    let forest = TreeCache::get(scene, state);
    let row = forest.row(position(&forest, state))?;
    Some(match &row.id {
        NodeId::Process(key) => Subject::Process(*key),
        NodeId::Group(GroupId::Container(id)) => Subject::Container(id.clone()),
        // What else the roots are can be folded and not looked into; its first process stands for it.
        NodeId::Group(_) => Subject::Process(forest.first_process(&row.id)?),
    })
}

/// Carries out a command.
pub(crate) fn act(scene: &Scene<'_>, state: &mut State, command: Command, page: usize) {
    let forest = TreeCache::get(scene, state);
    let at = position(&forest, state);
    let Some(row) = forest.row(at) else { return };
    let to = match command {
        Command::NextMatch => (at + 1..forest.len()).find(|to| forest.matches(*to)),
        Command::PreviousMatch => (0..at).rfind(|to| forest.matches(*to)),
        _ => moved(command, at, forest.len(), page),
    };
    if let Some(to) = to.and_then(|to| forest.row(to)) {
        select(state, to.id);
        return;
    }
    select(state, row.id.clone());
    match command {
        Command::Left if row.open == Some(true) => fold(state, &forest, row.id.clone(), false),
        Command::Left => {
            if let Some(parent) = forest.parent(&row.id) {
                select(state, parent);
            }
        }
        Command::Right if row.open == Some(false) => fold(state, &forest, row.id.clone(), true),
        Command::Right => {
            if row.open == Some(true)
                && let Some(child) = forest.row(at + 1)
            {
                select(state, child.id);
            }
        }
        Command::UnfoldAll => {
            let branches = forest.branches_below(&row.id);
            state.notice = Some(format!("unfolded {}", count(branches.len(), "branch", "branches")));
            for branch in branches {
                fold(state, &forest, branch, true);
            }
        }
        Command::NextMatch | Command::PreviousMatch => state.notice = Some("no other match".to_owned()),
        Command::Open => match &row.id {
            NodeId::Process(key) => state.open(Subject::Process(*key)),
            NodeId::Group(GroupId::Container(id)) => state.open(Subject::Container(id.clone())),
            NodeId::Group(_) => fold(state, &forest, row.id.clone(), row.open != Some(true)),
        },
        _ => {}
    }
}

fn select(state: &mut State, id: NodeId) {
    match id {
        NodeId::Process(key) => state.select_process(key),
        group @ NodeId::Group(_) => state.selection.node = Some(group),
    }
}

fn fold(state: &mut State, forest: &Forest, id: NodeId, open: bool) {
    if state.folds.len() >= MAX_FOLDS {
        state.folds.retain(|id, _| forest.contains(id));
    }
    state.fold(id, open);
}

/// Unfolds what hides the selected node.
pub(crate) fn reveal(scene: &Scene<'_>, state: &mut State) {
    let forest = TreeCache::get(scene, state);
    let mut node = state.selection.node.clone().and_then(|id| forest.parent(&id));
    let mut hiding = Vec::new();
    while let Some(id) = node {
        node = forest.parent(&id);
        hiding.push(id);
    }
    for id in hiding {
        let row = forest.position(&id).and_then(|at| forest.row(at));
        if row.is_none_or(|row| row.open == Some(false)) {
            fold(state, &forest, id, true);
        }
    }
}
