//! The processes that the tree shows, each below the nearest of its ancestors that is shown in the same group, with sums of
//! what lies below. A process comes, goes or changes without the others being looked at.

use std::collections::HashMap;

use lanner_core::detect::Severity;
use lanner_core::event::{BootTime, ProcessKey};
use lanner_core::graph::{Graph, Process};

use super::{GroupId, NodeId};

const SEVERITIES: [Severity; 4] = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

/// A place among the branches.
pub(super) type Place = usize;

/// What is known of a process itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Own {
    pub(super) living: bool,
    pub(super) worst: Option<Severity>,
    /// It is part of what goes on.
    pub(super) involved: bool,
}

/// What is known of all that stands in a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sum {
    /// Living processes, itself included.
    living: u32,
    /// Processes by the gravest signal about them, itself included.
    severities: [u32; SEVERITIES.len()],
    /// Processes below it that are part of what goes on.
    hot: u32,
}

impl Sum {
    pub(super) fn of(own: Own) -> Sum {
        let mut sum = Sum { living: u32::from(own.living), ..Sum::default() };
        if let Some(severity) = own.worst {
            sum.severities[severity as usize] = 1;
        }
        sum
    }

    /// Living processes.
    pub(super) fn living(&self) -> usize {
        usize::try_from(self.living).unwrap_or(usize::MAX)
    }

    /// Whether a process below it is part of what goes on.
    pub(super) fn is_hot(&self) -> bool {
        self.hot > 0
    }

    /// The gravest signal.
    pub(super) fn worst(&self) -> Option<Severity> {
        SEVERITIES.into_iter().rfind(|severity| self.severities[*severity as usize] > 0)
    }

    /// With what stands in a branch below.
    pub(super) fn add(&mut self, below: &Sum, involved: bool) {
        self.living += below.living;
        self.severities.iter_mut().zip(below.severities).for_each(|(own, more)| *own += more);
        self.hot += below.hot + u32::from(involved);
    }

    fn subtract(&mut self, below: &Sum, involved: bool) {
        self.living -= below.living;
        self.severities.iter_mut().zip(below.severities).for_each(|(own, less)| *own -= less);
        self.hot -= below.hot + u32::from(involved);
    }
}

/// A group, or a process.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) id: NodeId,
    pub(super) parent: Option<Place>,
    /// Oldest first.
    pub(super) children: Vec<Place>,
    /// Start and pid; of a group nothing.
    age: (BootTime, u32),
    /// The group in which it stands.
    root: Place,
    /// Its parent as the graph had it.
    pub(super) made_by: Option<ProcessKey>,
    pub(super) own: Own,
    pub(super) sum: Sum,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Branches {
    all: Vec<Option<Branch>>,
    free: Vec<Place>,
    processes: HashMap<ProcessKey, Place>,
    groups: HashMap<GroupId, Place>,
}

impl Branches {
    pub(super) fn get(&self, place: Place) -> &Branch {
        self.all[place].as_ref().expect("a place that is taken")
    }

    fn get_mut(&mut self, place: Place) -> &mut Branch {
        self.all[place].as_mut().expect("a place that is taken")
    }

    /// Behind the last place.
    pub(super) fn end(&self) -> Place {
        self.all.len()
    }

    pub(super) fn place(&self, id: &NodeId) -> Option<Place> {
        match id {
            NodeId::Process(key) => self.process(*key),
            NodeId::Group(group) => self.groups.get(group).copied(),
        }
    }

    pub(super) fn process(&self, key: ProcessKey) -> Option<Place> {
        self.processes.get(&key).copied()
    }

    pub(super) fn processes(&self) -> impl Iterator<Item = (Place, ProcessKey)> {
        self.all.iter().enumerate().filter_map(|(place, branch)| match branch.as_ref()?.id {
            NodeId::Process(key) => Some((place, key)),
            NodeId::Group(_) => None,
        })
    }

    /// Whether a branch is that of a process.
    pub(super) fn is_of(&self, place: Place, process: Option<ProcessKey>) -> bool {
        matches!((&self.get(place).id, process), (NodeId::Process(key), Some(process)) if *key == process)
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = Place> {
        self.groups.values().copied()
    }

    /// When the oldest process of a group started.
    pub(super) fn since(&self, group: Place) -> BootTime {
        self.get(group).children.first().map_or(BootTime::default(), |first| self.get(*first).age.0)
    }

    /// Shows a process that was not shown, and that is younger than all that are.
    pub(super) fn grow(&mut self, graph: &Graph, process: &Process, group: &GroupId, own: Own) -> Place {
        let root = self.group(group);
        let parent = self.above(graph, process, root).unwrap_or(root);
        let place = self.insert(Branch {
            id: NodeId::Process(process.key),
            parent: None,
            children: Vec::new(),
            age: age(process),
            root,
            made_by: process.parent,
            own,
            sum: Sum::of(own),
        });
        self.processes.insert(process.key, place);
        self.attach(place, parent);
        place
    }

    /// Shows a process as it is now, whether it was shown before or not.
    pub(super) fn put(&mut self, graph: &Graph, process: &Process, group: &GroupId, own: Own) -> Place {
        let Some(place) = self.process(process.key) else {
            let place = self.grow(graph, process, group, own);
            self.take_below(graph, process);
            return place;
        };
        self.set_own(place, own);
        let root = self.group(group);
        let above = self.above(graph, process, root).unwrap_or(root);
        let Branch { parent, root: root_before, made_by, .. } = *self.get(place);
        if (root, Some(above), process.parent) != (root_before, parent, made_by) {
            let branch = self.get_mut(place);
            (branch.made_by, branch.root) = (process.parent, root);
            // Those below it that stand in its former group are none of its branch any more. They find their place before it
            // leaves, for a group in which nobody stands is forgotten.
            for child in self.get(place).children.clone() {
                self.settle(graph, child);
            }
            if Some(above) != parent {
                self.detach(place);
                self.attach(place, above);
            }
            self.take_below(graph, process);
        }
        place
    }

    /// Shows a process no more.
    pub(super) fn remove(&mut self, graph: &Graph, key: ProcessKey) {
        let Some(place) = self.processes.remove(&key) else { return };
        for child in std::mem::take(&mut self.get_mut(place).children) {
            let (sum, involved) = (self.get(child).sum, self.get(child).own.involved);
            self.change(Some(place), |above| above.subtract(&sum, involved));
            self.get_mut(child).parent = None;
            self.settle(graph, child);
        }
        self.detach(place);
        self.all[place] = None;
        self.free.push(place);
    }

    /// Puts a branch below the nearest of its ancestors.
    fn settle(&mut self, graph: &Graph, place: Place) {
        let (branch, root) = (self.get(place), self.get(place).root);
        let NodeId::Process(key) = branch.id else { return };
        let above = graph.process(key).and_then(|process| self.above(graph, process, root)).unwrap_or(root);
        if self.get(place).parent != Some(above) {
            self.detach(place);
            self.attach(place, above);
        }
    }

    /// Whoever descends from a process and did not stand below it, for it was not there or elsewhere.
    fn take_below(&mut self, graph: &Graph, process: &Process) {
        let mut below: Vec<ProcessKey> = process.children.iter().copied().collect();
        while let Some(key) = below.pop() {
            if let Some(place) = self.process(key) {
                self.settle(graph, place);
            }
            // A lineage is no cycle: the graph sees to that.
            below.extend(graph.process(key).into_iter().flat_map(|process| &process.children));
        }
    }

    /// The nearest ancestor that is shown in the same group.
    fn above(&self, graph: &Graph, process: &Process, root: Place) -> Option<Place> {
        graph.ancestors(process.key).find_map(|ancestor| {
            let place = self.process(ancestor.key)?;
            // A parent is older than its child: a forged or damaged history that says otherwise must not make a cycle.
            (self.get(place).root == root && age(ancestor) < age(process)).then_some(place)
        })
    }

    fn group(&mut self, group: &GroupId) -> Place {
        if let Some(place) = self.groups.get(group) {
            return *place;
        }
        let place = self.insert(Branch {
            id: NodeId::Group(group.clone()),
            parent: None,
            children: Vec::new(),
            age: (BootTime::default(), 0),
            root: 0,
            made_by: None,
            own: Own::default(),
            sum: Sum::default(),
        });
        self.get_mut(place).root = place;
        self.groups.insert(group.clone(), place);
        place
    }

    fn insert(&mut self, branch: Branch) -> Place {
        if let Some(place) = self.free.pop() {
            self.all[place] = Some(branch);
            return place;
        }
        self.all.push(Some(branch));
        self.all.len() - 1
    }

    fn attach(&mut self, place: Place, parent: Place) {
        let branch = self.get(place);
        let (age, sum, involved) = (branch.age, branch.sum, branch.own.involved);
        let at = self.get(parent).children.partition_point(|child| self.get(*child).age < age);
        self.get_mut(parent).children.insert(at, place);
        self.get_mut(place).parent = Some(parent);
        self.change(Some(parent), |above| above.add(&sum, involved));
    }

    fn detach(&mut self, place: Place) {
        let branch = self.get(place);
        let (age, sum, involved) = (branch.age, branch.sum, branch.own.involved);
        let Some(parent) = self.get_mut(place).parent.take() else { return };
        let children = &self.get(parent).children;
        let from = children.partition_point(|child| self.get(*child).age < age);
        if let Some(at) = children[from..].iter().position(|child| *child == place) {
            self.get_mut(parent).children.remove(from + at);
        }
        self.change(Some(parent), |above| above.subtract(&sum, involved));
        self.forget_empty(parent);
    }

    /// A group in which nobody stands is none.
    fn forget_empty(&mut self, place: Place) {
        let Branch { id: NodeId::Group(group), children, .. } = self.get(place) else { return };
        if children.is_empty() {
            let group = group.clone();
            self.groups.remove(&group);
            self.all[place] = None;
            self.free.push(place);
        }
    }

    fn set_own(&mut self, place: Place, own: Own) {
        let branch = self.get_mut(place);
        let before = std::mem::replace(&mut branch.own, own);
        if before == own {
            return;
        }
        let parent = branch.parent;
        branch.sum.subtract(&Sum::of(before), false);
        branch.sum.add(&Sum::of(own), false);
        self.change(parent, |above| {
            above.subtract(&Sum::of(before), before.involved);
            above.add(&Sum::of(own), own.involved);
        });
    }

    /// Changes the sums from here up.
    fn change(&mut self, from: Option<Place>, change: impl Fn(&mut Sum)) {
        let mut next = from;
        while let Some(place) = next {
            let branch = self.get_mut(place);
            change(&mut branch.sum);
            next = branch.parent;
        }
    }
}

fn age(process: &Process) -> (BootTime, u32) {
    (process.key.start, process.key.pid)
}
