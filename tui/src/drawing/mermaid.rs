//! A sketch as a Mermaid flowchart.

use std::fmt::Write;

use super::sketch::{Kind, Sketch};
use crate::words::text::safe;

/// A flowchart, laid out by whoever reads it.
pub(crate) fn mermaid(sketch: &Sketch) -> String {
    let mut out = String::from("flowchart LR\n");
    for (i, node) in sketch.nodes.iter().enumerate() {
        let mut label = String::new();
        if !node.stages.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(label, "({}) ", node.numbers(","));
        }
        label.push_str(&escaped(&node.heading("×")));
        for line in &node.lines {
            label.push_str("<br/>");
            label.push_str(&escaped(line));
        }
        let (open, close) = match node.kind {
            Kind::Process => ("[", "]"),
            Kind::File => ("[/", "/]"),
            Kind::Peer => ("([", "])"),
            Kind::Container => ("[[", "]]"),
        };
        let _ = writeln!(out, "  n{i}{open}\"{label}\"{close}");
    }
    for edge in &sketch.edges {
        let times = if edge.count > 1 { format!(" ×{}", edge.count) } else { String::new() };
        let _ = writeln!(out, "  n{} -->|\"{}{times}\"| n{}", edge.from, escaped(&edge.words()), edge.to);
    }
    if sketch.left_out > 0 {
        let _ = writeln!(out, "  more[\"{} more are left out\"]", sketch.left_out);
    }
    let staged: Vec<String> =
        sketch.nodes.iter().enumerate().filter(|(_, n)| !n.stages.is_empty()).map(|(i, _)| format!("n{i}")).collect();
    if !staged.is_empty() {
        let _ = writeln!(out, "  classDef stage stroke-width:3px\n  class {} stage", staged.join(","));
    }
    out
}

/// Words that mean nothing to Mermaid, nor to the HTML that it makes of them: everything but letters, digits and a few
/// harmless marks stands as the number of its character.
fn escaped(words: &str) -> String {
    let mut out = String::new();
    // Numbers would bring back what was taken out.
    for c in safe(words).chars() {
        if c.is_alphanumeric() || matches!(c, ' ' | '.' | ',' | '-' | '_' | '/' | ':' | '=' | '+' | '×' | '…') {
            out.push(c);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    out
}
