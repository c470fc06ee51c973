//! Detection: [`Signal`]s (one event meets one rule), the [`Link`]s between what different processes did, and the
//! [`Incident`]s that linked signals form. A detection stands beside the events and names those it rests on.
//!
//! - `case`: signals that evidence joins; one that weighs enough is an incident. `step`: its stages. `cases`: all of them.
//! - `tell`: what is told of an incident. `hold`: what it rests on is kept.
//! - `member`: who is part of one, and who merely lies on the way.
//! - `link`: the evidence.
//! - [`explain`]: why something is part of an incident, and why not.
//! - [`chain`]: known stories that incidents are held against.

mod attack;
mod author;
mod because;
mod case;
mod cases;
pub mod chain;
mod detector;
pub mod explain;
mod follow;
mod hold;
mod incident;
mod lead;
mod link;
mod member;
mod mention;
mod occurrence;
pub mod rules;
mod signal;
mod step;
mod tell;
mod tie;
mod words;

pub use attack::{Tactic, technique_name};
pub(crate) use detector::Detector;
pub use incident::{ChainMatch, FoundStep, Incident, Link, ProcessSummary, Stage, Status};
pub(crate) use mention::Mentions;
pub use occurrence::Occurrence;
pub use signal::{Severity, Signal};
pub use tie::{LinkKind, Tie};
pub use words::duration;
