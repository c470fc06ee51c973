//! What a recording says of itself.

use std::time::Duration;

use lanner_core::event::{BootTime, NodeInfo};
use lanner_proto::v1;

/// The longest note, in bytes, and the most stretches that are read.
const MAX_NOTE: usize = 64 * 1024;
const MAX_STRETCHES: usize = 4096;

/// Where a recording comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// The node, and what its sensor could see.
    pub node: NodeInfo,
    /// The version of Lanner that wrote it.
    pub recorded_by: String,
    /// What the person who made it wanted to say; empty: nothing.
    pub note: String,
    /// Silent gaps that were lengthened after the fact, in time order; empty: all times are as they were.
    pub stretched: Vec<Stretch>,
}

/// One lengthened gap: everything after `at` was moved towards the future.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// A moment in the gap, as the node counted it, before any stretching.
    pub at: BootTime,
    /// How much longer the gap became.
    pub by: Duration,
}

impl Header {
    /// A header for what this version records of `node` now.
    pub fn new(node: NodeInfo) -> Self {
        Header { node, recorded_by: env!("CARGO_PKG_VERSION").to_owned(), ..Header::default() }
    }
}

impl From<&Header> for v1::RecordingHeader {
    fn from(header: &Header) -> Self {
        let stretch = |s: &Stretch| v1::Stretch { at: s.at.0, by: u64::try_from(s.by.as_nanos()).unwrap_or(u64::MAX) };
        v1::RecordingHeader {
            node: Some((&header.node).into()),
            recorded_by: header.recorded_by.clone(),
            note: cut(header.note.clone()),
            stretched: header.stretched.iter().take(MAX_STRETCHES).map(stretch).collect(),
        }
    }
}

impl From<v1::RecordingHeader> for Header {
    fn from(header: v1::RecordingHeader) -> Self {
        let stretch = |s: v1::Stretch| Stretch { at: BootTime(s.at), by: Duration::from_nanos(s.by) };
        Header {
            node: header.node.unwrap_or_default().into(),
            recorded_by: cut(header.recorded_by),
            note: cut(header.note),
            stretched: header.stretched.into_iter().take(MAX_STRETCHES).map(stretch).collect(),
        }
    }
}

fn cut(mut s: String) -> String {
    s.truncate(s.floor_char_boundary(MAX_NOTE));
    s
}
