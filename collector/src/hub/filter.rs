//! Choosing events.

use lanner_core::event::Event;
use lanner_core::graph::Graph;

/// Says which events a subscriber gets.
pub trait Filter: Send {
    /// Whether `event` passes; `graph` has already taken it in.
    fn matches(&self, event: &Event, graph: &Graph) -> bool;
}
