//! Authors: who wrote what a case runs, or serves nobody but it. One request brings a tool, or leaves a relay behind, and a
//! later one uses it; of the first no rule need have spoken.

use super::LinkKind;
use super::case::Case;
use super::cases::Cases;
use super::lead::{self, Lead};
use crate::event::{BootTime, Origin, ProcessKey};
use crate::graph::Graph;

/// New members that are looked at, for what they ran in their turn.
const MAX_FRESH: usize = 64;
/// Leads to authors that are kept in mind: the case may come to know where those began.
const MAX_SOUGHT: usize = 64;
/// Clients of a server that are looked at, the latest.
const MAX_CLIENTS: usize = 256;

/// Makes part of a case those to whom `leads` lead as the writers of what its members run, or as servers of theirs alone, and
/// who wrote what these ran: but only whoever began where something of the case did, as two requests of one server. Who
/// installs what an attacker happens to use did not.
pub(super) fn include(cases: &mut Cases, graph: &Graph, id: u64, leads: &[Lead], now: BootTime) {
    let mut fresh = of_leads(cases, graph, id, leads);
    fresh.extend(of_sought(cases, graph, id));
    for at in 0..MAX_FRESH {
        let Some(key) = fresh.get(at) else { return };
        let leads = lead::of_process(graph, *key, now);
        fresh.extend(of_leads(cases, graph, id, &leads));
        cases.tie(id, leads);
    }
}

fn of_leads(cases: &mut Cases, graph: &Graph, id: u64, leads: &[Lead]) -> Vec<ProcessKey> {
    let mut fresh = Vec::new();
    for lead in leads {
        let Some((user, author)) = use_of(lead) else { continue };
        if cases.of(user).is_none_or(|case| case.id != id) || cases.of(author).is_some() {
            continue;
        }
        match take(cases, graph, id, lead) {
            Some(taken) => fresh.extend(taken),
            None => {
                if let Some(case) = cases.get_mut(id)
                    && case.sought.len() < MAX_SOUGHT
                    && case.sought.iter().all(|known| use_of(known) != Some((user, author)))
                {
                    case.sought.push(lead.clone());
                }
            }
        }
    }
    fresh
}

/// Those that could not be told to belong to it, if by now it hangs together with more.
fn of_sought(cases: &mut Cases, graph: &Graph, id: u64) -> Vec<ProcessKey> {
    let is_due = |case: &Case| !case.sought.is_empty() && case.ways() != case.sought_in;
    if !cases.cases.get(&id).is_some_and(|case| is_due(case)) {
        return Vec::new();
    }
    let sought = cases.get_mut(id).map(|case| std::mem::take(&mut case.sought)).unwrap_or_default();
    let (mut fresh, mut leads, mut still) = (Vec::new(), Vec::new(), Vec::new());
    for lead in sought {
        match take(cases, graph, id, &lead) {
            Some(taken) => {
                fresh.extend(taken);
                leads.push(lead);
            }
            None => still.push(lead),
        }
    }
    cases.tie(id, leads);
    if let Some(case) = cases.get_mut(id) {
        case.sought = still;
        case.sought_in = case.ways();
    }
    fresh
}

/// Who is new, if the author belongs to the case.
fn take(cases: &mut Cases, graph: &Graph, id: u64, lead: &Lead) -> Option<Vec<ProcessKey>> {
    let (user, author) = use_of(lead)?;
    // Who merely lies on the way runs, and calls, what it is there for.
    if cases.cases.get(&id)?.passages.contains_key(&user) || !cases.begins_like(graph, id, author) {
        return None;
    }
    if lead.tie.kind == LinkKind::Connected && !serves_only(cases, graph, id, author) {
        return None;
    }
    // What is of one piece with it is told from when it began, however much later somebody uses what it left.
    Some(cases.include_wholly(graph, id, author, author.start))
}

/// Who uses what the other made: a program of his, or him as a server.
fn use_of(lead: &Lead) -> Option<(ProcessKey, ProcessKey)> {
    match lead.tie.kind {
        _ if lead.weak => None,
        LinkKind::WroteExecuted | LinkKind::WroteLoaded => Some((lead.tie.to, lead.tie.from)),
        LinkKind::Connected => Some((lead.tie.from, lead.tie.to)),
        _ => None,
    }
}

/// Whether a server that was seen to begin has been called by nobody but the case.
fn serves_only(cases: &Cases, graph: &Graph, id: u64, server: ProcessKey) -> bool {
    let is_of_it = |client: ProcessKey| cases.of_process.get(&client) == Some(&id);
    graph.process(server).is_some_and(|process| process.origin == Origin::Live)
        && graph.clients(server).take(MAX_CLIENTS).all(is_of_it)
}
