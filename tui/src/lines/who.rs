//! A process in a line.

use lanner_core::detect::ProcessSummary;
use lanner_core::event::{NodeInfo, ProcessKey, Text};
use lanner_core::graph::Graph;
use serde::Serialize;

use super::timestamp;

/// A process, by its identity and what it ran at that time.
#[derive(Debug, Serialize)]
pub(super) struct Who {
    pid: u32,
    start: String,
    exe: Text,
    args: Text,
    container: Option<Text>,
}

impl Who {
    /// As the graph knows it now.
    pub(super) fn of(key: ProcessKey, graph: &Graph, node: &NodeInfo) -> Who {
        let process = graph.process(key);
        let image = process.and_then(|p| p.image());
        Who {
            pid: key.pid,
            start: timestamp(node.wall(key.start)),
            exe: image.map(|i| i.exe.path.clone()).unwrap_or_default(),
            args: image.map(|i| i.args.joined()).unwrap_or_default(),
            container: process.and_then(|p| p.task.container.clone()).map(|id| id.0),
        }
    }

    /// As an incident remembers it.
    pub(super) fn remembered(summary: &ProcessSummary, node: &NodeInfo) -> Who {
        Who {
            pid: summary.key.pid,
            start: timestamp(node.wall(summary.key.start)),
            exe: summary.exe.clone(),
            args: summary.args.clone(),
            container: summary.container.clone().map(|id| id.0),
        }
    }
}
