//! A place for each node and a way for each edge, in columns and rows of a terminal. Entry stands on the left; what follows
//! from it stands further right, one layer a step.
//!
//! What was laid out before stays where it was as far as it can: known nodes keep their order and their rows, and layers
//! never get narrower. Rows may go below zero when something comes in above.
//!
//! After Sugiyama, Tagawa and Toda (1981): `rank` gives each node a layer, `order` an order within it with few crossings,
//! `rows` a row, `fold` breaks what is too wide into bands below each other,
//! like lines of text, and `wires` leads the edges through the channels between the layers.

mod fold;
mod order;
mod rank;
mod rows;
mod wires;

use std::collections::HashMap;
use std::rc::Rc;

use super::sketch::{Entity, Kind, Sketch};
use crate::words::text::{clip, clip_middle, width};

/// Columns of a heading, and of the lines below it, that a box has room for.
const HEADING: usize = 22;
const LINE: usize = 24;
/// Lines below the heading.
const LINES: usize = 3;

/// How much of each node is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Detail {
    /// What it is called.
    Names,
    /// What is known of it besides.
    #[default]
    Full,
}

/// What a drawing is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Shape {
    /// How much of each node is shown.
    pub(crate) detail: Detail,
    /// Where it is wider than this many columns it goes on below.
    pub(crate) fold: Option<i32>,
}

/// A sketch with a place for everything.
#[derive(Debug, Clone)]
pub(crate) struct Drawing {
    pub(crate) sketch: Rc<Sketch>,
    pub(crate) detail: Detail,
    /// Of each node of the sketch.
    pub(crate) places: Vec<Place>,
    /// Of each edge of the sketch.
    pub(crate) wires: Vec<Wire>,
    /// All of it.
    pub(crate) bounds: Place,
}

/// A rectangle in columns and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) width: i32,
    pub(crate) height: i32,
}

/// The way of an edge.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Wire {
    /// Its corners and ends, each straight right, left, above or below of the one before.
    pub(crate) points: Vec<(i32, i32)>,
    /// What it says; nothing where that goes without saying.
    pub(crate) words: String,
    /// Where its words begin.
    pub(crate) label: (i32, i32),
    /// It leads back to the left, to something that came before.
    pub(crate) back: bool,
}

/// Where things stood, so that they stay there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    rows: HashMap<Slot, i32>,
    /// The widths of layers, and of the channels behind them.
    columns: Vec<(i32, i32)>,
    /// The layers that begin a band.
    folds: Vec<usize>,
    /// What all that is for.
    shape: Option<Shape>,
}

/// Something that takes up room in a layer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Slot {
    Node(Entity),
    /// What leads from an entity, or back to it, through this layer.
    Way(Entity, usize, bool),
}

/// A place in a layer: that of a node, or of edges that pass through.
#[derive(Debug, Clone)]
struct Stop {
    slot: Slot,
    /// The node; `None`: edges pass.
    node: Option<usize>,
    rank: usize,
    height: i32,
}

/// A piece of edges between two neighbouring layers.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    /// A stop of the left layer.
    from: usize,
    /// A stop of the right layer.
    to: usize,
    /// The edges that run along it.
    edges: Vec<usize>,
}

/// The layered graph between its steps.
#[derive(Debug, Default)]
struct Layers {
    stops: Vec<Stop>,
    pieces: Vec<Piece>,
    /// Stops of each layer, from top to bottom.
    layers: Vec<Vec<usize>>,
    /// Of each edge, whether it is drawn from its end to its beginning.
    back: Vec<bool>,
    /// Of each stop, how many layers follow below it at most.
    depth: Vec<u32>,
}

impl Place {
    /// The column right of it.
    pub(crate) fn right(&self) -> i32 {
        self.x + self.width
    }

    /// The row below it.
    pub(crate) fn bottom(&self) -> i32 {
        self.y + self.height
    }
}

/// The lines that a node shows.
pub(crate) fn lines(node: &super::Node, detail: Detail, times: &str) -> Vec<String> {
    // A container's name and a folder differ from others at their ends.
    let cut = |text: &str, columns| match node.kind {
        Kind::Container | Kind::File => clip_middle(text, columns),
        Kind::Process | Kind::Peer => clip(text, columns),
    };
    let mut lines = vec![cut(&node.heading(times), HEADING)];
    if detail == Detail::Full {
        lines.extend(node.lines.iter().take(LINES).map(|line| cut(line, LINE)));
    }
    lines
}

/// What an edge says. That a process ran another goes without saying where room is short.
fn words(edge: &super::Edge, detail: Detail) -> String {
    match (detail, edge.label.as_str(), edge.through) {
        (Detail::Names, "ran", 0) => String::new(),
        (Detail::Names, "ran", _) => "…".to_owned(),
        _ => edge.words(),
    }
}

/// Lays a sketch out, keeping what the memory knows in its place, and remembers the outcome.
pub(crate) fn lay_out(sketch: Rc<Sketch>, shape: Shape, memory: &mut Memory) -> Drawing {
    if memory.shape != Some(shape) {
        *memory = Memory { shape: Some(shape), ..Memory::default() };
    }
    let back = rank::back_edges(&sketch);
    let sizes = sizes(&sketch, &back, shape.detail);
    let words: Vec<String> = sketch.edges.iter().map(|edge| words(edge, shape.detail)).collect();
    let mut layers = rank::layers(&sketch, back, &sizes);
    order::order(&mut layers, memory);
    let mut rows = rows::rows(&layers, &memory.folds, memory);
    let mut channels = wires::channels(&sketch, &layers, &rows, &sizes, &words, memory);
    if let Some(wide) = shape.fold {
        let before = memory.folds.clone();
        memory.folds = fold::folds(&layers, &channels, wide, memory);
        if before != memory.folds {
            // Bands are lower than the whole: nothing beside them needs room.
            rows = rows::rows(&layers, &memory.folds, memory);
            channels = wires::channels(&sketch, &layers, &rows, &sizes, &words, memory);
        }
    }
    let fold = fold::fold(&layers, &rows, &channels, memory);
    let drawing = wires::wires(sketch, &layers, &rows, &sizes, (shape.detail, words), &channels, &fold, memory);
    memory.rows = layers.stops.iter().zip(&rows).map(|(stop, row)| (stop.slot.clone(), *row)).collect();
    drawing
}

/// Widths and heights of the boxes: room for the words, for the numbers of the stages, and for what comes in.
fn sizes(sketch: &Sketch, back: &[bool], detail: Detail) -> Vec<(i32, i32)> {
    let mut labels: Vec<Vec<(&str, bool)>> = vec![Vec::new(); sketch.nodes.len()];
    for (edge, back) in sketch.edges.iter().zip(back) {
        let end = if *back { edge.from } else { edge.to };
        let label = (edge.label.as_str(), *back);
        if !labels[end].contains(&label) {
            labels[end].push(label);
        }
    }
    let of = |(node, labels): (&super::Node, &Vec<(&str, bool)>)| {
        let lines = lines(node, detail, "×");
        let wide = lines.iter().map(|l| width(l)).max().unwrap_or(0) + 4;
        let numbers = width(&node.numbers("·"));
        let wide = wide.max(if numbers > 0 { numbers + 5 } else { 6 });
        let high = 2 + lines.len().max(labels.len());
        (columns(wide), columns(high))
    };
    sketch.nodes.iter().zip(&labels).map(of).collect()
}

fn columns(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}
