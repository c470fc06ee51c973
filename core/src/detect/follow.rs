//! What members of a case do belongs to the case, whether or not a rule speaks of it; and who runs what they wrote is a member.

use super::LinkKind;
use super::author;
use super::cases::Cases;
use super::lead;
use crate::event::{Attempt, Event, File, FileId, Payload, ProcessKey, UdpStage};
use crate::graph::Graph;

/// A program of an incident's that more than this many different programs run is on its way to be everybody's.
const FEW_USERS: usize = 2;

/// Takes in an event, with so many incidents known. Gives the case that is to be told because of it.
pub(super) fn follow(cases: &mut Cases, graph: &Graph, event: &Event, incidents: usize) -> Option<u64> {
    let key = event.header.process;
    if incidents > 0 && cases.of(key).is_none() {
        runs_what_was_written(cases, graph, event);
    }
    let case = cases.of_mut(key)?;
    let id = case.id;
    // What else one does who merely lies on the way is none of it.
    if case.passages.contains_key(&key) && !matches!(event.payload, Payload::Exec(_) | Payload::Exit(_)) {
        return None;
    }
    case.last_time = case.last_time.max(event.header.time);
    match &event.payload {
        Payload::Fork(fork) => {
            cases.include_one(graph, id, fork.child);
        }
        Payload::Exec(_) => {
            case.note_image(graph, key);
        }
        Payload::Open(open) if open.access.write => {
            case.news.any = true;
            case.note_file(&open.file.path);
        }
        Payload::Rename(rename) => {
            case.news.any = true;
            case.note_file(&rename.file.path);
        }
        Payload::Link(link) => {
            case.news.any = true;
            case.note_file(&link.file.path);
        }
        Payload::Connect(connect) if connect.attempt == Attempt::Started => {
            case.news.any = true;
            case.note_peer(connect.flow.remote);
        }
        Payload::Udp(udp) if udp.outgoing && udp.stage == UdpStage::Started => {
            case.news.any = true;
            case.note_peer(udp.flow.remote);
        }
        Payload::Exit(_) => {
            let ends = case.living.remove(&key);
            case.news.any |= ends;
            return (ends && case.living.is_empty() && case.incident.is_some()).then_some(id);
        }
        _ => {}
    }
    // What nobody of any case wrote ties nothing here, unless it is run; reads are many, and evidence is put into words.
    let counts = |file: &File| {
        let Some((writer, _)) = graph.last_write(file.id) else { return false };
        let path = graph.file(file.id).map_or(&file.path, |file| &file.path);
        let kind = lead::kind_of_read(graph, key, file.id, path);
        let is_known = || cases.cases.get(&id).is_some_and(|case| case.ties.knows(kind, writer, key, path));
        (kind == LinkKind::WroteLoaded || cases.of(writer).is_some()) && !is_known()
    };
    let leads = match &event.payload {
        Payload::Open(open) if open.access.write || !counts(&open.file) => Vec::new(),
        _ => lead::of_event(graph, event),
    };
    author::include(cases, graph, id, &leads, event.header.time);
    let others: Vec<u64> =
        leads.iter().filter(|lead| cases.joins(lead)).filter_map(|lead| cases.of(lead.other)).map(|c| c.id).collect();
    let joins = others.iter().any(|other| *other != id);
    let id = if joins { cases.join(&[others, vec![id]].concat())? } else { id };
    if joins {
        author::include(cases, graph, id, &[], event.header.time);
    }
    cases.tie(id, leads);
    joins.then_some(id)
}

/// A process of which nothing is known yet becomes part of an incident when it runs what the incident wrote: a program, or a
/// script that its interpreter reads; or when its container or its service was started because of what was written.
fn runs_what_was_written(cases: &mut Cases, graph: &Graph, event: &Event) {
    let key = event.header.process;
    let files = match &event.payload {
        Payload::Exec(exec) => {
            let begun = graph.container_of(key).filter(|c| c.began == Some(event.header.seq));
            let cause = begun.and_then(|c| c.cause.as_ref()).map(|cause| cause.writer);
            if let Some(writer) = cause.or_else(|| lead::serves(graph, key).map(|lead| lead.other)) {
                join_with(cases, graph, event, writer);
                return;
            }
            [Some(exec.image.exe.id), exec.image.script.as_ref().map(|script| script.id)]
        }
        Payload::Open(open) if !open.access.write && graph.last_write(open.file.id).is_some() => {
            if !lead::is_code_for(graph, key, open.file.id, &open.file.path) {
                return;
            }
            [Some(open.file.id), None]
        }
        _ => return,
    };
    // Who wrote it is known at once, and mostly nobody did; how many use it must be counted.
    let few = |file: FileId| graph.users_of(file, FEW_USERS + 1) <= FEW_USERS;
    let written =
        files.into_iter().flatten().filter_map(|file| Some((file, writer_in_an_incident(cases, graph, file, key)?)));
    if let Some((_, writer)) = { written }.find(|(file, _)| few(*file)) {
        join_with(cases, graph, event, writer);
    }
}

fn writer_in_an_incident(cases: &Cases, graph: &Graph, file: FileId, reader: ProcessKey) -> Option<ProcessKey> {
    let (writer, _) = graph.last_write(file)?;
    (writer != reader && cases.of(writer)?.incident.is_some()).then_some(writer)
}

fn join_with(cases: &mut Cases, graph: &Graph, event: &Event, writer: ProcessKey) {
    let Some(id) = cases.of(writer).filter(|case| case.incident.is_some()).map(|case| case.id) else { return };
    let key = event.header.process;
    // Another request of the server that was broken into is all of one piece; elsewhere only this one program is the incident's.
    if cases.begins_like(graph, id, key) {
        cases.include(graph, id, key, event.header.time);
    } else {
        cases.include_one(graph, id, key);
    }
    if let Some(case) = cases.get_mut(id) {
        case.news.any = true;
    }
    cases.tie(id, lead::of_event(graph, event));
}
