//! Pictures of the reference attack, and what holds for every picture.

use std::collections::HashMap;
use std::rc::Rc;

use lanner_core::engine::Engine;
use lanner_core::event::{BootTime, Event, FileId, ProcessKey};

use super::*;

/// The reference attack, or the first events of it.
fn engine(first: usize) -> Engine {
    let scenario = lanner_scenarios::SCENARIOS.iter().find(|s| s.name == "container-escape").unwrap();
    let reader = lanner_recording::Reader::new(scenario.recording).unwrap();
    let mut engine = crate::detection::engine().unwrap();
    let events: Vec<Event> = reader.flat_map(|batch| batch.events).collect();
    for event in events.iter().take(first) {
        engine.apply(event);
    }
    engine.flush();
    engine
}

fn text(drawing: &Drawing, glyphs: Glyphs) -> String {
    Cells::new(drawing, drawing.bounds, glyphs, None).text()
}

const WIDE: Shape = Shape { detail: Detail::Names, fold: Some(198) };
const NARROW: Shape = Shape { detail: Detail::Names, fold: Some(78) };
const FULL: Shape = Shape { detail: Detail::Full, fold: Some(118) };

#[test]
fn the_reference_attack_is_a_picture() {
    let engine = engine(usize::MAX);
    let sketch = Rc::new(of_incident(&engine.incidents()[0], engine.graph()));
    for (name, shape, glyphs) in [
        ("wide", WIDE, Glyphs::Unicode),
        ("narrow", NARROW, Glyphs::Unicode),
        ("full", FULL, Glyphs::Unicode),
        ("ascii", NARROW, Glyphs::Ascii),
    ] {
        let drawing = lay_out(Rc::clone(&sketch), shape, &mut Memory::default());
        assert!(drawing.bounds.width <= shape.fold.unwrap() + 2, "{name}: {:?}", drawing.bounds);
        let text = text(&drawing, glyphs);
        assert!(glyphs == Glyphs::Unicode || text.is_ascii(), "{text}");
        insta::assert_snapshot!(name, text);
    }
    insta::assert_snapshot!("dot", dot(&sketch, "attack"));
    insta::assert_snapshot!("mermaid", mermaid(&sketch));
}

#[test]
fn every_stage_stands_on_a_node() {
    let engine = engine(usize::MAX);
    let incident = &engine.incidents()[0];
    let sketch = of_incident(incident, engine.graph());
    for number in 1..=incident.stages.len() {
        assert!(sketch.nodes.iter().any(|node| node.stages.contains(&number)), "stage {number}");
    }
}

/// Nothing overlaps, every wire runs between its nodes and passes through no other.
fn check(drawing: &Drawing) {
    for (i, a) in drawing.places.iter().enumerate() {
        for b in &drawing.places[..i] {
            let apart = a.right() <= b.x || b.right() <= a.x || a.bottom() <= b.y || b.bottom() <= a.y;
            assert!(apart, "{a:?} and {b:?} overlap");
        }
    }
    for (wire, edge) in drawing.wires.iter().zip(&drawing.sketch.edges) {
        let (from, to) = (drawing.places[edge.from], drawing.places[edge.to]);
        let (first, last) = (wire.points[0], *wire.points.last().unwrap());
        let ends = if wire.back { (last, first, to, from) } else { (first, last, from, to) };
        assert_eq!(ends.0.0, ends.2.right(), "begins at its node");
        assert_eq!(ends.1.0 + 1, ends.3.x, "ends at its node");
        for pair in wire.points.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            assert!(x0 == x1 || y0 == y1, "{pair:?} is slanted");
            let crossed = drawing
                .places
                .iter()
                .find(|p| x0.max(x1) >= p.x && x0.min(x1) < p.right() && y0.max(y1) >= p.y && y0.min(y1) < p.bottom());
            assert_eq!(crossed, None, "{pair:?} runs through a node");
        }
    }
}

#[test]
fn an_attack_that_grows_is_redrawn_without_nodes_changing_sides() {
    let mut memory: HashMap<Shape, Memory> = HashMap::new();
    let mut before: HashMap<Shape, (Vec<Entity>, Vec<Place>)> = HashMap::new();
    let mut moved = 0;
    for first in (120..=495).step_by(25) {
        let engine = engine(first);
        let Some(incident) = engine.incidents().first() else { continue };
        let sketch = Rc::new(of_incident(incident, engine.graph()));
        for shape in [WIDE, FULL] {
            let drawing = lay_out(Rc::clone(&sketch), shape, memory.entry(shape).or_default());
            check(&drawing);
            if let Some((nodes, places)) = before.get(&shape) {
                let now = |entity: &Entity| sketch.nodes.iter().position(|n| n.entity == *entity);
                for (i, a) in nodes.iter().enumerate() {
                    let Some(a_now) = now(a) else { continue };
                    moved += usize::from(drawing.places[a_now].y != places[i].y);
                    for (j, b) in nodes.iter().enumerate().skip(i + 1) {
                        // Two that stood above each other in a layer still do.
                        let Some(b_now) = now(b).filter(|_| places[i].x == places[j].x) else { continue };
                        let (a_now, b_now) = (drawing.places[a_now], drawing.places[b_now]);
                        if a_now.x == b_now.x {
                            assert_eq!(places[i].y < places[j].y, a_now.y < b_now.y, "{a:?} and {b:?}");
                        }
                    }
                }
            }
            before.insert(shape, (sketch.nodes.iter().map(|n| n.entity.clone()).collect(), drawing.places));
        }
    }
    assert!(before.len() == 2, "there was an incident to draw");
    // What is new may push bands down; nothing else moves.
    assert!(moved < 60, "{moved} times a node changed its row");
}

/// A sketch of so many nodes: a tree with some edges across and back, the same for the same seed.
fn tangle(nodes: usize, seed: u64) -> Sketch {
    let mut state = seed | 1;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below.max(1) as u64).unwrap()
    };
    let graph = lanner_core::graph::Graph::default();
    let mut sketch = Sketch::default();
    for i in 0..nodes {
        let entity = match i % 5 {
            4 => Entity::File(FileId { dev: 1, ino: i as u64 + 1 }),
            _ => Entity::Process(ProcessKey::new(u32::try_from(i).unwrap() + 1, 1)),
        };
        sketch.nodes.push(Node::new(entity, &graph, 0));
        let edge = |from, to, label: &str| Edge {
            from,
            to,
            label: label.to_owned(),
            count: 1,
            through: 0,
            stages: Vec::new(),
            since: BootTime(i as u64),
        };
        if i > 0 {
            // Mostly near, so that it gets deep.
            let from = i - 1 - next(i.min(6));
            sketch.edges.push(edge(from, i, ["ran", "wrote"][next(2)]));
            if next(5) == 0 {
                sketch.edges.push(edge(next(i), i, "read by"));
            }
            if next(12) == 0 {
                sketch.edges.push(edge(i, next(i), "reached into"));
            }
        }
    }
    let mut known = std::collections::HashSet::new();
    sketch.edges.retain(|e| e.from != e.to && known.insert((e.from, e.to, e.label.clone())));
    sketch
}

#[test]
fn whatever_the_sketch_nothing_overlaps() {
    for seed in 1..=60 {
        let sketch = Rc::new(tangle(3 + seed % 40, seed as u64 * 0x9e37_79b9));
        for shape in [WIDE, NARROW, FULL, Shape { detail: Detail::Full, fold: None }] {
            let mut memory = Memory::default();
            check(&lay_out(Rc::clone(&sketch), shape, &mut memory));
            let again = lay_out(Rc::clone(&sketch), shape, &mut memory);
            check(&again);
            let once_more = lay_out(Rc::clone(&sketch), shape, &mut memory);
            assert_eq!(again.places, once_more.places, "what has not changed stays");
        }
    }
}

/// Far above what it takes, since a machine with other work to do says little by it.
#[test]
fn layout_is_quick() {
    for nodes in [60, 200] {
        let sketch = Rc::new(tangle(nodes, 7));
        let best = (0..20).map(|_| {
            let since = std::time::Instant::now();
            lay_out(Rc::clone(&sketch), FULL, &mut Memory::default());
            since.elapsed()
        });
        let best = best.min().unwrap();
        assert!(best.as_millis() < 500, "{nodes} nodes took {best:?}, be it a debug build");
    }
}
