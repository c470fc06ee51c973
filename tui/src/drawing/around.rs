//! The picture of a process's neighbourhood.

use std::collections::HashSet;

use lanner_core::event::ProcessKey;
use lanner_core::graph::{Graph, Relation};

use super::bound::bound;
use super::collapse::collapse;
use super::gather::{Gather, Times};
use super::sketch::{Entity, Sketch};

/// Ancestors that are shown.
const ANCESTORS: usize = 4;
/// Descendants that are followed, with all that they did.
const DESCENDANTS: usize = 256;

/// A process, who led to it and what came of it: its nearest ancestors, its descendants, their files and peers, and who else
/// wrote, read or ran those files.
pub(crate) fn around(key: ProcessKey, graph: &Graph) -> Sketch {
    let mut gather = Gather::new(graph);
    let mut child = key;
    for ancestor in graph.ancestors(key).take(ANCESTORS).map(|p| p.key) {
        gather.child(ancestor, child);
        child = ancestor;
    }
    gather.node(Entity::Process(key), 0);
    if let Some(container) = graph.container_of(key) {
        let since = container.since;
        gather.edge(
            Entity::Container(container.id.clone()),
            Entity::Process(container.root),
            "ran",
            Times::once(since, 0),
        );
    }
    let mut own: Vec<ProcessKey> = vec![key];
    let mut next = 0;
    while let Some(parent) = own.get(next).copied() {
        next += 1;
        for child in graph.process(parent).into_iter().flat_map(|p| &p.children) {
            gather.child(parent, *child);
            if own.len() < DESCENDANTS {
                own.push(*child);
            }
        }
    }
    let mut files = HashSet::new();
    for process in &own {
        let node = Entity::Process(*process);
        for (object, edge) in graph.did(&node) {
            // What a descendant only ran or read is its own affair.
            let passing = matches!(edge.relation, Relation::Executed | Relation::Read) && *process != key;
            if !passing {
                gather.deed(*process, &object, edge);
                files.extend(matches!(object, Entity::File(_)).then_some(object));
            }
        }
        for (doer, edge) in graph.done_to(&node) {
            if let Entity::Process(doer) = doer {
                gather.deed(doer, &node, edge);
            }
        }
    }
    let mut files: Vec<Entity> = files.into_iter().collect();
    files.sort();
    for file in files {
        let written = graph.done_to(&file).iter().any(|(_, e)| e.relation == Relation::Wrote);
        for (doer, edge) in graph.done_to(&file) {
            // Everybody runs the same shell: that says nothing, unless somebody wrote it.
            if let Entity::Process(doer) = doer
                && (written || gather.has(&Entity::Process(doer)))
            {
                gather.deed(doer, &file, edge);
            }
        }
    }
    bound(collapse(gather.finish()))
}
