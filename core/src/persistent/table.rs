//! Entries by key, in the order in which they came. To find, add or remove one costs the same however many there are, and
//! no entry is ever moved: neither a full table nor one that has to forget makes an event wait.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};
use std::sync::OnceLock;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::{Chunks, Stock};

/// No entry.
const NONE: u32 = u32::MAX;

/// The hash of no key.
const NO_KEY: u32 = 0;

/// A place of an entry, as long as that is there.
pub type Place = u32;

/// Entries by key, in the order in which they came. Copies share the entries. The index of where they are is not copied: a
/// copy makes its own when it is first asked for a key, so that one which nobody asks takes no memory for it.
#[derive(Debug)]
pub struct Table<K, V> {
    slots: Chunks<Slot<K, V>>,
    /// The hash of each key, by its place; where there is none, [`NO_KEY`]. A copy makes its index of these, without a look at
    /// the entries.
    hashes: Chunks<u32>,
    len: usize,
    places: OnceLock<HashTable<Indexed>>,
    hasher: RandomState,
    /// The free place that was taken last; each one's `after` is the next.
    free: Place,
    first: Place,
    last: Place,
}

/// Where the entry of a key stands that has this hash. With the hash beside it an index grows, and is tidied up after what went,
/// without a look at the entries, which lie all over the memory.
#[derive(Debug, Clone, Copy)]
struct Indexed {
    hash: u32,
    place: Place,
}

impl Indexed {
    /// The hash as the index wants it: good bits at both ends.
    fn spread(&self) -> u64 {
        u64::from(self.hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
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
            slots: Chunks::default(),
            hashes: Chunks::default(),
            len: 0,
            places: OnceLock::new(),
            hasher: RandomState::default(),
            free: NONE,
            first: NONE,
            last: NONE,
        }
    }
}

impl<K, V> Default for Slot<K, V> {
    fn default() -> Self {
        Slot { entry: None, before: NONE, after: NONE }
    }
}

impl<K, V> Clone for Table<K, V> {
    fn clone(&self) -> Self {
        Table {
            slots: self.slots.clone(),
            hashes: self.hashes.clone(),
            len: self.len,
            places: OnceLock::new(),
            hasher: self.hasher.clone(),
            free: self.free,
            first: self.first,
            last: self.last,
        }
    }
}

impl<K, V> Table<K, V> {
    /// What an entry costs, in bytes, without what it points to: its slot, and its place at the usual load.
    pub const COST: usize = size_of::<Slot<K, V>>() + size_of::<u32>() + 14;

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Behind the last place that was ever taken.
    pub fn end(&self) -> Place {
        Place::try_from(self.slots.len()).unwrap_or(NONE)
    }

    /// As [`Chunks::take_stock`].
    pub fn take_stock(&mut self) -> Stock {
        self.slots.take_stock() + self.hashes.take_stock()
    }

    fn entry(&self, place: Place) -> Option<&(K, V)> {
        self.slots.get(place as usize)?.entry.as_ref()
    }

    /// The entry at a place.
    pub fn at(&self, place: Place) -> Option<(&K, &V)> {
        self.entry(place).map(|(key, value)| (key, value))
    }

    /// All, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let mut next = self.first;
        std::iter::from_fn(move || {
            let slot = self.slots.get(next as usize)?;
            next = slot.after;
            slot.entry.as_ref().map(|(key, value)| (key, value))
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
    fn places(&self) -> &HashTable<Indexed> {
        self.places.get_or_init(|| self.index())
    }

    #[allow(clippy::cast_possible_truncation, reason = "half of a hash is one too")]
    fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u32 {
        (self.hasher.hash_one(key) as u32).max(NO_KEY + 1)
    }

    #[cold]
    fn index(&self) -> HashTable<Indexed> {
        // With room for some more, or the next one to come would have all of them moved.
        let mut places = HashTable::with_capacity(self.len + self.len / 4);
        for place in 0..self.end() {
            let hash = self.hashes.get(place as usize).copied().unwrap_or(NO_KEY);
            if hash != NO_KEY {
                let indexed = Indexed { hash, place };
                places.insert_unique(indexed.spread(), indexed, Indexed::spread);
            }
        }
        places
    }

    /// Where the entry of a key stands.
    pub fn place<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<Place>
    where
        K: Borrow<Q>,
    {
        self.find(self.hash(key), key)
    }

    fn find<Q: Eq + ?Sized>(&self, hash: u32, key: &Q) -> Option<Place>
    where
        K: Borrow<Q>,
    {
        let same = |indexed: &Indexed| {
            indexed.hash == hash && self.entry(indexed.place).is_some_and(|(known, _)| known.borrow() == key)
        };
        self.places().find(Indexed { hash, place: NONE }.spread(), same).map(|indexed| indexed.place)
    }

    /// The value of a key.
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entry(self.place(key)?).map(|(_, value)| value)
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
    fn slot_mut(&mut self, place: Place) -> Option<&mut Slot<K, V>> {
        self.slots.get_mut(place as usize)
    }

    /// The value at a place, to be changed.
    pub fn at_mut(&mut self, place: Place) -> Option<&mut V> {
        self.slot_mut(place)?.entry.as_mut().map(|(_, value)| value)
    }

    /// The value at a place, to be changed, if it has to be: what stays as it is need not be copied for those who share it.
    pub fn at_mut_if(&mut self, place: Place, must: impl FnOnce(&V) -> bool) -> Option<&mut V> {
        if must(&self.entry(place)?.1) { self.at_mut(place) } else { None }
    }

    /// The value at a place that was given for a key just now.
    ///
    /// # Panics
    /// When there is none.
    pub fn value_mut(&mut self, place: Place) -> &mut V {
        self.at_mut(place).expect("the place of an entry")
    }

    /// The value of a key, to be changed.
    pub fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key)?;
        self.at_mut(place)
    }

    /// Adds an entry behind all others, or replaces the value of the one that is there. Gives its place.
    pub fn insert(&mut self, key: K, value: V) -> Place {
        let hash = self.hash(&key);
        if let Some(place) = self.find(hash, &key) {
            if let Some(slot) = self.slot_mut(place) {
                slot.entry = Some((key, value));
            }
            return place;
        }
        self.append(hash, key, value)
    }

    /// The value of a key, to be changed; made by `value` and put behind all others when there is none.
    pub fn or_insert_with(&mut self, key: K, value: impl FnOnce() -> V) -> &mut V {
        let hash = self.hash(&key);
        let place = match self.find(hash, &key) {
            Some(place) => place,
            None => self.append(hash, key, value()),
        };
        self.value_mut(place)
    }

    fn append(&mut self, hash: u32, key: K, value: V) -> Place {
        let slot = Slot { entry: Some((key, value)), before: self.last, after: NONE };
        let place = match self.free {
            NONE => {
                let place = self.end();
                self.slots.push(slot);
                self.hashes.push(hash);
                place
            }
            place => {
                if let Some(free) = self.slot_mut(place) {
                    let next = free.after;
                    *free = slot;
                    self.free = next;
                }
                self.note_hash(place, hash);
                place
            }
        };
        match self.slot_mut(self.last) {
            Some(last) => last.after = place,
            None => self.first = place,
        }
        self.last = place;
        self.len += 1;
        // Without an index it will be in the one that is made.
        if let Some(places) = self.places.get_mut() {
            let indexed = Indexed { hash, place };
            places.insert_unique(indexed.spread(), indexed, Indexed::spread);
        }
        place
    }

    /// Takes an entry out.
    pub fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let hash = self.hash(key);
        let place = self.find(hash, key)?;
        self.take_out(hash, place).map(|(_, value)| value)
    }

    /// Takes out the entry that came first.
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        let place = self.first;
        let hash = *self.hashes.get(place as usize)?;
        self.take_out(hash, place)
    }

    /// Keeps the entries for which `keep` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &V) -> bool) {
        let goes: Vec<K> = self.iter().filter(|(key, value)| !keep(key, value)).map(|(key, _)| key.clone()).collect();
        goes.iter().for_each(|key| drop(self.remove(key)));
    }

    fn note_hash(&mut self, place: Place, hash: u32) {
        if let Some(known) = self.hashes.get_mut(place as usize) {
            *known = hash;
        }
    }

    fn take_out(&mut self, hash: u32, place: Place) -> Option<(K, V)> {
        if let Some(places) = self.places.get_mut()
            && let Ok(known) = places.find_entry(Indexed { hash, place }.spread(), |known| known.place == place)
        {
            known.remove();
        }
        let next_free = self.free;
        let slot = self.slot_mut(place)?;
        let (entry, before, after) = (slot.entry.take(), slot.before, slot.after);
        slot.after = next_free;
        match self.slot_mut(before) {
            Some(slot) => slot.after = after,
            None => self.first = after,
        }
        match self.slot_mut(after) {
            Some(slot) => slot.before = before,
            None => self.last = before,
        }
        self.free = place;
        self.note_hash(place, NO_KEY);
        self.len -= usize::from(entry.is_some());
        entry
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
        assert_eq!(table.slots.len(), 2_000, "what is free is used again");
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
