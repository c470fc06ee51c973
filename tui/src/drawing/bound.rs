//! No more nodes than can be read.

use super::sketch::Sketch;

/// Nodes that a picture has at most.
pub(super) const MAX_NODES: usize = 200;

/// Leaves out what tells least when there are too many nodes, and counts it: first what stands by, then what no stage is
/// about and leads to none, the latest first.
pub(super) fn bound(sketch: Sketch) -> Sketch {
    if sketch.nodes.len() <= MAX_NODES {
        return sketch;
    }
    let leads = leads_to_stages(&sketch);
    let mut order: Vec<usize> = (0..sketch.nodes.len()).collect();
    order.sort_by_key(|i| {
        let node = &sketch.nodes[*i];
        (node.stages.is_empty(), !leads[*i], !node.involved, *i)
    });
    let mut kept = vec![false; sketch.nodes.len()];
    order[..MAX_NODES].iter().for_each(|i| kept[*i] = true);
    keep(sketch, &kept)
}

/// The sketch with some nodes only; the others are counted as left out.
pub(super) fn keep(sketch: Sketch, kept: &[bool]) -> Sketch {
    let mut places = vec![None; kept.len()];
    let mut nodes = Vec::new();
    let mut left_out = sketch.left_out;
    for (i, node) in sketch.nodes.into_iter().enumerate() {
        if kept[i] {
            places[i] = Some(nodes.len());
            nodes.push(node);
        } else {
            left_out += node.count();
        }
    }
    let moved = |mut edge: super::sketch::Edge| {
        edge.from = places[edge.from]?;
        edge.to = places[edge.to]?;
        Some(edge)
    };
    Sketch { edges: sketch.edges.into_iter().filter_map(moved).collect(), nodes, left_out }
}

/// Which nodes have a stage, or come before one that has.
fn leads_to_stages(sketch: &Sketch) -> Vec<bool> {
    let mut leads: Vec<bool> = sketch.nodes.iter().map(|n| !n.stages.is_empty()).collect();
    let mut todo: Vec<usize> = (0..leads.len()).filter(|i| leads[*i]).collect();
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); leads.len()];
    for edge in &sketch.edges {
        before[edge.to].push(edge.from);
    }
    while let Some(node) = todo.pop() {
        for &from in &before[node] {
            if !leads[from] {
                leads[from] = true;
                todo.push(from);
            }
        }
    }
    leads
}
