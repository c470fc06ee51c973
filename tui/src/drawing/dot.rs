//! A sketch in Graphviz's language.

use std::fmt::Write;

use lanner_core::event::is_deceptive;

use super::sketch::{Kind, Sketch};

/// A directed graph, laid out by whoever reads it.
pub(crate) fn dot(sketch: &Sketch, name: &str) -> String {
    let mut out = format!("digraph {} {{\n", quoted(name));
    out.push_str("  rankdir=LR;\n  node [fontname=\"monospace\", fontsize=11];\n");
    out.push_str("  edge [fontname=\"monospace\", fontsize=10];\n");
    for (i, node) in sketch.nodes.iter().enumerate() {
        let mut label = node.heading("×");
        if !node.stages.is_empty() {
            label = format!("[{}] {label}", node.numbers(","));
        }
        for line in &node.lines {
            label.push('\n');
            label.push_str(line);
        }
        let shape = match node.kind {
            Kind::Process => "box",
            Kind::File => "note",
            Kind::Peer => "ellipse",
            Kind::Container => "box3d",
        };
        let style = if node.involved { "solid" } else { "dashed" };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "  n{i} [label={}, shape={shape}, style={style}];", quoted(&label));
    }
    for edge in &sketch.edges {
        let times = if edge.count > 1 { format!(" ×{}", edge.count) } else { String::new() };
        let label = quoted(&format!("{}{times}", edge.words()));
        let _ = writeln!(out, "  n{} -> n{} [label={label}];", edge.from, edge.to);
    }
    if sketch.left_out > 0 {
        let _ = writeln!(out, "  label={};", quoted(&format!("{} more are left out", sketch.left_out)));
    }
    out.push_str("}\n");
    out
}

/// A quoted string. Labels know escapes of their own and HTML's entities: neither is left to whoever chose the words.
fn quoted(words: &str) -> String {
    let mut out = String::from("\"");
    for c in words.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '&' => out.push_str("&amp;"),
            c if is_deceptive(c) => out.push_str(&format!("\\\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
