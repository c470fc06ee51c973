//! What already runs when the sensor starts.

use std::collections::{HashMap, HashSet};

use aya::Ebpf;
use lanner_core::event::{BootTime, Event, FileId, Header, Origin, Payload, ProcessKey};

use super::environment::Variables;
use super::family::{self, ALIVE, Found};
use super::proc::Proc;
use super::{absent, iterate};

/// Runs the iterator.
pub(super) fn list(ebpf: &mut Ebpf) -> Result<Vec<Found>, String> {
    let stream = iterate::all(ebpf, ALIVE)?;
    let mut all = Vec::new();
    let mut rest = stream.as_slice();
    while let Some((found, len)) = family::found(rest) {
        all.push(found);
        rest = &rest[len..];
    }
    Ok(all)
}

/// What the events that wait tell of processes.
#[derive(Default)]
pub(super) struct Live {
    forked: HashSet<ProcessKey>,
    ended: HashSet<ProcessKey>,
    began: HashSet<(ProcessKey, FileId)>,
}

impl Live {
    pub(super) fn of(events: &[Event]) -> Self {
        let mut live = Live::default();
        for event in events {
            let process = event.header.process;
            match &event.payload {
                Payload::Fork(fork) => drop(live.forked.insert(fork.child)),
                Payload::Exit(_) => drop(live.ended.insert(process)),
                Payload::Exec(exec) => drop(live.began.insert((process, exec.image.exe.id))),
                _ => {}
            }
        }
        live
    }

    /// Whether what was found is told of live: its fork was seen, or it was found with the image of an exec that was.
    pub(super) fn tells_of(&self, found: &Found) -> bool {
        self.forked.contains(&found.key) || self.began.contains(&(found.key, found.exec.image.exe.id))
    }

    /// Adds to what is found now who was found `early` and has ended since. Who ended before that could be seen is
    /// left out: it would live for ever.
    pub(super) fn join(&self, now: &mut Vec<Found>, early: Vec<Found>) {
        let known: HashSet<ProcessKey> = now.iter().map(|f| f.key).collect();
        now.extend(early.into_iter().filter(|f| !known.contains(&f.key) && self.ended.contains(&f.key)));
    }
}

/// Makes events of what was found, parents before children, with the time at which the sensor `started`; but for
/// processes of which what was found is seen live.
pub(super) fn events(
    mut all: Vec<Found>,
    started: BootTime,
    is_live: impl Fn(&Found) -> bool,
    proc: Option<Proc>,
    variables: &Variables,
) -> Vec<Event> {
    if let Some(proc) = proc {
        let absent = absent::parents(&all, proc);
        all.extend(absent);
    }
    all.retain(|found| !is_live(found));
    for found in &mut all {
        if let (Some(proc), false) = (proc, found.kernel_thread)
            && let Some(pid) = proc.pid_of(&found.pids, &found.exec.task.context.pid_namespaces)
            && let Some((args, env)) = proc.memory(pid, found.key.start, variables)
        {
            found.exec.image.args = args;
            found.exec.image.env = env;
        }
    }
    parents_first(all)
        .into_iter()
        .map(|found| Event {
            header: Header {
                seq: 0,
                time: started,
                cpu: 0,
                process: found.key,
                tid: found.key.pid,
                origin: Origin::Backfill,
                compat: false,
            },
            payload: Payload::Alive(Box::new(found.exec)),
        })
        .collect()
}

fn parents_first(all: Vec<Found>) -> Vec<Found> {
    let parents: HashMap<ProcessKey, Option<ProcessKey>> = all.iter().map(|f| (f.key, f.exec.task.parent)).collect();
    let depth = |key: ProcessKey| {
        let mut depth = 0;
        let mut next = parents.get(&key).copied().flatten();
        while let Some(parent) = next
            && depth < parents.len()
        {
            depth += 1;
            next = parents.get(&parent).copied().flatten();
        }
        depth
    };
    let mut sorted: Vec<(usize, Found)> = all.into_iter().map(|f| (depth(f.key), f)).collect();
    // By depth, then by age: a reaper may be younger than what it adopted.
    sorted.sort_by_key(|(depth, f)| (*depth, f.key.start, f.key.pid));
    sorted.into_iter().map(|(_, f)| f).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lanner_core::event::{Exec, Image, Task};

    fn found(pid: u32, start: u64, parent: Option<(u32, u64)>) -> Found {
        let parent = parent.map(|(pid, start)| ProcessKey::new(pid, start));
        let exec = Exec { task: Task { parent, ..Task::default() }, image: Image::default() };
        Found { key: ProcessKey::new(pid, start), exec, pids: vec![pid], kernel_thread: false }
    }

    #[test]
    fn parents_come_before_children_even_when_they_are_younger() {
        let all = vec![found(9, 10, Some((5, 50))), found(5, 50, Some((1, 1))), found(1, 1, None)];
        let events = events(all, BootTime(100), |_| false, None, &Variables::default());
        assert_eq!(events.iter().map(|e| e.header.process.pid).collect::<Vec<_>>(), [1, 5, 9]);
        assert!(events.iter().all(|e| e.header.time == BootTime(100) && e.header.origin == Origin::Backfill));
    }

    #[test]
    fn what_is_seen_live_is_not_told_again() {
        let all = vec![found(1, 1, None), found(2, 2, Some((1, 1))), found(3, 100, Some((1, 1)))];
        let events = events(all, BootTime(100), |found| found.key.pid > 1, None, &Variables::default());
        assert_eq!(events.iter().map(|e| e.header.process.pid).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn a_cycle_of_parents_ends() {
        let all = vec![found(1, 1, Some((2, 2))), found(2, 2, Some((1, 1)))];
        assert_eq!(events(all, BootTime(9), |_| false, None, &Variables::default()).len(), 2);
    }
}
