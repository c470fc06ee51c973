//! The columns of the layers, and the ways of the edges through the channels between them: from the box to a track, along it
//! up or down, and on to the next box. All that leaves one box shares a track.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::fold::Fold;
use super::{Detail, Drawing, Layers, Memory, Place, Wire, columns};
use crate::drawing::sketch::Sketch;
use crate::words::text::width;

/// The narrowest channel.
const CHANNEL: i32 = 4;

/// What leaves one stop towards the next layer.
pub(super) struct Net {
    from: usize,
    row: i32,
    /// The rows that it leads to.
    ends: Vec<i32>,
    pieces: Vec<usize>,
    /// Its track, from the left; `None`: it runs straight on.
    track: Option<usize>,
}

/// The channels behind each layer.
pub(super) struct Channels {
    /// What leaves each layer, from top to bottom.
    pub(super) nets: Vec<Vec<Net>>,
    /// The widest words in each.
    pub(super) labels: Vec<i32>,
}

/// Gives what leaves each layer its tracks, and makes room for layers and channels.
pub(super) fn channels(
    sketch: &Sketch,
    layers: &Layers,
    rows: &[i32],
    sizes: &[(i32, i32)],
    words: &[String],
    memory: &mut Memory,
) -> Channels {
    let ports = Ports::new(sketch, layers, rows);
    let mut channels = Channels { nets: Vec::new(), labels: Vec::new() };
    for (rank, layer) in layers.layers.iter().enumerate() {
        let mut nets = nets_of(layers, layer, rows, &ports);
        assign_tracks(&mut nets);
        let boxes = layer.iter().filter_map(|s| layers.stops[*s].node).map(|node| sizes[node].0).max().unwrap_or(0);
        let tracks = nets.iter().filter_map(|net| net.track).max().map_or(0, |last| columns(last) + 1);
        let ends = nets.iter().flat_map(|net| &net.pieces).map(|p| &layers.pieces[*p]);
        let labels = ends.flat_map(|p| p.edges.iter().filter(|e| is_last(layers, p.to, sketch, **e)));
        let labels = labels.map(|e| columns(width(&words[*e]))).max().unwrap_or(0);
        let wide = CHANNEL.max(tracks * 2 + labels + 4);
        match memory.columns.get_mut(rank) {
            Some(known) => *known = (known.0.max(boxes), known.1.max(wide)),
            None => memory.columns.push((boxes, wide)),
        }
        channels.nets.push(nets);
        channels.labels.push(labels);
    }
    channels
}

/// Leads every edge.
#[allow(clippy::too_many_arguments)]
pub(super) fn wires(
    sketch: Rc<Sketch>,
    layers: &Layers,
    rows: &[i32],
    sizes: &[(i32, i32)],
    (detail, words): (Detail, Vec<String>),
    channels: &Channels,
    fold: &Fold,
    memory: &Memory,
) -> Drawing {
    let ports = Ports::new(&sketch, layers, rows);
    let place = |node: usize| {
        let rank = layers.stops[node].rank;
        let (width, height) = sizes[node];
        Place { x: fold.left[rank], y: rows[node] - 1 + fold.shift[rank], width, height }
    };
    let places: Vec<Place> = (0..sketch.nodes.len()).map(place).collect();
    let wire = |(words, back): (String, &bool)| Wire { words, back: *back, ..Wire::default() };
    let mut wires: Vec<Wire> = words.into_iter().zip(&layers.back).map(wire).collect();
    for (rank, nets) in channels.nets.iter().enumerate() {
        let column = fold.left[rank] + memory.columns[rank].0;
        for (n, net) in nets.iter().enumerate() {
            let begins = layers.stops[net.from].node.map_or(fold.left[rank], |node| places[node].right());
            let row = net.row + fold.shift[rank];
            for &piece in &net.pieces {
                let piece = &layers.pieces[piece];
                let (end, shift) = (fold.left[rank + 1], fold.shift[rank + 1]);
                for &edge in &piece.edges {
                    let to = ports.row(layers, rows, piece.to, edge) + shift;
                    let wire = &mut wires[edge];
                    if wire.points.is_empty() {
                        wire.points.push((begins, row));
                    }
                    if fold.band[rank] != fold.band[rank + 1] {
                        // Round the end of the band: the lowest turns first, so that none crosses another.
                        let from_inside = columns(nets.len() - 1 - n);
                        let right = column + 1 + from_inside * 2;
                        let left = 1 + from_inside * 2;
                        let between = fold.crossing[fold.band[rank + 1]] + from_inside;
                        wire.points.extend([(right, row), (right, between), (left, between), (left, to)]);
                    } else if let Some(track) = net.track.filter(|_| to != row) {
                        let track = column + 1 + columns(track) * 2;
                        wire.points.extend([(track, row), (track, to)]);
                    }
                    if layers.stops[piece.to].node.is_some() {
                        wire.points.push((end - 1, to));
                        let words = columns(width(&wire.words));
                        wire.label = (end - 2 - words, to);
                    }
                }
            }
        }
    }
    for wire in wires.iter_mut().filter(|w| w.back) {
        wire.points.reverse();
    }
    let bounds = bounds(&places, &wires);
    Drawing { sketch, detail, places, wires, bounds }
}

fn is_last(layers: &Layers, to: usize, sketch: &Sketch, edge: usize) -> bool {
    let edge = &sketch.edges[edge];
    layers.stops[to].node.is_some_and(|node| node == edge.to || node == edge.from)
}

/// The words of an edge, and whether it leads back.
type Words = (String, bool);

/// Where edges come in: those with the same words at the same row of a box.
struct Ports {
    /// Of each node, the words of what comes in, or leads back from there.
    labels: Vec<Vec<Words>>,
    /// Of each edge, its words.
    words: Vec<Words>,
}

impl Ports {
    fn new(sketch: &Sketch, layers: &Layers, rows: &[i32]) -> Ports {
        let words: Vec<Words> =
            sketch.edges.iter().zip(&layers.back).map(|(e, back)| (e.label.clone(), *back)).collect();
        let mut coming: Vec<Vec<(i32, Words)>> = vec![Vec::new(); sketch.nodes.len()];
        for piece in &layers.pieces {
            if let Some(node) = layers.stops[piece.to].node {
                for &edge in &piece.edges {
                    coming[node].push((rows[piece.from], words[edge].clone()));
                }
            }
        }
        // What comes from above comes in above; what is level with the heading comes in there.
        let in_order = |(node, mut coming): (usize, Vec<(i32, Words)>)| {
            let own = rows[node];
            coming.sort_by_key(|(row, label)| (*row != own, *row, label.clone()));
            let mut labels: Vec<Words> = Vec::new();
            for (_, label) in coming {
                if !labels.contains(&label) {
                    labels.push(label);
                }
            }
            labels
        };
        Ports { labels: coming.into_iter().enumerate().map(in_order).collect(), words }
    }

    /// The row at which an edge arrives at a stop.
    fn row(&self, layers: &Layers, rows: &[i32], to: usize, edge: usize) -> i32 {
        let Some(node) = layers.stops[to].node else { return rows[to] };
        let port = self.labels[node].iter().position(|l| *l == self.words[edge]).unwrap_or(0);
        rows[to] + columns(port).min(layers.stops[to].height - 3).max(0)
    }
}

fn nets_of(layers: &Layers, layer: &[usize], rows: &[i32], ports: &Ports) -> Vec<Net> {
    let mut nets: Vec<Net> = Vec::new();
    let mut place = vec![usize::MAX; layers.stops.len()];
    for &stop in layer {
        place[stop] = nets.len();
        nets.push(Net { from: stop, row: rows[stop], ends: Vec::new(), pieces: Vec::new(), track: None });
    }
    for (i, piece) in layers.pieces.iter().enumerate() {
        if let Some(net) = nets.get_mut(place[piece.from]) {
            net.pieces.push(i);
            for &edge in &piece.edges {
                net.ends.push(ports.row(layers, rows, piece.to, edge));
            }
        }
    }
    nets.retain(|net| !net.pieces.is_empty());
    nets
}

/// Gives every net that does not run straight a track of its own or one that is free along its whole way. Where one net
/// leaves at the row at which another arrives, the first turns away before the other comes.
fn assign_tracks(nets: &mut [Net]) {
    let spans: Vec<Option<(i32, i32)>> = nets
        .iter()
        .map(|net| {
            let ends = net.ends.iter().chain([&net.row]);
            let (top, bottom) = (*ends.clone().min()?, *ends.max()?);
            (top != bottom).then_some((top, bottom))
        })
        .collect();
    let turning: Vec<usize> = (0..nets.len()).filter(|i| spans[*i].is_some()).collect();
    let leaves: HashMap<i32, usize> = turning.iter().map(|i| (nets[*i].row, *i)).collect();
    // Of each net, those that turn away before it.
    let before: Vec<HashSet<usize>> = nets
        .iter()
        .enumerate()
        .map(|(i, net)| net.ends.iter().filter_map(|row| leaves.get(row)).copied().filter(|a| *a != i).collect())
        .collect();
    let mut turned = vec![false; nets.len()];
    let mut waiting = turning.clone();
    // Of those that lead down, the upper ones turn later, and of those that lead up, the lower ones: so they do not cross.
    waiting.sort_by_key(|i| {
        let net = &nets[*i];
        let middle = net.ends.iter().map(|e| i64::from(*e)).sum::<i64>() / i64::try_from(net.ends.len()).unwrap_or(1);
        if middle >= i64::from(net.row) { -net.row } else { net.row }
    });
    let mut tracks: Vec<(usize, usize)> = Vec::new();
    while !waiting.is_empty() {
        // One that need not wait for another; where they wait in a circle, the first.
        let free = waiting.iter().position(|b| before[*b].iter().all(|a| turned[*a])).unwrap_or(0);
        let net = waiting.remove(free);
        turned[net] = true;
        let Some((top, bottom)) = spans[net] else { continue };
        let mut track = 0;
        for &(other, at) in &tracks {
            let overlaps = spans[other].is_some_and(|(t, b)| t <= bottom && top <= b);
            if overlaps || before[net].contains(&other) {
                track = track.max(at + 1);
            }
        }
        tracks.push((net, track));
    }
    for (net, track) in tracks {
        nets[net].track = Some(track);
    }
}

fn bounds(places: &[Place], wires: &[Wire]) -> Place {
    let corners = places.iter().flat_map(|p| [(p.x, p.y), (p.right(), p.bottom())]);
    let points = wires.iter().flat_map(|w| &w.points).map(|(x, y)| (x + 1, y + 1));
    let all: Vec<(i32, i32)> = corners.chain(points).collect();
    let least = |of: fn(&(i32, i32)) -> i32| all.iter().map(of).min().unwrap_or(0);
    let most = |of: fn(&(i32, i32)) -> i32| all.iter().map(of).max().unwrap_or(0);
    let (x, y) = (least(|p| p.0).min(0), least(|p| p.1));
    Place { x, y, width: most(|p| p.0) - x, height: most(|p| p.1) - y }
}
