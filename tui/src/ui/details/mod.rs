//! The pane over any selection: everything that is known of it, with links to whatever it names.

mod container;
mod event;
mod file;
mod flow;
mod inside;
mod process;
mod rule;
mod sockets;
mod stage;

use std::cell::RefCell;

use lanner_core::event::ProcessKey;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::command::Command;
use super::look::{Look, glyph};
use super::scene::Scene;
use super::screens::{Focus, moved, paint_more, paint_row, scroll, span};
use super::state::{State, Step, Subject};
use super::text::{cell, safe, shown, wrap};
use super::view::ViewState;
use super::{when, words};
use inside::Inside;
use sockets::Sockets;

/// What is looked through once, and follows what changes.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    inside: Inside,
    sockets: Sockets,
}

/// The columns of a label.
const LABEL: usize = 12;

/// Lines of one kind that are shown of a list that may be long.
const MOST: usize = 50;

/// A line of the pane.
struct Row {
    line: Line<'static>,
    /// Where Enter leads from it.
    target: Option<Subject>,
}

/// Collects lines.
struct Page {
    rows: Vec<Row>,
    columns: usize,
    look: Look,
}

impl Page {
    /// A heading, with a blank line before it.
    fn heading(&mut self, title: &str) {
        if !self.rows.is_empty() {
            self.rows.push(Row { line: Line::default(), target: None });
        }
        self.rows.push(Row { line: Line::from(span(title.to_owned(), self.look.strong())), target: None });
    }

    /// A labelled fact, wrapped.
    fn fact(&mut self, label: &str, text: &str) {
        self.styled(label, text, Style::new(), None);
    }

    /// A labelled fact that leads somewhere.
    fn link(&mut self, label: &str, text: &str, target: Subject) {
        self.styled(label, text, self.look.link(), Some(target));
    }

    fn styled(&mut self, label: &str, text: &str, style: Style, target: Option<Subject>) {
        let room = self.columns.saturating_sub(LABEL + 2);
        for (i, part) in wrap(text, room).into_iter().enumerate() {
            let label = if i == 0 { label } else { "" };
            let lead = if i == 0 && target.is_some() { "› " } else { "  " };
            let line = Line::from(vec![
                span(cell(label, LABEL), self.look.dim()),
                span(lead, self.look.accent()),
                span(part, style),
            ]);
            self.rows.push(Row { line, target: target.clone() });
        }
    }

    /// A line as it is.
    fn line(&mut self, spans: Vec<Span<'static>>) {
        self.rows.push(Row { line: Line::from(spans), target: None });
    }

    fn process(&mut self, label: &str, key: ProcessKey, scene: &Scene<'_>) {
        let ended = match scene.graph.process(key) {
            Some(process) if scene.is_alive(process) => "",
            Some(_) => "  ended",
            None => "  no longer known",
        };
        let args = scene.graph.process(key).and_then(|p| scene.image(p)).map(|i| shown(i.args.joined(), 200));
        let text = format!("{}{ended}  {}", words::who(key, scene), args.unwrap_or_default());
        self.link(label, text.trim_end(), Subject::Process(key));
    }

    /// The event with a node's number, as a link while it is kept.
    fn event(&mut self, label: &str, seq: u64, scene: &Scene<'_>) {
        match scene.history.number_of_seq(seq).and_then(|n| Some((n, scene.event(n)?))) {
            Some((number, entry)) => {
                let header = &entry.event.header;
                let time = when::clock_millis(scene.node, header.time);
                let text =
                    format!("{time} {} {}", words::who(header.process, scene), words::phrase(&entry.event, scene));
                self.link(label, &text, Subject::Event(number));
            }
            None => self.fact(label, &format!("event {seq}, no longer kept here")),
        }
    }

    fn signals(&mut self, process: ProcessKey, scene: &Scene<'_>) {
        let about: Vec<_> =
            scene.signals.iter().filter(|s| s.process == process && s.time <= scene.now()).take(MOST).collect();
        if about.is_empty() {
            return;
        }
        self.heading("Signals");
        for signal in about {
            let label = format!("{} {}", glyph(signal.severity), signal.severity.word());
            let text = format!("{}: {}", safe(&signal.rule), safe(&signal.sentence));
            let style = self.look.severity(signal.severity);
            match scene.history.number_of_seq(signal.seq) {
                Some(number) => self.styled(&label, &text, style, Some(Subject::Event(number))),
                None => self.styled(&label, &text, style, None),
            }
        }
    }
}

fn page(scene: &Scene<'_>, look: Look, followed: &RefCell<Followed>, subject: &Subject, columns: usize) -> Vec<Row> {
    let mut page = Page { rows: Vec::new(), columns, look };
    match subject {
        Subject::Stage { incident, stage } => stage::write(&mut page, scene, incident, *stage),
        Subject::Process(key) => process::write(&mut page, scene, *key, &mut followed.borrow_mut().sockets),
        Subject::Container(id) => container::write(&mut page, scene, id, &mut followed.borrow_mut().inside),
        Subject::Event(number) => event::write(&mut page, scene, *number),
        Subject::Flow(key) => flow::write(&mut page, scene, key),
        Subject::File(number) => file::write(&mut page, scene, *number),
        // Its story is on its screen; here is where it begins.
        Subject::Incident(id) => stage::write(&mut page, scene, id, 0),
    }
    page.rows
}

/// What the breadcrumb calls it.
pub(crate) fn title(scene: &Scene<'_>, subject: &Subject) -> String {
    match subject {
        Subject::Stage { stage, .. } => format!("stage {}", stage + 1),
        Subject::Process(key) => words::who(*key, scene),
        Subject::Container(id) => format!("container {}", words::container(id)),
        Subject::Incident(id) => {
            scene.incident_of_any_time(id).map_or_else(|| "incident".to_owned(), |i| safe(&i.name))
        }
        Subject::Flow(key) => match scene.flows.get(key) {
            Some(line) => format!("{} {}", super::screens::flows::kind(line), super::screens::flows::peer(scene, line)),
            None => "flow".to_owned(),
        },
        Subject::File(number) => match scene.files.get(*number) {
            Some(touched) => shown(&touched.file.path, 60),
            None => "file".to_owned(),
        },
        Subject::Event(number) => match scene.event(*number) {
            Some(entry) => format!("{} {}", entry.event.payload.family(), entry.event.header.seq),
            None => "event".to_owned(),
        },
    }
}

pub(crate) fn draw(
    scene: &Scene<'_>,
    state: &State,
    step: &Step,
    view: &mut ViewState,
    area: Rect,
    buffer: &mut Buffer,
) {
    let rows = page(scene, state.look, &state.followed, &step.subject, usize::from(area.width).saturating_sub(1));
    let at = step.line.min(rows.len().saturating_sub(1));
    let height = usize::from(area.height);
    view.details = scroll(view.details, at, height, rows.len());
    for (row, (i, content)) in rows.iter().enumerate().skip(view.details).take(height).enumerate() {
        paint_row(buffer, area, row, &content.line, if i == at { Focus::Here } else { Focus::No }, state.look);
    }
    paint_more(buffer, area, rows.len().saturating_sub(view.details + height), state.look);
}

/// Carries out a command.
pub(crate) fn act(scene: &Scene<'_>, state: &mut State, command: Command, columns: usize, height: usize) {
    let look = state.look;
    let Some(step) = state.trail.last_mut() else { return };
    let rows = page(scene, look, &state.followed, &step.subject, columns);
    if let Some(to) = moved(command, step.line.min(rows.len().saturating_sub(1)), rows.len(), height) {
        step.line = to;
        return;
    }
    let at = step.line;
    match command {
        Command::NextMatch | Command::PreviousMatch => {
            let fits = |row: &Row| state.filter.line(&row.line.to_string());
            let found = match command {
                Command::NextMatch => rows.iter().skip(at + 1).position(fits).map(|i| at + 1 + i),
                _ => rows[..at.min(rows.len())].iter().rposition(fits),
            };
            match found {
                Some(line) => step.line = line,
                None => state.notice = Some("no line here has the words of the filter".to_owned()),
            }
        }
        Command::Open => match rows.get(step.line).and_then(|row| row.target.clone()) {
            Some(target) => {
                state.select(scene, &target);
                state.open(target);
            }
            None => state.notice = Some("Enter follows a line that begins with ›".to_owned()),
        },
        _ => {}
    }
}
