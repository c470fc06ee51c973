//! Tests of the whole user interface: scenes in, frames out; keys in, state out.

mod anything;
mod attack;
mod forest;
mod frames;
mod hostile;
mod keys;
mod past;
mod picture;
mod quiet;
mod reference;
mod rows;
mod script;
mod trust;

use std::collections::VecDeque;
use std::sync::Arc;

use lanner_core::detect::{Incident, Signal};
use lanner_core::engine::Engine;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Rect, Size};

use super::feed::{ConnectionState, FeedItem, Source};
use super::keymap::Keymap;
use super::known::history::History;
use super::known::marks::Marks;
use super::look::Look;
use super::model::Model;
use super::scene::Scene;
use super::state::{Screen, State};
use super::update::{Msg, update};
use super::view::{ViewState, paint};

/// Unicode without colours: what a frame says must not depend on them.
const PLAIN: Look = Look::PLAIN;

/// A character that is typed.
fn key(c: char) -> Msg {
    Msg::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE))
}

/// A model that was fed, and what its engine has not concluded by itself.
struct Told {
    model: Model,
    view: ViewState,
    incidents: Vec<Arc<Incident>>,
    marks: Marks,
    history: History,
    signals: VecDeque<Signal>,
}

impl Told {
    fn new(items: Vec<FeedItem>, incidents: Vec<Incident>, source: Source) -> Told {
        let mut model = Model::new(Engine::default, source, PLAIN, Keymap::default(), Size { width: 80, height: 24 });
        for item in items {
            update(&mut model, Msg::Feed(item));
        }
        // The incidents are not the model's own, so that it cannot turn to them by itself.
        model.state.screen = Screen::Incidents;
        let (mut marks, mut history) = (Marks::default(), History::new(History::CAPACITY));
        let mut signals = VecDeque::new();
        let scene = model.scene();
        for number in scene.history.start()..scene.history.end() {
            let event = &scene.history.get(number).unwrap().event;
            let raised = signals_of(&incidents, event.header.seq);
            marks.apply(event, &raised);
            signals.extend(raised.iter().cloned());
            history.push(event.clone(), raised);
        }
        let incidents = incidents.into_iter().map(Arc::new).collect();
        Told { model, view: ViewState::default(), incidents, marks, history, signals }
    }

    /// The reference attack, told to its end.
    fn attack() -> Told {
        let (script, incident) = attack::attack();
        Told::new(vec![FeedItem::Node(attack::node()), FeedItem::Batch(script.batch())], vec![incident], Source::Live)
    }

    /// A node on which nothing is wrong.
    fn quiet() -> Told {
        let script = attack::quiet();
        Told::new(vec![FeedItem::Node(attack::node()), FeedItem::Batch(script.batch())], Vec::new(), Source::Live)
    }

    /// A source that has not yet answered.
    fn connecting() -> Told {
        let source = Source::Remote("unix:///run/lanner/lanner.sock".to_owned());
        Told::new(vec![FeedItem::Status(ConnectionState::Connecting)], Vec::new(), source)
    }

    fn scene(&self) -> Scene<'_> {
        let (history, signals) = (&self.history, &self.signals);
        Scene { incidents: &self.incidents, marks: &self.marks, history, signals, ..self.model.scene() }
    }

    /// Lets the state be changed by what a screen does.
    fn act(&mut self, act: impl FnOnce(&Scene<'_>, &mut State)) {
        let mut state = std::mem::replace(&mut self.model.state, State::new(PLAIN, Keymap::default(), Size::ZERO));
        act(&self.scene(), &mut state);
        self.model.state = state;
    }

    fn buffer(&mut self, width: u16, height: u16) -> Buffer {
        let area = Rect { x: 0, y: 0, width, height };
        let mut buffer = Buffer::empty(area);
        let mut view = std::mem::take(&mut self.view);
        paint(&self.scene(), &self.model.state, &mut view, area, &mut buffer);
        self.view = view;
        buffer
    }

    /// The frame as text.
    fn frame(&mut self, width: u16, height: u16) -> String {
        text(&self.buffer(width, height))
    }
}

/// What is in a buffer, line by line, without the blanks at their ends.
fn text(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut out = String::new();
    for y in area.top()..area.bottom() {
        let mut line = String::new();
        let mut covered = 0;
        for x in area.left()..area.right() {
            let symbol = buffer[(x, y)].symbol();
            if covered > 0 {
                covered -= 1;
                continue;
            }
            line.push_str(symbol);
            covered = super::text::width(symbol).saturating_sub(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn signals_of(incidents: &[Incident], seq: u64) -> Vec<Signal> {
    let stages = incidents.iter().flat_map(|i| &i.stages).filter(|s| s.evidence.last() == Some(&seq));
    stages
        .map(|s| Signal {
            rule: s.signal.as_str().into(),
            severity: s.severity,
            tactic: Some(s.tactic),
            technique: s.technique.as_str().into(),
            seq,
            time: s.time,
            process: s.process.key,
            sentence: s.sentence.clone(),
        })
        .collect()
}
