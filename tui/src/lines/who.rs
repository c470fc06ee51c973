//! A process in a line.

use lanner_core::detect::ProcessSummary;
use lanner_core::event::{ContainerId, NodeInfo, ProcessKey, Text};
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
    #[serde(flatten)]
    names: Names,
}

/// What its container is called, as far as that is known now.
#[derive(Debug, Default, Serialize)]
struct Names {
    container_name: Option<Text>,
    image: Option<Text>,
    pod: Option<Text>,
    pod_namespace: Option<Text>,
}

impl Names {
    fn of(id: Option<&ContainerId>, graph: &Graph) -> Names {
        let Some(info) = id.and_then(|id| graph.container_info(id)) else { return Names::default() };
        let some = |text: &Text| (!text.is_empty()).then(|| text.clone());
        let pod = info.pod.as_ref();
        Names {
            container_name: some(&info.name),
            image: some(&info.image.reference),
            pod: pod.and_then(|pod| some(&pod.name)),
            pod_namespace: pod.and_then(|pod| some(&pod.namespace)),
        }
    }
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
            container: process.and_then(|p| p.task.context.container.clone()).map(|id| id.0),
            names: Names::of(process.and_then(|p| p.task.context.container.as_ref()), graph),
        }
    }

    /// As an incident remembers it.
    pub(super) fn remembered(summary: &ProcessSummary, graph: &Graph, node: &NodeInfo) -> Who {
        Who {
            pid: summary.key.pid,
            start: timestamp(node.wall(summary.key.start)),
            exe: summary.exe.clone(),
            args: summary.args.clone(),
            container: summary.container.clone().map(|id| id.0),
            names: Names::of(summary.container.as_ref(), graph),
        }
    }
}
