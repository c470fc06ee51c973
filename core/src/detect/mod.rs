//! Detection: [`Signal`]s (one event meets one rule), the [`Link`]s between what different processes did, and the
//! [`Incident`]s that linked signals form. A detection stands beside the events and names those it rests on.

mod attack;
mod incident;
mod signal;

pub use attack::{Tactic, technique_name};
pub use incident::{ChainMatch, Incident, Link, LinkKind, ProcessSummary, Stage, Status};
pub use signal::{Severity, Signal};
