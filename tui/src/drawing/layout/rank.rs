//! Which layer each node stands in.

use std::collections::HashMap;

use super::{Layers, Piece, Slot, Stop};
use crate::drawing::sketch::Sketch;

/// Layers as long as the longest way from the entry, with a stop in each layer for every edge that passes through.
pub(super) fn layers(sketch: &Sketch, back: Vec<bool>, sizes: &[(i32, i32)]) -> Layers {
    // Edges in the direction in which they are drawn.
    let ends: Vec<(usize, usize)> =
        sketch.edges.iter().zip(&back).map(|(e, back)| if *back { (e.to, e.from) } else { (e.from, e.to) }).collect();
    let ranks = ranks(sketch.nodes.len(), &ends);
    let mut layers = Layers { back, ..Layers::default() };
    for (i, node) in sketch.nodes.iter().enumerate() {
        let slot = Slot::Node(node.entity.clone());
        layers.stops.push(Stop { slot, node: Some(i), rank: ranks[i], height: sizes[i].1 });
    }
    let mut ways: HashMap<(usize, usize, bool), usize> = HashMap::new();
    let mut pieces: HashMap<(usize, usize), usize> = HashMap::new();
    for (edge, &(from, to)) in ends.iter().enumerate() {
        // What leads from one node to many far ones goes together as far as it can.
        let back = layers.back[edge];
        let mut at = from;
        for rank in ranks[from] + 1..=ranks[to] {
            let next = if rank == ranks[to] {
                to
            } else {
                *ways.entry((from, rank, back)).or_insert_with(|| {
                    let slot = Slot::Way(sketch.nodes[from].entity.clone(), rank, back);
                    layers.stops.push(Stop { slot, node: None, rank, height: 1 });
                    layers.stops.len() - 1
                })
            };
            let new = layers.pieces.len();
            match *pieces.entry((at, next)).or_insert(new) {
                piece if piece == new => layers.pieces.push(Piece { from: at, to: next, edges: vec![edge] }),
                piece => layers.pieces[piece].edges.push(edge),
            }
            at = next;
        }
    }
    let last = layers.stops.iter().map(|s| s.rank).max();
    layers.layers = vec![Vec::new(); last.map_or(0, |r| r + 1)];
    layers.depth = depth(&layers);
    layers
}

/// The edges that close a circle, when nodes are followed in the order in which they came up.
pub(super) fn back_edges(sketch: &Sketch) -> Vec<bool> {
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); sketch.nodes.len()];
    let mut entries = vec![true; sketch.nodes.len()];
    for (i, edge) in sketch.edges.iter().enumerate() {
        below[edge.from].push(i);
        entries[edge.to] = false;
    }
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        OnTheWay,
        Done,
    }
    let mut seen = vec![Seen::No; sketch.nodes.len()];
    let mut back = vec![false; sketch.edges.len()];
    let starts = (0..seen.len()).filter(|i| entries[*i]).chain(0..seen.len());
    for start in starts {
        let mut way: Vec<(usize, usize)> = Vec::new();
        if seen[start] == Seen::No {
            seen[start] = Seen::OnTheWay;
            way.push((start, 0));
        }
        while let Some((node, next)) = way.last_mut() {
            let Some(&edge) = below[*node].get(*next) else {
                seen[*node] = Seen::Done;
                way.pop();
                continue;
            };
            *next += 1;
            let to = sketch.edges[edge].to;
            match seen[to] {
                Seen::No => {
                    seen[to] = Seen::OnTheWay;
                    way.push((to, 0));
                }
                Seen::OnTheWay => back[edge] = true,
                Seen::Done => {}
            }
        }
    }
    back
}

/// The longest way from an entry; an entry itself stands right before the first thing that it leads to.
fn ranks(nodes: usize, ends: &[(usize, usize)]) -> Vec<usize> {
    let mut ranks = vec![0_usize; nodes];
    let mut waits = vec![0; nodes];
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    for &(from, to) in ends {
        waits[to] += 1;
        below[from].push(to);
    }
    let entries: Vec<usize> = (0..nodes).filter(|i| waits[*i] == 0).collect();
    let mut ready = entries.clone();
    while let Some(node) = ready.pop() {
        for &to in &below[node] {
            ranks[to] = ranks[to].max(ranks[node] + 1);
            waits[to] -= 1;
            if waits[to] == 0 {
                ready.push(to);
            }
        }
    }
    for entry in entries {
        if let Some(first) = below[entry].iter().map(|to| ranks[*to]).min() {
            ranks[entry] = first.saturating_sub(1);
        }
    }
    ranks
}

fn depth(layers: &Layers) -> Vec<u32> {
    let mut depth = vec![0; layers.stops.len()];
    let mut pieces: Vec<&Piece> = layers.pieces.iter().collect();
    pieces.sort_by_key(|p| std::cmp::Reverse(layers.stops[p.from].rank));
    for piece in pieces {
        depth[piece.from] = depth[piece.from].max(depth[piece.to] + 1);
    }
    depth
}
