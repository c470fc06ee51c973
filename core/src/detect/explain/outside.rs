//! Why a process is part of an incident, or of none.

use std::sync::Arc;

use super::within::View;
use super::{ProcessExplanation, Reason, ReasonKind};
use crate::detect::case::Case;
use crate::detect::cases::Cases;
use crate::detect::detector::INCIDENT_SCORE;
use crate::detect::{Incident, Signal, words};
use crate::event::ProcessKey;
use crate::graph::{Graph, Node, Relation};

/// Incidents that a process is held against, the latest.
const MAX_INCIDENTS: usize = 64;
/// Things that it shares with one of them and that are told.
const MAX_SHARED: usize = 8;
/// Incidents that it shares nothing with and to which the way is looked for, and steps of one that are told.
const MAX_SEARCHED: usize = 4;
const MAX_STEPS: usize = 6;
/// More than this many programs make what they use everybody's.
const EVERYBODYS: usize = 8;

/// Why a process is part of an incident, or of none.
pub(in crate::detect) fn process<'a>(
    graph: &Graph,
    cases: &Cases,
    incidents: &[Arc<Incident>],
    signals: impl Iterator<Item = &'a Signal>,
    key: ProcessKey,
) -> ProcessExplanation {
    let called = words::process(graph, key);
    let told = |incident: Option<String>, reasons| ProcessExplanation {
        process: key,
        called: called.clone(),
        incident,
        reasons,
    };
    let standing = || incidents.iter().filter(|i| i.merged_into.is_none());
    if let Some(incident) = standing().find(|i| i.processes.iter().any(|p| p.key == key)) {
        return told(Some(incident.id.clone()), vec![View::new(graph, incident).process(key)]);
    }
    let Some(process) = graph.process(key) else {
        let words = match graph.evicted() {
            0 => "no such process was seen".to_owned(),
            n => format!("no such process is known; {n} that had ended were forgotten for lack of room"),
        };
        return told(None, vec![Reason::new(ReasonKind::Unknown, words)]);
    };
    let own: Vec<&Signal> = signals.filter(|s| s.process == key).collect();
    let mut reasons = vec![lineage(graph, cases, key, &own)];
    if graph.is_supervisor(key) {
        let words = format!("{called} starts unrelated things for others: what it started is not its doing");
        reasons.push(Reason::new(ReasonKind::Boundary, words));
    }
    let mut near: Vec<&Incident> = standing().map(Arc::as_ref).collect();
    near.sort_by_key(|i| std::cmp::Reverse((i.last_time, i.id.clone())));
    let mut searched = 0;
    for incident in near.into_iter().take(MAX_INCIDENTS) {
        if let Some(ended) = process.ended.filter(|ended| ended.time < incident.first_time) {
            let before = words::duration(incident.first_time.since(ended.time));
            let words = format!("{}: it had ended {before} before that began", incident.id);
            reasons.push(Reason::new(ReasonKind::EndedBefore, words));
            continue;
        }
        let close = shared(graph, incident, key);
        if close.is_empty() && searched < MAX_SEARCHED {
            searched += 1;
            reasons.extend(nearest(graph, incident, key));
        }
        reasons.extend(close);
    }
    told(None, reasons)
}

/// How it hangs together with an incident that it shares nothing with: the shortest chain of evidence, through what neither
/// did.
fn nearest(graph: &Graph, incident: &Incident, key: ProcessKey) -> Option<Reason> {
    let members: Vec<Node> = incident.processes.iter().map(|p| Node::Process(p.key)).collect();
    let chain = graph.chain_between(&Node::Process(key), &members)?;
    let (told, more) = chain.split_at(chain.len().min(MAX_STEPS));
    let mut steps: Vec<String> = told.iter().map(|step| words::step(graph, step)).collect();
    if !more.is_empty() {
        steps.push(format!("and {} steps more", more.len()));
    }
    let words = format!("{}: only what others did leads there, which is no reason: {}", incident.id, steps.join("; "));
    let seqs: Vec<u64> = chain.iter().map(|step| step.edge.first_seq).filter(|seq| *seq != 0).collect();
    Some(Reason::new(ReasonKind::Distant, words).shown_by(&seqs))
}

/// What rules said of it and of its lineage.
fn lineage(graph: &Graph, cases: &Cases, key: ProcessKey, own: &[&Signal]) -> Reason {
    let origin = graph.origin_of(key);
    let place = boundary(graph, origin);
    match cases.of_lineage(graph, key) {
        Some(case) if case.incident.is_none() => weighs(graph, case),
        Some(case) => {
            let words = format!(
                "others of its lineage, which begins with {place}, are part of {}, but it neither led to what they did nor follows from it",
                case.name
            );
            Reason::new(ReasonKind::NoSignal, words)
        }
        None if own.is_empty() => {
            let words = format!("no rule spoke of it or of what led to it; its lineage begins with {place}");
            Reason::new(ReasonKind::NoSignal, words)
        }
        None => {
            let rules: Vec<String> = own.iter().map(|s| format!("\"{}\"", s.rule)).collect();
            let words =
                format!("what rules said of it names no tactic, and has no place in a story: {}", rules.join(", "));
            let seqs: Vec<u64> = own.iter().map(|s| s.seq).collect();
            Reason::new(ReasonKind::NoSignal, words).shown_by(&seqs)
        }
    }
}

fn weighs(graph: &Graph, case: &Case) -> Reason {
    let mut evidence = Vec::new();
    let stages: Vec<String> = case
        .stages
        .iter()
        .map(|step| &step.stage)
        .map(|s| {
            evidence.extend(s.evidence.first());
            let who = words::process(graph, s.process.key);
            format!("{} \"{}\" by {who} ({})", s.severity.weight(), s.signal, s.severity.word())
        })
        .collect();
    let words = format!(
        "what rules said of it and of what it is linked to weighs {} of the {INCIDENT_SCORE} that make an incident: {}",
        case.score(),
        stages.join(", ")
    );
    Reason::new(ReasonKind::Weight, words).shown_by(&evidence)
}

/// The first of a lineage, and why it is that.
fn boundary(graph: &Graph, origin: ProcessKey) -> String {
    let who = words::process(graph, origin);
    let Some(process) = graph.process(origin) else { return who };
    let Some(parent) = process.parent.and_then(|key| graph.process(key)) else {
        return format!("{who}, whose parent is not known");
    };
    let by = words::process(graph, parent.key);
    let container =
        process.task.context.container.as_ref().filter(|id| parent.task.context.container.as_ref() != Some(*id));
    match container {
        Some(id) => format!("{who}, which came into {} from outside", words::container(graph, id)),
        None if graph.is_supervisor(parent.key) => format!("{who}: {by} above it starts unrelated things for others"),
        None => format!("{who}: {by} above it adopts whoever has no parent"),
    }
}

/// What it shares with an incident, and why that is not enough.
fn shared(graph: &Graph, incident: &Incident, key: ProcessKey) -> Vec<Reason> {
    let is_in = |key: &ProcessKey| incident.processes.iter().any(|p| p.key == *key);
    let id = &incident.id;
    let mut reasons = Vec::new();
    if graph.is_supervisor(key)
        && let Some(started) = incident.processes.iter().find(|p| p.parent == Some(key))
    {
        let words = format!("{id}: it started {} of that, as it starts others", words::process(graph, started.key));
        reasons.push(Reason::new(ReasonKind::Boundary, words));
    }
    for (node, edge) in graph.did(&Node::Process(key)) {
        if reasons.len() >= MAX_SHARED {
            break;
        }
        let seq = [edge.last_seq];
        match (node, edge.relation) {
            (Node::File(file), Relation::Read | Relation::Executed) => {
                let Some((writer, _)) = graph.last_write(file).filter(|(writer, _)| is_in(writer)) else { continue };
                let path = graph.file(file).map(|f| f.path.to_string()).unwrap_or_default();
                let by = words::process(graph, writer);
                let reason = if graph.users_of(file, EVERYBODYS + 1) > EVERYBODYS {
                    let words = format!(
                        "{id}: it took up {path}, which {by} wrote, as more than {EVERYBODYS} programs did: that ties nobody"
                    );
                    Reason::new(ReasonKind::Ubiquitous, words)
                } else {
                    let words = format!(
                        "{id}: it took up {path}, which {by} wrote; that alone is no reason, and it did nothing else that a rule tells"
                    );
                    Reason::new(ReasonKind::OnlyRead, words)
                };
                reasons.push(reason.shown_by(&seq));
            }
            (Node::Peer(peer), _) if incident.peers.contains(&peer) => {
                let words = format!("{id}: it spoke to {peer}, as that did; a shared address joins nobody");
                reasons.push(Reason::new(ReasonKind::OnlyPeer, words).shown_by(&seq));
            }
            (Node::Process(server), Relation::Reached) if is_in(&server) => {
                let words = format!(
                    "{id}: it called {} of that, and did nothing that a rule tells",
                    words::process(graph, server)
                );
                reasons.push(Reason::new(ReasonKind::OnlyPeer, words).shown_by(&seq));
            }
            _ => {}
        }
    }
    let called_by = graph.done_to(&Node::Process(key)).into_iter().find_map(|(node, edge)| match node {
        Node::Process(client) if edge.relation == Relation::Reached && is_in(&client) => Some((client, edge.last_seq)),
        _ => None,
    });
    if let Some((client, seq)) = called_by {
        let words =
            format!("{id}: {} of that called it, and it did nothing that a rule tells", words::process(graph, client));
        reasons.push(Reason::new(ReasonKind::OnlyPeer, words).shown_by(&[seq]));
    }
    let container = graph.container_of(key);
    if let Some(container) =
        container.filter(|c| incident.processes.iter().any(|p| p.container.as_ref() == Some(&c.id)))
    {
        let place = words::container(graph, &container.id);
        let words = format!("{id}: it runs in {place} as that does, and nothing closer is known");
        reasons.push(Reason::new(ReasonKind::OnlyContainer, words));
    }
    reasons
}
