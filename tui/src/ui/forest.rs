//! The process tree as rows. Its roots are what a person thinks in: containers, login sessions and services, rather than
//! the hundred children of pid 1. It is folded where nothing goes on and unfolded along what was detected.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use lanner_core::detect::Severity;
use lanner_core::event::{BootTime, ContainerId, ProcessKey, Text};
use lanner_core::graph::Process;

use super::filter;
use super::scene::Scene;
use super::state::State;

/// An ended process stays for this long; one of an incident, or with a signal, for as long as it is known.
const LINGER: Duration = Duration::from_secs(20);

/// `kthreadd`, the parent of all kernel threads.
const KTHREADD: u32 = 2;

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
}

/// What is known of a subtree.
#[derive(Debug, Default, Clone)]
struct Sum {
    living: usize,
    worst: Option<Severity>,
    /// Something goes on in it.
    hot: bool,
    /// When the first of it started.
    since: Option<BootTime>,
}

/// The group in which a process stands.
pub(crate) fn group_of(process: &Process) -> GroupId {
    if let Some(container) = &process.task.container {
        return GroupId::Container(container.clone());
    }
    if process.key.pid == KTHREADD || process.parent.is_some_and(|p| p.pid == KTHREADD) {
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
pub(crate) struct Forest<'a> {
    scene: Scene<'a>,
    roots: Vec<GroupId>,
    /// Children in the tree, which are not always those of the system: they skip who is not shown.
    children: HashMap<NodeId, Vec<ProcessKey>>,
    sums: HashMap<NodeId, Sum>,
    parents: HashMap<ProcessKey, NodeId>,
}

impl<'a> Forest<'a> {
    pub(crate) fn of(scene: Scene<'a>, state: &State) -> Self {
        let involved: HashSet<ProcessKey> =
            scene.incidents().iter().flat_map(|i| i.processes.iter().map(|p| p.key)).collect();
        let stays = |p: &Process| match p.ended {
            None => true,
            Some(end) => end.time.after(LINGER) > scene.now(),
        };
        let has_signal = |p: &Process| scene.marks.of(p.key).worst.is_some();
        let mut shown: HashMap<ProcessKey, &Process> = scene
            .processes()
            .filter(|p| stays(p) || involved.contains(&p.key) || has_signal(p))
            .map(|p| (p.key, p))
            .collect();
        if !state.filter.is_empty() {
            keep_matching(&mut shown, &scene, state);
        }

        let mut forest = Forest {
            scene,
            roots: Vec::new(),
            children: HashMap::new(),
            sums: HashMap::new(),
            parents: HashMap::new(),
        };
        let mut ordered: Vec<&Process> = shown.values().copied().collect();
        ordered.sort_by_key(|p| (p.key.start, p.key.pid));
        for process in &ordered {
            let group = group_of(process);
            // A parent is older than its child: a forged or damaged history that says otherwise must not make a cycle.
            let order = |p: &Process| (p.key.start, p.key.pid);
            let parent = scene
                .graph
                .ancestors(process.key)
                .find(|a| shown.contains_key(&a.key) && group_of(a) == group && order(a) < order(process))
                .map_or_else(|| NodeId::Group(group.clone()), |a| NodeId::Process(a.key));
            forest.children.entry(parent.clone()).or_default().push(process.key);
            forest.parents.insert(process.key, parent);
        }
        for process in ordered {
            let hot = involved.contains(&process.key) || has_signal(process);
            forest.count(process, hot);
        }
        let groups = forest.sums.keys().filter_map(|id| match id {
            NodeId::Group(group) => Some(group.clone()),
            NodeId::Process(_) => None,
        });
        forest.roots = groups.collect();
        forest.roots.sort_by_key(|group| {
            let sum = &forest.sums[&NodeId::Group(group.clone())];
            let by_time = matches!(group, GroupId::Container(_)).then_some(sum.since);
            (!sum.hot, kind_rank(group), by_time, group.clone())
        });
        forest
    }

    /// Adds a process to the sums of itself and of all that it stands in.
    fn count(&mut self, process: &Process, hot: bool) {
        let living = usize::from(self.scene.is_alive(process));
        let worst = self.scene.marks.of(process.key).worst;
        let mut node = NodeId::Process(process.key);
        let mut own = true;
        loop {
            let sum = self.sums.entry(node.clone()).or_default();
            sum.living += living;
            sum.worst = sum.worst.max(worst);
            // What is hot need not be unfolded itself; what leads to it must be.
            sum.hot |= hot && !own;
            sum.since = Some(sum.since.map_or(process.key.start, |s| s.min(process.key.start)));
            own = false;
            node = match &node {
                NodeId::Group(_) => return,
                NodeId::Process(key) => match self.parents.get(key) {
                    Some(parent) => parent.clone(),
                    None => return,
                },
            };
        }
    }

    /// The rows that are shown, as far as the user has not folded them away.
    pub(crate) fn rows(&self, state: &State) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut stack: Vec<(NodeId, usize)> = self.roots.iter().rev().map(|g| (NodeId::Group(g.clone()), 0)).collect();
        while let Some((id, depth)) = stack.pop() {
            let children = self.children.get(&id).map_or(&[][..], Vec::as_slice);
            let open = (!children.is_empty()).then(|| self.is_open(&id, state));
            if open == Some(true) {
                stack.extend(children.iter().rev().map(|key| (NodeId::Process(*key), depth + 1)));
            }
            let sum = self.sums.get(&id).cloned().unwrap_or_default();
            rows.push(Row { id, depth, open, living: sum.living, worst: sum.worst });
        }
        rows
    }

    fn is_open(&self, id: &NodeId, state: &State) -> bool {
        match state.folds.get(id) {
            Some(open) => *open,
            None => !state.filter.is_empty() || self.sums.get(id).is_some_and(|s| s.hot),
        }
    }

    /// What a node stands in.
    pub(crate) fn parent(&self, id: &NodeId) -> Option<NodeId> {
        match id {
            NodeId::Group(_) => None,
            NodeId::Process(key) => self.parents.get(key).cloned(),
        }
    }

    /// Whether a node is in the tree at all, folded away or not.
    pub(crate) fn contains(&self, id: &NodeId) -> bool {
        self.sums.contains_key(id)
    }

    /// A node and all below it that have children.
    pub(crate) fn branches_below(&self, id: &NodeId) -> Vec<NodeId> {
        let mut found = Vec::new();
        let mut stack = vec![id.clone()];
        while let Some(id) = stack.pop() {
            if let Some(children) = self.children.get(&id) {
                stack.extend(children.iter().map(|key| NodeId::Process(*key)));
                found.push(id);
            }
        }
        found
    }
}

/// Leaves the processes that the filter lets through, and those above them.
fn keep_matching(shown: &mut HashMap<ProcessKey, &Process>, scene: &Scene<'_>, state: &State) {
    let doers = filter::doers(state.listing.matching(), scene);
    let mut kept = HashSet::new();
    for process in shown.values() {
        if doers.contains(&process.key) || state.filter.process(process, scene) {
            kept.insert(process.key);
            kept.extend(scene.graph.ancestors(process.key).map(|a| a.key));
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
