//! Detection: [`Signal`]s (one event meets one rule), the [`Link`]s between what different processes did, and the
//! [`Incident`]s that linked signals form. A detection stands beside the events and names those it rests on.
//!
//! - `case`: signals that evidence joins; one that weighs enough is an incident.
//! - `link`: the evidence.
//! - [`chain`]: known stories that incidents are held against.

mod attack;
mod case;
pub mod chain;
mod detector;
mod incident;
mod link;
pub mod rules;
mod signal;
mod words;

pub use attack::{Tactic, technique_name};
pub(crate) use detector::Detector;
pub use incident::{ChainMatch, Incident, Link, LinkKind, ProcessSummary, Stage, Status};
pub use signal::{Severity, Signal};
pub use words::duration;
