//! Draws a frame. It reads the model and changes nothing but scroll offsets.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::model::Model;
use super::scene::Scene;
use super::screens::{files, flows, graph, help, incidents, sensor, timeline, tree};
use super::state::{Screen, State};
use super::{chrome, details, look};

/// Below this the frame is a sentence.
const SMALLEST: Size = Size { width: 20, height: 5 };

/// From this width on, details stand beside the screen that they were opened from.
pub(crate) const SIDE_BY_SIDE: u16 = 110;

/// Where the lists were scrolled to in the frame before.
#[derive(Debug, Default)]
pub struct ViewState {
    pub(crate) incidents: usize,
    pub(crate) story: usize,
    pub(crate) tree: usize,
    pub(crate) flows: usize,
    pub(crate) files: usize,
    pub(crate) timeline: usize,
    pub(crate) details: usize,
}

/// Where everything goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Regions {
    pub(crate) header: Rect,
    pub(crate) titles: Rect,
    /// Where screen and details are.
    pub(crate) body: Rect,
    /// The screen; empty while details cover it.
    pub(crate) main: Rect,
    /// The details; empty while there are none.
    pub(crate) details: Rect,
    /// The prompt; empty while there is none.
    pub(crate) prompt: Rect,
    pub(crate) footer: Rect,
}

impl Regions {
    /// `None` when the terminal is too small.
    pub(crate) fn of(size: Size, state: &State) -> Option<Regions> {
        if size.width < SMALLEST.width || size.height < SMALLEST.height {
            return None;
        }
        let line = |y: u16| Rect { x: 0, y, width: size.width, height: 1 };
        let prompt_height = state.prompt.as_ref().map_or(0, |prompt| chrome::prompt_rows(prompt, size));
        let body = Rect { x: 0, y: 2, width: size.width, height: size.height - 3 - prompt_height };
        let prompt = Rect { height: prompt_height, ..line(size.height - 1 - prompt_height) };
        let (main, details) = match (!state.pane, size.width >= SIDE_BY_SIDE && !state.zoomed) {
            (true, _) => (body, Rect::ZERO),
            (false, false) => (Rect::ZERO, body),
            (false, true) => {
                let left = size.width / 2;
                let details = Rect { x: left + 1, width: size.width - left - 1, ..body };
                (Rect { width: left, ..body }, details)
            }
        };
        Some(Regions { header: line(0), titles: line(1), body, main, details, prompt, footer: line(size.height - 1) })
    }
}

/// Draws everything.
pub fn view(model: &Model, view: &mut ViewState, frame: &mut Frame<'_>) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    paint(&model.scene(), &model.state, view, area, buffer);
}

/// Draws a scene.
pub(crate) fn paint(scene: &Scene<'_>, state: &State, view: &mut ViewState, area: Rect, buffer: &mut Buffer) {
    match Regions::of(area.as_size(), state) {
        Some(regions) => draw(scene, state, view, &regions, buffer),
        None => too_small(area, buffer),
    }
    if state.look.ascii {
        look::to_ascii(buffer);
    }
}

fn draw(scene: &Scene<'_>, state: &State, view: &mut ViewState, regions: &Regions, buffer: &mut Buffer) {
    let context = state.context(scene);
    chrome::header(scene, state, regions.header, buffer);
    chrome::titles(scene, state, regions.titles, buffer);
    if let Some(from) = state.help {
        help::draw(state, &context, from, regions.body, buffer);
    } else {
        if !regions.main.is_empty() {
            match state.screen {
                Screen::Incidents => incidents::draw(scene, state, view, regions.main, buffer),
                Screen::Tree => tree::draw(scene, state, view, regions.main, buffer),
                Screen::Graph => graph::draw(scene, state, regions.main, buffer),
                Screen::Flows => flows::draw(scene, state, view, regions.main, buffer),
                Screen::Files => files::draw(scene, state, view, regions.main, buffer),
                Screen::Timeline => timeline::draw(scene, state, view, regions.main, buffer),
                Screen::Sensor => sensor::draw(scene, state, regions.main, buffer),
            }
        }
        if let Some(step) = state.details() {
            for y in regions.main.top()..regions.main.bottom() {
                buffer.set_stringn(regions.main.right(), y, "│", 1, state.look.dim());
            }
            details::draw(scene, state, step, view, regions.details, buffer);
        }
    }
    chrome::prompt(state, regions.prompt, buffer);
    chrome::footer(scene, state, &context, regions, buffer);
}

fn too_small(area: Rect, buffer: &mut Buffer) {
    let sentence = format!("lanner needs {} x {}", SMALLEST.width, SMALLEST.height);
    for (y, line) in (area.top()..area.bottom()).zip(super::text::wrap(&sentence, usize::from(area.width))) {
        buffer.set_stringn(area.x, y, line, usize::from(area.width), ratatui::style::Style::new());
    }
}
