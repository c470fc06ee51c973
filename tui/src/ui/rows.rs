//! The rows of a long list, in their order: what has changed is put where it belongs, and all else stays.

use std::collections::HashSet;

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
    pub(crate) name: Box<[u8]>,
    pub(crate) numbers: [u64; 4],
}

/// A number by which the largest comes first.
pub(crate) fn falling(n: u64) -> u64 {
    u64::MAX - n
}

/// A row, and what must be known of it without looking at what it shows.
#[derive(Debug, Clone)]
pub(crate) struct Row<T> {
    pub(crate) rank: Rank,
    /// Where it stands among all that are known.
    pub(crate) place: Place,
    /// Whose it is, if its rank or what is told of it comes from there.
    pub(crate) process: ProcessKey,
    pub(crate) told: T,
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
pub(crate) struct Rows<V, T> {
    stamp: Option<Stamp<V>>,
    /// All changes before these are known: of what is listed, and of processes.
    seen: (u64, u64),
    rows: Vec<Row<T>>,
}

impl<V, T> Default for Rows<V, T> {
    fn default() -> Self {
        Rows { stamp: None, seen: (0, 0), rows: Vec::new() }
    }
}

impl<V: PartialEq, T> Rows<V, T> {
    /// Brings them up to date, in their order. `row` makes one, if it is listed.
    pub(crate) fn follow(
        &mut self,
        scene: &Scene<'_>,
        stamp: Stamp<V>,
        changes: &Journal<Place>,
        all: impl Iterator<Item = Place>,
        row: impl Fn(Place) -> Option<Row<T>>,
    ) -> &[Row<T>] {
        let processes = &scene.changes.processes;
        let same = self.stamp.as_ref() == Some(&stamp);
        // What was does not change.
        if !(same && stamp.past.is_some()) {
            match (changes.since(self.seen.0), processes.since(self.seen.1)) {
                (Some(changed), Some(others)) if same => self.move_changed(changed, others.collect(), row),
                _ => self.rows = all.filter_map(row).collect(),
            }
            // Two orders one after the other, or no order at all: both are what this sorting is good at.
            self.rows.sort_by(|a, b| (&a.rank, a.place).cmp(&(&b.rank, b.place)));
        }
        self.stamp = Some(stamp);
        self.seen = (changes.end(), processes.end());
        &self.rows
    }

    /// Takes out what has changed, and puts it behind all others as it is now.
    fn move_changed(
        &mut self,
        changed: impl Iterator<Item = Place>,
        processes: HashSet<ProcessKey>,
        row: impl Fn(Place) -> Option<Row<T>>,
    ) {
        let mut goes: Vec<bool> = Vec::new();
        let mut again: Vec<Place> = Vec::new();
        let mut take = |place: Place| {
            let at = place as usize;
            if goes.len() <= at {
                goes.resize(at + 1, false);
            }
            if !std::mem::replace(&mut goes[at], true) {
                again.push(place);
            }
        };
        changed.for_each(&mut take);
        let of_changed = self.rows.iter().filter(|row| processes.contains(&row.process)).map(|row| row.place);
        of_changed.for_each(&mut take);
        if !again.is_empty() {
            self.rows.retain(|row| !goes.get(row.place as usize).is_some_and(|goes| *goes));
            self.rows.extend(again.into_iter().filter_map(row));
        }
    }
}
