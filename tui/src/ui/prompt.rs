//! What is being typed at the bottom: a filter, or the name of a command.

use lanner_core::condition::ConditionError;
use tui_input::{Input, InputRequest};

use super::filter::Filter;

/// What is typed is no longer than this, in characters.
const MAX: usize = 1_024;

/// What is being asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PromptKind {
    /// A filter, applied as it is typed.
    Filter,
    /// A command, by its name.
    Palette,
}

/// A line that is being typed.
#[derive(Debug, Clone)]
pub(crate) struct Prompt {
    pub(crate) kind: PromptKind,
    pub(crate) input: Input,
    /// Why what stands there cannot be applied.
    pub(crate) error: Option<ConditionError>,
    /// The filter that was applied before; comes back when the prompt is cancelled.
    pub(crate) before: Filter,
    /// What the word at the cursor may become.
    pub(crate) offers: Vec<Offer>,
    /// Which of them stands there now.
    pub(crate) taken: Option<usize>,
}

/// What a word may become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    /// What stands in the line once it is taken: all of it.
    pub(crate) line: String,
    /// What is shown of it.
    pub(crate) shown: String,
    /// What it means, if that is worth saying.
    pub(crate) meaning: String,
}

impl Prompt {
    pub(crate) fn new(kind: PromptKind, text: String, before: Filter) -> Prompt {
        Prompt { kind, input: Input::new(text), error: None, before, offers: Vec::new(), taken: None }
    }

    /// Changes what stands there, as far as there is room.
    pub(crate) fn edit(&mut self, request: InputRequest) {
        if matches!(request, InputRequest::InsertChar(_)) && self.input.value().chars().count() >= MAX {
            return;
        }
        self.input.handle(request);
        self.taken = None;
    }

    /// Puts the next offer, or the one before, into the line.
    pub(crate) fn take(&mut self, forward: bool) {
        let n = self.offers.len();
        if n == 0 {
            return;
        }
        let next = match (self.taken, forward) {
            (None, true) => 0,
            (None, false) => n - 1,
            (Some(at), true) => (at + 1) % n,
            (Some(at), false) => (at + n - 1) % n,
        };
        self.taken = Some(next);
        self.input = Input::new(self.offers[next].line.clone());
    }
}
