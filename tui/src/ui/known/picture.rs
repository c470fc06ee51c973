//! All that stands at one moment, put together from the events until then.

use lanner_core::detect::Signal;
use lanner_core::engine::Engine;
use lanner_core::event::Event;
use lanner_core::persistent::{Place, Stock};

use super::changes::Changes;
use super::files::Files;
use super::flows::Flows;
use super::marks::Marks;

/// What is known at one moment. [`Picture::snapshot`] makes one to come back to.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    pub(crate) engine: Engine,
    pub(crate) tables: Tables,
}

/// What is put together beside the engine, and without it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tables {
    pub(crate) marks: Marks,
    pub(crate) flows: Flows,
    pub(crate) files: Files,
}

impl Tables {
    /// Takes in an event, with the signals that it raised; `flow` and `file` are told where those stand that change.
    pub(crate) fn apply(
        &mut self,
        event: &Event,
        signals: &[Signal],
        flow: impl FnMut(Place),
        file: impl FnMut(Place),
    ) {
        self.marks.apply(event, signals);
        self.flows.apply(event, flow);
        self.files.apply(event, file);
    }

    fn take_stock(&mut self) -> Stock {
        self.marks.take_stock() + self.flows.take_stock() + self.files.take_stock()
    }
}

impl Picture {
    pub(crate) fn new(engine: Engine) -> Picture {
        Picture { engine, tables: Tables::default() }
    }

    /// A copy, and about what it takes: what has changed since the copy before is copied, all else is shared.
    pub(crate) fn snapshot(&mut self) -> (Picture, Stock) {
        let (engine, stock) = self.engine.snapshot();
        let stock = stock + self.tables.take_stock();
        let picture = Picture { engine, tables: self.tables.clone() };
        (picture, stock)
    }

    /// Takes in an event, and notes what that changes; gives the signals that it raised.
    pub(crate) fn apply(&mut self, event: &Event, changes: &mut Changes) -> Vec<Signal> {
        let known = self.engine.graph().process(event.header.process).is_some();
        let outcome = self.engine.apply(event);
        changes.note(event, &outcome.signals, known);
        let flow = |place| changes.flows.note(place);
        let file = |place| changes.files.note(place);
        self.tables.apply(event, &outcome.signals, flow, file);
        outcome.signals
    }

    /// Takes in an event once more, with the signals that it raised the first time: the same comes of it, faster.
    pub(crate) fn apply_again(&mut self, event: &Event, signals: &[Signal]) {
        self.engine.apply_again(event, signals);
        self.tables.apply(event, signals, |_| (), |_| ());
    }

    /// Brings up to date what is not told with every event.
    pub(crate) fn settle(&mut self) {
        self.engine.flush();
        self.tables.marks.tidy(self.engine.graph());
    }
}
