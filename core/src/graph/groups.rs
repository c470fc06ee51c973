//! Containers by what they have in common: there may be thousands, and few of them are asked for.

use std::borrow::Borrow;
use std::hash::Hash;

use crate::event::ContainerId;
use crate::persistent::{Stock, Table};

/// The containers of each pod, or those at home in each mount namespace, in the order in which that became known.
#[derive(Debug, Clone)]
pub(super) struct Groups<K>(Table<K, Vec<ContainerId>>);

impl<K> Default for Groups<K> {
    fn default() -> Self {
        Groups(Table::default())
    }
}

impl<K: Hash + Eq + Clone> Groups<K> {
    pub(super) fn join(&mut self, key: K, id: &ContainerId) {
        let group = self.0.or_insert_with(key, Vec::new);
        if !group.contains(id) {
            group.push(id.clone());
        }
    }

    pub(super) fn leave<Q: Hash + Eq + ?Sized>(&mut self, key: &Q, id: &ContainerId)
    where
        K: Borrow<Q>,
    {
        let Some(group) = self.0.get_mut(key) else { return };
        group.retain(|member| member != id);
        if group.is_empty() {
            self.0.remove(key);
        }
    }

    pub(super) fn of<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> &[ContainerId]
    where
        K: Borrow<Q>,
    {
        self.0.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    /// About how many bytes a clone takes that is taken now; what changes after it counts anew.
    pub(super) fn take_stock(&mut self) -> Stock {
        self.0.take_stock()
    }
}
