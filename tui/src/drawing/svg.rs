//! A drawing as SVG, for a page that styles it by classes: no scripts, no resources, no styles of its own.

use std::fmt::Write;

use super::layout::{Drawing, lines};
use super::sketch::Kind;
use crate::report::html::escaped;

/// Pixels of a column and of a row.
const COLUMN: i32 = 8;
const ROW: i32 = 18;
/// Pixels of a corner's rounding.
const CORNER: i32 = 6;

/// The drawing; `title` says what it shows to who cannot see it.
pub(crate) fn svg(drawing: &Drawing, title: &str) -> String {
    let bounds = drawing.bounds;
    let (width, height) = ((bounds.width + 2) * COLUMN, (bounds.height + 1) * ROW);
    let (left, top) = ((bounds.x - 1) * COLUMN, bounds.y * ROW - ROW / 2);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"picture\" role=\"img\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"{left} {top} {width} {height}\"><title>{}</title>\n",
        escaped(title)
    );
    out.push_str(
        "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"tip\" d=\"M0 0L8 4L0 8z\"/></marker></defs>\n",
    );
    for (i, wire) in drawing.wires.iter().enumerate() {
        let edge = &drawing.sketch.edges[i];
        let class = if edge.stages.is_empty() { "wire" } else { "wire stage" };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "<path class=\"{class}\" marker-end=\"url(#tip)\" d=\"{}\"/>", path(&wire.points));
    }
    for wire in &drawing.wires {
        let label = escaped(&wire.words);
        let (x, y) = (wire.label.0 * COLUMN, wire.label.1 * ROW + ROW / 2 - 4);
        let _ = writeln!(out, "<text class=\"label\" x=\"{x}\" y=\"{y}\">{label}</text>");
    }
    for (node, place) in drawing.sketch.nodes.iter().zip(&drawing.places) {
        let kind = node.kind.word();
        let by = if node.involved { "" } else { " bystander" };
        let staged = node.severity.map_or(String::new(), |s| format!(" stage {}", s.word()));
        let (x, y) = (place.x * COLUMN, place.y * ROW + ROW / 2);
        let (w, h) = (place.width * COLUMN, (place.height - 1) * ROW);
        let round = match node.kind {
            Kind::Peer => h / 2,
            Kind::File => 8,
            Kind::Process | Kind::Container => 2,
        };
        let round = round.min(18);
        let _ = write!(
            out,
            "<g class=\"node {kind}{by}{staged}\"><title>{}</title>\
             <rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{round}\"/>",
            escaped(&format!("{kind} {}: {}", node.heading("×"), node.lines.join(", ")))
        );
        for (i, text) in lines(node, drawing.detail, "×").iter().enumerate() {
            let class = if i == 0 { "heading" } else { "line" };
            let (x, y) = (x + 2 * COLUMN, (place.y + 1 + i32::try_from(i).unwrap_or(0)) * ROW + ROW / 2 + 4);
            let _ = write!(out, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(text));
        }
        let numbers = node.numbers(" ");
        if !numbers.is_empty() {
            let wide = i32::try_from(numbers.chars().count()).unwrap_or(0) * COLUMN + COLUMN;
            let _ = write!(
                out,
                "<rect class=\"badge\" x=\"{}\" y=\"{}\" width=\"{wide}\" height=\"16\" rx=\"8\"/>\
                 <text class=\"number\" x=\"{}\" y=\"{}\">{numbers}</text>",
                x + COLUMN,
                y - 8,
                x + COLUMN + wide / 2,
                y + 4
            );
        }
        out.push_str("</g>\n");
    }
    out.push_str("</svg>\n");
    out
}

/// A way with rounded corners.
fn path(points: &[(i32, i32)]) -> String {
    let pixel = |(x, y): (i32, i32)| (x * COLUMN, y * ROW + ROW / 2);
    let mut points: Vec<(i32, i32)> = points.iter().copied().map(pixel).collect();
    points.dedup();
    let Some(&(x, y)) = points.first() else { return String::new() };
    let mut out = format!("M{x} {y}");
    for i in 1..points.len() {
        let (before, at) = (points[i - 1], points[i]);
        let Some(&after) = points.get(i + 1) else {
            let reach = if at.0 > before.0 { COLUMN } else { 0 };
            let _ = write!(out, "L{} {}", at.0 + reach, at.1);
            continue;
        };
        let toward = |to: (i32, i32)| {
            let (dx, dy) = (to.0 - at.0, to.1 - at.1);
            let reach = CORNER.min(dx.abs().max(dy.abs()) / 2);
            (at.0 + dx.signum() * reach, at.1 + dy.signum() * reach)
        };
        let (a, b) = (toward(before), toward(after));
        let _ = write!(out, "L{} {}Q{} {} {} {}", a.0, a.1, at.0, at.1, b.0, b.1);
    }
    out
}
