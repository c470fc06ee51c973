//! The flows of a process. To look through all that are known takes a frame's time: that is done when a process is first looked
//! at, or at another moment; from then on they follow what changes.

use std::collections::BTreeSet;

use lanner_core::event::ProcessKey;
use lanner_core::persistent::Place;

use crate::ui::known::flows::Line;
use crate::ui::scene::Scene;

/// The flows of the process that was looked at last.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    /// Which process it is, and at which moment: the number of the event that comes next, or now.
    of: Option<(ProcessKey, Option<u64>)>,
    /// All changes before this one are known.
    seen: u64,
    places: BTreeSet<Place>,
}

impl Sockets {
    /// Brings it up to date, and gives what it is.
    pub(super) fn of<'a>(&mut self, scene: &Scene<'a>, key: ProcessKey) -> Vec<&'a Line> {
        let now = (key, scene.past());
        let same = self.of == Some(now);
        let is_its = |place: Place| scene.flows.at(place).is_some_and(|line| line.process == key);
        let changes = &scene.changes.flows;
        match changes.since(self.seen) {
            // What was does not change.
            _ if same && now.1.is_some() => {}
            Some(changed) if same => changed.for_each(|place| {
                if is_its(place) {
                    self.places.insert(place);
                } else {
                    self.places.remove(&place);
                }
            }),
            _ => (self.of, self.places) = (Some(now), scene.flows.places().filter(|place| is_its(*place)).collect()),
        }
        self.seen = changes.end();
        // What was may have changed after all, when it is kept no more.
        self.places.iter().filter_map(|place| scene.flows.at(*place)).filter(|line| line.process == key).collect()
    }
}
