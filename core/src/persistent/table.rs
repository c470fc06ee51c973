//! Entries by key, in the order in which they came.

use std::borrow::Borrow;
use std::hash::Hash;

use super::bag::NONE;
use super::{Bag, Place, Stock};

/// Entries by key, in the order in which they came: a [`Bag`] in which each knows its neighbours.
#[derive(Debug, Clone)]
pub struct Table<K, V> {
    entries: Bag<K, Placed<V>>,
    first: Place,
    last: Place,
}

#[derive(Debug, Clone)]
struct Placed<V> {
    value: V,
    before: Place,
    after: Place,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Table { entries: Bag::default(), first: NONE, last: NONE }
    }
}

impl<K, V> Table<K, V> {
    /// As [`Bag::COST`].
    pub const COST: usize = Bag::<K, Placed<V>>::COST;

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// As [`Bag::end`].
    pub fn end(&self) -> Place {
        self.entries.end()
    }

    /// As [`super::Chunks::take_stock`].
    pub fn take_stock(&mut self) -> Stock {
        self.entries.take_stock()
    }

    /// The entry at a place.
    pub fn at(&self, place: Place) -> Option<(&K, &V)> {
        self.entries.at(place).map(|(key, placed)| (key, &placed.value))
    }

    /// The value at a place that was given for a key just now.
    ///
    /// # Panics
    /// When there is none.
    pub fn value(&self, place: Place) -> &V {
        self.at(place).expect("the place of an entry").1
    }

    /// All, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let mut next = self.first;
        std::iter::from_fn(move || {
            let (key, placed) = self.entries.at(next)?;
            next = placed.after;
            Some((key, &placed.value))
        })
    }

    /// All keys, in the order in which they came.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// All values, in the order in which their keys came.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }
}

impl<K: Hash + Eq, V> Table<K, V> {
    /// Where the entry of a key stands.
    pub fn place<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<Place>
    where
        K: Borrow<Q>,
    {
        self.entries.place(key)
    }

    /// The value of a key.
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key).map(|placed| &placed.value)
    }

    /// Whether there is a key.
    pub fn contains_key<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(key).is_some()
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Table<K, V> {
    /// The value at a place, to be changed.
    pub fn at_mut(&mut self, place: Place) -> Option<&mut V> {
        self.entries.at_mut(place).map(|placed| &mut placed.value)
    }

    /// The value at a place, to be changed, if it has to be: what stays as it is need not be copied for those who share it.
    pub fn at_mut_if(&mut self, place: Place, must: impl FnOnce(&V) -> bool) -> Option<&mut V> {
        self.entries.at_mut_if(place, |placed| must(&placed.value)).map(|placed| &mut placed.value)
    }

    /// The value at a place that was given for a key just now, to be changed.
    ///
    /// # Panics
    /// When there is none.
    pub fn value_mut(&mut self, place: Place) -> &mut V {
        &mut self.entries.value_mut(place).value
    }

    /// The value of a key, to be changed.
    pub fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.entries.get_mut(key).map(|placed| &mut placed.value)
    }

    /// Adds an entry behind all others, or replaces the value of the one that is there. Gives its place.
    pub fn insert(&mut self, key: K, value: V) -> Place {
        let (mut new, before) = (Some(value), self.last);
        let placed = || Placed { value: new.take().expect("a value that is taken once"), before, after: NONE };
        let (place, is_new) = self.entries.place_or_insert(key, placed);
        if is_new {
            self.append(place);
        } else if let Some(value) = new {
            *self.value_mut(place) = value;
        }
        place
    }

    /// The value of a key, to be changed; made by `value` and put behind all others when there is none.
    pub fn or_insert_with(&mut self, key: K, value: impl FnOnce() -> V) -> &mut V {
        let before = self.last;
        let (place, is_new) = self.entries.place_or_insert(key, || Placed { value: value(), before, after: NONE });
        if is_new {
            self.append(place);
        }
        self.value_mut(place)
    }

    fn append(&mut self, place: Place) {
        match self.entries.at_mut(self.last) {
            Some(last) => last.after = place,
            None => self.first = place,
        }
        self.last = place;
    }

    /// Takes an entry out.
    pub fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key)?;
        self.take_out(place).map(|(_, value)| value)
    }

    /// Takes out the entry that came first.
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        self.take_out(self.first)
    }

    /// Keeps the entries for which `keep` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &V) -> bool) {
        let goes: Vec<K> = self.iter().filter(|(key, value)| !keep(key, value)).map(|(key, _)| key.clone()).collect();
        goes.iter().for_each(|key| drop(self.remove(key)));
    }

    /// Takes out the entry at a place.
    pub fn take_out(&mut self, place: Place) -> Option<(K, V)> {
        let (key, Placed { value, before, after }) = self.entries.take_out(place)?;
        match self.entries.at_mut(before) {
            Some(placed) => placed.after = after,
            None => self.first = after,
        }
        match self.entries.at_mut(after) {
            Some(placed) => placed.before = before,
            None => self.last = before,
        }
        Some((key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_their_order_whoever_goes() {
        let mut table: Table<u64, u64> = Table::default();
        for i in 0..2_000 {
            table.insert(i, i * 2);
        }
        for i in (0..2_000).filter(|i| i % 3 != 0) {
            assert_eq!(table.remove(&i), Some(i * 2));
        }
        assert_eq!(table.remove(&1), None);
        table.insert(1, 5);
        table.insert(3, 7);
        let expected: Vec<u64> = (0..2_000).filter(|i| i % 3 == 0).chain([1]).collect();
        assert_eq!(table.iter().map(|(key, _)| *key).collect::<Vec<_>>(), expected);
        assert_eq!((table.len(), table.get(&3), table.get(&1), table.get(&2)), (668, Some(&7), Some(&5), None));
        assert_eq!(table.entries.end(), 2_000, "what is free is used again");
        for key in expected {
            table.remove(&key);
        }
        assert!(table.iter().next().is_none() && table.is_empty());
    }

    #[test]
    fn a_copy_stays_as_it_was() {
        let mut table: Table<u64, u64> = Table::default();
        for i in 0..5_000 {
            table.insert(i, i);
        }
        table.take_stock();
        let before = table.clone();
        table.retain(|key, _| key % 7 != 0);
        for i in 0..100 {
            table.insert(i * 7, 1);
        }
        for _ in 0..10 {
            table.pop_first();
        }
        *table.or_insert_with(20, || 0) += 1;
        assert!(before.iter().eq((0..5_000).collect::<Vec<_>>().iter().map(|i| (i, i))));
        assert_eq!((table.len(), table.get(&20), table.keys().next()), (4_375, Some(&21), Some(&12)));
        assert_eq!(
            (before.get(&20), before.get(&7), table.get(&7), table.get(&1)),
            (Some(&20), Some(&7), Some(&1), None)
        );
    }
}
