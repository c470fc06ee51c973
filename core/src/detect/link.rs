//! Links: which cases the evidence leads to, from what one process does now.

use std::time::Duration;

use super::case::Case;
use super::cases::Cases;
use super::lead::{self, Lead};
use super::step::{self, Step};
use super::{Link, LinkKind, Severity, Signal, Tie, words};
use crate::event::{BootTime, ContainerId, Event, ProcessKey};
use crate::graph::Graph;

/// How long a shared container ties what happens in it.
const CONTAINER_HOLDS: Duration = Duration::from_secs(86_400);

/// New members that are looked at for what ties them to others.
const MAX_FRESH: usize = 64;

/// A way to an earlier stage of a case, not put into words yet: mostly nobody asks for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) case: u64,
    pub(super) kind: LinkKind,
    to_stage: usize,
    why: Why,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Why {
    /// Lineage, from whose stage it is.
    Lineage(ProcessKey),
    /// The lead of this number.
    Lead(usize),
    /// Evidence that the case has.
    Tie(Tie),
    /// It is part of what this one began.
    Part(ProcessKey),
    /// It and this one were in this container, and nothing closer is known.
    Place(ProcessKey, ContainerId),
}

/// The evidence between an event's process, or what led to it, and others.
pub(super) fn leads(graph: &Graph, cases: &Cases, event: &Event, signal: &Signal) -> Vec<Lead> {
    let (key, now) = (event.header.process, event.header.time);
    let mut leads = lead::of_event(graph, event);
    // What a process does over and over is looked into ever more seldom, as it is told: it may be connected with very many.
    let known = cases.of(key).and_then(|case| case.stages.iter().find(|s| *s.stage.signal == *signal.rule));
    if known.is_some_and(|step| !step::is_worth_a_look(step.stage.count + 1)) {
        return leads;
    }
    leads.extend(lead::of_process(graph, key, now));
    // What led to it may be tied to others where it is not. Whoever is part of a case was looked at already.
    if cases.of(key).is_none() && graph.process(key).is_some() {
        let origin = graph.origin_of(key);
        let above = graph.ancestors(key).map(|p| p.key).take_while(|_| key != origin);
        for ancestor in above {
            if cases.of(ancestor).is_some() {
                break;
            }
            leads.extend(lead::of_process(graph, ancestor, now));
            if ancestor == origin {
                break;
            }
        }
    }
    leads.extend(lead::of_session(graph, key, now));
    let mut seen: Vec<(LinkKind, ProcessKey, ProcessKey)> = Vec::new();
    leads.retain(|lead| {
        let tie = &lead.tie;
        let is_new = !seen.contains(&(tie.kind, tie.from, tie.to)) || !tie.object.is_empty();
        seen.push((tie.kind, tie.from, tie.to));
        is_new
    });
    leads
}

/// The evidence that ties those who have just become part of a case to others.
pub(super) fn leads_of(graph: &Graph, fresh: &[ProcessKey], now: BootTime) -> Vec<Lead> {
    fresh.iter().take(MAX_FRESH).flat_map(|key| lead::of_process(graph, *key, now)).collect()
}

/// All links from a signal's process to cases, strongest first.
pub(super) fn find(graph: &Graph, cases: &Cases, signal: &Signal, leads: &[Lead]) -> Vec<Found> {
    let key = signal.process;
    let mut found: Vec<Found> = Vec::new();
    let own = cases.of_lineage(graph, key).filter(|_| {
        signal.severity > Severity::Low || cases.of(key).is_some() || !cases.only_shares_a_container(graph, key)
    });
    found.extend(own.and_then(|case| by_lineage(graph, case, key)));
    for (n, lead) in leads.iter().enumerate().filter(|(_, lead)| !lead.weak || signal.severity > Severity::Low) {
        if let Some(case) = cases.of(lead.other) {
            let (to_stage, _) = stage_of(graph, case, lead.other);
            found.push(Found { case: case.id, kind: lead.tie.kind, to_stage, why: Why::Lead(n) });
        }
    }
    // It is part of the case for what was found of those above it.
    if let Some(case) = own.filter(|case| found.iter().all(|f| f.case != case.id)) {
        found.push(by_tie(graph, case, key));
    }
    if let Some(weak) = by_container(graph, cases, signal).filter(|weak| found.iter().all(|f| f.case != weak.case)) {
        found.push(weak);
    }
    found.sort_by_key(|f| (f.kind, f.case));
    found
}

impl Found {
    /// The link in words, of what this process did; `leads` are those among which it was found.
    pub(super) fn link(self, graph: &Graph, key: ProcessKey, leads: &[Lead]) -> Link {
        let Found { kind, to_stage, why, .. } = self;
        let called = |key| words::process(graph, key);
        let (why, evidence) = match why {
            Why::Lead(n) => (leads[n].tie.why.clone(), leads[n].tie.evidence.clone()),
            Why::Tie(tie) => (tie.why, tie.evidence),
            Why::Lineage(of) => (lineage(graph, key, of), Vec::new()),
            Why::Part(of) => (format!("{} belongs to what {} began", called(key), called(of)), Vec::new()),
            Why::Place(of, container) => {
                let (who, other, place) = (called(key), called(of), words::container(graph, &container));
                let words = match kind {
                    LinkKind::Entered => {
                        format!("{who} came into {place} from outside, where {other} ran, and nothing closer is known")
                    }
                    _ => format!("{who} and {other} ran in {place}, and nothing closer is known"),
                };
                (words, Vec::new())
            }
        };
        Link { kind, to_stage, why, evidence }
    }
}

/// How two processes are of one lineage.
fn lineage(graph: &Graph, key: ProcessKey, of: ProcessKey) -> String {
    let called = |key| words::process(graph, key);
    if of == key {
        format!("it is the same process, {}", called(key))
    } else if graph.descends(key, of) {
        format!("{} descends from {}", called(key), called(of))
    } else if let Some(common) = graph.common_ancestor(key, of) {
        format!("{} and {} both descend from {}", called(key), called(of), called(common))
    } else {
        format!("{} belongs to what {} began", called(key), called(of))
    }
}

/// Lineage between the process and a stage's; `None` when there is none.
fn by_lineage(graph: &Graph, case: &Case, key: ProcessKey) -> Option<Found> {
    let (to_stage, of) = related_stage(graph, case, key)?;
    let kind = if of == key { LinkKind::SameProcess } else { LinkKind::Lineage };
    Some(Found { case: case.id, kind, to_stage, why: Why::Lineage(of) })
}

/// The evidence by which the process, or the nearest above it, became part of the case.
fn by_tie(graph: &Graph, case: &Case, key: ProcessKey) -> Found {
    let ties = case.ties.as_slice();
    let mut above = std::iter::once(key).chain(graph.ancestors(key).map(|p| p.key));
    let tie =
        above.find_map(|k| ties.iter().filter(|t| t.to == k || t.from == k).min_by_key(|t| t.kind).map(|t| (k, t)));
    match tie {
        Some((k, tie)) => {
            let (to_stage, _) = stage_of(graph, case, if tie.to == k { tie.from } else { tie.to });
            Found { case: case.id, kind: tie.kind, to_stage, why: Why::Tie(tie.clone()) }
        }
        None => {
            let why = Why::Part(case.stages[0].stage.process.key);
            Found { case: case.id, kind: LinkKind::Lineage, to_stage: 0, why }
        }
    }
}

/// The stage of a case that a process's doings follow from, and whose it is: the latest that the process itself or its
/// nearest ancestor began; else the latest that one of them was seen in again; else the latest by anyone of the same
/// lineage; else the first.
fn stage_of(graph: &Graph, case: &Case, key: ProcessKey) -> (usize, ProcessKey) {
    related_stage(graph, case, key).unwrap_or_else(|| (0, case.stages[0].stage.process.key))
}

fn related_stage(graph: &Graph, case: &Case, key: ProcessKey) -> Option<(usize, ProcessKey)> {
    let lineage: Vec<ProcessKey> = std::iter::once(key).chain(graph.ancestors(key).map(|p| p.key)).collect();
    let began = |of: &ProcessKey| Some((case.stages.iter().rposition(|s| s.stage.process.key == *of)?, *of));
    let again = |of: &ProcessKey| Some((case.stages.iter().rposition(|s| s.last_process == *of)?, *of));
    let origin = graph.origin_of(key);
    let related = || {
        let (i, step) =
            case.stages.iter().enumerate().rfind(|(_, s)| graph.origin_of(s.stage.process.key) == origin)?;
        Some((i, step.stage.process.key))
    };
    lineage.iter().find_map(began).or_else(|| lineage.iter().find_map(again)).or_else(related)
}

/// What joins nothing closer: the same container, or the way into it. An honest service of that container does low things
/// all day long, and did before; so that only what began after the case did counts, and only where both weigh something.
fn by_container(graph: &Graph, cases: &Cases, signal: &Signal) -> Option<Found> {
    let key = signal.process;
    let inside = graph.container_of(key);
    let (kind, container) = match inside {
        Some(container) => (LinkKind::SameContainer, container),
        None => (LinkKind::Entered, graph.stays_in(key)?),
    };
    let case = cases.of_container(&container.id)?;
    let in_it = |s: &Step| s.stage.process.container.as_ref() == Some(&container.id);
    let first = &case.stages.iter().find(|s| in_it(s))?.stage;
    let to_stage = case.stages.iter().rposition(in_it)?;
    let weighs = |severity: Severity| severity > Severity::Low;
    let began_after = graph.origin_of(key).start >= first.time || signal.severity > Severity::Medium;
    if !weighs(signal.severity)
        || !began_after
        || !case.stages.iter().any(|s| in_it(s) && weighs(s.stage.severity))
        || signal.time.since(case.stages[to_stage].stage.last_time) > CONTAINER_HOLDS
    {
        return None;
    }
    let of = case.stages[to_stage].stage.process.key;
    Some(Found { case: case.id, kind, to_stage, why: Why::Place(of, container.id.clone()) })
}
