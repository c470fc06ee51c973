//! The row of each stop: where it was, or level with what it is joined to.

use super::order::neighbours;
use super::{Layers, Memory};

/// How often rows are levelled, from the left and from the right in turn.
const SWEEPS: usize = 6;
/// How much more it matters that a known stop stays than that a new one is level.
const STAY: f64 = 1e6;
/// How much more the longest of several ways is drawn straight than one that is a layer shorter; up to this many layers.
const STRAIGHT: f64 = 4.0;
const LONGEST: u32 = 12;

/// The row of the first line of each stop: of a box its heading, which its edges are level with. `folds` are the layers
/// that begin a band: what lies in another band need not be level.
pub(super) fn rows(layers: &Layers, folds: &[usize], memory: &Memory) -> Vec<i32> {
    let known: Vec<Option<f64>> =
        layers.stops.iter().map(|stop| memory.rows.get(&stop.slot).map(|row| f64::from(*row))).collect();
    let mut rows = vec![0.0; layers.stops.len()];
    for layer in &layers.layers {
        let mut next = 0.0;
        for (i, stop) in layer.iter().enumerate() {
            if i > 0 {
                next += distance(layers, layer[i - 1], *stop);
            }
            rows[*stop] = next;
        }
    }
    let (mut left, mut right) = neighbours(layers);
    for &fold in folds {
        layers.layers.get(fold).into_iter().flatten().for_each(|stop| left[*stop].clear());
        layers.layers.get(fold - 1).into_iter().flatten().for_each(|stop| right[*stop].clear());
    }
    let weight = |stop: usize| STRAIGHT.powi(layers.depth[stop].min(LONGEST).cast_signed());
    for sweep in 0..SWEEPS {
        let from_left = sweep % 2 == 0;
        let mut ranks: Vec<usize> = (0..layers.layers.len()).collect();
        if !from_left {
            ranks.reverse();
        }
        for rank in ranks {
            let layer = &layers.layers[rank];
            let wishes: Vec<(f64, f64)> = layer
                .iter()
                .enumerate()
                .map(|(i, &stop)| {
                    if let Some(row) = known[stop] {
                        return (row, STAY);
                    }
                    let joined = if from_left { &left[stop] } else { &right[stop] };
                    let all: f64 = joined.iter().map(|s| weight(*s)).sum();
                    if joined.is_empty() {
                        // Beside the others of its layer.
                        let beside = if i > 0 { layer.get(i - 1) } else { layer.get(1) };
                        return (beside.map_or(rows[stop], |s| rows[*s]), 1e-3);
                    }
                    let middle = joined.iter().map(|s| rows[*s] * weight(*s)).sum::<f64>() / all;
                    // Edges that pass, and what leads far, are levelled first.
                    let matters = if layers.stops[stop].node.is_none() { 16.0 } else { 1.0 };
                    (middle, matters * weight(stop))
                })
                .collect();
            settle(layers, layer, &wishes, &mut rows);
        }
    }
    whole(layers, &rows, known.iter().all(Option::is_none))
}

/// Rows of two stops below each other are at least this far apart: a blank row lies between, unless edges only pass.
fn distance(layers: &Layers, above: usize, below: usize) -> f64 {
    let (a, b) = (&layers.stops[above], &layers.stops[below]);
    // The row of a box is that of its heading, one below its top.
    let until_bottom = if a.node.is_some() { a.height - 1 } else { 1 };
    let from_top = i32::from(b.node.is_some());
    let gap = i32::from(a.node.is_some() || b.node.is_some());
    f64::from(until_bottom + from_top + gap)
}

/// Gives the stops of a layer the rows nearest to their wishes, by weighted squares, that leave all of them room: pools of
/// stops that touch move as one (pool adjacent violators).
fn settle(layers: &Layers, layer: &[usize], wishes: &[(f64, f64)], rows: &mut [f64]) {
    struct Pool {
        first: usize,
        weight: f64,
        sum: f64,
    }
    let mut offsets = vec![0.0; layer.len()];
    for i in 1..layer.len() {
        offsets[i] = offsets[i - 1] + distance(layers, layer[i - 1], layer[i]);
    }
    let mut pools: Vec<Pool> = Vec::new();
    for (i, (row, weight)) in wishes.iter().enumerate() {
        let mut pool = Pool { first: i, weight: *weight, sum: (row - offsets[i]) * weight };
        while let Some(above) = pools.last()
            && above.sum / above.weight > pool.sum / pool.weight
        {
            pool = Pool { first: above.first, weight: above.weight + pool.weight, sum: above.sum + pool.sum };
            pools.pop();
        }
        pools.push(pool);
    }
    for (p, pool) in pools.iter().enumerate() {
        let end = pools.get(p + 1).map_or(layer.len(), |next| next.first);
        for i in pool.first..end {
            rows[layer[i]] = pool.sum / pool.weight + offsets[i];
        }
    }
}

/// Whole rows; the topmost box of a new drawing begins at row 0.
fn whole(layers: &Layers, rows: &[f64], is_new: bool) -> Vec<i32> {
    let mut whole = vec![0; rows.len()];
    for layer in &layers.layers {
        let mut least = i32::MIN;
        for (i, stop) in layer.iter().enumerate() {
            if i > 0 {
                least = whole[layer[i - 1]] + distance(layers, layer[i - 1], *stop) as i32;
            }
            whole[*stop] = ((rows[*stop] + 0.5).floor() as i32).max(least);
        }
    }
    if is_new {
        let top = layers.stops.iter().zip(&whole).map(|(s, row)| row - i32::from(s.node.is_some())).min().unwrap_or(0);
        whole.iter_mut().for_each(|row| *row -= top);
    }
    whole
}
