//! Incidents as lines.

use std::fmt::Write;
use std::net::SocketAddr;

use lanner_core::detect::{
    ChainMatch, FoundStep, Incident, Link, LinkKind, Occurrence, Stage, Status, Tactic, Tie, duration, technique_name,
};
use lanner_core::event::{NodeInfo, ProcessKey, Text};
use lanner_core::graph::Graph;
use serde::Serialize;

use super::who::Who;
use super::{clock, timestamp};
use crate::words::text::count;

/// One revision of an incident.
#[derive(Debug, Serialize)]
pub struct IncidentLine<'a> {
    r#type: &'static str,
    id: &'a str,
    revision: u32,
    name: &'a str,
    severity: &'static str,
    score: u32,
    because: &'a str,
    status: Status,
    first_time: String,
    last_time: String,
    node: &'a str,
    chain: Option<Chain<'a>>,
    merged_into: Option<&'a str>,
    stages: Vec<StageLine<'a>>,
    processes: Vec<Who>,
    files: &'a [Text],
    peers: Vec<String>,
    links: Vec<TieLine<'a>>,
    links_left_out: u64,
}

#[derive(Debug, Serialize)]
struct Chain<'a> {
    name: &'a str,
    story: &'a str,
    found: usize,
    steps: usize,
    parts: Vec<PartLine<'a>>,
}

#[derive(Debug, Serialize)]
struct PartLine<'a> {
    step: &'a str,
    required: bool,
    stage: Option<usize>,
    event: Option<u64>,
}

/// A process by its identity alone.
#[derive(Debug, Serialize)]
struct Key {
    pid: u32,
    start: String,
}

#[derive(Debug, Serialize)]
struct TieLine<'a> {
    kind: LinkKind,
    from: Key,
    to: Key,
    object: &'a Text,
    delivered_by: Option<String>,
    why: &'a str,
    evidence: &'a [u64],
}

#[derive(Debug, Serialize)]
struct TimeLine<'a> {
    #[serde(flatten)]
    process: Key,
    time: String,
    event: u64,
    file: &'a Text,
    peer: Option<String>,
    link: Option<LinkLine<'a>>,
}

#[derive(Debug, Serialize)]
struct StageLine<'a> {
    tactic: Tactic,
    technique: &'a str,
    technique_name: Option<&'static str>,
    signal: &'a str,
    severity: &'static str,
    time: String,
    last_time: String,
    count: u64,
    sentence: &'a str,
    process: Who,
    evidence: &'a [u64],
    link: Option<LinkLine<'a>>,
    times: Vec<TimeLine<'a>>,
}

#[derive(Debug, Serialize)]
struct LinkLine<'a> {
    kind: LinkKind,
    to_stage: usize,
    why: &'a str,
    evidence: &'a [u64],
}

/// The line of an incident's present revision.
pub fn incident<'a>(incident: &'a Incident, graph: &Graph, node: &'a NodeInfo) -> IncidentLine<'a> {
    IncidentLine {
        r#type: "incident",
        id: &incident.id,
        revision: incident.revision,
        name: &incident.name,
        severity: incident.severity.word(),
        score: incident.score,
        because: &incident.because,
        status: incident.status,
        first_time: timestamp(node.wall(incident.first_time)),
        last_time: timestamp(node.wall(incident.last_time)),
        node: &node.name,
        chain: incident.chain.as_ref().map(chain),
        merged_into: incident.merged_into.as_deref(),
        stages: incident.stages.iter().map(|s| stage(s, graph, node)).collect(),
        processes: incident.processes.iter().map(|p| Who::remembered(p, graph, node)).collect(),
        files: &incident.files,
        peers: incident.peers.iter().map(SocketAddr::to_string).collect(),
        links: incident.links.iter().map(|t| tie(t, node)).collect(),
        links_left_out: incident.links_left_out,
    }
}

fn chain(chain: &ChainMatch) -> Chain<'_> {
    let parts = chain.parts.iter().map(part).collect();
    Chain { name: &chain.name, story: &chain.story, found: chain.found, steps: chain.steps, parts }
}

fn part(part: &FoundStep) -> PartLine<'_> {
    PartLine { step: &part.step, required: part.required, stage: part.stage, event: part.event }
}

fn key(key: ProcessKey, node: &NodeInfo) -> Key {
    Key { pid: key.pid, start: timestamp(node.wall(key.start)) }
}

fn tie<'a>(tie: &'a Tie, node: &NodeInfo) -> TieLine<'a> {
    TieLine {
        kind: tie.kind,
        from: key(tie.from, node),
        to: key(tie.to, node),
        object: &tie.object,
        delivered_by: tie.delivered_by.map(|peer| peer.to_string()),
        why: &tie.why,
        evidence: &tie.evidence,
    }
}

fn link(link: &Link) -> LinkLine<'_> {
    LinkLine { kind: link.kind, to_stage: link.to_stage, why: &link.why, evidence: &link.evidence }
}

fn time<'a>(time: &'a Occurrence, node: &NodeInfo) -> TimeLine<'a> {
    TimeLine {
        process: key(time.process, node),
        time: timestamp(node.wall(time.time)),
        event: time.event,
        file: &time.file,
        peer: time.peer.map(|peer| peer.to_string()),
        link: time.link.as_ref().map(link),
    }
}

fn stage<'a>(stage: &'a Stage, graph: &Graph, node: &NodeInfo) -> StageLine<'a> {
    StageLine {
        tactic: stage.tactic,
        technique: &stage.technique,
        technique_name: technique_name(&stage.technique),
        signal: &stage.signal,
        severity: stage.severity.word(),
        time: timestamp(node.wall(stage.time)),
        last_time: timestamp(node.wall(stage.last_time)),
        count: stage.count,
        sentence: &stage.sentence,
        process: Who::remembered(&stage.process, graph, node),
        evidence: &stage.evidence,
        link: stage.link.as_ref().map(link),
        times: stage.times.iter().map(|t| time(t, node)).collect(),
    }
}

/// An incident for a person: a headline, then a line for each stage from number `from` (counted from 0) on.
pub fn incident_words(incident: &Incident, node: &NodeInfo, from: usize) -> String {
    let mut words = headline(incident, node);
    // Writing to a String cannot fail.
    if let Some(chain) = incident.chain.as_ref().filter(|chain| !chain.story.is_empty()) {
        let _ = write!(words, "\n  {}", chain.story);
    }
    if from == 0 {
        let _ = write!(words, "\n  {}", incident.because);
    }
    for (i, stage) in incident.stages.iter().enumerate().skip(from) {
        let (time, tactic) = (clock(node.wall(stage.time)), stage.tactic);
        let before = i.checked_sub(1).map(|before| stage.time.since(incident.stages[before].time));
        let gap = before.map(|gap| format!(" +{}", duration(gap))).unwrap_or_default();
        let times = if stage.count > 1 { format!(" ({} times)", stage.count) } else { String::new() };
        let _ = write!(words, "\n  {}. {time}{gap}  {tactic} {}  {}{times}", i + 1, stage.technique, stage.sentence);
        if let Some(link) = &stage.link {
            let _ = write!(words, "\n       linked to {}: {}", link.to_stage + 1, link.why);
        }
    }
    words
}

fn headline(incident: &Incident, node: &NodeInfo) -> String {
    let (severity, status) = (incident.severity.word().to_uppercase(), status_words(incident));
    let stages = match &incident.chain {
        Some(chain) => format!("{} of {} steps", chain.found, chain.steps),
        None => count(incident.stages.len(), "stage", "stages"),
    };
    let node = Text::from(node.name.as_str());
    format!("{severity}  {}  {}  on {node}  {stages}, {status}", incident.id, incident.name)
}

fn status_words(incident: &Incident) -> String {
    match (incident.status, &incident.merged_into) {
        (Status::Ongoing, _) => "ongoing".to_owned(),
        (Status::Over, _) => "over".to_owned(),
        (Status::Merged, into) => format!("part of {}", into.as_deref().unwrap_or("another")),
    }
}
