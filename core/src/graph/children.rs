//! The children of a process: most have none.

use std::collections::VecDeque;
use std::collections::vec_deque::Iter;

use crate::event::ProcessKey;

/// Children, in the order in which they became known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(clippy::box_collection, reason = "most processes have none, and that takes 8 bytes and not 32")]
pub struct Children(Option<Box<VecDeque<ProcessKey>>>);

impl Children {
    /// All of them.
    pub fn iter(&self) -> Iter<'_, ProcessKey> {
        self.0.as_deref().map(VecDeque::iter).unwrap_or_default()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.iter().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn push(&mut self, child: ProcessKey) {
        self.0.get_or_insert_default().push_back(child);
    }

    pub(super) fn remove(&mut self, child: ProcessKey) {
        let Some(all) = &mut self.0 else { return };
        if let Some(at) = all.iter().position(|key| *key == child) {
            all.remove(at);
        }
        if all.is_empty() {
            self.0 = None;
        }
    }
}

impl FromIterator<ProcessKey> for Children {
    fn from_iter<I: IntoIterator<Item = ProcessKey>>(keys: I) -> Self {
        let keys: VecDeque<ProcessKey> = keys.into_iter().collect();
        Children((!keys.is_empty()).then(|| Box::new(keys)))
    }
}

impl<'a> IntoIterator for &'a Children {
    type Item = &'a ProcessKey;
    type IntoIter = Iter<'a, ProcessKey>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
