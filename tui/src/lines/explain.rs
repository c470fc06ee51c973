//! Why something is part of an incident, and why not, as lines.

use std::fmt::Write;

use lanner_core::detect::Incident;
use lanner_core::detect::explain::{IncidentExplanation, ProcessExplanation, Reason, ReasonKind};
use lanner_core::event::{NodeInfo, Text};
use lanner_core::graph::Graph;
use serde::Serialize;

use super::incident::{IncidentLine, incident};
use super::who::Who;
use crate::words::text::count;

#[derive(Debug, Serialize)]
struct ReasonLine<'a> {
    kind: ReasonKind,
    why: &'a str,
    evidence: &'a [u64],
}

impl<'a> From<&'a Reason> for ReasonLine<'a> {
    fn from(reason: &'a Reason) -> Self {
        ReasonLine { kind: reason.kind, why: &reason.words, evidence: &reason.evidence }
    }
}

/// Why a process is part of an incident, or of none.
#[derive(Debug, Serialize)]
pub struct ProcessLine<'a> {
    r#type: &'static str,
    node: &'a str,
    process: Who,
    incident: Option<&'a str>,
    reasons: Vec<ReasonLine<'a>>,
}

/// The line of a process's explanation.
pub fn process<'a>(why: &'a ProcessExplanation, graph: &Graph, node: &'a NodeInfo) -> ProcessLine<'a> {
    ProcessLine {
        r#type: "process",
        node: &node.name,
        process: Who::of(why.process, graph, node),
        incident: why.incident.as_deref(),
        reasons: why.reasons.iter().map(ReasonLine::from).collect(),
    }
}

/// Why an incident is what it is, and why each thing is in it.
#[derive(Debug, Serialize)]
pub struct ExplanationLine<'a> {
    r#type: &'static str,
    incident: IncidentLine<'a>,
    needed: u32,
    weights: Vec<u32>,
    /// For each stage the links back to where it all began.
    stages: Vec<Vec<ReasonLine<'a>>>,
    processes: Vec<ReasonLine<'a>>,
    files: Vec<ReasonLine<'a>>,
    peers: Vec<ReasonLine<'a>>,
}

/// The line of an incident's explanation.
pub fn explanation<'a>(
    why: &'a IncidentExplanation,
    of: &'a Incident,
    graph: &Graph,
    node: &'a NodeInfo,
) -> ExplanationLine<'a> {
    ExplanationLine {
        r#type: "explanation",
        incident: incident(of, graph, node),
        needed: why.needed,
        weights: why.weights.iter().map(|(_, weight)| *weight).collect(),
        stages: why.stages.iter().map(|links| links.iter().map(ReasonLine::from).collect()).collect(),
        processes: why.processes.iter().map(|(_, reason)| reason.into()).collect(),
        files: why.files.iter().map(|(_, reason)| reason.into()).collect(),
        peers: why.peers.iter().map(|(_, reason)| reason.into()).collect(),
    }
}

/// For a person: whether a process is part of an incident, and why.
pub fn process_words(why: &ProcessExplanation) -> String {
    let mut words = match &why.incident {
        Some(id) => format!("{} is part of {id}", why.called),
        None => format!("{} is not part of an incident", why.called),
    };
    let many = why.reasons.len() > 1;
    for reason in &why.reasons {
        let mark = if many { "- " } else { "because " };
        // Writing to a String cannot fail.
        let _ = write!(words, "\n  {mark}{}{}", reason.words, events(reason));
    }
    words
}

/// For a person: the sum, the story, and why each stage, process, file and peer is in.
pub fn explanation_words(why: &IncidentExplanation, of: &Incident) -> String {
    let mut words = format!("{}  {}\n{}", why.id, of.name, of.because);
    let mut line = |text: String| {
        words.push('\n');
        words.push_str(&text);
    };
    line("\nThe sum".to_owned());
    for ((severity, weight), stage) in why.weights.iter().zip(&of.stages) {
        line(format!("  {weight:>3}  {:<9} {}", severity.word(), stage.signal));
    }
    line(format!("  {:>3}  together; {} make an incident", why.score, why.needed));
    if let Some(chain) = &of.chain {
        line(format!("\nThe story: {}, {} of {} steps", chain.name, chain.found, chain.steps));
        for part in &chain.parts {
            let needed = if part.required { " (needed)" } else { "" };
            line(match (part.stage, part.event) {
                (Some(stage), Some(event)) => {
                    format!("  found    {}{needed}: stage {}, event {event}", part.step, stage + 1)
                }
                _ => format!("  missing  {}{needed}", part.step),
            });
        }
    }
    line("\nThe stages".to_owned());
    for (i, (links, stage)) in why.stages.iter().zip(&of.stages).enumerate() {
        line(format!("  {}. {}", i + 1, stage.sentence));
        // The rest of the way back stands with the stage that it goes on from.
        if let Some(reason) = links.first() {
            line(format!("       {}{}", reason.words, events(reason)));
        }
        if links.len() > 1 {
            let lead = count(links.len() - 1, "link leads", "links lead");
            line(format!("       from there {lead} back to stage {}", first_of(of, i) + 1));
        }
    }
    line("\nThe processes".to_owned());
    for (key, reason) in &why.processes {
        line(format!("  {:>7}  {}{}", key.pid, reason.words, events(reason)));
    }
    section(&mut words, "The files", why.files.iter().map(|(file, reason)| (file.to_string(), reason)));
    section(&mut words, "The peers", why.peers.iter().map(|(peer, reason)| (peer.to_string(), reason)));
    words
}

/// The stage that the links of another lead back to.
fn first_of(of: &Incident, at: usize) -> usize {
    let mut at = at;
    while let Some(link) = of.stages[at].link.as_ref().filter(|l| l.to_stage < at) {
        at = link.to_stage;
    }
    at
}

fn section<'a>(words: &mut String, title: &str, parts: impl Iterator<Item = (String, &'a Reason)>) {
    for (i, (what, reason)) in parts.enumerate() {
        if i == 0 {
            // Writing to a String cannot fail.
            let _ = write!(words, "\n\n{title}");
        }
        let _ = write!(words, "\n  {}: {}{}", Text::from(what), reason.words, events(reason));
    }
}

/// The events that show it, a few of them.
fn events(reason: &Reason) -> String {
    const MOST: usize = 4;
    let shown: Vec<String> = reason.evidence.iter().take(MOST).map(u64::to_string).collect();
    match (shown.len(), reason.evidence.len()) {
        (0, _) => String::new(),
        (1, 1) => format!(" [event {}]", shown[0]),
        (n, all) if n < all => format!(" [events {}, ...]", shown.join(", ")),
        _ => format!(" [events {}]", shown.join(", ")),
    }
}
