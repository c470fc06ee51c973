//! Membership: who is part of a case because of what one process did.

use std::sync::Arc;
use std::time::Duration;

use super::case::MAX_MEMBERS;
use super::cases::{Cases, MAX_ALL_MEMBERS, bound};
use crate::event::{BootTime, Origin, ProcessKey};
use crate::graph::Graph;

/// How long before a stage that it leads to something may have begun to be all of one piece with it.
const LONGEST_JOB: Duration = Duration::from_secs(300);

impl Cases {
    /// Whether nothing but a container's first program leads from a process to the case that its origin leads to. That
    /// program starts whatever the container is for; one that takes calls is what those have in common.
    pub(super) fn only_shares_a_container(&self, graph: &Graph, key: ProcessKey) -> bool {
        let nearest = graph.ancestors(key).map(|p| p.key).find(|above| self.of_process.contains_key(above));
        nearest.is_some_and(|above| {
            is_first_of_its_container(graph, above)
                && !graph.serves_many(above)
                && self.of(above).is_some_and(|case| case.passages.contains_key(&above))
        })
    }

    /// Whether a process is part of no case, and began where something of this one did.
    pub(super) fn begins_like(&self, graph: &Graph, id: u64, key: ProcessKey) -> bool {
        !self.of_process.contains_key(&key)
            && graph.process(key).is_some()
            && self.cases.get(&id).is_some_and(|case| case.origins.contains(&graph.origin_of(key)))
    }

    /// Makes a process and all of its descendants part of a case, and what led to it: its ancestors up to where its doings
    /// began. Of those, whoever started more than one branch of the case is no mere way to it: all that it started belongs to
    /// it, unless it serves many. Gives who is new.
    pub(super) fn include(&mut self, graph: &Graph, id: u64, key: ProcessKey, now: BootTime) -> Vec<ProcessKey> {
        self.fresh(id, |cases| cases.include_line(graph, id, key, now))
    }

    /// The same, for what serves nobody else: it is no mere way, whoever calls it.
    pub(super) fn include_wholly(&mut self, graph: &Graph, id: u64, key: ProcessKey, now: BootTime) -> Vec<ProcessKey> {
        self.fresh(id, |cases| {
            cases.include_below(graph, id, key);
            cases.include_line(graph, id, key, now);
        })
    }

    /// Who is new in a case after something was done.
    fn fresh(&mut self, id: u64, include: impl FnOnce(&mut Cases)) -> Vec<ProcessKey> {
        let members = |cases: &Cases| cases.cases.get(&id).map_or(0, |case| case.members.len());
        let known = members(self);
        include(self);
        self.cases.get(&id).map(|case| case.members.keys().skip(known).copied().collect()).unwrap_or_default()
    }

    fn include_line(&mut self, graph: &Graph, id: u64, key: ProcessKey, now: BootTime) {
        if graph.process(key).is_none() {
            return; // nobody in particular, to whom nothing is related
        }
        let origin = graph.origin_of(key);
        let mut doers = Vec::new();
        match self.cases.get_mut(&id).map(Arc::make_mut) {
            // Who serves many does most of what it does for others than the one who misused it.
            Some(case) if graph.serves_many(key) && !self.of_process.contains_key(&key) => {
                if case.members.len() < MAX_MEMBERS {
                    case.passages.insert(key, key);
                }
                self.include_one(graph, id, key);
            }
            Some(case) if graph.serves_many(key) && case.passages.contains_key(&key) => {}
            _ => doers.push(key),
        }
        let mut from = key;
        let above = graph.ancestors(key).map(|p| p.key).take_while(|k| key != origin && *k != origin);
        for led in above.chain((key != origin).then_some(origin)) {
            let Some(case) = self.cases.get_mut(&id).map(Arc::make_mut) else { return };
            let serves = graph.serves_many(led) || is_first_of_its_container(graph, led);
            match case.passages.get(&led) {
                None if self.of_process.contains_key(&led) => break,
                None if !serves && is_one_job(graph, led, now) => doers.push(led),
                None => drop(case.passages.insert(led, from)),
                Some(way) if serves || *way == from => {}
                Some(_) => doers.push(led),
            }
            self.include_one(graph, id, led);
            if !self.of_process.contains_key(&led) {
                // There was no room for it.
                if let Some(case) = self.get_mut(id) {
                    case.passages.remove(&led);
                }
            }
            from = led;
        }
        for doer in doers {
            self.include_below(graph, id, doer);
        }
        let container = graph.container_of(key).map(|container| container.id.clone());
        bound(&mut self.of_origin);
        self.of_origin.insert(origin, id);
        let known = container.as_ref().and_then(|container| self.of_container.get(container)).copied();
        // What weighs more is what others may belong to; of two alike the later.
        let weight = |id: u64| self.cases.get(&id).map_or(0, |case| case.score());
        if let Some(container) = &container
            && known.is_none_or(|known| weight(id) >= weight(known))
        {
            bound(&mut self.of_container);
            self.of_container.insert(container.clone(), id);
        }
        if let Some(case) = self.get_mut(id) {
            case.origins.insert(origin);
            case.containers.extend(container);
        }
    }

    /// Makes a process part of a case, for what it does itself, and all of its descendants.
    fn include_below(&mut self, graph: &Graph, id: u64, key: ProcessKey) {
        if let Some(case) = self.get_mut(id)
            && case.passages.remove(&key).is_some()
        {
            case.note_doings(graph, key);
        }
        self.include_one(graph, id, key);
        let mut below = vec![key];
        while let Some(parent) = below.pop() {
            let Some(process) = graph.process(parent) else { continue };
            for child in &process.children {
                // What is part of a case already, be it another, was looked through when it became so; a mere way was not.
                if self.of_process.get(child) == Some(&id) {
                    let Some(case) = self.get_mut(id) else { continue };
                    if case.passages.remove(child).is_some() {
                        case.note_doings(graph, *child);
                        below.push(*child);
                    }
                } else if !self.of_process.contains_key(child) {
                    self.include_one(graph, id, *child);
                    if self.of_process.contains_key(child) {
                        below.push(*child);
                    }
                }
            }
        }
    }

    /// Makes one process part of a case, unless it is part of one.
    pub(super) fn include_one(&mut self, graph: &Graph, id: u64, key: ProcessKey) {
        if self.of_process.contains_key(&key) {
            return;
        }
        let room = self.of_process.len() < MAX_ALL_MEMBERS;
        if let Some(case) = self.get_mut(id) {
            if room {
                case.include(graph, key);
            }
            match case.members.contains_key(&key) {
                true => drop(self.of_process.insert(key, id)),
                false => self.unlisted += u64::from(graph.process(key).is_some()),
            }
        }
    }
}

/// What began lately and has no terminal does one thing: a request's handler, a scheduler's job, a script that was sent. What
/// was there before may be a service, and at a terminal somebody does this and that.
fn is_one_job(graph: &Graph, key: ProcessKey, now: BootTime) -> bool {
    graph.process(key).is_some_and(|process| {
        process.origin == Origin::Live && process.task.context.tty.is_none() && now.since(key.start) <= LONGEST_JOB
    })
}

/// A container's first program starts what the container is for, and adopts what others leave.
fn is_first_of_its_container(graph: &Graph, key: ProcessKey) -> bool {
    graph.container_of(key).is_some_and(|container| container.root == key)
}
