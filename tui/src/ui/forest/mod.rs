//! The process tree as rows. Its roots are what a person thinks in: containers, login sessions and services, rather than
//! the hundred children of pid 1. It is folded where nothing goes on and unfolded along what was detected.
//!
//! - `shown`: which processes; it follows what changes. `branches`: where each stands, and the sums of what lies below.
//! - `narrow`: what filter and scope leave of it.

mod branches;
mod narrow;
mod shown;

use std::cell::RefCell;
use std::rc::Rc;

use lanner_core::detect::Severity;
use lanner_core::event::{ContainerId, ProcessKey, Text};
use lanner_core::graph::{Graph, Process};

use super::scene::Scene;
use super::sort::Sort;
use super::state::{Screen, State, Subject};
use branches::{Branches, Place, Sum};
use narrow::{Left, Verdicts};
pub(crate) use shown::LINGER;
use shown::Shown;

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

/// A row as it is kept: all else that it tells is looked up when it is shown, for few of them are.
#[derive(Debug, Clone, Copy)]
struct Slot {
    place: Place,
    depth: u32,
    open: Option<bool>,
}

/// What rows were made for, besides the processes that are shown.
#[derive(Debug, PartialEq)]
struct Stamp {
    folded: u64,
    filter: String,
    listed: usize,
    scope: (Option<Subject>, u32),
    sort: Sort,
}

/// The tree that was shown last.
#[derive(Debug, Default)]
pub(crate) struct TreeCache(RefCell<Option<(Stamp, Rc<Forest>)>>);

impl TreeCache {
    /// The tree of a scene: the last one, with what has changed.
    pub(crate) fn get(scene: &Scene<'_>, state: &State) -> Rc<Forest> {
        let mut cached = state.tree.0.borrow_mut();
        let stamp = Stamp {
            folded: state.folded,
            filter: state.filter.text().to_owned(),
            listed: if state.filter.is_empty() { 0 } else { state.listing.len(scene) },
            scope: state.listed.clone(),
            sort: state.sorts.of(Screen::Tree),
        };
        let (known, mut forest) = match cached.take() {
            // Whoever still looks at it must not see it change.
            Some((known, forest)) => (Some(known), Rc::try_unwrap(forest).unwrap_or_default()),
            None => (None, Forest::default()),
        };
        let changed = forest.shown.follow(scene);
        if changed || known.as_ref() != Some(&stamp) {
            forest.unfold(scene, state);
        }
        let forest = Rc::new(forest);
        *cached = Some((stamp, Rc::clone(&forest)));
        forest
    }
}

/// The group in which a process stands.
pub(crate) fn group_of(graph: &Graph, process: &Process) -> GroupId {
    if let Some(container) = &process.task.context.container {
        return GroupId::Container(container.clone());
    }
    if graph.is_of_kernel(process.key) {
        return GroupId::Kernel;
    }
    let unit = process.task.context.cgroup.file_name();
    match &process.task.context.tty {
        Some(tty) => GroupId::Session(tty.clone()),
        None if unit.ends_with(b".service") => GroupId::Service(Text::from(unit)),
        None => GroupId::Host,
    }
}

/// The tree of all processes of a scene.
#[derive(Debug, Default)]
pub(crate) struct Forest {
    shown: Shown,
    verdicts: Verdicts,
    /// What filter and scope leave of it, if there are any.
    left: Option<Left>,
    /// What is shown of it, as far as the user has not folded it away.
    slots: Vec<Slot>,
}

impl Forest {
    /// A tree that knew nothing before.
    #[cfg(test)]
    pub(crate) fn anew(scene: &Scene<'_>, state: &State) -> Forest {
        let mut forest = Forest::default();
        forest.shown.follow(scene);
        forest.unfold(scene, state);
        forest
    }

    fn branches(&self) -> &Branches {
        &self.shown.branches
    }

    /// What is known of all that stands in a branch; `None`: it is left out.
    fn sum(&self, place: Place) -> Option<&Sum> {
        match &self.left {
            Some(left) => left.sum(place),
            None => Some(&self.branches().get(place).sum),
        }
    }

    /// Makes the rows.
    fn unfold(&mut self, scene: &Scene<'_>, state: &State) {
        let scope = state.scope(scene);
        let narrowed = !state.filter.is_empty() || !scope.is_everything();
        let Shown { branches, changed, .. } = &self.shown;
        if narrowed {
            let left = self.left.get_or_insert_default();
            self.verdicts.narrow(left, branches, changed.as_deref(), scene, state, &scope);
        } else {
            // What changes from now on is not asked.
            (self.left, self.verdicts) = (None, Verdicts::default());
        }
        let mut slots = std::mem::take(&mut self.slots);
        slots.clear();
        let mut stack: Vec<(Place, u32)> = self.roots().into_iter().rev().map(|place| (place, 0)).collect();
        let sort = state.sorts.of(Screen::Tree);
        while let Some((place, depth)) = stack.pop() {
            let Some(sum) = self.sum(place) else { continue };
            let branch = self.branches().get(place);
            let has_children = branch.children.iter().any(|child| self.sum(*child).is_some());
            let open = has_children.then(|| is_open(&branch.id, sum, state));
            if open == Some(true) {
                match sort == Sort::default() {
                    true => stack.extend(branch.children.iter().rev().map(|child| (*child, depth + 1))),
                    false => stack.extend(self.sorted(&branch.children, scene, sort).map(|child| (child, depth + 1))),
                }
            }
            slots.push(Slot { place, depth, open });
        }
        self.slots = slots;
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn row(&self, at: usize) -> Option<Row> {
        let Slot { place, depth, open } = *self.slots.get(at)?;
        let (id, sum) = (self.branches().get(place).id.clone(), self.sum(place)?);
        let depth = usize::try_from(depth).unwrap_or(usize::MAX);
        Some(Row { id, depth, open, living: sum.living(), worst: sum.worst(), matches: self.matches(at) })
    }

    /// The rows from one on.
    pub(crate) fn rows_from(&self, at: usize) -> impl Iterator<Item = Row> {
        (at..self.len()).map_while(|at| self.row(at))
    }

    /// The row of a node that is not folded away.
    pub(crate) fn position(&self, id: &NodeId) -> Option<usize> {
        let place = self.branches().place(id)?;
        self.slots.iter().position(|slot| slot.place == place)
    }

    /// Whether the filter lets the process in a row through itself.
    pub(crate) fn matches(&self, at: usize) -> bool {
        self.slots.get(at).is_some_and(|slot| match (&self.branches().get(slot.place).id, &self.left) {
            (NodeId::Group(_), _) => false,
            (NodeId::Process(_), None) => true,
            (NodeId::Process(_), Some(left)) => left.matches[slot.place],
        })
    }

    /// The groups, in their order.
    fn roots(&self) -> Vec<Place> {
        let mut roots: Vec<Place> = self.branches().groups().filter(|place| self.sum(*place).is_some()).collect();
        roots.sort_by_cached_key(|place| {
            let NodeId::Group(group) = &self.branches().get(*place).id else { return (true, 0, None, GroupId::Host) };
            let by_time = matches!(group, GroupId::Container(_)).then(|| self.branches().since(*place));
            let hot = self.sum(*place).is_some_and(Sum::is_hot);
            (!hot, kind_rank(group), by_time, group.clone())
        });
        roots
    }

    /// Children in the order that the user chose, the last first. They stand in that of their starts.
    fn sorted(&self, children: &[Place], scene: &Scene<'_>, sort: Sort) -> impl Iterator<Item = Place> {
        let key = |place: &Place| match &self.branches().get(*place).id {
            NodeId::Process(key) => *key,
            NodeId::Group(_) => ProcessKey::UNKNOWN,
        };
        let mut children = children.to_vec();
        match sort.by {
            1 => children.sort_by_cached_key(|place| scene.name(key(place)).unwrap_or_default().to_vec()),
            2 => children.sort_by_key(|place| key(place).pid),
            3 => children.sort_by_key(|place| std::cmp::Reverse(self.sum(*place).and_then(Sum::worst))),
            _ => {}
        }
        if !sort.reversed {
            children.reverse();
        }
        children.into_iter()
    }

    fn place(&self, id: &NodeId) -> Option<Place> {
        self.branches().place(id).filter(|place| self.sum(*place).is_some())
    }

    /// What a node stands in.
    pub(crate) fn parent(&self, id: &NodeId) -> Option<NodeId> {
        let parent = self.branches().get(self.place(id)?).parent?;
        Some(self.branches().get(parent).id.clone())
    }

    /// Whether a node is in the tree at all, folded away or not.
    pub(crate) fn contains(&self, id: &NodeId) -> bool {
        self.place(id).is_some()
    }

    /// The first process of a group.
    pub(crate) fn first_process(&self, id: &NodeId) -> Option<ProcessKey> {
        let children = &self.branches().get(self.place(id)?).children;
        let first = children.iter().find(|child| self.sum(**child).is_some())?;
        match &self.branches().get(*first).id {
            NodeId::Process(key) => Some(*key),
            NodeId::Group(_) => None,
        }
    }

    /// A node and all below it that have children.
    pub(crate) fn branches_below(&self, id: &NodeId) -> Vec<NodeId> {
        let mut found = Vec::new();
        let mut stack: Vec<Place> = self.place(id).into_iter().collect();
        while let Some(place) = stack.pop() {
            let branch = self.branches().get(place);
            let before = stack.len();
            stack.extend(branch.children.iter().filter(|child| self.sum(**child).is_some()));
            if stack.len() > before {
                found.push(branch.id.clone());
            }
        }
        found
    }
}

fn is_open(id: &NodeId, sum: &Sum, state: &State) -> bool {
    let narrowed = !state.filter.is_empty() || state.listed.0.is_some();
    let chosen = if state.folds.is_empty() { None } else { state.folds.get(id).copied() };
    chosen.unwrap_or(narrowed || sum.is_hot())
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
