//! petgraph's algorithms on the graph as it stands.
#![allow(clippy::unwrap_used)]

mod hostile;
mod world;

use std::collections::HashSet;

use lanner_core::event::*;
use lanner_core::graph::{Graph, Node, Relation};
use petgraph::graph::DiGraph;
use petgraph::visit::EdgeRef;
use world::World;

fn told(events: &[Event]) -> Graph {
    let mut graph = Graph::default();
    events.iter().for_each(|event| graph.apply(event));
    graph
}

fn file(ino: u64) -> Node {
    Node::File(FileId { dev: 1, ino })
}

/// Its edges in words, in order.
fn shown(picture: &DiGraph<Node, lanner_core::graph::Edge>, graph: &Graph) -> Vec<String> {
    let name = |node: &Node| match node {
        Node::Process(key) => String::from_utf8_lossy(graph.process(*key).unwrap().name()).into_owned(),
        Node::File(id) => graph.file(*id).unwrap().path.to_string(),
        other => format!("{other:?}"),
    };
    let edge = |e: petgraph::graph::EdgeReference<'_, lanner_core::graph::Edge>| {
        format!("{} {:?} {}", name(&picture[e.source()]), e.weight().relation, name(&picture[e.target()]))
    };
    picture.edge_references().map(edge).collect()
}

#[test]
fn what_has_to_do_with_a_process_is_near_it() {
    let mut world = World::new();
    let cron = world.found(None, "/usr/sbin/cron");
    let dropper = world.spawn(&cron, "/usr/bin/dropper", "dropper");
    world.write(&dropper, "/opt/payload", 900);
    let runner = world.spawn(&cron, "/opt/runner", "runner");
    world.read(&runner, "/opt/payload", 900);
    let far = world.spawn(&runner, "/opt/far", "far");
    world.write(&far, "/opt/log", 901);
    let stranger = world.spawn(&cron, "/usr/bin/stranger", "stranger");
    let graph = told(&world.events);
    let centre = Node::Process(dropper.key);
    let near = graph.around(&centre, 2, 100);
    assert_eq!(near[petgraph::graph::NodeIndex::new(0)], centre);
    let nodes: HashSet<&Node> = near.node_weights().collect();
    assert!(nodes.contains(&Node::Process(runner.key)) && nodes.contains(&Node::Process(cron.key)));
    assert!(!nodes.contains(&Node::Process(stranger.key)), "cron starts unrelated things: no way leads through it");
    assert!(!nodes.contains(&Node::Process(far.key)), "three steps away");
    let edges = shown(&near, &graph);
    for edge in ["cron Forked dropper", "dropper Wrote /opt/payload", "runner Read /opt/payload", "cron Forked runner"]
    {
        assert!(edges.iter().any(|e| e == edge), "{edge}: {edges:#?}");
    }
    assert_eq!(graph.around(&centre, 9, 3).node_count(), 3);
    assert_eq!(graph.around(&file(12_345), 9, 9).node_count(), 0);
}

#[test]
fn the_shortest_chain_of_evidence_is_found_and_not_through_what_everybody_uses() {
    let mut world = World::new();
    let a = world.found(None, "/bin/a");
    let b = world.found(None, "/bin/b");
    world.write(&a, "/shared", 900);
    for i in 0..12 {
        let reader = world.found(None, &format!("/bin/reader{i}"));
        world.read(&reader, "/shared", 900);
    }
    world.read(&b, "/shared", 900);
    let ends = [Node::Process(a.key), Node::Process(b.key)];
    assert_eq!(told(&world.events).chain_between(&ends[1], &ends[..1]), None);
    let wrote = world.write(&a, "/own", 901);
    let read = world.read(&b, "/own", 901);
    let graph = told(&world.events);
    let chain = graph.chain_between(&ends[1], &ends[..1]).unwrap();
    let steps: Vec<_> = chain.iter().map(|s| (&s.from, s.edge.relation, &s.to, s.edge.first_seq)).collect();
    assert_eq!(steps, [(&ends[1], Relation::Read, &file(901), read), (&ends[0], Relation::Wrote, &file(901), wrote)]);
}

#[test]
fn of_any_history_the_picture_is_bounded_true_and_the_same_again() {
    for seed in 0..40 {
        let graph = told(&hostile::history(seed, 300));
        for process in graph.processes().take(10) {
            let centre = Node::Process(process.key);
            let near = graph.around(&centre, 3, 40);
            assert!((1..=40).contains(&near.node_count()), "seed {seed}");
            assert_eq!(shown(&near, &graph), shown(&graph.around(&centre, 3, 40), &graph), "seed {seed}");
            for edge in near.edge_references() {
                let (from, to) = (&near[edge.source()], &near[edge.target()]);
                let Node::Process(doer) = from else { panic!("seed {seed}: {from:?} did something") };
                let done = match (edge.weight().relation, to) {
                    (Relation::Forked, Node::Process(child)) => graph.process(*child).unwrap().parent == Some(*doer),
                    _ => graph.did(from).contains(&(to.clone(), edge.weight())),
                };
                assert!(done, "seed {seed}: {from:?} {edge:?} {to:?}");
            }
        }
    }
}
