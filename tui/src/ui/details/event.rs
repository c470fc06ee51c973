//! Everything known of an event.

use lanner_core::event::{Origin, Payload};

use crate::lines;

use super::super::look::glyph;
use super::super::scene::Scene;
use super::super::state::Subject;
use super::super::text::{safe, wrap};
use super::super::{when, words};
use super::{Page, rule, span};

pub(super) fn write(page: &mut Page, scene: &Scene<'_>, number: u64) {
    let Some(entry) = scene.event(number) else {
        page.heading("Event");
        page.fact("", "it is no longer kept: only the latest events are");
        return;
    };
    let event = &entry.event;
    let header = &event.header;
    page.heading(&format!("Event {}, {}", header.seq, event.payload.family()));
    page.fact("what", &words::phrase(event, scene));
    page.fact("when", &when::stamp(scene.node, header.time));
    page.fact(
        "seen",
        match header.origin {
            Origin::Live => "as it happened",
            Origin::Backfill => "already there when the collector started, or this program attached",
        },
    );
    page.process("process", header.process, scene);
    if let Payload::Fork(fork) = &event.payload {
        page.process("child", fork.child, scene);
    }
    let other = match &event.payload {
        Payload::Connect(connect) => scene.graph.other_end(&connect.flow),
        Payload::Accept(accept) => scene.graph.other_end(&accept.flow),
        Payload::Traffic(traffic) => scene.graph.other_end(&traffic.flow),
        Payload::Close(close) => scene.graph.other_end(&close.flow),
        Payload::Unix(unix) => unix.peer,
        _ => None,
    };
    if let Some(other) = other {
        page.process("other end", other, scene);
    }
    if let Some(container) = scene.container_of_event(event) {
        page.link("container", &words::container_title(container, scene.graph), Subject::Container(container.clone()));
    }

    let raised: Vec<_> = scene.signals.iter().filter(|s| s.seq == header.seq).collect();
    if !raised.is_empty() {
        page.heading("Signals it raised");
    }
    for signal in &raised {
        let label = format!("{} {}", glyph(signal.severity), signal.severity.word());
        let text = format!("{}: {}", safe(&signal.rule), safe(&signal.sentence));
        page.styled(&label, &text, page.look.severity(signal.severity), None);
    }
    for signal in raised {
        rule::write(page, scene, &signal.rule, &[header.seq]);
    }

    page.heading("Raw, as `lanner events --json` prints it");
    let json = serde_json::to_string_pretty(&lines::event(event, scene.node, scene.graph)).unwrap_or_default();
    for line in json.lines() {
        for part in wrap(&safe(line), page.columns) {
            let style = page.look.dim();
            page.line(vec![span(part, style)]);
        }
    }
}
