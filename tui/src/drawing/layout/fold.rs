//! Where each layer stands: side by side, or in bands below each other where that would be too wide.

use super::wires::Channels;
use super::{Layers, Memory, columns};

/// Rows between two bands besides those of the edges that lead from one to the other.
const BETWEEN: i32 = 2;
/// The least part of a band's width that is used before a better place to fold is looked for no more.
const LEAST: f64 = 0.45;

/// Columns, and bands.
pub(super) struct Fold {
    /// Of each layer, its band.
    pub(super) band: Vec<usize>,
    /// Of each layer, its first column.
    pub(super) left: Vec<i32>,
    /// Of each layer, by how much its rows are shifted.
    pub(super) shift: Vec<i32>,
    /// Of each band but the first, the row above which edges come over from the band before.
    pub(super) crossing: Vec<i32>,
}

/// Gives each layer its columns, and each band its rows.
pub(super) fn fold(layers: &Layers, rows: &[i32], channels: &Channels, memory: &Memory) -> Fold {
    let ranks = layers.layers.len();
    let ends = |begins: usize| memory.folds.iter().filter(|f| **f > begins).min().copied().unwrap_or(ranks);
    let mut shift = -extent(layers, rows, 0, ends(0)).0;
    // What grows out of the top of the first band goes above row 0, so that all else stays.
    if !memory.rows.is_empty() {
        shift = 0;
    }
    let mut result = Fold { band: Vec::new(), left: Vec::new(), shift: Vec::new(), crossing: vec![0] };
    let (mut band, mut next) = (0, 0);
    for rank in 0..ranks {
        if memory.folds.contains(&rank) {
            let begins = memory.folds.iter().filter(|f| **f < rank).max().copied().unwrap_or(0);
            let crossing = columns(channels.nets[rank - 1].len());
            let bottom = extent(layers, rows, begins, rank).1 + shift;
            let top = extent(layers, rows, rank, ends(rank)).0;
            band += 1;
            next = crossing * 2 + channels.labels[rank - 1] + 3;
            result.crossing.push(bottom + 1);
            shift = bottom + BETWEEN + crossing - top;
        }
        result.band.push(band);
        result.left.push(next);
        result.shift.push(shift);
        next += memory.columns[rank].0 + memory.columns[rank].1;
    }
    result
}

/// The layers that begin a band: as few edges as can be lead from one to the next. Known ones stay while what lies before
/// them fits.
pub(super) fn folds(layers: &Layers, channels: &Channels, wide: i32, memory: &Memory) -> Vec<usize> {
    let layers = &memory.columns[..layers.layers.len()];
    let mut folds: Vec<usize> = Vec::new();
    let mut begins = 0;
    loop {
        let margin = |rank: usize| columns(channels.nets[rank].len()) * 2 + channels.labels[rank] + 3;
        let mut used = if begins > 0 { margin(begins - 1) } else { 0 };
        let mut fits = begins;
        let mut choices: Vec<(usize, i32)> = Vec::new();
        for (rank, (boxes, channel)) in layers.iter().enumerate().skip(begins) {
            // Behind the last box of a band, edges turn.
            let turns = if rank + 1 < layers.len() { columns(channels.nets[rank].len()) * 2 + 1 } else { 0 };
            if used + boxes + turns > wide && rank > begins {
                break;
            }
            fits = rank + 1;
            used += boxes + channel;
            choices.push((rank + 1, used));
        }
        if fits >= layers.len() {
            return folds;
        }
        let least = (f64::from(wide) * LEAST) as i32;
        let kept = memory.folds.get(folds.len()).filter(|k| choices.iter().any(|(rank, _)| rank == *k)).copied();
        // The last of those that the fewest edges cross.
        let best = choices
            .iter()
            .filter(|(_, used)| *used >= least)
            .min_by_key(|(rank, used)| (channels.nets[rank - 1].len(), -used));
        begins = kept.or(best.map(|(rank, _)| *rank)).unwrap_or(fits).max(begins + 1);
        folds.push(begins);
    }
}

/// The first row of some layers, and the one below the last.
fn extent(layers: &Layers, rows: &[i32], from: usize, to: usize) -> (i32, i32) {
    let stops = || layers.layers[from..to].iter().flatten();
    let top = stops().map(|s| rows[*s] - i32::from(layers.stops[*s].node.is_some())).min();
    let bottom = stops().map(|s| rows[*s] + layers.stops[*s].height - i32::from(layers.stops[*s].node.is_some())).max();
    (top.unwrap_or(0), bottom.unwrap_or(0))
}
