//! Entries by key, in the order in which they came. To find, add or remove one costs the same however many there are, and
//! no entry is ever moved: neither a full table nor one that has to forget makes an event wait.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Entries are allocated so many at a time.
const CHUNK: usize = 256;
/// No entry.
const NONE: u32 = u32::MAX;

/// A place of an entry, as long as that is there.
pub(super) type Place = u32;

#[derive(Debug, Clone)]
pub(super) struct Table<K, V> {
    chunks: Vec<Vec<Slot<K, V>>>,
    places: HashTable<Place>,
    hasher: RandomState,
    free: Vec<Place>,
    first: Place,
    last: Place,
}

#[derive(Debug, Clone)]
struct Slot<K, V> {
    entry: Option<(K, V)>,
    before: Place,
    after: Place,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Table {
            chunks: Vec::new(),
            places: HashTable::new(),
            hasher: RandomState::default(),
            free: Vec::new(),
            first: NONE,
            last: NONE,
        }
    }
}

impl<K: Hash + Eq, V> Table<K, V> {
    /// What an entry costs, in bytes, without what it points to: its slot, and its place at the usual load.
    pub(super) const COST: usize = size_of::<Slot<K, V>>() + 8;

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn place(&self, key: &K) -> Option<Place> {
        let same = |place: &Place| self.entry(*place).is_some_and(|(known, _)| known == key);
        self.places.find(self.hasher.hash_one(key), same).copied()
    }

    /// Behind the last place that was ever taken.
    pub(super) fn end(&self) -> Place {
        let places =
            self.chunks.iter().rev().take(1).map(Vec::len).sum::<usize>() + self.chunks.len().saturating_sub(1) * CHUNK;
        Place::try_from(places).unwrap_or(NONE)
    }

    fn slot(&self, place: Place) -> &Slot<K, V> {
        &self.chunks[place as usize / CHUNK][place as usize % CHUNK]
    }

    fn slot_mut(&mut self, place: Place) -> &mut Slot<K, V> {
        &mut self.chunks[place as usize / CHUNK][place as usize % CHUNK]
    }

    fn entry(&self, place: Place) -> Option<&(K, V)> {
        self.chunks.get(place as usize / CHUNK)?.get(place as usize % CHUNK)?.entry.as_ref()
    }

    /// The entry at a place.
    pub(super) fn at(&self, place: Place) -> Option<(&K, &V)> {
        self.entry(place).map(|(key, value)| (key, value))
    }

    /// The value at a place.
    pub(super) fn at_mut(&mut self, place: Place) -> Option<&mut V> {
        self.slot_mut(place).entry.as_mut().map(|(_, value)| value)
    }

    /// The value at a place that was given for a key just now.
    pub(super) fn value_mut(&mut self, place: Place) -> &mut V {
        self.slot_mut(place).entry.as_mut().map(|(_, value)| value).expect("the place of an entry")
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entry(self.place(key)?).map(|(_, value)| value)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let place = self.place(key)?;
        self.at_mut(place)
    }

    /// Adds an entry behind all others, or replaces the value of the one that is there. Gives its place.
    pub(super) fn insert(&mut self, key: K, value: V) -> Place {
        if let Some(place) = self.place(&key) {
            self.slot_mut(place).entry = Some((key, value));
            return place;
        }
        let hash = self.hasher.hash_one(&key);
        let slot = Slot { entry: Some((key, value)), before: self.last, after: NONE };
        let place = match self.free.pop() {
            Some(place) => {
                *self.slot_mut(place) = slot;
                place
            }
            None => self.append(slot),
        };
        match self.last {
            NONE => self.first = place,
            last => self.slot_mut(last).after = place,
        }
        self.last = place;
        let (chunks, hasher) = (&self.chunks, &self.hasher);
        self.places.insert_unique(hash, place, |place| {
            let slot = &chunks[*place as usize / CHUNK][*place as usize % CHUNK];
            slot.entry.as_ref().map_or(0, |(key, _)| hasher.hash_one(key))
        });
        place
    }

    fn append(&mut self, slot: Slot<K, V>) -> Place {
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let before = (self.chunks.len() - 1) * CHUNK;
        let place = self.chunks.last().map_or(0, Vec::len) + before;
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.push(slot);
        }
        Place::try_from(place).unwrap_or(NONE)
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let hash = self.hasher.hash_one(key);
        let chunks = &self.chunks;
        let same = |place: &Place| {
            let slot = &chunks[*place as usize / CHUNK][*place as usize % CHUNK];
            slot.entry.as_ref().is_some_and(|(known, _)| known == key)
        };
        let (place, _) = self.places.find_entry(hash, same).ok()?.remove();
        let slot = self.slot_mut(place);
        let (entry, before, after) = (slot.entry.take(), slot.before, slot.after);
        match before {
            NONE => self.first = after,
            before => self.slot_mut(before).after = after,
        }
        match after {
            NONE => self.last = before,
            after => self.slot_mut(after).before = before,
        }
        self.free.push(place);
        entry.map(|(_, value)| value)
    }

    /// All, in the order in which they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let mut next = self.first;
        std::iter::from_fn(move || {
            if next == NONE {
                return None;
            }
            let slot = self.slot(next);
            next = slot.after;
            slot.entry.as_ref().map(|(key, value)| (key, value))
        })
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
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
        assert_eq!(table.chunks.len(), 2_000 / CHUNK + 1, "what is free is used again");
        for key in expected {
            table.remove(&key);
        }
        assert!(table.iter().next().is_none() && table.len() == 0);
    }
}
