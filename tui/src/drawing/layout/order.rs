//! The order of the stops within each layer: as it was, or else one with few crossings.

use super::{Layers, Memory};

/// How often the layers are swept for a better order.
const SWEEPS: usize = 8;

pub(super) fn order(layers: &mut Layers, memory: &Memory) {
    let first = first_order(layers);
    for &stop in &first {
        let rank = layers.stops[stop].rank;
        layers.layers[rank].push(stop);
    }
    let (left, right) = neighbours(layers);
    if layers.stops.iter().any(|stop| memory.rows.contains_key(&stop.slot)) {
        keep(layers, memory, &left, &right);
        return;
    }
    let mut best = (crossings(layers), layers.layers.clone());
    for sweep in 0..SWEEPS {
        if best.0 == 0 {
            break;
        }
        let ranks: Vec<usize> = (0..layers.layers.len()).collect();
        if sweep % 2 == 0 {
            ranks.into_iter().for_each(|rank| by_middle(layers, rank, &left));
        } else {
            ranks.into_iter().rev().for_each(|rank| by_middle(layers, rank, &right));
        }
        let crossings = crossings(layers);
        if crossings < best.0 {
            best = (crossings, layers.layers.clone());
        }
    }
    layers.layers = best.1;
}

/// The stops as they are met when the edges are followed from the entries, what leads furthest first: trees come out
/// without any crossing.
fn first_order(layers: &Layers) -> Vec<usize> {
    let (left, right) = neighbours(layers);
    let mut met = vec![false; layers.stops.len()];
    let mut order = Vec::new();
    let entries = (0..left.len()).filter(|i| left[*i].is_empty()).chain(0..left.len());
    for entry in entries {
        let mut way = vec![entry];
        while let Some(stop) = way.pop() {
            if std::mem::replace(&mut met[stop], true) {
                continue;
            }
            order.push(stop);
            let mut next = right[stop].clone();
            // The last one pushed is the first one met.
            next.sort_by_key(|stop| (layers.depth[*stop], std::cmp::Reverse(*stop)));
            way.extend(next);
        }
    }
    order
}

/// The stops left and right of each stop that pieces lead to.
pub(super) fn neighbours(layers: &Layers) -> (Vec<Vec<usize>>, Vec<Vec<usize>>) {
    let mut left = vec![Vec::new(); layers.stops.len()];
    let mut right = vec![Vec::new(); layers.stops.len()];
    for piece in &layers.pieces {
        left[piece.to].push(piece.from);
        right[piece.from].push(piece.to);
    }
    (left, right)
}

/// Sorts a layer by the middle of what each stop is joined to.
fn by_middle(layers: &mut Layers, rank: usize, neighbours: &[Vec<usize>]) {
    let mut at = vec![0.0; layers.stops.len()];
    for layer in &layers.layers {
        for (i, stop) in layer.iter().enumerate() {
            at[*stop] = i as f64;
        }
    }
    let key = |stop: &usize| match neighbours[*stop].len() {
        0 => at[*stop],
        n => neighbours[*stop].iter().map(|s| at[*s]).sum::<f64>() / n as f64,
    };
    layers.layers[rank].sort_by(|a, b| key(a).total_cmp(&key(b)));
}

/// Known stops keep their order; new ones come in beside what they are joined to.
fn keep(layers: &mut Layers, memory: &Memory, left: &[Vec<usize>], right: &[Vec<usize>]) {
    let mut rows: Vec<Option<f64>> =
        layers.stops.iter().map(|stop| memory.rows.get(&stop.slot).map(|row| f64::from(*row))).collect();
    for rank in 0..layers.layers.len() {
        let mut layer = std::mem::take(&mut layers.layers[rank]);
        for &stop in &layer {
            if rows[stop].is_none() {
                let known: Vec<f64> = left[stop].iter().chain(&right[stop]).filter_map(|s| rows[*s]).collect();
                // A little below what it is joined to: what came later comes after.
                let middle = known.iter().sum::<f64>() / known.len().max(1) as f64;
                rows[stop] = Some(if known.is_empty() { f64::from(i32::MAX) } else { middle + 0.5 });
            }
        }
        layer.sort_by(|a, b| rows[*a].unwrap_or(0.0).total_cmp(&rows[*b].unwrap_or(0.0)));
        layers.layers[rank] = layer;
    }
}

/// How many pieces cross, between all neighbouring layers.
fn crossings(layers: &Layers) -> usize {
    let mut at = vec![0; layers.stops.len()];
    for layer in &layers.layers {
        for (i, stop) in layer.iter().enumerate() {
            at[*stop] = i;
        }
    }
    let mut between: Vec<Vec<(usize, usize)>> = vec![Vec::new(); layers.layers.len()];
    for piece in &layers.pieces {
        between[layers.stops[piece.from].rank].push((at[piece.from], at[piece.to]));
    }
    between.into_iter().zip(layers.layers.iter().skip(1)).map(|(pieces, right)| inversions(pieces, right.len())).sum()
}

/// Pairs of which one begins above and ends below the other, counted with a Fenwick tree over the right ends.
fn inversions(mut pieces: Vec<(usize, usize)>, ends: usize) -> usize {
    pieces.sort_unstable();
    let mut tree = vec![0_usize; ends + 1];
    let mut crossings = 0;
    for (seen, (_, end)) in pieces.into_iter().enumerate() {
        let mut above = 0;
        let mut i = end + 1;
        while i > 0 {
            above += tree[i];
            i &= i - 1;
        }
        crossings += seen - above;
        let mut i = end + 1;
        while i <= ends {
            tree[i] += 1;
            i += i & i.wrapping_neg();
        }
    }
    crossings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossings_are_pairs_in_opposite_order() {
        assert_eq!(inversions(vec![(0, 0), (1, 1), (2, 2)], 3), 0);
        assert_eq!(inversions(vec![(0, 2), (1, 1), (2, 0)], 3), 3);
        assert_eq!(inversions(vec![(0, 0), (0, 1), (1, 0)], 2), 1);
        assert_eq!(inversions(vec![(0, 1), (1, 1)], 2), 0, "they meet");
    }
}
