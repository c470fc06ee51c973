//! Siblings that are alike become one node: `14 × curl`.

use std::collections::HashMap;

use super::sketch::{Edge, Entity, Kind, Node, Sketch};
use crate::words::text::clip;

/// Different leaves of one kind beside each other, of which no stage speaks, that are shown one by one.
const FEW: usize = 4;
/// Columns of the names of those that became one.
const NAMES: usize = 64;

/// Makes siblings one that are alike with all that hangs below them; then leaves of a kind where there are many.
pub(super) fn collapse(sketch: Sketch) -> Sketch {
    gather_leaves(join_alike(sketch))
}

/// What makes a node like another: what it is and does, and what hangs below it.
type Signature = (Kind, String, Vec<usize>, Option<String>, Vec<(String, usize)>);

fn join_alike(sketch: Sketch) -> Sketch {
    let below = edges_by(&sketch, |e| e.from);
    let above = edges_by(&sketch, |e| e.to);
    let signatures = signatures(&sketch, &below, &above);
    let mut same = Same((0..sketch.nodes.len()).collect());
    let alike = |edges: &[usize], end: fn(&Edge) -> usize, same: &mut Same| {
        let mut first: HashMap<(&str, usize), usize> = HashMap::new();
        for &edge in edges {
            let (edge, node) = (&sketch.edges[edge], end(&sketch.edges[edge]));
            if let Some(signature) = signatures[node] {
                let one = *first.entry((&edge.label, signature)).or_insert(node);
                same.join(one, node);
            }
        }
    };
    for node in 0..sketch.nodes.len() {
        alike(&below[node], |e| e.to, &mut same);
        // What only leads here, such as callers from outside, has nothing above it.
        let sources: Vec<usize> =
            above[node].iter().copied().filter(|e| above[sketch.edges[*e].from].is_empty()).collect();
        alike(&sources, |e| e.from, &mut same);
    }
    // What hangs below nodes that became one becomes one as well.
    for node in 0..sketch.nodes.len() {
        let one = same.find(node);
        if one == node {
            continue;
        }
        let mut theirs: HashMap<(&str, Option<usize>), usize> = HashMap::new();
        for &edge in &below[one] {
            let edge = &sketch.edges[edge];
            theirs.entry((&edge.label, signatures[edge.to])).or_insert(edge.to);
        }
        for &edge in &below[node] {
            let edge = &sketch.edges[edge];
            if let Some(their) = theirs.get(&(edge.label.as_str(), signatures[edge.to]))
                && signatures[edge.to].is_some()
            {
                same.join(*their, edge.to);
            }
        }
    }
    merge(sketch, &mut same)
}

/// Of each node that is a tree with all that hangs below it, a number that all of its like share.
fn signatures(sketch: &Sketch, below: &[Vec<usize>], above: &[Vec<usize>]) -> Vec<Option<usize>> {
    let mut known: HashMap<Signature, usize> = HashMap::new();
    let mut signatures: Vec<Option<usize>> = vec![None; sketch.nodes.len()];
    let mut waits: Vec<usize> = below.iter().map(Vec::len).collect();
    let mut ready: Vec<usize> = (0..waits.len()).filter(|i| waits[*i] == 0).collect();
    while let Some(node) = ready.pop() {
        for &edge in &above[node] {
            let parent = sketch.edges[edge].from;
            waits[parent] -= 1;
            if waits[parent] == 0 {
                ready.push(parent);
            }
        }
        // One that leads to several things, or comes from several, is like no other; so is who has such below it. What
        // comes from nowhere is a leaf seen from its other end.
        let source = above[node].is_empty() && below[node].len() == 1;
        if above[node].len() != 1 && !source {
            continue;
        }
        let mut parts = Vec::new();
        if !source {
            let whole = below[node].iter().all(|edge| {
                let edge = &sketch.edges[*edge];
                signatures[edge.to].inspect(|s| parts.push((edge.label.clone(), *s))).is_some()
            });
            if !whole {
                continue;
            }
        }
        parts.sort();
        parts.dedup();
        let it = &sketch.nodes[node];
        let title = match &it.entity {
            // Callers have a port for each call.
            Entity::Peer(peer) if it.stages.is_empty() => peer.ip().to_string(),
            _ => it.title.clone(),
        };
        let place = match it.kind {
            Kind::Process => it.lines.get(1).cloned(),
            _ => it.lines.first().cloned(),
        };
        let next = known.len();
        signatures[node] = Some(*known.entry((it.kind, title, it.stages.clone(), place, parts)).or_insert(next));
    }
    signatures
}

/// What leads to a node: from which, and how.
type Causes<'a> = Vec<(usize, &'a str)>;

/// Many leaves of one kind beside each other that no stage speaks of become one node, which names the first of them: what one
/// process wrote, or what the same several did.
fn gather_leaves(sketch: Sketch) -> Sketch {
    let below = edges_by(&sketch, |e| e.from);
    let above = edges_by(&sketch, |e| e.to);
    let mut groups: HashMap<(Kind, Causes<'_>), Vec<usize>> = HashMap::new();
    for (i, node) in sketch.nodes.iter().enumerate() {
        if below[i].is_empty() && node.stages.is_empty() {
            let edges = above[i].iter().map(|edge| &sketch.edges[*edge]);
            let mut led_to: Vec<_> = edges.map(|edge| (edge.from, edge.label.as_str())).collect();
            led_to.sort_unstable();
            led_to.dedup();
            groups.entry((node.kind, led_to)).or_default().push(i);
        }
    }
    let mut same = Same((0..sketch.nodes.len()).collect());
    let mut titles: Vec<(usize, &'static str, String)> = Vec::new();
    for ((kind, led_to), group) in groups {
        if group.len() > FEW && !led_to.is_empty() {
            group.iter().for_each(|node| same.join(group[0], *node));
            let names = group.iter().take(16).map(|i| sketch.nodes[*i].title.as_str()).collect::<Vec<_>>().join(", ");
            titles.push((group[0], kind.words(), clip(&names, NAMES)));
        }
    }
    let mut sketch = sketch;
    for (node, title, names) in titles {
        let node = &mut sketch.nodes[node];
        node.title = title.to_owned();
        node.lines = vec![names];
    }
    merge(sketch, &mut same)
}

fn edges_by(sketch: &Sketch, end: fn(&Edge) -> usize) -> Vec<Vec<usize>> {
    let mut by = vec![Vec::new(); sketch.nodes.len()];
    for (i, edge) in sketch.edges.iter().enumerate() {
        by[end(edge)].push(i);
    }
    by
}

/// Which nodes are one; the first of them stands for all.
struct Same(Vec<usize>);

impl Same {
    fn find(&mut self, node: usize) -> usize {
        let mut one = node;
        while self.0[one] != one {
            self.0[one] = self.0[self.0[one]];
            one = self.0[one];
        }
        one
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b)] = a.min(b);
    }
}

fn merge(sketch: Sketch, same: &mut Same) -> Sketch {
    let mut places: Vec<usize> = Vec::new();
    let mut nodes: Vec<Node> = Vec::new();
    for (i, node) in sketch.nodes.into_iter().enumerate() {
        let one = same.find(i);
        if one == i {
            places.push(nodes.len());
            nodes.push(node);
            continue;
        }
        let place = places[one];
        places.push(place);
        let first = &mut nodes[place];
        first.ended &= node.ended;
        first.since = first.since.min(node.since);
        first.others.push(node.entity);
        first.others.extend(node.others);
    }
    let mut edges: Vec<Edge> = Vec::new();
    let mut known: HashMap<(usize, usize, String), usize> = HashMap::new();
    for mut edge in sketch.edges {
        (edge.from, edge.to) = (places[edge.from], places[edge.to]);
        let next = edges.len();
        match *known.entry((edge.from, edge.to, edge.label.clone())).or_insert(next) {
            new if new == next => edges.push(edge),
            old => {
                let old = &mut edges[old];
                old.count += edge.count;
                old.since = old.since.min(edge.since);
            }
        }
    }
    Sketch { nodes, edges, left_out: sketch.left_out }
}

#[cfg(test)]
mod tests {
    use lanner_core::event::{BootTime, FileId, ProcessKey};
    use lanner_core::graph::Graph;

    use super::*;

    /// Two processes, and as many files as are asked for that both wrote.
    fn written_by_both(files: u64) -> Sketch {
        let graph = Graph::default();
        let mut sketch = Sketch::default();
        for pid in [1, 2] {
            sketch.nodes.push(Node::new(Entity::Process(ProcessKey::new(pid, 1)), &graph, 0));
        }
        for ino in 1..=files {
            let file = sketch.nodes.len();
            sketch.nodes.push(Node::new(Entity::File(FileId { dev: 1, ino }), &graph, 0));
            sketch.nodes[file].title = format!("part-{ino}");
            for from in [0, 1] {
                let (label, stages, since) = ("wrote".to_owned(), Vec::new(), BootTime(ino));
                sketch.edges.push(Edge { from, to: file, label, count: 1, through: 0, stages, since });
            }
        }
        sketch
    }

    #[test]
    fn what_the_same_several_wrote_becomes_one_where_it_is_much() {
        assert_eq!(collapse(written_by_both(4)).nodes.len(), 6);
        let sketch = collapse(written_by_both(9));
        assert_eq!(sketch.nodes.len(), 3);
        assert_eq!(sketch.nodes[2].heading("×"), "9 files");
        assert!(sketch.nodes[2].lines[0].starts_with("part-1, part-2"), "{:?}", sketch.nodes[2].lines);
    }

    #[test]
    fn what_a_stage_is_about_stays_by_itself() {
        let mut sketch = written_by_both(9);
        sketch.nodes[5].stages.push(1);
        assert_eq!(collapse(sketch).nodes.len(), 4);
    }
}
