//! The model: what is known and what the user chose.

use std::ops::Range;

use lanner_core::engine::Engine;
use ratatui::layout::Size;

use super::feed::Source;
use super::keymap::Keymap;
use super::look::Look;
use super::scene::Scene;
use super::state::{Screen, State};
use super::world::World;

/// Everything from which a frame is drawn.
#[derive(Debug)]
pub struct Model {
    pub(crate) world: World,
    pub(crate) state: State,
}

impl Model {
    /// A model that knows nothing yet. `new_engine` makes an engine with the rules to use; it is called once now, and
    /// again whenever the feed turns to another node or another boot.
    pub fn new(
        new_engine: impl Fn() -> Engine + Send + 'static,
        source: Source,
        look: Look,
        keymap: Keymap,
        size: Size,
    ) -> Self {
        let mut state = State::new(look, keymap, size);
        // A recording has a story to tell; on a node there is mostly none, and what lives there is the better sight.
        if !matches!(source, Source::Recording(..)) {
            state.screen = Screen::Tree;
        }
        Model { world: World::new(Box::new(new_engine), source), state }
    }

    /// What the user chose.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether there is work left to do when nothing else comes: a filter is still being asked.
    pub fn is_busy(&self) -> bool {
        self.state.listing.progress(&self.world.latest()).is_some()
    }

    /// Whether a frame would show nothing new as long as nothing happens, but for how long ago things were: those are told anew
    /// with the next key. The sensor's own figures are new each time.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.world.is_at_rest() && self.state.screen != Screen::Sensor
    }

    /// The events that can be gone back to, by their numbers.
    pub fn moments(&self) -> Range<u64> {
        let history = self.world.latest().history;
        history.start()..history.end()
    }

    /// Goes to the moment of an event, as a move in the timeline does. The next [`update`](super::update()) makes it ready.
    pub fn go_to(&mut self, number: u64) {
        self.state.go_to(&self.world.latest(), number);
    }

    pub(crate) fn scene(&self) -> Scene<'_> {
        self.world.scene(self.state.then(), self.state.held)
    }
}
