//! Collects nodes and edges from the graph.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use lanner_core::event::{BootTime, ProcessKey};
use lanner_core::graph::{self, Graph, Relation};

use super::sketch::{Edge, Entity, Node, Sketch};

/// Nodes that are collected before siblings are collapsed; the rest is counted.
const MAX_NODES: usize = 4_096;

/// A sketch in the making.
pub(super) struct Gather<'a> {
    pub(super) graph: &'a Graph,
    nodes: IndexMap<Entity, Node>,
    edges: IndexMap<(usize, usize, &'static str), Edge>,
    /// Which stages rest on an event.
    pub(super) evidence: HashMap<u64, Vec<usize>>,
    left_out: usize,
}

/// How often something happened, and when first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) since: BootTime,
    pub(super) count: u64,
    /// The first and the last event (`header.seq`); 0: not known.
    pub(super) seqs: [u64; 2],
}

impl From<&graph::Edge> for Times {
    fn from(edge: &graph::Edge) -> Self {
        Times { since: edge.first, count: u64::from(edge.count), seqs: [edge.first_seq, edge.last_seq] }
    }
}

impl Times {
    /// Once.
    pub(super) fn once(since: BootTime, seq: u64) -> Times {
        Times { since, count: 1, seqs: [seq, seq] }
    }
}

impl<'a> Gather<'a> {
    pub(super) fn new(graph: &'a Graph) -> Self {
        Gather { graph, nodes: IndexMap::new(), edges: IndexMap::new(), evidence: HashMap::new(), left_out: 0 }
    }

    /// The node of an entity, made when it is new; `None` when there is no room.
    pub(super) fn node(&mut self, entity: Entity, netns: u32) -> Option<usize> {
        if let Some(known) = self.nodes.get_index_of(&entity) {
            return Some(known);
        }
        if self.nodes.len() >= MAX_NODES {
            self.left_out += 1;
            return None;
        }
        let node = Node::new(entity.clone(), self.graph, netns);
        Some(self.nodes.insert_full(entity, node).0)
    }

    pub(super) fn has(&self, entity: &Entity) -> bool {
        self.nodes.contains_key(entity)
    }

    /// Whether edges lead from one to the other, at most four of them: a file, who read it, and the container that they
    /// started lie between.
    pub(super) fn is_shown(&self, from: &Entity, to: &Entity) -> bool {
        let (Some(from), Some(to)) = (self.nodes.get_index_of(from), self.nodes.get_index_of(to)) else { return false };
        let mut reached = HashSet::from([from]);
        for _ in 0..4 {
            let next = self.edges.values().filter(|edge| reached.contains(&edge.from)).map(|edge| edge.to);
            let next: Vec<usize> = next.collect();
            reached.extend(next);
        }
        reached.contains(&to)
    }

    pub(super) fn node_mut(&mut self, entity: &Entity) -> Option<&mut Node> {
        self.nodes.get_mut(entity)
    }

    /// Something happened from one to the other; both become nodes.
    pub(super) fn edge(&mut self, from: Entity, to: Entity, label: &'static str, times: Times) -> Option<&mut Edge> {
        let netns = [&from, &to].into_iter().find_map(|end| self.netns(end)).unwrap_or_default();
        let from = self.node(from, netns)?;
        let to = self.node(to, netns)?;
        if from == to {
            return None;
        }
        let mut stages: Vec<usize> =
            times.seqs.iter().filter_map(|seq| self.evidence.get(seq)).flatten().copied().collect();
        stages.sort_unstable();
        stages.dedup();
        for end in [from, to] {
            let since = &mut self.nodes[end].since;
            if since.0 == 0 {
                *since = times.since;
            }
        }
        let made =
            || Edge { from, to, label: label.to_owned(), count: times.count, through: 0, stages, since: times.since };
        Some(self.edges.entry((from, to, label)).or_insert_with(made))
    }

    fn netns(&self, entity: &Entity) -> Option<u32> {
        match entity {
            Entity::Process(key) => Some(self.graph.process(*key)?.task.context.namespaces.net),
            _ => None,
        }
    }

    /// The process made a child, in a word.
    pub(super) fn child(&mut self, parent: ProcessKey, child: ProcessKey) {
        let label = match self.graph.process(child) {
            Some(process) if process.images.is_empty() => "forked",
            _ => "ran",
        };
        self.edge(Entity::Process(parent), Entity::Process(child), label, Times::once(child.start, 0));
    }

    /// An edge of the graph, drawn from cause to effect.
    pub(super) fn deed(&mut self, process: ProcessKey, object: &Entity, edge: &graph::Edge) -> Option<&mut Edge> {
        let (own, object) = (Entity::Process(process), object.clone());
        let (from, to, label) = match edge.relation {
            Relation::Forked | Relation::RunsIn => return None,
            Relation::Executed => (object, own, "run by"),
            Relation::Wrote => (own, object, "wrote"),
            Relation::Read => (object, own, "read by"),
            Relation::Named => (own, object, "named"),
            Relation::Connected | Relation::Reached => (own, object, "called"),
            Relation::Accepted => (object, own, "called"),
            Relation::Traced => (own, object, "reached into"),
        };
        self.edge(from, to, label, edge.into())
    }

    /// All that was collected.
    pub(super) fn finish(self) -> Sketch {
        let nodes = self.nodes.into_values().collect();
        let mut edges: Vec<Edge> = self.edges.into_values().collect();
        // Whoever opens a file it gave a name to wrote it: one word is enough.
        let named: Vec<(usize, usize)> = edges.iter().filter(|e| e.label == "wrote").map(|e| (e.from, e.to)).collect();
        edges.retain(|e| e.label != "named" || !named.contains(&(e.from, e.to)));
        Sketch { nodes, edges, left_out: self.left_out }
    }
}
