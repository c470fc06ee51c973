//! What filter and scope leave of the tree: the processes that they let through, and those above them.

use lanner_core::event::ProcessKey;

use super::NodeId;
use super::branches::{Branches, Place, Sum};
use crate::ui::scene::Scene;
use crate::ui::scope::Scope;
use crate::ui::state::{State, Subject};

/// What is left, by place.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// What is known of all that is left of a branch; `None`: it is left out.
    sums: Vec<Option<Sum>>,
    /// The filter lets it through itself, and not only what lies below it.
    pub(super) matches: Vec<bool>,
    /// All that is left, each below what it stands in.
    order: Vec<Place>,
}

impl Left {
    fn clear(&mut self, end: Place) {
        self.sums.clear();
        self.sums.resize(end, None);
        self.matches.clear();
        self.matches.resize(end, false);
    }

    pub(super) fn sum(&self, place: Place) -> Option<&Sum> {
        self.sums.get(place)?.as_ref()
    }
}

/// What filter and scope said of each process, by place, as long as it stays as it is.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    asked: Option<(String, Option<Subject>, u32, u64)>,
    /// Whether the scope holds it; and the filter lets it through besides.
    told: Vec<Option<(bool, bool)>>,
}

impl Verdicts {
    /// Finds what is left. `changed` are those that must be asked again; `None`: all.
    pub(super) fn narrow(
        &mut self,
        left: &mut Left,
        branches: &Branches,
        changed: Option<&[ProcessKey]>,
        scene: &Scene<'_>,
        state: &State,
        scope: &Scope<'_>,
    ) {
        self.turn_to(branches, changed, scene, state, scope);
        left.clear(branches.end());
        for (place, key) in branches.processes() {
            let (within, passes) = *self.told[place].get_or_insert_with(|| {
                let within = scope.process(key, scene);
                let process = scene.graph.process(key).filter(|_| within);
                (within, process.is_some_and(|process| state.filter.process(process, scene)))
            });
            if within && (passes || state.listing.did(key) == Some(true)) {
                left.matches[place] = true;
                keep(branches, place, scene, left);
            }
        }
        sum(branches, left);
    }

    fn turn_to(
        &mut self,
        branches: &Branches,
        changed: Option<&[ProcessKey]>,
        scene: &Scene<'_>,
        state: &State,
        scope: &Scope<'_>,
    ) {
        let asked = (state.filter.text().to_owned(), state.listed.0.clone(), state.listed.1, scene.changes.names);
        // Who has to do with a file or a flow may be more with each event.
        let fleeting = matches!(scope, Scope::File(..) | Scope::Flow(..));
        if fleeting || self.asked.as_ref() != Some(&asked) || changed.is_none() {
            self.told.clear();
            self.asked = Some(asked);
        }
        self.told.resize(branches.end(), None);
        for place in changed.into_iter().flatten().filter_map(|key| branches.process(*key)) {
            self.told[place] = None;
        }
    }
}

/// Keeps a process and those above it, as far as they are shown.
fn keep(branches: &Branches, place: Place, scene: &Scene<'_>, left: &mut Left) {
    let mut next = place;
    // Those above one that is kept are kept already.
    while left.sums[next].is_none() {
        let branch = branches.get(next);
        let NodeId::Process(key) = branch.id else { return };
        left.sums[next] = Some(Sum::of(branch.own));
        match branch.parent.filter(|parent| branches.is_of(*parent, branch.made_by)) {
            Some(parent) => next = parent,
            // Whoever lies between stands elsewhere, or has ended.
            None => {
                let above = scene.graph.ancestors(key).filter_map(|ancestor| branches.process(ancestor.key));
                for place in above {
                    if left.sums[place].is_some() {
                        return;
                    }
                    left.sums[place] = Some(Sum::of(branches.get(place).own));
                }
                return;
            }
        }
    }
}

/// Sums up what is left of each branch, the deepest first.
fn sum(branches: &Branches, left: &mut Left) {
    let Left { sums, order, .. } = left;
    order.clear();
    order.extend(branches.groups());
    let mut next = 0;
    while let Some(place) = order.get(next).copied() {
        next += 1;
        order.extend(branches.get(place).children.iter().filter(|child| sums[**child].is_some()));
    }
    for place in order.iter().rev().copied() {
        let branch = branches.get(place);
        if let (Some(sum), Some(parent)) = (sums[place], branch.parent) {
            sums[parent].get_or_insert_default().add(&sum, branch.own.involved);
        }
    }
}
