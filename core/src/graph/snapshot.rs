//! What lives, and what is known of the containers and users that it lives in and as, for those who come late.

use std::collections::{HashSet, VecDeque};

use super::{Container, Graph, Process};
use crate::event::{
    Accounts, Batch, BootTime, ContainerId, ContainerInfo, Digest, Event, Exec, Header, Origin, Payload, ProcessKey,
};

/// Events of one snapshot batch.
const BATCH: usize = 512;

/// The living processes as batches, in the order in which they became known: parents before their children; then what is
/// known of their containers, and what users are called. At least one batch, for it also says that what was known before is
/// void. `next_seq` is the number of the first event after it.
pub fn snapshot(graph: &Graph, now: BootTime, next_seq: u64) -> VecDeque<Batch> {
    let empty = || Batch { first_seq: next_seq, now, snapshot: true, ..Batch::default() };
    let mut batches = VecDeque::from([empty()]);
    let living: Vec<&Process> = graph.processes().filter(|process| process.is_alive()).collect();
    let inhabited: HashSet<&ContainerId> = living.iter().filter_map(|p| p.task.context.container.as_ref()).collect();
    let infos = graph.containers().filter(|container| inhabited.contains(&container.id));
    let named = infos.filter_map(|container| Some(named(container, graph.container_info(&container.id)?)));
    let summed: Vec<Event> = living.iter().filter_map(|process| summed(graph, process, now)).collect();
    let accounts = graph.all_accounts().map(|accounts| called(graph, accounts, now));
    for event in living.into_iter().map(alive).chain(named).chain(summed).chain(accounts) {
        if batches.back().is_some_and(|batch| batch.events.len() == BATCH) {
            batches.push_back(empty());
        }
        if let Some(batch) = batches.back_mut() {
            batch.events.push(event);
        }
    }
    batches
}

fn alive(process: &Process) -> Event {
    let running = process.images.last();
    let mut task = process.task.clone();
    // Who started it tells more than who reaps it.
    task.parent = process.parent.or(task.parent);
    let header = Header {
        seq: running.map_or(0, |running| running.seq),
        time: running.map_or(process.key.start, |running| running.since),
        cpu: 0,
        process: process.key,
        tid: process.key.pid,
        origin: Origin::Backfill,
        compat: false,
    };
    let image = process.image().cloned().unwrap_or_default();
    Event { header, payload: Payload::Alive(Box::new(Exec { task, image })) }
}

fn named(container: &Container, info: &ContainerInfo) -> Event {
    let header = Header {
        seq: 0,
        time: container.since,
        cpu: 0,
        process: container.root,
        tid: container.root.pid,
        origin: Origin::Backfill,
        compat: false,
    };
    Event { header, payload: Payload::Container(Box::new(info.clone())) }
}

/// What a process runs, by its content.
fn summed(graph: &Graph, process: &Process, time: BootTime) -> Option<Event> {
    let running = process.images.last()?;
    let sha256 = graph.digest(running.image.exe.id, running.since)?;
    let (file, since) = (running.image.exe.clone(), running.since);
    let header = Header {
        seq: 0,
        time,
        cpu: 0,
        process: process.key,
        tid: process.key.pid,
        origin: Origin::Backfill,
        compat: false,
    };
    Some(Event { header, payload: Payload::Digest(Box::new(Digest { file, since, sha256 })) })
}

fn called(graph: &Graph, accounts: &Accounts, time: BootTime) -> Event {
    let container = accounts.container.as_ref().and_then(|id| graph.container(id));
    let process = container.map_or(ProcessKey::UNKNOWN, |container| container.root);
    let header = Header { seq: 0, time, cpu: 0, process, tid: process.pid, origin: Origin::Backfill, compat: false };
    Event { header, payload: Payload::Accounts(Box::new(accounts.clone())) }
}
