//! A map that forgets what came first.

use std::collections::{HashMap, VecDeque};

/// How much it holds.
pub(super) const MAX_REMEMBERED: usize = 8_192;

/// The map.
#[derive(Debug)]
pub(super) struct Bounded<K, V> {
    map: HashMap<K, V>,
    order: VecDeque<K>,
}

impl<K, V> Default for Bounded<K, V> {
    fn default() -> Self {
        Bounded { map: HashMap::new(), order: VecDeque::new() }
    }
}

impl<K: Clone + Eq + std::hash::Hash, V> Bounded<K, V> {
    pub(super) fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + std::hash::Hash + ?Sized,
    {
        self.map.get(key)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.map.get_mut(key)
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        // Its place in the order stays, and is forgotten in its turn.
        self.map.remove(key)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.map.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
            if self.order.len() > MAX_REMEMBERED
                && let Some(first) = self.order.pop_front()
            {
                self.map.remove(&first);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut bounded = Bounded::default();
        (0..2 * MAX_REMEMBERED).for_each(|i| bounded.insert(i, ()));
        assert_eq!(bounded.map.len(), MAX_REMEMBERED);
        assert!(bounded.get(&0).is_none() && bounded.get(&MAX_REMEMBERED).is_some());
    }
}
