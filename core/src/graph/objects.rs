//! Files and peers in the order in which they go when memory is short.

use super::edges::Edges;
use super::nodes::{Nodes, Spot};
use crate::event::BootTime;
use crate::persistent::{Queue, Stock};

/// How many objects are considered at a time when one has to go.
const CONSIDERED_AT_ONCE: usize = 64;
/// How many of the latest edges of an object are looked at for one of a process that is held.
const LOOKED_AT: usize = 64;

/// Files and peers.
#[derive(Debug, Clone, Default)]
pub(super) struct Objects {
    /// Those known longest first.
    line: Queue<Spot>,
    /// Those that were passed over, for they were held.
    spared: Queue<Spot>,
    evicted: u64,
}

/// How far the letting go of one more object has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It is gone.
    Gone,
    /// It takes more steps.
    Begun,
    /// There is none.
    Nothing,
}

impl Objects {
    /// About how many bytes a clone takes that is taken now; what changes after it counts anew.
    pub(super) fn take_stock(&mut self) -> Stock {
        self.line.take_stock() + self.spared.take_stock()
    }

    /// Bytes of memory, about.
    pub(super) fn bytes(&self) -> usize {
        (self.line.len() + self.spared.len()) * size_of::<Spot>()
    }

    /// Those that had to be let go.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// One more has become known.
    pub(super) fn add(&mut self, object: Spot) {
        self.line.push_back(object);
    }

    /// When the object that goes next was last used; one that nothing is left of, never. What was used since it was last
    /// considered is passed over here too: what everybody uses always was just now, and must not stand for all others.
    pub(super) fn next_used(&mut self, nodes: &mut Nodes, edges: &Edges) -> Option<BootTime> {
        for _ in 0..CONSIDERED_AT_ONCE {
            let object = *self.line.get(0)?;
            let lately = nodes.take_lately(object);
            if lately == Some(false) {
                return Some(edges.latest(nodes, object).map(|edge| edge.last).unwrap_or_default());
            }
            self.line.pop_front();
            if lately.is_some() {
                self.line.push_back(object);
            }
        }
        None
    }

    /// Makes a step towards letting go the file or peer that was used longest ago of those that have nothing to do with a
    /// process that is held.
    pub(super) fn evict(&mut self, nodes: &mut Nodes, edges: &mut Edges) -> Step {
        // What was spared may be nobody's by now.
        if let Some(object) = self.spared.pop_front() {
            let line = if serves_held(nodes, edges, object) { &mut self.spared } else { &mut self.line };
            line.push_back(object);
        }
        for _ in 0..CONSIDERED_AT_ONCE {
            let Some(object) = self.line.pop_front() else { return Step::Nothing };
            match nodes.take_lately(object) {
                None => {}
                Some(true) => self.line.push_back(object),
                Some(false) if serves_held(nodes, edges, object) => self.spared.push_back(object),
                Some(false) => return self.let_go(nodes, edges, object, |all| &mut all.line),
            }
        }
        Step::Begun
    }

    /// As [`Objects::evict`], of those that have.
    pub(super) fn evict_held(&mut self, nodes: &mut Nodes, edges: &mut Edges) -> Step {
        let Some(object) = self.spared.pop_front() else { return Step::Nothing };
        self.let_go(nodes, edges, object, |all| &mut all.spared)
    }

    fn let_go(
        &mut self,
        nodes: &mut Nodes,
        edges: &mut Edges,
        object: Spot,
        line: fn(&mut Self) -> &mut Queue<Spot>,
    ) -> Step {
        if !edges.clear(nodes, object) {
            line(self).push_front(object);
            return Step::Begun;
        }
        nodes.remove_object(object);
        self.evicted += 1;
        Step::Gone
    }
}

/// Whether an object has to do with a process that is held, as far as its latest edges tell.
fn serves_held(nodes: &Nodes, edges: &Edges, object: Spot) -> bool {
    let mut latest = edges.at(nodes, object, false).take(LOOKED_AT);
    latest.any(|found| nodes.process_at(found.from).is_some_and(|process| process.held > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{File, FileId, Header, Origin, ProcessKey};
    use crate::graph::{Edge, Node, Process, Relation};

    const A: ProcessKey = ProcessKey::new(1, 1);
    const B: ProcessKey = ProcessKey::new(2, 2);

    /// A store of its own, with two processes.
    #[derive(Clone, Default)]
    struct Store {
        nodes: Nodes,
        edges: Edges,
        objects: Objects,
    }

    impl Store {
        fn new() -> Store {
            let mut store = Store::default();
            for key in [A, B] {
                store.nodes.processes.insert(key, Process::unknown(key));
            }
            store
        }

        fn spot(&self, node: &Node) -> Spot {
            self.nodes.spot(node).unwrap()
        }

        fn relate(&mut self, by: ProcessKey, relation: Relation, ino: u64, seq: u64) {
            if let (new, true) = self.nodes.name(&File::new("/f", 1, ino), |_| ()) {
                self.objects.add(new);
            }
            let time = BootTime(seq);
            let header = Header { seq, time, cpu: 0, process: by, tid: by.pid, origin: Origin::Live, compat: false };
            let (from, to) = (self.spot(&Node::Process(by)), self.spot(&file(ino)));
            self.nodes.use_now(to);
            self.edges.relate(&mut self.nodes, from, relation, to, &header);
        }

        fn evict(&mut self) -> Step {
            self.objects.evict(&mut self.nodes, &mut self.edges)
        }

        fn did(&self, key: ProcessKey) -> Vec<(Node, Edge)> {
            let found = self.edges.at(&self.nodes, self.spot(&Node::Process(key)), true);
            found.map(|found| (self.nodes.at(found.to).unwrap(), *found.edge)).collect()
        }

        fn hold(&mut self, key: ProcessKey, held: u32) {
            self.nodes.processes.get_mut(&key).unwrap().held = held;
        }
    }

    fn file(ino: u64) -> Node {
        Node::File(FileId { dev: 1, ino })
    }

    #[test]
    fn what_goes_leaves_the_others_as_they_were() {
        let mut store = Store::new();
        for seq in 1..=5_000 {
            // Each file is written by one and then read by the other, now and then twice.
            store.relate(A, Relation::Wrote, seq, seq);
            store.relate(B, Relation::Read, seq, seq);
            if seq % 1000 == 0 {
                store.relate(A, Relation::Wrote, seq, seq + 10_000);
            }
        }
        // Everything was used since it came: it is passed over once.
        while store.objects.evicted() < 3_000 {
            store.evict();
        }
        let did = store.did(A);
        assert_eq!((did.len(), &did[1_999].0), (2_000, &file(3_001)));
        assert!(did.iter().all(|(node, edge)| {
            let Node::File(id) = node else { return false };
            edge.relation == Relation::Wrote
                && edge.first_seq == id.ino
                && edge.count == 1 + u32::from(id.ino % 1000 == 0)
        }));
        let to = |store: &Store, ino| store.edges.at(&store.nodes, store.spot(&file(ino)), false).count();
        assert_eq!((to(&store, 4_000), store.nodes.spot(&file(1))), (2, None));
        let process = store.spot(&Node::Process(A));
        while !store.edges.clear(&mut store.nodes, process) {}
        assert_eq!((to(&store, 4_000), store.did(B).len(), store.edges.len()), (1, 2_000, 2_000));
    }

    #[test]
    fn what_held_processes_have_to_do_with_goes_last() {
        let mut store = Store::new();
        (1..=2).for_each(|ino| store.relate(A, Relation::Wrote, ino, ino));
        (3..=100).for_each(|ino| store.relate(B, Relation::Wrote, ino, ino));
        store.hold(A, 1);
        let evict = |store: &mut Store| (0..1_000).map(|_| store.evict()).last();
        assert_eq!(evict(&mut store), Some(Step::Nothing));
        assert_eq!((store.did(A).len(), store.did(B).len()), (2, 0));
        let mut other = store.clone();
        let last = other.objects.evict_held(&mut other.nodes, &mut other.edges);
        assert_eq!(last, Step::Gone, "when there is nothing else");
        // Once it is held no more it goes like any other.
        store.hold(A, 0);
        assert_eq!(evict(&mut store), Some(Step::Nothing));
        assert_eq!((store.objects.evicted(), store.did(A).len()), (100, 0));
    }
}
