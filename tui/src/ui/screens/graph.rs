//! The picture of an incident, or of a process's neighbourhood. The selection is a node; the keys lead along its edges, and
//! the picture moves no more than it must.

mod matches;

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::rc::Rc;

use lanner_core::event::ProcessKey;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use self::matches::matches;
use super::super::command::Command;
use super::super::known::flows::Line as FlowLine;
use super::super::look::Look;
use super::super::scene::Scene;
use super::super::state::{State, Subject};
use super::super::text::{clip, count, grouped, width};
use super::{Focus, paint_empty, paint_row, selected as selected_on, span, waiting};
use crate::drawing::{
    Cells, Detail, Drawing, Entity, Glyphs, Ink, Memory, Place, Shape, Sketch, around, lay_out, of_incident,
};

/// Rows of the title above the picture.
const TITLE: u16 = 1;
/// Rows of what is said of the selected node, where there is room for that.
const ABOUT: u16 = 2;
/// The least height that has room for it.
const ROOMY: u16 = 12;
/// Columns and rows that are kept in sight around the selected node.
const MARGIN: (i32, i32) = (6, 2);

/// How much of each node is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub(crate) enum Fit {
    /// As much as lets the whole picture be seen.
    #[default]
    Whole,
    /// All.
    Full,
    /// Names alone.
    Names,
}

impl Fit {
    fn next(self) -> Fit {
        match self {
            Fit::Whole => Fit::Full,
            Fit::Full => Fit::Names,
            Fit::Names => Fit::Whole,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Fit::Whole => "as much as fits",
            Fit::Full => "all that is known",
            Fit::Names => "names alone",
        }
    }
}

/// What the user chose here, and what was drawn last.
#[derive(Debug, Default)]
pub(crate) struct GraphView {
    /// Of what: an incident or a process.
    of: Option<Subject>,
    node: Option<Entity>,
    /// Which of the edges that lead on from the node the next step follows.
    way: usize,
    fit: Fit,
    cache: RefCell<Option<Cached>>,
    memory: RefCell<[Memory; 2]>,
    /// The column and row of the picture that is shown at the top left.
    window: Cell<(i32, i32)>,
    /// How many columns and rows are shown.
    page: Cell<(i32, i32)>,
    /// Where the selected node stood when it was drawn last.
    anchor: RefCell<Option<(Entity, Place)>>,
    /// The picture was moved by hand: the selected node may be out of sight.
    panned: Cell<bool>,
}

/// What was drawn last.
#[derive(Debug)]
struct Cached {
    of: Subject,
    seen: Seen,
    shape: (Fit, (i32, i32)),
    sketch: Rc<Sketch>,
    drawing: Rc<Drawing>,
}

/// How far what happens was known when it was looked at: the incident's revision, the moment, and what had changed.
type Seen = (u32, Option<u64>, u64);

/// Turns to what was drilled down to, or is selected on the screen that is left; the picture of before stays where that is
/// neither an incident nor a process. What is only selected is shown in the picture of its incident, if it is part of one:
/// to see what lies around it one looks into it first.
pub(crate) fn turn_to(scene: &Scene<'_>, state: &mut State) {
    let selected = || pictured(scene, &selected_on(scene, state)?);
    let drilled = || state.trail.iter().rev().find_map(|step| pictured(scene, &step.subject));
    let of = if state.in_story() { selected() } else { drilled() }.or_else(|| {
        let (of, process) = selected()?;
        let incident = process.and_then(|key| incident_of(scene, state, key));
        Some((incident.map_or(of, Subject::Incident), process))
    });
    let Some((of, process)) = of else { return };
    let node = process.map(Entity::Process);
    if state.graph.of.as_ref() != Some(&of) || node.is_some() && state.graph.node != node {
        state.graph.node = node;
        state.graph.of = Some(of);
        state.graph.panned.set(false);
    }
}

/// Of what a picture is that shows something, and the process that stands for it there.
fn pictured(scene: &Scene<'_>, subject: &Subject) -> Option<(Subject, Option<ProcessKey>)> {
    let process = match subject {
        Subject::Incident(_) => return Some((subject.clone(), None)),
        Subject::Stage { incident, stage } => {
            let of = scene.incident(incident).and_then(|i| i.stages.get(*stage));
            return Some((Subject::Incident(incident.clone()), of.map(|stage| stage.process.key)));
        }
        Subject::Process(key) => *key,
        Subject::Container(id) => scene.graph.container(id)?.root,
        Subject::Flow(key) => scene.flows.get(key)?.process,
        Subject::File(number) => scene.files.get(*number)?.by,
        Subject::Event(number) => scene.event(*number)?.event.header.process,
    };
    Some((Subject::Process(process), Some(process)))
}

/// The incident that a process is part of: of several the selected one, else the gravest.
fn incident_of(scene: &Scene<'_>, state: &State, key: ProcessKey) -> Option<String> {
    let of = scene.incidents().into_iter().filter(|incident| incident.processes.iter().any(|p| p.key == key));
    let of: Vec<&String> = of.map(|incident| &incident.id).collect();
    of.iter().find(|id| state.selection.incident.as_ref() == Some(id)).or(of.first()).map(|id| (*id).clone())
}

/// Goes to the selected process in the picture, if it stands there.
pub(crate) fn turn_to_process(scene: &Scene<'_>, state: &mut State) {
    let Some(entity) = state.selection.process().map(Entity::Process) else { return };
    let drawing = drawing(scene, state, state.graph.page.get());
    let stands =
        |drawing: &Rc<Drawing>| drawing.sketch.nodes.iter().any(|n| n.entity == entity || n.others.contains(&entity));
    if drawing.as_ref().is_some_and(stands) {
        state.graph.node = Some(entity);
        state.graph.way = 0;
        state.graph.panned.set(false);
    }
}

/// Of what the picture is: what was chosen, as long as it is known; else the gravest incident, or the selected process.
fn subject(scene: &Scene<'_>, state: &State) -> Option<Subject> {
    let known = |of: &&Subject| match of {
        Subject::Incident(id) => scene.incident(id).is_some(),
        Subject::Process(key) => scene.graph.process(*key).is_some(),
        _ => false,
    };
    let chosen = state.graph.of.as_ref().filter(known).cloned();
    let gravest = || scene.incidents().first().map(|incident| Subject::Incident(incident.id.clone()));
    let process = || state.selection.process().filter(|key| scene.graph.process(*key).is_some()).map(Subject::Process);
    chosen.or_else(gravest).or_else(process)
}

/// The drawing of the scene: the last one, unless there is something else to draw.
fn drawing(scene: &Scene<'_>, state: &State, size: (i32, i32)) -> Option<Rc<Drawing>> {
    let of = subject(scene, state)?;
    let view = &state.graph;
    let seen = match &of {
        // Ends of its processes do not change an incident, but the picture.
        Subject::Incident(id) => (scene.incident(id)?.revision, scene.past(), scene.changes.processes.end()),
        _ => (0, scene.past(), scene.latest.end),
    };
    let shape = (view.fit, size);
    let mut cache = view.cache.borrow_mut();
    let known = cache.as_ref().filter(|known| known.of == of);
    let sketch = match known.filter(|known| known.seen == seen) {
        Some(known) => Rc::clone(&known.sketch),
        None => Rc::new(match &of {
            Subject::Incident(id) => of_incident(scene.incident(id)?, scene.graph),
            Subject::Process(key) => around(*key, scene.graph),
            _ => return None,
        }),
    };
    let drawing = match known.filter(|known| known.shape == shape && known.sketch == sketch) {
        Some(known) => Rc::clone(&known.drawing),
        None => {
            let mut memory = view.memory.borrow_mut();
            if known.is_none() {
                *memory = <[Memory; 2]>::default();
                view.window.set((0, 0));
            }
            Rc::new(laid_out(&sketch, view.fit, size, &mut memory))
        }
    };
    *cache = Some(Cached { of, seen, shape, sketch, drawing: Rc::clone(&drawing) });
    Some(drawing)
}

fn laid_out(sketch: &Rc<Sketch>, fit: Fit, size: (i32, i32), [full, names]: &mut [Memory; 2]) -> Drawing {
    let fold = Some((size.0 - 2).max(30));
    let with = |detail, memory: &mut Memory| lay_out(Rc::clone(sketch), Shape { detail, fold }, memory);
    match fit {
        Fit::Names => with(Detail::Names, names),
        Fit::Full => with(Detail::Full, full),
        Fit::Whole => {
            let drawn = with(Detail::Full, full);
            let fits = drawn.bounds.height <= size.1 && drawn.bounds.width <= size.0;
            if fits { drawn } else { with(Detail::Names, names) }
        }
    }
}

/// The selected node: the one that was chosen, or the one that stands for it now; else the first of the story.
fn node(drawing: &Drawing, state: &State) -> Option<usize> {
    let nodes = &drawing.sketch.nodes;
    let chosen = state.graph.node.as_ref();
    let is = |entity: &Entity| nodes.iter().position(|n| n.entity == *entity || n.others.contains(entity));
    let first = || {
        let process = |n: &&crate::drawing::Node| matches!(n.entity, Entity::Process(_));
        let story = nodes.iter().filter(process).filter(|n| !n.stages.is_empty()).min_by_key(|n| n.stages[0]);
        story.and_then(|n| is(&n.entity))
    };
    chosen.and_then(is).or_else(first).or(if nodes.is_empty() { None } else { Some(0) })
}

/// The edges that lead on from a node, from top to bottom.
fn ways(drawing: &Drawing, node: usize) -> Vec<usize> {
    let mut ways: Vec<usize> = (0..drawing.wires.len()).filter(|e| drawing.sketch.edges[*e].from == node).collect();
    ways.sort_by_key(|e| {
        let to = drawing.sketch.edges[*e].to;
        (drawing.places[to].y, *e)
    });
    ways
}

/// The edge that the next step follows: the one that was chosen, or the one that leads furthest into the story.
fn way(drawing: &Drawing, state: &State, node: usize) -> Option<usize> {
    let ways = ways(drawing, node);
    if state.graph.way > 0 {
        return ways.get((state.graph.way - 1) % ways.len().max(1)).copied();
    }
    let furthest = |e: &&usize| {
        let (stage, things) = leads_to(drawing, drawing.sketch.edges[**e].to);
        (Reverse((stage, things)), drawing.places[drawing.sketch.edges[**e].to].y)
    };
    ways.iter().min_by_key(furthest).copied()
}

/// The latest stage that a node leads to, and to how many nodes.
fn leads_to(drawing: &Drawing, node: usize) -> (usize, usize) {
    let mut seen = vec![false; drawing.places.len()];
    let mut todo = vec![node];
    let (mut latest, mut things) = (0, 0);
    while let Some(node) = todo.pop() {
        if std::mem::replace(&mut seen[node], true) {
            continue;
        }
        things += 1;
        latest = latest.max(drawing.sketch.nodes[node].stages.last().copied().unwrap_or(0));
        todo.extend(drawing.sketch.edges.iter().filter(|e| e.from == node).map(|e| e.to));
    }
    (latest, things)
}

/// Whether anything is drawn.
pub(crate) fn has_any(scene: &Scene<'_>, state: &State) -> bool {
    drawing(scene, state, state.graph.page.get()).is_some_and(|drawing| !drawing.sketch.nodes.is_empty())
}

/// What is selected.
pub(crate) fn selected(scene: &Scene<'_>, state: &State) -> Option<Subject> {
    let page = state.graph.page.get();
    let drawing = drawing(scene, state, page)?;
    match &drawing.sketch.nodes.get(node(&drawing, state)?)?.entity {
        Entity::Process(key) => Some(Subject::Process(*key)),
        Entity::Container(id) => Some(Subject::Container(id.clone())),
        Entity::Peer(peer) => {
            let to = |line: &&FlowLine| line.remote == *peer;
            scene.flows.iter().filter(to).max_by_key(|line| line.last).map(|line| Subject::Flow(line.key.clone()))
        }
        Entity::File(id) => scene.files.iter().find(|t| t.file.id == *id).map(|t| Subject::File(t.number)),
    }
}

/// Carries out a command.
pub(crate) fn act(scene: &Scene<'_>, state: &mut State, command: Command) {
    if command == Command::Group {
        state.graph.fit = state.graph.fit.next();
        state.notice = Some(format!("of each node: {}", state.graph.fit.words()));
        return;
    }
    let page = state.graph.page.get();
    let Some(drawing) = drawing(scene, state, page) else { return };
    let Some(at) = node(&drawing, state) else { return };
    let to = match command {
        Command::Right => way(&drawing, state, at).map(|edge| drawing.sketch.edges[edge].to),
        Command::Left => back(&drawing, at),
        Command::Up | Command::Down => beside(&drawing, at, command == Command::Down),
        Command::First => drawing.sketch.nodes.iter().position(|n| n.stages.first() == Some(&1)).or(Some(0)),
        Command::Last => {
            let latest = |i: &usize| drawing.sketch.nodes[*i].stages.last().copied();
            (0..drawing.places.len()).rev().max_by_key(latest)
        }
        Command::NextWay => {
            let ways = ways(&drawing, at);
            let now = way(&drawing, state, at).and_then(|edge| ways.iter().position(|e| *e == edge));
            state.graph.way = now.map_or(0, |now| (now + 1) % ways.len().max(1) + 1);
            return;
        }
        Command::NextMatch | Command::PreviousMatch => {
            let matches = matches(scene, state, &drawing.sketch).unwrap_or_default();
            let next = matches::next(&drawing.sketch, &matches, at, command == Command::NextMatch);
            if next.is_none() {
                state.notice = Some("no other match".to_owned());
            }
            next
        }
        Command::PageUp | Command::PageDown => {
            let (x, y) = state.graph.window.get();
            let step = (page.1 - 2).max(1);
            let y = if command == Command::PageUp { y - step } else { y + step };
            let last = (drawing.bounds.y + drawing.bounds.height - page.1).max(drawing.bounds.y);
            state.graph.window.set((x, y.clamp(drawing.bounds.y, last)));
            state.graph.panned.set(true);
            return;
        }
        Command::Open => {
            if let Some(subject) = selected(scene, state) {
                state.select(scene, &subject);
                state.open(subject);
            } else {
                state.notice = Some("nothing more is known of it".to_owned());
            }
            return;
        }
        _ => return,
    };
    if let Some(to) = to {
        state.graph.node = Some(drawing.sketch.nodes[to].entity.clone());
        state.graph.way = 0;
        state.graph.panned.set(false);
        if let Some(subject) = selected(scene, state) {
            state.select(scene, &subject);
        }
    }
}

/// The node that led here: of several the one that is most level.
fn back(drawing: &Drawing, at: usize) -> Option<usize> {
    let from = drawing.sketch.edges.iter().filter(|e| e.to == at).map(|e| e.from);
    from.min_by_key(|from| (drawing.places[*from].y - drawing.places[at].y).abs())
}

/// The nearest node above or below; rows count for less than columns, so that a layer is walked down first.
fn beside(drawing: &Drawing, at: usize, below: bool) -> Option<usize> {
    let own = drawing.places[at];
    let distance = |i: &usize| {
        let other = drawing.places[*i];
        let (dx, dy) = ((other.x - own.x).abs(), (other.y - own.y).abs());
        (dx + dy * 4, *i)
    };
    let lies =
        |i: &usize| if below { drawing.places[*i].y >= own.bottom() } else { drawing.places[*i].bottom() <= own.y };
    (0..drawing.places.len()).filter(lies).min_by_key(distance)
}

pub(crate) fn draw(scene: &Scene<'_>, state: &State, area: Rect, buffer: &mut Buffer) {
    let look = state.look;
    let about = if area.height >= ROOMY { ABOUT } else { 0 };
    let canvas = Rect { y: area.y + TITLE.min(area.height), height: area.height.saturating_sub(TITLE + about), ..area };
    let page = (i32::from(canvas.width), i32::from(canvas.height));
    state.graph.page.set(page);
    let Some(drawing) = drawing(scene, state, page) else {
        let (title, sentence) = waiting(scene).unwrap_or_else(|| {
            let key = state.keymap.key_of(Command::Show(super::super::state::Screen::Tree));
            (
                "Nothing to draw yet".to_owned(),
                format!("The picture of an incident stands here as soon as there is one; or choose a process in the tree ({key}), and come back."),
            )
        });
        paint_empty(buffer, area, &title, &[&sentence], look);
        return;
    };
    let matches = matches(scene, state, &drawing.sketch);
    let matches = matches.as_deref();
    title(scene, state, &drawing, (page, matches), area, buffer);
    let Some(at) = node(&drawing, state) else { return };
    let way = way(&drawing, state, at);
    let window = window(state, &drawing, at, page);
    let seen = Place { x: window.0, y: window.1, width: page.0, height: page.1 };
    let glyphs = if look.ascii { Glyphs::Ascii } else { Glyphs::Unicode };
    let cells = Cells::new(&drawing, seen, glyphs, way);
    for (y, row) in (canvas.top()..canvas.bottom()).zip(cells.rows()) {
        for (x, cell) in (canvas.left()..canvas.right()).zip(row) {
            if cell.ink != Ink::Blank && !cell.text.is_empty() {
                let room = usize::from(canvas.right() - x);
                buffer.set_stringn(x, y, &cell.text, room, style(&drawing, cell.ink, (at, way), matches, look));
            }
        }
    }
    if about > 0 {
        let below = Rect { y: canvas.bottom(), height: about, ..area };
        tell(&drawing, at, way, below, look, buffer);
    }
}

/// Where the window lies: where it was, but so that the selected node stands where it stood when the picture has changed,
/// and can be seen.
fn window(state: &State, drawing: &Drawing, at: usize, page: (i32, i32)) -> (i32, i32) {
    let view = &state.graph;
    let (mut x, mut y) = view.window.get();
    let (place, entity) = (drawing.places[at], &drawing.sketch.nodes[at].entity);
    let mut anchor = view.anchor.borrow_mut();
    if let Some((known, was)) = &*anchor
        && known == entity
    {
        x += place.x - was.x;
        y += place.y - was.y;
    }
    *anchor = Some((entity.clone(), place));
    let bounds = drawing.bounds;
    if !view.panned.get() {
        x = into_sight(x, page.0, place.x - MARGIN.0, place.right() + MARGIN.0);
        y = into_sight(y, page.1, place.y - MARGIN.1, place.bottom() + MARGIN.1);
    }
    // No more blank space than there must be; what is smaller than the window stands still.
    x = x.clamp(bounds.x, (bounds.x + bounds.width - page.0).max(bounds.x));
    y = y.clamp(bounds.y, (bounds.y + bounds.height - page.1).max(bounds.y));
    view.window.set((x, y));
    (x, y)
}

/// The first column or row to show, so that as little as possible moves.
fn into_sight(at: i32, page: i32, from: i32, to: i32) -> i32 {
    if to - from >= page { from } else { at.clamp(to - page, from) }
}

fn title(
    scene: &Scene<'_>,
    state: &State,
    drawing: &Drawing,
    (page, matches): ((i32, i32), Option<&[bool]>),
    area: Rect,
    buffer: &mut Buffer,
) {
    let look = state.look;
    let mut spans = match subject(scene, state) {
        Some(Subject::Incident(id)) => {
            let incident = scene.incident(&id);
            let severity = incident.map_or(look.strong(), |i| look.severity(i.severity));
            vec![span(incident.map_or(id.clone(), |i| i.name.clone()), severity)]
        }
        Some(Subject::Process(key)) => {
            vec![span(format!("around {}", super::super::words::who(key, scene)), look.strong())]
        }
        _ => Vec::new(),
    };
    let things: usize = drawing.sketch.nodes.iter().map(crate::drawing::Node::count).sum();
    spans.push(span(format!("  {}", count(things, "node", "nodes")), look.dim()));
    if let Some(matches) = matches {
        let found = matches.iter().filter(|is| **is).count();
        spans.push(span(format!(", {}", count(found, "matches", "match")), look.accent()));
    }
    if drawing.sketch.left_out > 0 {
        spans.push(span(format!(", {} left out", grouped(drawing.sketch.left_out as u64)), look.warn()));
    }
    let bounds = drawing.bounds;
    if bounds.width > page.0 || bounds.height > page.1 {
        let (x, y) = state.graph.window.get();
        let more = [
            (x > bounds.x, "←"),
            (x + page.0 < bounds.x + bounds.width, "→"),
            (y > bounds.y, "↑"),
            (y + page.1 < bounds.y + bounds.height, "↓"),
        ];
        let more: String = more.iter().filter(|(is, _)| *is).map(|(_, arrow)| *arrow).collect();
        spans.push(span(format!(", more {more}"), look.dim()));
    }
    paint_row(buffer, area, 0, &Line::from(spans), Focus::No, look);
}

/// What is known of the selected node, and where the next step leads.
fn tell(drawing: &Drawing, at: usize, way: Option<usize>, area: Rect, look: Look, buffer: &mut Buffer) {
    let node = &drawing.sketch.nodes[at];
    let columns = usize::from(area.width).saturating_sub(2);
    let kind = node.kind.word();
    let stages = match node.stages.len() {
        0 => String::new(),
        1 => format!("  stage {}", node.numbers(", ")),
        _ => format!("  stages {}", node.numbers(", ")),
    };
    let head = format!("{kind} {}{stages}", node.heading("×"));
    let rest = clip(&node.lines.join("  "), columns.saturating_sub(width(&head) + 2));
    let line = Line::from(vec![span(head, look.strong()), span(format!("  {rest}"), look.dim())]);
    paint_row(buffer, area, 0, &line, Focus::No, look);
    let count = ways(drawing, at).len();
    let next = way.map(|edge| {
        let edge = &drawing.sketch.edges[edge];
        let to = &drawing.sketch.nodes[edge.to];
        // That each of several was run once goes without saying.
        let times = if edge.count > 1 && edge.count != to.count() as u64 {
            format!(", {} times", grouped(edge.count))
        } else {
            String::new()
        };
        let others = if count > 1 { format!("  (1 of {count} ways on)") } else { String::new() };
        format!("→ {} {}{times}{others}", edge.words(), to.heading("×"))
    });
    let next = next.unwrap_or_else(|| "nothing leads on from here".to_owned());
    paint_row(buffer, area, 1, &Line::from(span(clip(&next, columns), look.accent())), Focus::No, look);
}

fn style(
    drawing: &Drawing,
    ink: Ink,
    (at, way): (usize, Option<usize>),
    matches: Option<&[bool]>,
    look: Look,
) -> Style {
    let sketch = &drawing.sketch;
    let is_out = |i: usize| matches.is_some_and(|matches| !matches[i]);
    let of = |i: usize| {
        let node = &sketch.nodes[i];
        match node.severity {
            Some(severity) => look.severity(severity),
            None if !node.involved => look.dim(),
            None => Style::new(),
        }
    };
    match ink {
        Ink::Blank => Style::new(),
        Ink::Frame(i) if i == at => look.selected(),
        Ink::Heading(i) | Ink::Line(i) | Ink::Number(i) if i == at => look.selected(),
        Ink::Frame(i) | Ink::Heading(i) | Ink::Line(i) | Ink::Number(i) if is_out(i) => look.dim(),
        Ink::Frame(i) | Ink::Number(i) => of(i),
        Ink::Heading(i) if sketch.nodes[i].ended && sketch.nodes[i].stages.is_empty() => Style::new(),
        Ink::Heading(_) => look.strong(),
        Ink::Line(_) => look.dim(),
        Ink::Wire(e) | Ink::Label(e) if Some(e) == way => look.accent(),
        Ink::Wire(e) | Ink::Label(e) if !sketch.edges[e].stages.is_empty() => Style::new(),
        Ink::Wire(_) | Ink::Label(_) => look.dim(),
    }
}

/// The node that the next step leads to.
#[cfg(test)]
pub(crate) fn chosen_way(scene: &Scene<'_>, state: &State) -> Option<Entity> {
    let drawing = drawing(scene, state, state.graph.page.get())?;
    let edge = way(&drawing, state, node(&drawing, state)?)?;
    Some(drawing.sketch.nodes[drawing.sketch.edges[edge].to].entity.clone())
}

/// How many edges lead on from the selected node.
#[cfg(test)]
pub(crate) fn ways_on(scene: &Scene<'_>, state: &State) -> usize {
    let Some(drawing) = drawing(scene, state, state.graph.page.get()) else { return 0 };
    node(&drawing, state).map_or(0, |at| ways(&drawing, at).len())
}
