//! Links: the evidence that joins what one process does to what others did before.

use super::case::{Case, Cases};
use super::{Link, LinkKind, words};
use crate::event::{Event, File, Payload, ProcessKey, StdioKind};
use crate::graph::Graph;

/// A link to an earlier stage of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) case: u64,
    pub(super) link: Link,
}

/// Evidence that leads from a process to another one, which may belong to a case.
struct Lead {
    kind: LinkKind,
    to: ProcessKey,
    why: String,
    evidence: Vec<u64>,
}

/// All links from an event's process to cases, strongest first.
pub(super) fn find(graph: &Graph, cases: &Cases, event: &Event) -> Vec<Found> {
    let key = event.header.process;
    let mut found: Vec<Found> = Vec::new();
    if let Some(case) = cases.of_lineage(graph, key) {
        found.push(by_lineage(graph, case, key));
    }
    for lead in leads(graph, event) {
        if let Some(case) = cases.of(lead.to) {
            let (to_stage, _) = stage_of(graph, case, lead.to);
            let link = Link { kind: lead.kind, to_stage, why: lead.why, evidence: lead.evidence };
            found.push(Found { case: case.id, link });
        }
    }
    if found.is_empty() {
        found.extend(by_container(graph, cases, key));
    }
    found.sort_by_key(|f| (f.link.kind, f.case));
    found
}

fn by_lineage(graph: &Graph, case: &Case, key: ProcessKey) -> Found {
    let (to_stage, of) = stage_of(graph, case, key);
    let (kind, why) = if of == key {
        (LinkKind::SameProcess, format!("it is the same process, {}", words::process(graph, key)))
    } else if graph.descends(key, of) {
        (LinkKind::Lineage, format!("{} descends from {}", words::process(graph, key), words::process(graph, of)))
    } else if let Some(common) = graph.common_ancestor(key, of) {
        let [a, b, common] = [key, of, common].map(|k| words::process(graph, k));
        (LinkKind::Lineage, format!("{a} and {b} both descend from {common}"))
    } else {
        let [a, b] = [key, of].map(|k| words::process(graph, k));
        (LinkKind::Lineage, format!("{a} belongs to what {b} began"))
    };
    Found { case: case.id, link: Link { kind, to_stage, why, evidence: Vec::new() } }
}

/// The stage of a case that a process's doings follow from, and whose it is: the latest that the process itself or its
/// nearest ancestor began; else the latest that one of them was seen in again; else the latest by anyone of the same
/// lineage; else the first.
fn stage_of(graph: &Graph, case: &Case, key: ProcessKey) -> (usize, ProcessKey) {
    let lineage: Vec<ProcessKey> = std::iter::once(key).chain(graph.ancestors(key).map(|p| p.key)).collect();
    let began = |of: &ProcessKey| Some((case.stages.iter().rposition(|s| s.process.key == *of)?, *of));
    let again = |of: &ProcessKey| Some((case.stages.iter().rposition(|s| s.last_process == *of)?, *of));
    let origin = graph.origin_of(key);
    let related = || {
        let (i, stage) = case.stages.iter().enumerate().rfind(|(_, s)| graph.origin_of(s.process.key) == origin)?;
        Some((i, stage.process.key))
    };
    lineage
        .iter()
        .find_map(began)
        .or_else(|| lineage.iter().find_map(again))
        .or_else(related)
        .unwrap_or_else(|| (0, case.stages[0].process.key))
}

fn leads(graph: &Graph, event: &Event) -> Vec<Lead> {
    let key = event.header.process;
    [started(graph, key), piped(graph, key), traced(graph, key), executed(graph, key), read(graph, event)]
        .into_iter()
        .flatten()
        .collect()
}

fn started(graph: &Graph, key: ProcessKey) -> Option<Lead> {
    let container = graph.container_of(key)?;
    let cause = container.cause.as_ref()?;
    let after = words::duration(container.since.since(cause.read_at));
    let why = format!(
        "{} wrote {}; {} read it and {} started {after} later",
        words::process(graph, cause.writer),
        cause.path,
        words::process(graph, cause.reader),
        words::container(graph, &container.id),
    );
    let evidence = [Some(cause.written), Some(cause.read), container.began].into_iter().flatten().collect();
    Some(Lead { kind: LinkKind::WroteStarted, to: cause.writer, why, evidence })
}

fn piped(graph: &Graph, key: ProcessKey) -> Option<Lead> {
    let stdin = graph.process(key)?.image()?.stdio[0];
    if stdin.kind != StdioKind::Pipe {
        return None;
    }
    let writer = graph.pipe_writer(stdin.ino, key)?;
    let why = format!("{} reads what {} writes", words::process(graph, key), words::process(graph, writer.key));
    let evidence = writer.images.last().map(|r| r.seq).into_iter().collect();
    Some(Lead { kind: LinkKind::Pipe, to: writer.key, why, evidence })
}

/// What a process does after another reached into it may be the other's doing; and who reached into a process of a case
/// has a part in it.
fn traced(graph: &Graph, key: ProcessKey) -> Option<Lead> {
    let (to, seq, why) = match graph.tracer_of(key) {
        Some((by, seq)) => {
            (by, seq, format!("{} reached into {}", words::process(graph, by), words::process(graph, key)))
        }
        None => {
            let (into, seq) = graph.traced_by(key)?;
            (into, seq, format!("{} reached into {}", words::process(graph, key), words::process(graph, into)))
        }
    };
    Some(Lead { kind: LinkKind::Traced, to, why, evidence: vec![seq] })
}

fn executed(graph: &Graph, key: ProcessKey) -> Option<Lead> {
    let running = graph.process(key)?.images.last()?;
    let image = &running.image;
    let by_another = |file: &&File| graph.last_write(file.id).is_some_and(|(writer, _)| writer != key);
    let file = image.script.iter().chain([&image.exe]).find(by_another)?;
    let (writer, written) = graph.last_write(file.id)?;
    let why =
        format!("{} runs {}, which {} wrote", words::process(graph, key), file.path, words::process(graph, writer),);
    Some(Lead { kind: LinkKind::WroteExecuted, to: writer, why, evidence: vec![written, running.seq] })
}

fn read(graph: &Graph, event: &Event) -> Option<Lead> {
    let key = event.header.process;
    let (file, read) = match &event.payload {
        Payload::Open(open) if !open.access.write => (open.file.id, event.header.seq),
        _ => graph.carried_from(key)?,
    };
    let (writer, written) = graph.last_write(file).filter(|(writer, _)| *writer != key)?;
    let path = &graph.file(file)?.path;
    let why = format!("{} read {path}, which {} wrote", words::process(graph, key), words::process(graph, writer));
    Some(Lead { kind: LinkKind::WroteRead, to: writer, why, evidence: vec![written, read] })
}

fn by_container(graph: &Graph, cases: &Cases, key: ProcessKey) -> Option<Found> {
    let container = graph.container_of(key)?;
    let case = cases.of_container(&container.id)?;
    let to_stage = case.stages.iter().rposition(|stage| stage.process.container.as_ref() == Some(&container.id))?;
    let of = case.stages[to_stage].process.key;
    let why = format!(
        "{} and {} ran in {}, and nothing closer is known",
        words::process(graph, key),
        words::process(graph, of),
        words::container(graph, &container.id),
    );
    Some(Found { case: case.id, link: Link { kind: LinkKind::SameContainer, to_stage, why, evidence: Vec::new() } })
}
