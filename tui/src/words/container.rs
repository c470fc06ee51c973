//! Containers.

use lanner_core::event::{ContainerId, ContainerInfo};
use lanner_core::graph::Graph;

use super::LINE;
use super::text::shown;

/// A container's id as container tools shorten it.
pub(crate) fn container(id: &ContainerId) -> String {
    shown(id.short(), 64)
}

/// A container as a person calls it: `namespace/pod/container`, its name, or its short id while no name is known.
pub(crate) fn container_title(id: &ContainerId, graph: &Graph) -> String {
    shown(graph.container_title(id), 160)
}

/// The same in a narrow column: a pod's own name, or the container's.
pub(crate) fn container_label(id: &ContainerId, graph: &Graph) -> String {
    let info = graph.container_info(id);
    let names = [info.and_then(|i| Some(&i.pod.as_ref()?.name)), info.map(|i| &i.name)];
    match names.into_iter().flatten().find(|name| !name.is_empty()) {
        Some(name) => shown(name, 64),
        None => container(id),
    }
}

/// `container 9f3c2a1b77d0 is shop/web/nginx, from docker.io/library/nginx:1.25`.
pub(super) fn named(info: &ContainerInfo) -> String {
    let id = container(&info.id);
    if !info.is_known() {
        return format!("container {id} is unknown to the runtime: {}", shown(&info.why, LINE));
    }
    let mut words = match info.title() {
        Some(title) => format!("container {id} is {}", shown(&title, LINE)),
        None => format!("container {id} has no name"),
    };
    let source = info.pod.as_ref().map(|pod| &pod.source).filter(|source| **source == "file" || **source == "http");
    for (before, text) in [(", from ", Some(&info.image.reference)), (", a static pod from a ", source)] {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            words.push_str(before);
            words.push_str(&shown(text, LINE));
        }
    }
    if info.privileged == Some(true) {
        words.push_str(", privileged");
    }
    words
}
