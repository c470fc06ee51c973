//! Where events come from.

use lanner_core::event::{BootTime, Event, Loss};

/// Why a source cannot go on.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// Something that sees events: the sensor, or a script in a test. It lives in the hub's thread.
pub trait Source: Send {
    /// Appends to `events` what has happened since the last call, in the order (time, cpu), and returns at once. The
    /// first call gives what was there before (`Origin::Backfill`). The hub numbers the events.
    ///
    /// # Errors
    /// When there will be no more events; what was appended to `events` is lost.
    fn poll(&mut self, events: &mut Vec<Event>) -> Result<Polled, SourceError>;

    /// Like [`Source::poll`], for the last time: nothing is held back.
    ///
    /// # Errors
    /// As above.
    fn finish(&mut self, events: &mut Vec<Event>) -> Result<Polled, SourceError>;
}

/// What a look at a source found beside events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Polled {
    /// Nothing that happened before is still to come.
    pub now: BootTime,
    /// What was lost since the last look.
    pub losses: Vec<Loss>,
}
