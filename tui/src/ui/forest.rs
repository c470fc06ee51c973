//! The process tree as rows. Its roots are what a person thinks in: containers, login sessions and services, rather than
//! the hundred children of pid 1. It is folded where nothing goes on and unfolded along what was detected.
//!
//! It is made anew when what it shows may have changed, and not for every frame.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

use lanner_core::detect::Severity;
use lanner_core::event::{BootTime, ContainerId, ProcessKey, Text};
use lanner_core::graph::{Graph, Process};

use super::scene::Scene;
use super::sort::Sort;
use super::state::{Screen, State, Subject};

/// An ended process stays for this long; one of an incident, or with a signal, for as long as it is known.
const LINGER: Duration = Duration::from_secs(20);

/// A root of the forest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum GroupId {
    /// A container.
    Container(ContainerId),
    /// A login session: what runs on one terminal.
    Session(Text),
    /// A service of the init system, by its unit's name.
    Service(Text),
    /// Whatever else runs on the host.
    Host,
    /// The kernel's own threads.
    Kernel,
}

/// A node of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum NodeId {
    Group(GroupId),
    Process(ProcessKey),
}

/// A row of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: NodeId,
    /// How deep it lies: 0 for a group.
    pub(crate) depth: usize,
    /// Whether its children are shown; `None` when it has none.
    pub(crate) open: Option<bool>,
    /// Living processes in it, itself included.
    pub(crate) living: usize,
    /// The gravest signal in it, itself included.
    pub(crate) worst: Option<Severity>,
    /// The filter lets it through itself, and not only what lies below it.
    pub(crate) matches: bool,
}

/// A node of the tree, and what is known of all that lies below it.
#[derive(Debug)]
struct Branch {
    id: NodeId,
    parent: Option<usize>,
    children: Vec<usize>,
    living: usize,
    worst: Option<Severity>,
    /// Something goes on below it.
    hot: bool,
    /// It is part of what goes on itself.
    involved: bool,
    /// When the first of it started.
    since: BootTime,
    matches: bool,
}

/// What a tree was made of: the same again needs no other tree.
#[derive(Debug, PartialEq)]
struct Stamp {
    version: u64,
    past: Option<u64>,
    /// While ended processes linger, the second.
    second: Option<u64>,
    folded: u64,
    filter: String,
    listed: usize,
    scope: (Option<Subject>, u32),
    sort: Sort,
    revisions: u64,
}

/// The tree that was shown last.
#[derive(Debug, Default)]
pub(crate) struct TreeCache(RefCell<Option<(Stamp, Rc<Forest>)>>);

impl TreeCache {
    /// The tree of a scene: the last one, if nothing has changed.
    pub(crate) fn get(scene: &Scene<'_>, state: &State) -> Rc<Forest> {
        let mut cached = state.tree.0.borrow_mut();
        let mut stamp = Stamp {
            version: scene.version,
            past: state.then().map(|then| then.end),
            second: None,
            folded: state.folded,
            filter: state.filter.text().to_owned(),
            listed: if state.filter.is_empty() { 0 } else { state.listing.len(scene) },
            scope: state.listed.clone(),
            sort: state.sorts.of(Screen::Tree),
            revisions: scene.incidents.iter().map(|i| u64::from(i.revision)).sum(),
        };
        if let Some((known, forest)) = &*cached {
            stamp.second = forest.lingers.then(|| second(scene));
            if *known == stamp {
                return Rc::clone(forest);
            }
        }
        let forest = Rc::new(Forest::of(*scene, state));
        stamp.second = forest.lingers.then(|| second(scene));
        *cached = Some((stamp, Rc::clone(&forest)));
        forest
    }
}

fn second(scene: &Scene<'_>) -> u64 {
    scene.now().0 / 1_000_000_000
}

/// The group in which a process stands.
pub(crate) fn group_of(graph: &Graph, process: &Process) -> GroupId {
    if let Some(container) = &process.task.container {
        return GroupId::Container(container.clone());
    }
    if graph.is_of_kernel(process.key) {
        return GroupId::Kernel;
    }
    let unit = process.task.cgroup.file_name();
    match &process.task.tty {
        Some(tty) => GroupId::Session(tty.clone()),
        None if unit.ends_with(b".service") => GroupId::Service(Text::from(unit)),
        None => GroupId::Host,
    }
}

/// The tree of all processes of a scene.
#[derive(Debug)]
pub(crate) struct Forest {
    /// Each after its parent.
    branches: Vec<Branch>,
    index: HashMap<NodeId, usize>,
    /// What is shown of it, as far as the user has not folded it away.
    pub(crate) rows: Vec<Row>,
    /// Some of it has ended and will not stay.
    lingers: bool,
}

impl Forest {
    pub(crate) fn of(scene: Scene<'_>, state: &State) -> Self {
        let mut forest = Forest { branches: Vec::new(), index: HashMap::new(), rows: Vec::new(), lingers: false };
        let involved: HashSet<ProcessKey> =
            scene.incidents().iter().flat_map(|i| i.processes.iter().map(|p| p.key)).collect();
        let is_hot = |p: &Process| involved.contains(&p.key) || scene.marks.of(p.key).worst.is_some();
        let mut shown: HashMap<ProcessKey, (&Process, bool)> = HashMap::new();
        for process in scene.processes() {
            let lingers = match process.ended {
                None => !scene.is_gone(process.key) || scene.gone[&process.key].after(LINGER) > scene.now(),
                Some(end) => end.time.after(LINGER) > scene.now(),
            };
            if lingers {
                forest.lingers |= !scene.is_alive(process);
                shown.insert(process.key, (process, true));
            }
        }
        // Of those that ended long ago, what is worth keeping is few: the others are not even looked up.
        let worth = involved.iter().copied().chain(scene.marks.signalled());
        for process in worth.filter_map(|key| scene.graph.process(key)) {
            if process.key.start <= scene.now() && !process.key.is_unknown() {
                shown.insert(process.key, (process, true));
            }
        }
        keep(&mut shown, &scene, state);
        let mut ordered: Vec<(&Process, bool)> = shown.values().copied().collect();
        ordered.sort_unstable_by_key(|(p, _)| age_of(p));
        for (process, matches) in ordered {
            let id = group_of(scene.graph, process);
            // A parent is older than its child: a forged or damaged history that says otherwise must not make a cycle.
            let parent = scene
                .graph
                .ancestors(process.key)
                .find(|a| shown.contains_key(&a.key) && age_of(a) < age_of(process) && group_of(scene.graph, a) == id);
            let parent = match parent.and_then(|p| forest.index.get(&NodeId::Process(p.key))) {
                Some(index) => *index,
                None => forest.group(id, process.key.start),
            };
            let index = forest.branches.len();
            forest.branches[parent].children.push(index);
            forest.index.insert(NodeId::Process(process.key), index);
            forest.branches.push(Branch {
                id: NodeId::Process(process.key),
                parent: Some(parent),
                children: Vec::new(),
                living: usize::from(scene.is_alive(process)),
                worst: scene.marks.of(process.key).worst,
                hot: false,
                involved: is_hot(process),
                since: process.key.start,
                matches,
            });
        }
        forest.sum();
        forest.order(&scene, state.sorts.of(Screen::Tree));
        forest.rows = forest.unfolded(state);
        forest
    }

    /// The branch of a group; it is made when there is none yet.
    fn group(&mut self, group: GroupId, since: BootTime) -> usize {
        let id = NodeId::Group(group);
        if let Some(index) = self.index.get(&id) {
            return *index;
        }
        let index = self.branches.len();
        self.index.insert(id.clone(), index);
        self.branches.push(Branch {
            id,
            parent: None,
            children: Vec::new(),
            living: 0,
            worst: None,
            hot: false,
            involved: false,
            since,
            matches: false,
        });
        index
    }

    /// Adds what is known of each to that in which it stands, the deepest first.
    fn sum(&mut self) {
        for i in (0..self.branches.len()).rev() {
            let Branch { parent, living, worst, hot, involved, .. } = self.branches[i];
            if let Some(parent) = parent {
                let above = &mut self.branches[parent];
                above.living += living;
                above.worst = above.worst.max(worst);
                // What is hot need not be unfolded itself; what leads to it must be.
                above.hot |= hot || involved;
            }
        }
    }

    /// Puts children into the order that the user chose. They stand in that of their starts.
    fn order(&mut self, scene: &Scene<'_>, sort: Sort) {
        if sort == Sort::default() {
            return;
        }
        let name = |i: usize| match &self.branches[i].id {
            NodeId::Process(key) => scene.name(*key).unwrap_or_default().to_vec(),
            NodeId::Group(_) => Vec::new(),
        };
        let pid = |i: usize| match &self.branches[i].id {
            NodeId::Process(key) => key.pid,
            NodeId::Group(_) => 0,
        };
        let mut sorted: Vec<Vec<usize>> = Vec::with_capacity(self.branches.len());
        for branch in &self.branches {
            let mut children = branch.children.clone();
            match sort.by {
                1 => children.sort_by_key(|i| name(*i)),
                2 => children.sort_by_key(|i| pid(*i)),
                3 => children.sort_by_key(|i| std::cmp::Reverse(self.branches[*i].worst)),
                _ => {}
            }
            if sort.reversed {
                children.reverse();
            }
            sorted.push(children);
        }
        for (branch, children) in self.branches.iter_mut().zip(sorted) {
            branch.children = children;
        }
    }

    fn unfolded(&self, state: &State) -> Vec<Row> {
        let mut roots: Vec<usize> = (0..self.branches.len()).filter(|i| self.branches[*i].parent.is_none()).collect();
        roots.sort_by_cached_key(|i| {
            let branch = &self.branches[*i];
            let NodeId::Group(group) = &branch.id else { return (true, 0, None, GroupId::Host) };
            let by_time = matches!(group, GroupId::Container(_)).then_some(branch.since);
            (!branch.hot, kind_rank(group), by_time, group.clone())
        });
        let mut rows = Vec::new();
        let mut stack: Vec<(usize, usize)> = roots.into_iter().rev().map(|i| (i, 0)).collect();
        while let Some((i, depth)) = stack.pop() {
            let branch = &self.branches[i];
            let open = (!branch.children.is_empty()).then(|| is_open(branch, state));
            if open == Some(true) {
                stack.extend(branch.children.iter().rev().map(|child| (*child, depth + 1)));
            }
            let (living, worst, matches) = (branch.living, branch.worst, branch.matches);
            rows.push(Row { id: branch.id.clone(), depth, open, living, worst, matches });
        }
        rows
    }

    /// What a node stands in.
    pub(crate) fn parent(&self, id: &NodeId) -> Option<NodeId> {
        let parent = self.branches[*self.index.get(id)?].parent?;
        Some(self.branches[parent].id.clone())
    }

    /// Whether a node is in the tree at all, folded away or not.
    pub(crate) fn contains(&self, id: &NodeId) -> bool {
        self.index.contains_key(id)
    }

    /// The first process of a group.
    pub(crate) fn first_process(&self, id: &NodeId) -> Option<ProcessKey> {
        let first = self.branches[*self.index.get(id)?].children.first()?;
        match &self.branches[*first].id {
            NodeId::Process(key) => Some(*key),
            NodeId::Group(_) => None,
        }
    }

    /// A node and all below it that have children.
    pub(crate) fn branches_below(&self, id: &NodeId) -> Vec<NodeId> {
        let mut found = Vec::new();
        let mut stack: Vec<usize> = self.index.get(id).copied().into_iter().collect();
        while let Some(i) = stack.pop() {
            let branch = &self.branches[i];
            if !branch.children.is_empty() {
                stack.extend(&branch.children);
                found.push(branch.id.clone());
            }
        }
        found
    }
}

fn is_open(branch: &Branch, state: &State) -> bool {
    let narrowed = !state.filter.is_empty() || state.listed.0.is_some();
    state.folds.get(&branch.id).copied().unwrap_or(narrowed || branch.hot)
}

fn age_of(process: &Process) -> (BootTime, u32) {
    (process.key.start, process.key.pid)
}

/// Leaves the processes that filter and scope let through, marked as such, and those above them.
fn keep(shown: &mut HashMap<ProcessKey, (&Process, bool)>, scene: &Scene<'_>, state: &State) {
    let scope = state.scope(scene);
    if state.filter.is_empty() && scope.is_everything() {
        return;
    }
    let mut kept = HashSet::new();
    for (process, matches) in shown.values_mut() {
        let key = process.key;
        let filtered =
            || state.filter.is_empty() || state.listing.did(key) == Some(true) || state.filter.process(process, scene);
        *matches = scope.process(key, scene) && filtered();
        if *matches {
            kept.insert(key);
            kept.extend(scene.graph.ancestors(key).map(|a| a.key));
        }
    }
    shown.retain(|key, _| kept.contains(key));
}

fn kind_rank(group: &GroupId) -> u8 {
    match group {
        GroupId::Container(_) => 0,
        GroupId::Session(_) => 1,
        GroupId::Service(_) => 2,
        GroupId::Host => 3,
        GroupId::Kernel => 4,
    }
}
