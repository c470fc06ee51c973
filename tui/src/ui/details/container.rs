//! Everything known of a container.

use lanner_core::event::{ContainerId, ContainerInfo, Role, Text, ToldBy};

use super::super::scene::Scene;
use super::super::text::shown;
use super::super::{when, words};
use super::inside::Inside;
use super::{MOST, Page};

pub(super) fn write(page: &mut Page, scene: &Scene<'_>, id: &ContainerId, inside: &mut Inside) {
    page.heading(&format!("Container {}", words::container_title(id, scene.graph)));
    page.fact("id", &shown(id, 200));
    if let Some(info) = scene.graph.container_info(id) {
        told(page, info);
    }
    let Some(container) = scene.graph.container(id) else {
        page.fact("", "no process of it is known");
        return;
    };
    page.fact("first seen", &when::stamp(scene.node, container.since));
    match &container.pod {
        Some(uid) if container.static_pod => {
            page.fact("pod", &format!("{}, made by the kubelet from a file, not by the API server", shown(uid, 64)));
        }
        Some(uid) => page.fact("pod", &shown(uid, 64)),
        None => page.fact("pod", "none, as far as its control group tells"),
    }
    page.process("began with", container.root, scene);
    if let Some(runtime) = container.runtime {
        page.process("started by", runtime, scene);
    }
    if let Some(cause) = &container.cause {
        page.heading("Why it was started");
        page.fact("from file", &shown(&cause.path, 4_000));
        page.process("written by", cause.writer, scene);
        page.process("read by", cause.reader, scene);
        page.event("the write", cause.written, scene);
        page.event("the read", cause.read, scene);
    }
    page.heading("Processes");
    inside.follow(scene, id);
    for key in inside.processes().take(MOST) {
        page.process("", key, scene);
    }
    if inside.len() > MOST {
        page.fact("", &format!("and {} more", inside.len() - MOST));
    }
}

/// What those who run it tell.
fn told(page: &mut Page, info: &ContainerInfo) {
    if !info.is_known() {
        page.fact("name", &format!("unknown to the runtime: {}", shown(&info.why, 1_000)));
        return;
    }
    let mut fact = |name: &str, text: &Text| {
        if !text.is_empty() {
            page.fact(name, &shown(text, 1_000));
        }
    };
    fact("name", &info.name);
    if let Some(pod) = &info.pod {
        fact("pod", &pod.name);
        fact("namespace", &pod.namespace);
        fact("source", &pod.source);
    }
    fact("image", &info.image.reference);
    fact("digest", &info.image.digest);
    fact("image id", &info.image.id);
    fact("runtime", &info.runtime);
    page.fact(
        "told by",
        match info.told_by {
            ToldBy::Cri => "the runtime, as it tells the kubelet",
            ToldBy::Runtime => "the runtime",
            ToldBy::Files | ToldBy::Nobody => "files that the runtime keeps",
        },
    );
    if info.role == Role::Sandbox {
        page.fact("role", "it holds its pod's namespaces");
    }
    if let Some(node) = &info.node {
        page.fact("node", &format!("container {}", words::container(node)));
    }
    match info.privileged {
        Some(true) => page.fact("privileged", "yes"),
        Some(false) => page.fact("privileged", "no"),
        None => {}
    }
    let shared: Vec<&str> = info.host_namespaces.iter().map(|namespace| namespace.name()).collect();
    if !shared.is_empty() {
        page.fact("host's", &format!("{} namespace", shared.join(", ")));
    }
    for (i, mount) in info.mounts.iter().enumerate() {
        let mode = if mount.read_only { " (read only)" } else { "" };
        let mount = format!("{} at {}{mode}", shown(&mount.host, 500), shown(&mount.container, 500));
        page.fact(if i == 0 { "mounts" } else { "" }, &mount);
    }
    let labels = info.pod.iter().flat_map(|pod| &pod.labels).chain(&info.labels);
    for (i, label) in labels.enumerate() {
        let label = format!("{}={}", shown(&label.key, 200), shown(&label.value, 500));
        page.fact(if i == 0 { "labels" } else { "" }, &label);
    }
    if info.cut {
        page.fact("", "there are more mounts or labels");
    }
}
