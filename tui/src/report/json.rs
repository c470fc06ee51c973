//! The report as one JSON object, whose schema is docs/schema/report.json.

use lanner_core::event::LossCause;
use serde::Serialize;

use super::{Account, Hash};
use crate::drawing::{Kind, Sketch};
use crate::lines;

#[derive(Serialize)]
struct Report<'a> {
    r#type: &'static str,
    schema: u32,
    made_by: String,
    source: &'a str,
    sensor: lines::Ready<'a>,
    recording: Option<lines::RecordingLine<'a>>,
    incident: lines::IncidentLine<'a>,
    other_incidents: Vec<Other<'a>>,
    picture: Picture<'a>,
    events: Vec<EventOf<'a>>,
    events_left_out: u64,
    lost: Vec<Lost>,
    truncated_events: u64,
    problem: Option<&'a str>,
    hashes: Vec<Hash>,
}

#[derive(Serialize)]
struct Other<'a> {
    id: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct EventOf<'a> {
    /// Numbers of stages, from 1.
    stages: Vec<usize>,
    event: lines::EventLine<'a>,
}

#[derive(Serialize)]
struct Lost {
    cause: LossCause,
    count: u64,
}

#[derive(Serialize)]
struct Picture<'a> {
    nodes: Vec<PictureNode<'a>>,
    edges: Vec<PictureEdge<'a>>,
    left_out: usize,
}

#[derive(Serialize)]
struct PictureNode<'a> {
    kind: Kind,
    title: &'a str,
    lines: &'a [String],
    stages: &'a [usize],
    count: usize,
    involved: bool,
}

#[derive(Serialize)]
struct PictureEdge<'a> {
    from: usize,
    to: usize,
    what: &'a str,
    count: u64,
    through: usize,
    stages: &'a [usize],
}

pub(super) fn json(account: &Account<'_>) -> String {
    let sketch = super::picture(account);
    let lost = account.missing.losses.iter().map(|(cause, count)| Lost { cause: *cause, count: *count });
    let events = account.listed().map(|listed| EventOf {
        stages: listed.stages,
        event: lines::event(listed.event, account.node, account.graph),
    });
    let report = Report {
        r#type: "report",
        schema: 1,
        made_by: format!("lanner {}", env!("CARGO_PKG_VERSION")),
        source: &account.source,
        sensor: lines::ready(account.node),
        recording: account.header.map(|header| lines::recording(header, account.node)),
        incident: lines::incident(account.incident, account.graph, account.node),
        other_incidents: account.others.iter().map(|(id, name)| Other { id, name }).collect(),
        picture: picture(&sketch),
        events: events.collect(),
        events_left_out: account.left_out,
        lost: lost.collect(),
        truncated_events: account.missing.truncated,
        problem: account.missing.problem.as_deref(),
        hashes: account.hashes(),
    };
    lines::json(&report) + "\n"
}

fn picture(sketch: &Sketch) -> Picture<'_> {
    let node = |node: &'_ crate::drawing::Node| (node.count(), node.kind, node.involved);
    let nodes = sketch.nodes.iter().map(|n| {
        let (count, kind, involved) = node(n);
        PictureNode { kind, title: &n.title, lines: &n.lines, stages: &n.stages, count, involved }
    });
    let edges = sketch.edges.iter().map(|e| PictureEdge {
        from: e.from,
        to: e.to,
        what: &e.label,
        count: e.count,
        through: e.through,
        stages: &e.stages,
    });
    Picture { nodes: nodes.collect(), edges: edges.collect(), left_out: sketch.left_out }
}
