//! What has changed lately of all that a picture shows.

use lanner_core::detect::Signal;
use lanner_core::event::{Event, Payload, ProcessKey};
use lanner_core::persistent::Place;

use super::journal::Journal;

/// The latest changes.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Processes of which the tree may show other things.
    pub(crate) processes: Journal<ProcessKey>,
    /// Flows, by their places.
    pub(crate) flows: Journal<Place>,
    /// Files, by their places.
    pub(crate) files: Journal<Place>,
    /// Goes up when somebody or something has another name: a container, its users.
    pub(crate) names: u64,
}

impl Changes {
    /// Anything may have changed.
    pub(crate) fn anything(&mut self) {
        self.processes.anything();
        self.flows.anything();
        self.files.anything();
    }

    /// Notes whom an event changes; `known`: its process was known before.
    pub(crate) fn note(&mut self, event: &Event, signals: &[Signal], known: bool) {
        let key = event.header.process;
        self.names += u64::from(matches!(event.payload, Payload::Container(_) | Payload::Accounts(_)));
        if !known || shapes_the_tree(&event.payload) {
            self.processes.note(key);
        }
        if let Payload::Fork(fork) = &event.payload {
            self.processes.note(fork.child);
        }
        signals.iter().for_each(|signal| self.processes.note(signal.process));
    }
}

/// Whether an event may change whether, where and how the tree shows its process.
fn shapes_the_tree(payload: &Payload) -> bool {
    matches!(
        payload,
        Payload::Exec(_)
            | Payload::Alive(_)
            | Payload::Exit(_)
            | Payload::Namespace(_)
            | Payload::Comm(_)
            | Payload::Credentials(_)
    )
}
