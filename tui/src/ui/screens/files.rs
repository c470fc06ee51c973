//! Files that were written, executed, renamed, deleted or made executable, and by whom.

use std::cell::RefMut;

use lanner_core::persistent::Place;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::super::command::Command;
use super::super::known::files::Touched;
use super::super::look::Look;
use super::super::rows::{Rank, Row, Rows, Stamp, falling};
use super::super::scene::Scene;
use super::super::sort::Sort;
use super::super::state::{Screen, State, Subject};
use super::super::text::{cell, cell_right, clip_middle, count, grouped, shown, width};
use super::super::view::ViewState;
use super::super::words;
use super::{Focus, moved, paint_empty, paint_row, scroll, span, waiting, way_out};

/// Which files are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum FilesView {
    /// Those that are other than before.
    #[default]
    Changed,
    /// Those that were executed after they had been written.
    Dropped,
    /// Those that were executed.
    Executed,
    /// All, those that were only read too.
    All,
}

impl FilesView {
    pub(crate) fn next(self) -> FilesView {
        match self {
            FilesView::Changed => FilesView::Dropped,
            FilesView::Dropped => FilesView::Executed,
            FilesView::Executed => FilesView::All,
            FilesView::All => FilesView::Changed,
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            FilesView::Changed => "changed",
            FilesView::Dropped => "written, then executed",
            FilesView::Executed => "executed",
            FilesView::All => "all",
        }
    }

    fn shows(self, touched: &Touched) -> bool {
        match self {
            FilesView::Changed => touched.is_changed(),
            FilesView::Dropped => touched.is_dropped(),
            FilesView::Executed => touched.executed.happened(),
            FilesView::All => true,
        }
    }
}

/// From so many columns on there is room for more than what was done to which file.
const ROOMY: usize = 60;

const LEGEND: &str = "w written  x executed  r read  n renamed  + made executable  d deleted";

/// The rows that were shown last.
pub(crate) type FileRows = Rows<FilesView>;

/// The files that filter and scope let through, in their order.
fn listed<'s>(scene: &Scene<'_>, state: &'s State) -> RefMut<'s, FileRows> {
    let scope = state.scope(scene);
    let passes = |touched: &&Touched| {
        state.files.shows(touched)
            && scope.file(touched, scene)
            && (state.filter.is_empty()
                || state.listing.has_file(touched.number) == Some(true)
                || state.filter.line(&words::file(&touched.file)))
    };
    let sort = state.sorts.of(Screen::Files);
    let row = |place: Place| {
        let touched = scene.files.at(place).filter(passes)?;
        let processes = touched.doers().chain([touched.by]).collect();
        Some(Row { rank: rank(scene, touched, sort), processes, marks: [false; 2], title: None })
    };
    let stamp = Stamp::of(scene, state, &scope, Screen::Files, state.files);
    let mut rows = state.file_rows.borrow_mut();
    rows.follow(scene, stamp, &scene.changes.files, scene.files.places(), row);
    rows
}

fn rank(scene: &Scene<'_>, touched: &Touched, sort: Sort) -> Rank {
    let (last, by) = (touched.last.0, touched.by);
    match sort.by {
        1 => Rank { name: Some(touched.file.path.as_bytes().into()), numbers: [touched.number, 0, 0] },
        2 => {
            let name = Some(scene.name(by).unwrap_or_default().into());
            Rank { name, numbers: [by.pid.into(), by.start.0, last] }
        }
        _ => Rank::by([falling(last), falling(touched.seq), touched.number]),
    }
}

/// The row of the selected file: the one that was chosen, else the first of the selected process, else the first.
fn position(scene: &Scene<'_>, rows: &FileRows, state: &State) -> usize {
    let chosen = state.selection.file.and_then(|number| scene.files.place(number)).and_then(|place| rows.index(place));
    let of_process = || rows.index(rows.first_of(state.selection.process()?)?);
    chosen.or_else(of_process).unwrap_or(0)
}

/// The selected file.
pub(crate) fn selected(scene: &Scene<'_>, state: &State) -> Option<Subject> {
    let rows = listed(scene, state);
    let place = rows.places().nth(position(scene, &rows, state))?;
    scene.files.at(place).map(|touched| Subject::File(touched.number))
}

pub(crate) fn draw(scene: &Scene<'_>, state: &State, view: &mut ViewState, area: Rect, buffer: &mut Buffer) {
    let look = state.look;
    let rows = listed(scene, state);
    head(scene, state, rows.len(), area, buffer);
    if rows.len() == 0 {
        let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        let narrowed = !state.filter.is_empty() || state.listed.0.is_some();
        let (title, sentence) = match waiting(scene) {
            Some(waiting) => waiting,
            None if narrowed => ("No such file here".to_owned(), format!("{} v shows others.", way_out(state))),
            None => (
                "No such file so far".to_owned(),
                "They appear as they are touched. v shows others: those that were executed, or all.".to_owned(),
            ),
        };
        paint_empty(buffer, below, &title, &[&sentence], look);
        return;
    }
    let list = Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area };
    let at = position(scene, &rows, state);
    let height = usize::from(list.height);
    view.files = scroll(view.files, at, height, rows.len());
    for (row, (i, place)) in rows.places().enumerate().skip(view.files).take(height).enumerate() {
        let Some(touched) = scene.files.at(place) else { continue };
        let line = line(scene, touched, usize::from(list.width).saturating_sub(1), look);
        paint_row(buffer, list, row, &line, if i == at { Focus::Here } else { Focus::No }, look);
    }
}

fn head(scene: &Scene<'_>, state: &State, files: usize, area: Rect, buffer: &mut Buffer) {
    let look = state.look;
    let dropped = scene.files.dropped();
    let mut spans = vec![
        span(format!("{}, {}   ", state.files.words(), state.sorts.words(Screen::Files)), look.accent()),
        span(count(files, "file", "files"), look.dim()),
    ];
    if dropped > 0 {
        spans.push(span(format!(", {dropped} written, then executed"), look.warn()));
    }
    if scene.files.let_go() > 0 {
        spans.push(span(format!(", {} let go", grouped(scene.files.let_go())), look.warn()));
    }
    paint_row(buffer, area, 0, &Line::from(spans), Focus::No, look);
    if files == 0 {
        return;
    }
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let titles = format!(
        "  {} {} {}PATH",
        cell("DONE", 6),
        cell("BY", doer_columns(area.width.into())),
        age_cell("LAST", area.width.into())
    );
    let room = usize::from(area.width).saturating_sub(width(&titles) + 4);
    let legend = if room >= width(LEGEND) { format!("   {LEGEND}") } else { String::new() };
    paint_row(buffer, below, 0, &Line::from(span(format!("{titles}{legend}"), look.dim())), Focus::No, look);
}

/// How wide the column is that tells who touched it last.
fn doer_columns(columns: usize) -> usize {
    if columns >= ROOMY { 17 } else { 10 }
}

/// When that was: on narrow screens the path matters more.
fn age_cell(age: &str, columns: usize) -> String {
    if columns >= ROOMY { format!("{} ", cell_right(age, 4)) } else { String::new() }
}

/// What was done to it: a letter each.
pub(crate) fn done(touched: &Touched) -> String {
    let deeds = [
        (touched.written.happened(), 'w'),
        (touched.executed.happened(), 'x'),
        (touched.read().happened(), 'r'),
        (touched.renamed().happened(), 'n'),
        (touched.made_executable().happened(), '+'),
        (touched.deleted().happened(), 'd'),
    ];
    deeds.iter().map(|(done, letter)| if *done { *letter } else { ' ' }).collect()
}

fn line(scene: &Scene<'_>, touched: &Touched, columns: usize, look: Look) -> Line<'static> {
    let dropped = touched.is_dropped();
    let doer = doer_columns(columns + 1);
    let mut spans = vec![
        span(if dropped { "▲ " } else { "  " }, look.warn()),
        span(format!("{} ", done(touched)), if dropped { look.warn() } else { look.accent() }),
        span(format!("{} ", cell(&words::who_within(touched.by, scene, doer), doer)), look.strong()),
        span(age_cell(&words::age(touched.last, scene.now()), columns + 1), look.dim()),
    ];
    let taken: usize = spans.iter().map(|s| s.width()).sum();
    let room = columns.saturating_sub(taken);
    let before = match &touched.before {
        Some(before) => format!("  (was {})", shown(before, 60)),
        None => String::new(),
    };
    // That it was deleted is among its letters.
    let file = &touched.file;
    let path = if touched.deleted().happened() { words::file_but_its_end(file) } else { words::file(file) };
    let style = if touched.file.deleted { look.dim() } else { Style::new() };
    if width(&path) + width(&before) <= room {
        spans.push(span(path, style));
        spans.push(span(before, look.dim()));
    } else {
        spans.push(span(clip_middle(&path, room), style));
    }
    Line::from(spans)
}

/// Carries out a command.
pub(crate) fn act(scene: &Scene<'_>, state: &mut State, command: Command, page: usize) {
    if command == Command::Group {
        state.files = state.files.next();
        return;
    }
    let rows = listed(scene, state);
    let at = position(scene, &rows, state);
    let to = if command == Command::Open { Some(at) } else { moved(command, at, rows.len(), page.saturating_sub(1)) };
    let touched = to.and_then(|to| rows.places().nth(to)).and_then(|place| scene.files.at(place));
    drop(rows);
    if let Some(touched) = touched {
        let subject = Subject::File(touched.number);
        state.select(scene, &subject);
        if command == Command::Open {
            state.open(subject);
        }
    }
}
