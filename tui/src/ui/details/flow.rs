//! Everything known of a connection, a listening socket or a question.

use super::super::known::flows::FlowKey;
use super::super::scene::Scene;
use super::super::screens::flows::{kind, peer, state_words};
use super::super::state::Subject;
use super::super::text::{bytes, count, grouped, shown};
use super::super::{when, words};
use super::Page;

pub(super) fn write(page: &mut Page, scene: &Scene<'_>, key: &FlowKey) {
    let Some(line) = scene.flows.get(key) else {
        page.heading("Flow");
        page.fact("", "it is not known at the moment that is shown");
        return;
    };
    page.heading(&format!("{} {}", kind(line), peer(scene, line)));
    let (state, style) = state_words(line, page.look);
    page.styled("state", &state, style, None);
    page.process("process", line.process, scene);
    if let Some(other) = scene.graph.other_end(&line.as_flow()) {
        page.process("other end", other, scene);
    }
    if let Some(id) = scene.container_of(line.process) {
        page.link("container", &words::container_title(id, scene.graph), Subject::Container(id.clone()));
    }
    page.fact(
        "opened by",
        match line.outgoing {
            Some(true) => "this end",
            Some(false) => "the other end",
            None => "unknown: it is older than the sensor",
        },
    );
    page.fact("local", &line.local.to_string());
    if !matches!(key, FlowKey::Listen(..)) {
        page.fact("remote", &words::address(line.remote, line.netns, scene.graph));
    }
    if let Some(naming) = scene.graph.name_of(line.netns, line.remote.ip()) {
        page.process("named for", naming.asked_by, scene);
        page.event("named by", naming.seq, scene);
    }
    let netns = if line.netns == 0 { "unknown".to_owned() } else { line.netns.to_string() };
    page.fact("network", &format!("namespace {netns}"));
    page.fact("first seen", &when::stamp(scene.node, line.since));
    page.fact("last seen", &when::stamp(scene.node, line.last));

    if !matches!(key, FlowKey::Listen(..)) {
        page.heading("How it went");
    }
    if let FlowKey::Dns(..) = key {
        page.fact("asked", &format!("{} times, {} without an answer that helps", grouped(line.times), line.failures));
        page.fact("waited", &line.waited.map_or_else(|| "unknown".to_owned(), when::latency));
        for (i, address) in line.reply.iter().flat_map(|r| &r.addresses).enumerate() {
            page.fact(if i == 0 { "addresses" } else { "" }, &address.to_string());
        }
        for (i, name) in line.reply.iter().flat_map(|r| &r.names).enumerate() {
            page.fact(if i == 0 { "names" } else { "" }, &shown(name, 300));
        }
    } else if !matches!(key, FlowKey::Listen(..)) {
        page.fact("sent", &bytes(line.sent));
        page.fact("received", &bytes(line.received));
        if let Some(quality) = line.quality {
            let time = |d: std::time::Duration| if d.is_zero() { "not measured".to_owned() } else { when::latency(d) };
            page.fact("round trip", &format!("{}, the shortest {}", time(quality.rtt), time(quality.rtt_min)));
            page.fact(
                "sent again",
                &format!(
                    "{}, {}",
                    count(quality.retransmits as usize, "segment", "segments"),
                    bytes(quality.retransmitted)
                ),
            );
        } else {
            page.fact("quality", "told when it ends, or after a while");
        }
    }
    page.heading("Events");
    page.event("the last", line.seq, scene);
    page.fact("", "6 lists all of them");
}
