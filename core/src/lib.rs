//! The heart of Lanner, and pure: events go in, a graph and incidents come out. Nothing here does I/O, reads a clock
//! or runs asynchronously; time is a field of an event. The same events give the same graph and incidents, byte for byte.
//!
//! - [`event`]: the vocabulary of everything else.
//! - [`condition`]: Falco's condition language, for rules, filters and the command line alike.
//! - [`graph`]: processes, files, peers and containers, and what happened between them.
//! - [`detect`]: signals (one event meets one rule), the links between them, and the incidents they form.
//! - [`engine`]: all of the above behind one call per event.
//! - [`persistent`]: the collections that all of it stands in, of which a copy costs what has changed.
#![forbid(unsafe_code)]

pub mod condition;
pub mod detect;
pub mod engine;
pub mod event;
pub mod graph;
mod hash;
pub mod persistent;
mod told;
