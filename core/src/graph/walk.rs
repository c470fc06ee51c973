//! The graph as petgraph sees it. What is known stays where it is; petgraph's algorithms walk it as it stands.

use std::collections::HashSet;

use petgraph::Direction::{self, Incoming, Outgoing};
use petgraph::algo::astar;
use petgraph::algo::dijkstra::with_dynamic_goal;
use petgraph::graph::DiGraph;
use petgraph::visit::{
    Data, EdgeRef, GraphBase, GraphProp, GraphRef, IntoEdgeReferences, IntoEdges, IntoEdgesDirected, IntoNeighbors,
    IntoNeighborsDirected, UndirectedAdaptor, Visitable,
};

use super::nodes::Spot;
use super::{Edge, Graph, Node, Process, Relation};
use crate::event::ProcessKey;
use crate::hash::HashMap;
use crate::persistent::Place;

/// Edges of one node that are followed each way, the latest.
const FOLLOWED: usize = 256;
/// More than this many programs make what they use everybody's: it is seen, and not walked through.
const EVERYBODYS: usize = 8;
/// Nodes that a search looks at.
const SEARCHED: usize = 4_096;

/// A [`Graph`], to be walked by petgraph's algorithms: lineage and what was done to what. Of a node with very many edges the
/// latest are followed. What starts unrelated things for others, and what everybody uses, ends a walk, unless that began
/// there: everything is connected with everything through those.
#[derive(Debug, Clone, Copy)]
struct Walk<'a> {
    graph: &'a Graph,
    /// Both ends of the walk.
    ends: [Option<Spot>; 2],
}

/// Which edge: one of the store, or that from a parent to this child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Stored(Place),
    Child(ProcessKey),
}

/// An edge as a walk meets it.
#[derive(Debug, Clone, Copy)]
struct Met {
    from: Spot,
    to: Spot,
    which: Which,
    edge: Edge,
}

/// One step of a chain of evidence, the way it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Who did it.
    pub from: Node,
    /// What was done. A fork that was not seen has the numbers 0.
    pub edge: Edge,
    /// To what.
    pub to: Node,
}

impl Graph {
    /// What has to do with a node and with that, up to so many steps away and so many nodes, the nearest first: node 0 is the
    /// one asked for. Empty when nothing is known of it.
    pub fn around(&self, centre: &Node, steps: usize, most: usize) -> DiGraph<Node, Edge> {
        let mut picture = DiGraph::new();
        let Some(start) = self.nodes.spot(centre) else { return picture };
        let walk = Walk { graph: self, ends: [Some(start), None] };
        let mut left = most;
        let enough = |_: &Spot| {
            left = left.saturating_sub(1);
            left == 0
        };
        let near = with_dynamic_goal(UndirectedAdaptor(walk), start, enough, |_| 1_usize).scores;
        let mut near: Vec<(usize, Node, Spot)> = near
            .into_iter()
            .filter(|(_, away)| *away <= steps)
            .filter_map(|(spot, away)| Some((away, self.nodes.at(spot)?, spot)))
            .collect();
        near.sort();
        near.truncate(most);
        let places: HashMap<Spot, _> = near.into_iter().map(|(_, node, spot)| (spot, picture.add_node(node))).collect();
        // What ends a walk is looked at from its neighbours.
        let ways = [Outgoing, Incoming];
        let met = places.keys().flat_map(|spot| ways.map(|way| walk.edges_directed(*spot, way))).flatten();
        let mut edges: Vec<_> = met
            .filter_map(|met| {
                let (from, to) = (*places.get(&met.from)?, *places.get(&met.to)?);
                Some((met.edge.first, met.edge.first_seq, from, to, met.edge.relation, met.edge))
            })
            .collect();
        edges.sort_by_key(|(first, seq, from, to, relation, _)| (*first, *seq, *from, *to, *relation));
        edges.dedup_by_key(|(first, seq, from, to, relation, _)| (*first, *seq, *from, *to, *relation));
        for (_, _, from, to, _, edge) in edges {
            picture.add_edge(from, to, edge);
        }
        picture
    }

    /// The shortest chain of evidence between a node and one of others, whichever is nearest; not through what everybody
    /// uses. `None` when there is none, or none that is near.
    pub fn chain_between(&self, from: &Node, to: &[Node]) -> Option<Vec<Step>> {
        let start = self.nodes.spot(from)?;
        let goals: HashSet<Spot> = to.iter().filter_map(|node| self.nodes.spot(node)).collect();
        let walk = Walk { graph: self, ends: [Some(start), None] };
        let mut left = SEARCHED;
        let found = |spot: Spot| {
            left = left.saturating_sub(1);
            left == 0 || goals.contains(&spot)
        };
        let (_, path) = astar(UndirectedAdaptor(walk), start, found, |_| 1_usize, |_| 0)?;
        path.last().filter(|last| goals.contains(last))?;
        path.windows(2).map(|pair| self.step(walk, pair[0], pair[1])).collect()
    }

    /// The first that happened between two neighbours.
    fn step(&self, walk: Walk<'_>, a: Spot, b: Spot) -> Option<Step> {
        let out = walk.edges_directed(a, Outgoing).filter(|met| met.to == b);
        let back = walk.edges_directed(a, Incoming).filter(|met| met.from == b);
        let met = out.chain(back).min_by_key(|met| (met.edge.first, met.edge.first_seq, met.edge.relation))?;
        Some(Step { from: self.nodes.at(met.from)?, edge: met.edge, to: self.nodes.at(met.to)? })
    }

    /// What is done by and to everybody.
    fn is_everybodys(&self, spot: Spot) -> bool {
        match self.nodes.at(spot) {
            Some(Node::Process(key)) => {
                let adopts = |p: &Process| p.key.pid <= 2 || (p.task.ns_pid == 1 && p.task.context.container.is_none());
                self.is_supervisor(key) || self.process(key).is_none_or(adopts)
            }
            Some(Node::File(file)) => self.users_of(file, EVERYBODYS + 1) > EVERYBODYS,
            Some(peer @ Node::Peer(_)) => self.latest_to(&peer).nth(EVERYBODYS).is_some(),
            Some(Node::Container(_)) => false,
            None => true,
        }
    }
}

impl Walk<'_> {
    fn forked(self, parent: ProcessKey, child: &Process) -> Option<Met> {
        let (time, seq) = (child.key.start, child.made.unwrap_or_default());
        let edge =
            Edge { relation: Relation::Forked, first: time, last: time, first_seq: seq, last_seq: seq, count: 1 };
        let [from, to] = [parent, child.key].map(|key| self.graph.nodes.spot(&Node::Process(key)));
        Some(Met { from: from?, to: to?, which: Which::Child(child.key), edge })
    }

    fn lineage(self, process: &Process, direction: Direction) -> Vec<Met> {
        match direction {
            Outgoing => {
                let known = process.children.iter().rev().filter_map(|child| self.graph.process(*child));
                known.take(FOLLOWED).filter_map(|child| self.forked(process.key, child)).collect()
            }
            Incoming => process.parent.and_then(|parent| self.forked(parent, process)).into_iter().collect(),
        }
    }

    fn met(self, spot: Spot, direction: Direction) -> std::vec::IntoIter<Met> {
        if !self.ends.contains(&Some(spot)) && self.graph.is_everybodys(spot) {
            return Vec::new().into_iter();
        }
        let nodes = &self.graph.nodes;
        let mut met = nodes.process_at(spot).map(|process| self.lineage(process, direction)).unwrap_or_default();
        let edges = self.graph.edges.at(nodes, spot, direction == Outgoing).take(FOLLOWED);
        met.extend(edges.map(|found| {
            let (from, to, edge) = (found.from, found.to, *found.edge);
            Met { from, to, which: Which::Stored(found.place), edge }
        }));
        met.into_iter()
    }
}

impl GraphBase for Walk<'_> {
    type NodeId = Spot;
    type EdgeId = Which;
}

impl GraphRef for Walk<'_> {}

impl GraphProp for Walk<'_> {
    type EdgeType = petgraph::Directed;
}

impl Data for Walk<'_> {
    type NodeWeight = Node;
    type EdgeWeight = Edge;
}

impl Visitable for Walk<'_> {
    /// A walk sees little of what there is.
    type Map = HashSet<Spot>;

    fn visit_map(&self) -> Self::Map {
        HashSet::new()
    }

    fn reset_map(&self, map: &mut Self::Map) {
        map.clear();
    }
}

impl EdgeRef for Met {
    type NodeId = Spot;
    type EdgeId = Which;
    type Weight = Edge;

    fn source(&self) -> Spot {
        self.from
    }

    fn target(&self) -> Spot {
        self.to
    }

    fn weight(&self) -> &Edge {
        &self.edge
    }

    fn id(&self) -> Which {
        self.which
    }
}

impl IntoNeighbors for Walk<'_> {
    type Neighbors = std::vec::IntoIter<Spot>;

    fn neighbors(self, spot: Spot) -> Self::Neighbors {
        self.neighbors_directed(spot, Outgoing)
    }
}

impl IntoNeighborsDirected for Walk<'_> {
    type NeighborsDirected = std::vec::IntoIter<Spot>;

    fn neighbors_directed(self, spot: Spot, direction: Direction) -> Self::NeighborsDirected {
        let other = |met: Met| if direction == Outgoing { met.to } else { met.from };
        self.met(spot, direction).map(other).collect::<Vec<_>>().into_iter()
    }
}

impl<'a> IntoEdgeReferences for Walk<'a> {
    type EdgeRef = Met;
    type EdgeReferences = Box<dyn Iterator<Item = Met> + 'a>;

    /// All that walks starting at processes would meet at their first step.
    fn edge_references(self) -> Self::EdgeReferences {
        let all = self.graph.processes();
        let spots = all.filter_map(move |process| self.graph.nodes.spot(&Node::Process(process.key)));
        Box::new(spots.flat_map(move |spot| self.edges(spot)))
    }
}

impl IntoEdges for Walk<'_> {
    type Edges = std::vec::IntoIter<Met>;

    fn edges(self, spot: Spot) -> Self::Edges {
        self.met(spot, Outgoing)
    }
}

impl IntoEdgesDirected for Walk<'_> {
    type EdgesDirected = std::vec::IntoIter<Met>;

    fn edges_directed(self, spot: Spot, direction: Direction) -> Self::EdgesDirected {
        self.met(spot, direction)
    }
}
