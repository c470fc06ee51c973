//! The rows of a long list, in their order: what has changed is put where it belongs, and all else stays.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use lanner_core::event::ProcessKey;
use lanner_core::persistent::Place;

use super::known::journal::Journal;
use super::scene::Scene;
use super::scope::Scope;
use super::sort::Sort;
use super::state::{Screen, State, Subject};

/// What a row is ordered by: by the name first, then by the numbers. Whatever is largest comes first where a number is
/// [`falling`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Rank {
    pub(crate) name: Option<Box<[u8]>>,
    pub(crate) numbers: [u64; 3],
}

impl Rank {
    pub(crate) fn by(numbers: [u64; 3]) -> Rank {
        Rank { name: None, numbers }
    }
}

/// A number by which the largest comes first.
pub(crate) fn falling(n: u64) -> u64 {
    u64::MAX - n
}

/// A row, and what must be known of it without looking at what it shows.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) rank: Rank,
    /// Whose it is: when one of them is another, so may the row be.
    pub(crate) processes: Vec<ProcessKey>,
    /// What is counted.
    pub(crate) marks: [bool; 2],
    /// What it has in common with others, where they stand together.
    pub(crate) title: Option<Arc<str>>,
}

/// What rows were made for: when that is another, all are made anew.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stamp<V> {
    /// The moment in the past: the number of the event that comes next.
    past: Option<u64>,
    view: V,
    sort: Sort,
    filter: String,
    scope: (Option<Subject>, u32),
    /// How far a long search has come; and, where the scope may be another with each event, how many there were.
    asked: (Option<u64>, u64),
    /// What things are called.
    names: u64,
}

impl<V> Stamp<V> {
    pub(crate) fn of(scene: &Scene<'_>, state: &State, scope: &Scope<'_>, screen: Screen, view: V) -> Stamp<V> {
        let fleeting = matches!(scope, Scope::File(..) | Scope::Flow(..));
        Stamp {
            past: scene.past(),
            view,
            sort: state.sorts.of(screen),
            filter: state.filter.text().to_owned(),
            scope: state.listed.clone(),
            asked: (state.listing.progress(scene), if fleeting { scene.latest.end } else { 0 }),
            names: scene.changes.names,
        }
    }
}

/// The rows that were shown last.
#[derive(Debug)]
pub(crate) struct Rows<V> {
    stamp: Option<Stamp<V>>,
    /// All changes before these are known: of what is listed, and of processes.
    seen: (u64, u64),
    order: BTreeSet<(Rank, Place)>,
    /// By place.
    rows: Vec<Option<Row>>,
    of: HashMap<ProcessKey, Group>,
    marked: [usize; 2],
    /// Those with the same title, and the groups in the order of their first rows.
    groups: HashMap<Arc<str>, Group>,
    heads: BTreeSet<(Rank, Place, Arc<str>)>,
}

/// Rows that stand together, in their order.
pub(crate) type Group = BTreeSet<(Rank, Place)>;

impl<V> Default for Rows<V> {
    fn default() -> Self {
        Rows {
            stamp: None,
            seen: (0, 0),
            order: BTreeSet::new(),
            rows: Vec::new(),
            of: HashMap::new(),
            marked: [0; 2],
            groups: HashMap::new(),
            heads: BTreeSet::new(),
        }
    }
}

impl<V: PartialEq> Rows<V> {
    /// Brings them up to date. `row` makes one, if it is listed.
    pub(crate) fn follow(
        &mut self,
        scene: &Scene<'_>,
        stamp: Stamp<V>,
        changes: &Journal<Place>,
        all: impl Iterator<Item = Place>,
        row: impl Fn(Place) -> Option<Row>,
    ) {
        let processes = &scene.changes.processes;
        let same = self.stamp.as_ref() == Some(&stamp);
        match (changes.since(self.seen.0), processes.since(self.seen.1)) {
            // What was does not change.
            _ if same && stamp.past.is_some() => {}
            (Some(changed), Some(others)) if same => {
                let mut changed: Vec<Place> = changed.collect();
                changed.extend(others.filter_map(|key| self.of.get(&key)).flatten().map(|(_, place)| *place));
                changed.sort_unstable();
                changed.dedup();
                changed.into_iter().for_each(|place| self.put(place, row(place)));
            }
            _ => {
                *self = Rows { stamp: Some(stamp), ..Rows::default() };
                all.for_each(|place| self.put(place, row(place)));
            }
        }
        self.seen = (changes.end(), processes.end());
    }

    /// What is at a place now; `None`: nothing that is listed.
    fn put(&mut self, place: Place, row: Option<Row>) {
        let at = place as usize;
        if self.rows.len() <= at {
            self.rows.resize_with(at + 1, || None);
        }
        if let Some(before) = self.rows[at].take() {
            for (marked, was) in self.marked.iter_mut().zip(before.marks) {
                *marked -= usize::from(was);
            }
            let ranked = (before.rank, place);
            self.order.remove(&ranked);
            self.regroup(before.title.as_ref(), |group| group.remove(&ranked));
            for process in before.processes {
                if let Some(rows) = self.of.get_mut(&process) {
                    rows.remove(&ranked);
                    if rows.is_empty() {
                        self.of.remove(&process);
                    }
                }
            }
        }
        if let Some(row) = &row {
            for (marked, is) in self.marked.iter_mut().zip(row.marks) {
                *marked += usize::from(is);
            }
            let ranked = (row.rank.clone(), place);
            for process in &row.processes {
                self.of.entry(*process).or_default().insert(ranked.clone());
            }
            self.regroup(row.title.as_ref(), |group| group.insert(ranked.clone()));
            self.order.insert(ranked);
        }
        self.rows[at] = row;
    }

    fn regroup(&mut self, title: Option<&Arc<str>>, change: impl FnOnce(&mut Group) -> bool) {
        let Some(title) = title else { return };
        let reversed = self.is_reversed();
        let group = self.groups.entry(Arc::clone(title)).or_default();
        let head = |group: &Group| if reversed { group.last().cloned() } else { group.first().cloned() };
        let before = head(group);
        change(group);
        let after = head(group);
        if after.is_none() {
            self.groups.remove(title);
        }
        if before != after {
            let of = |(rank, place)| (rank, place, Arc::clone(title));
            if let Some(head) = before.map(of) {
                self.heads.remove(&head);
            }
            self.heads.extend(after.map(of));
        }
    }
}

/// What stands in a list of groups.
pub(crate) enum Grouped<'a> {
    /// The title of those below.
    Head(&'a Arc<str>, &'a Group),
    /// One of them.
    Row(Place),
}

impl<V> Rows<V> {
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// How many have each of the marks.
    pub(crate) fn marked(&self) -> [usize; 2] {
        self.marked
    }

    pub(crate) fn row(&self, place: Place) -> Option<&Row> {
        self.rows.get(place as usize)?.as_ref()
    }

    fn is_reversed(&self) -> bool {
        self.stamp.as_ref().is_some_and(|stamp| stamp.sort.reversed)
    }

    /// All places, in their order.
    pub(crate) fn places(&self) -> Box<dyn Iterator<Item = Place> + '_> {
        let places = self.order.iter().map(|(_, place)| *place);
        if self.is_reversed() { Box::new(places.rev()) } else { Box::new(places) }
    }

    /// How many rows stand before that of a place; `None`: it has none.
    pub(crate) fn index(&self, place: Place) -> Option<usize> {
        let row = self.row(place)?;
        let before = self.order.range(..(row.rank.clone(), place)).count();
        Some(if self.is_reversed() { self.len() - 1 - before } else { before })
    }

    /// The places of a group, in their order.
    pub(crate) fn of_group<'a>(&self, group: &'a Group) -> Box<dyn Iterator<Item = Place> + 'a> {
        let places = group.iter().map(|(_, place)| *place);
        if self.is_reversed() { Box::new(places.rev()) } else { Box::new(places) }
    }

    /// The groups, in the order of their first rows.
    pub(crate) fn groups(&self) -> Box<dyn Iterator<Item = (&Arc<str>, &Group)> + '_> {
        let group = |head: &(Rank, Place, Arc<str>)| self.groups.get_key_value(&head.2);
        if self.is_reversed() {
            Box::new(self.heads.iter().rev().filter_map(group))
        } else {
            Box::new(self.heads.iter().filter_map(group))
        }
    }

    /// How many rows there are when each group has a head.
    pub(crate) fn len_grouped(&self) -> usize {
        self.len() + self.groups.len()
    }

    /// Groups with their heads, from a row on.
    pub(crate) fn grouped<'a>(&'a self, from: usize) -> impl Iterator<Item = Grouped<'a>> {
        let mut left = from;
        let from = move |(title, group): (&'a Arc<str>, &'a Group)| {
            let passed = left.min(1 + group.len());
            left -= passed;
            (passed <= group.len()).then_some((title, group, passed))
        };
        self.groups().filter_map(from).flat_map(|(title, group, passed)| {
            let rows = self.of_group(group).map(Grouped::Row);
            std::iter::once(Grouped::Head(title, group)).chain(rows).skip(passed)
        })
    }

    /// As [`Rows::index`], among groups with their heads.
    pub(crate) fn index_grouped(&self, place: Place) -> Option<usize> {
        let own = self.row(place)?.title.as_ref()?;
        let before: usize =
            self.groups().take_while(|(title, _)| *title != own).map(|(_, group)| 1 + group.len()).sum();
        let within = self.of_group(self.groups.get(own)?).position(|other| other == place)?;
        Some(before + 1 + within)
    }

    /// The first row of a process.
    pub(crate) fn first_of(&self, process: ProcessKey) -> Option<Place> {
        self.of_group(self.of.get(&process)?).next()
    }
}
