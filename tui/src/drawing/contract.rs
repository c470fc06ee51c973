//! Steps that only lead on become part of the edge: `python ─…wrote─▶ x.tgz`.

use super::sketch::{Entity, Kind, Node, Sketch};

/// Takes out processes of which no stage speaks, that one process made and that did one thing: a shell between a program
/// and its command, the compressor behind an archiver. What they did is told of who made them, and that somebody stood
/// between is marked.
pub(super) fn contract(mut sketch: Sketch) -> Sketch {
    let mut above = vec![Vec::new(); sketch.nodes.len()];
    let mut below = vec![Vec::new(); sketch.nodes.len()];
    for (i, edge) in sketch.edges.iter().enumerate() {
        below[edge.from].push(i);
        above[edge.to].push(i);
    }
    let mut kept = vec![true; sketch.nodes.len()];
    let mut gone = vec![false; sketch.edges.len()];
    for node in 0..sketch.nodes.len() {
        let ([before], [after]) = (above[node].as_slice(), below[node].as_slice()) else { continue };
        let (before, after) = (*before, *after);
        let from = sketch.edges[before].from;
        let lineage =
            matches!(sketch.edges[before].label.as_str(), "ran" | "forked") && sketch.nodes[from].kind == Kind::Process;
        if !lineage || !is_passing(&sketch.nodes[node]) || sketch.edges[after].to == from {
            continue;
        }
        kept[node] = false;
        gone[before] = true;
        let edge = &mut sketch.edges[after];
        edge.from = from;
        edge.through += 1;
        let at = below[from].iter().position(|e| *e == before).unwrap_or(0);
        below[from][at] = after;
    }
    let mut i = 0;
    sketch.edges.retain(|_| {
        i += 1;
        !gone[i - 1]
    });
    let shown = sketch.left_out;
    sketch = super::bound::keep(sketch, &kept);
    // They are not left out: their edges tell of them.
    sketch.left_out = shown;
    sketch
}

fn is_passing(node: &Node) -> bool {
    matches!(node.entity, Entity::Process(_)) && node.stages.is_empty() && node.involved && node.count() == 1
}
