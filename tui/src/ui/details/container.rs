//! Everything known of a container.

use lanner_core::event::ContainerId;

use super::super::scene::Scene;
use super::super::text::shown;
use super::super::{when, words};
use super::{MOST, Page};

pub(super) fn write(page: &mut Page, scene: &Scene<'_>, id: &ContainerId) {
    page.heading(&format!("Container {}", words::container(id)));
    page.fact("id", &shown(id, 200));
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
    let inside: Vec<_> = scene.processes().filter(|p| p.task.container.as_ref() == Some(id)).collect();
    for process in inside.iter().take(MOST) {
        page.process("", process.key, scene);
    }
    if inside.len() > MOST {
        page.fact("", &format!("and {} more", inside.len() - MOST));
    }
}
