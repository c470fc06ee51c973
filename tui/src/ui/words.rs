//! What a screen says of an event and a process, with the names that the graph knows.

use lanner_core::event::{BootTime, Event, Payload, ProcessKey, Text};

use super::scene::Scene;
use super::text::shown;
use super::when;
pub(crate) use crate::words::*;

/// What happened, with who did it left out; as [`deed`], with names for pids.
pub(crate) fn phrase(event: &Event, scene: &Scene<'_>) -> String {
    match &event.payload {
        Payload::Fork(fork) => format!("forked {}", who(fork.child, scene)),
        payload => deed(payload, scene.graph),
    }
}

/// A process as `name[pid]`; only its pid when its name is not known.
pub(crate) fn who(key: ProcessKey, scene: &Scene<'_>) -> String {
    who_within(key, scene, 64)
}

/// As [`who`], in so many columns: of the two, the pid stays whole.
pub(crate) fn who_within(key: ProcessKey, scene: &Scene<'_>, columns: usize) -> String {
    let pid = format!("[{}]", key.pid);
    match scene.name(key) {
        Some(name) if !name.is_empty() => {
            format!("{}{pid}", shown(Text::from(name), columns.saturating_sub(pid.len())))
        }
        _ if key.is_unknown() => "unknown".to_owned(),
        _ => pid,
    }
}

/// How long something has lasted at a moment, in at most four columns.
pub(crate) fn age(since: BootTime, now: BootTime) -> String {
    when::age(now.since(since))
}
