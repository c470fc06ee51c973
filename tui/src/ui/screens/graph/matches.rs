//! What the filter lets through of a picture. The rest is not left out, for it shows how one leads to the other; it is dim.

use std::collections::HashSet;
use std::net::SocketAddr;

use lanner_core::event::File;

use crate::drawing::{Entity, Kind, Node, Sketch};
use crate::ui::scene::Scene;
use crate::ui::state::State;

/// Of each node whether the filter lets it through; `None`: there is no filter.
pub(super) fn matches(scene: &Scene<'_>, state: &State, sketch: &Sketch) -> Option<Vec<bool>> {
    if state.filter.is_empty() {
        return None;
    }
    let called: HashSet<SocketAddr> = match sketch.nodes.iter().any(|node| node.kind == Kind::Peer) {
        true => scene.flows.iter().filter(|l| state.listing.has_flow(&l.key) == Some(true)).map(|l| l.remote).collect(),
        false => HashSet::new(),
    };
    let passes = |entity: &Entity| match entity {
        Entity::Process(key) => {
            let process = || scene.graph.process(*key).is_some_and(|process| state.filter.process(process, scene));
            state.listing.did(*key) == Some(true) || process()
        }
        Entity::File(id) => {
            let file = scene.files.number_of(&File { id: *id, ..File::default() });
            file.is_some_and(|file| state.listing.has_file(file) == Some(true))
        }
        Entity::Peer(peer) => called.contains(peer),
        Entity::Container(_) => false,
    };
    let said = |node: &Node| state.filter.line(&format!("{} {}", node.title, node.lines.join(" ")));
    let any = |node: &Node| [&node.entity].into_iter().chain(&node.others).any(passes);
    Some(sketch.nodes.iter().map(|node| said(node) || any(node)).collect())
}

/// The match after a node, or before it, in the order in which they came up.
pub(super) fn next(sketch: &Sketch, matches: &[bool], at: usize, forward: bool) -> Option<usize> {
    let rank = |i: usize| (sketch.nodes[i].since, i);
    let found = (0..sketch.nodes.len()).filter(|i| matches[*i]);
    match forward {
        true => found.filter(|i| rank(*i) > rank(at)).min_by_key(|i| rank(*i)),
        false => found.filter(|i| rank(*i) < rank(at)).max_by_key(|i| rank(*i)),
    }
}
