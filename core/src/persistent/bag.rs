//! Entries by key. To find, add or remove one costs the same however many there are, and no entry is ever moved: neither a
//! full bag nor one that has to forget makes an event wait.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};
use std::sync::OnceLock;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::{Chunks, Stock};

/// No entry.
pub(super) const NONE: Place = Place::MAX;

/// The hash of no key.
const NO_KEY: u32 = 0;

/// A place of an entry, as long as that is there.
pub type Place = u32;

/// Entries by key, in no order. Copies share the entries. The index of where they are is not copied: a copy makes its own
/// when it is first asked for a key, so that one which nobody asks takes no memory for it.
#[derive(Debug)]
pub struct Bag<K, V> {
    slots: Chunks<Slot<K, V>>,
    /// The hash of each key, by its place; where there is none, [`NO_KEY`]. A copy makes its index of these, without a look at
    /// the entries.
    hashes: Chunks<u32>,
    len: usize,
    places: OnceLock<HashTable<Indexed>>,
    hasher: RandomState,
    /// The free place that was taken last.
    free: Place,
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
enum Slot<K, V> {
    Taken(K, V),
    /// Free; the next one that is.
    Free(Place),
}

impl<K, V> Default for Bag<K, V> {
    fn default() -> Self {
        Bag {
            slots: Chunks::default(),
            hashes: Chunks::default(),
            len: 0,
            places: OnceLock::new(),
            hasher: RandomState::default(),
            free: NONE,
        }
    }
}

impl<K, V> Default for Slot<K, V> {
    fn default() -> Self {
        Slot::Free(NONE)
    }
}

impl<K, V> Clone for Bag<K, V> {
    fn clone(&self) -> Self {
        Bag {
            slots: self.slots.clone(),
            hashes: self.hashes.clone(),
            len: self.len,
            places: OnceLock::new(),
            hasher: self.hasher.clone(),
            free: self.free,
        }
    }
}

impl<K, V> Bag<K, V> {
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

    /// The entry at a place.
    pub fn at(&self, place: Place) -> Option<(&K, &V)> {
        match self.slots.get(place as usize)? {
            Slot::Taken(key, value) => Some((key, value)),
            Slot::Free(_) => None,
        }
    }
}

impl<K: Hash + Eq, V> Bag<K, V> {
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
            indexed.hash == hash && self.at(indexed.place).is_some_and(|(known, _)| known.borrow() == key)
        };
        self.places().find(Indexed { hash, place: NONE }.spread(), same).map(|indexed| indexed.place)
    }

    /// The value of a key.
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.at(self.place(key)?).map(|(_, value)| value)
    }

    /// Whether there is a key.
    pub fn contains_key<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(key).is_some()
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Bag<K, V> {
    /// The value at a place, to be changed.
    pub fn at_mut(&mut self, place: Place) -> Option<&mut V> {
        match self.slots.get_mut(place as usize)? {
            Slot::Taken(_, value) => Some(value),
            Slot::Free(_) => None,
        }
    }

    /// The value at a place, to be changed, if it has to be: what stays as it is need not be copied for those who share it.
    pub fn at_mut_if(&mut self, place: Place, must: impl FnOnce(&V) -> bool) -> Option<&mut V> {
        if must(self.at(place)?.1) { self.at_mut(place) } else { None }
    }

    /// The value at a place that was given for a key just now, to be changed.
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

    /// Adds an entry, or replaces the value of the one that is there. Gives its place.
    pub fn insert(&mut self, key: K, value: V) -> Place {
        let hash = self.hash(&key);
        match self.find(hash, &key) {
            Some(place) => {
                *self.value_mut(place) = value;
                place
            }
            None => self.add(hash, key, value),
        }
    }

    /// Where the entry of a key stands, made by `value` when there is none; and whether it was made.
    pub(super) fn place_or_insert(&mut self, key: K, value: impl FnOnce() -> V) -> (Place, bool) {
        let hash = self.hash(&key);
        match self.find(hash, &key) {
            Some(place) => (place, false),
            None => (self.add(hash, key, value()), true),
        }
    }

    /// The value of a key, to be changed; made by `value` when there is none.
    pub fn or_insert_with(&mut self, key: K, value: impl FnOnce() -> V) -> &mut V {
        let (place, _) = self.place_or_insert(key, value);
        self.value_mut(place)
    }

    fn add(&mut self, hash: u32, key: K, value: V) -> Place {
        let slot = Slot::Taken(key, value);
        let place = match self.free {
            NONE => {
                let place = self.end();
                self.slots.push(slot);
                self.hashes.push(hash);
                place
            }
            place => {
                if let Some(free) = self.slots.get_mut(place as usize)
                    && let Slot::Free(next) = std::mem::replace(free, slot)
                {
                    self.free = next;
                }
                self.note_hash(place, hash);
                place
            }
        };
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
        let place = self.place(key)?;
        self.take_out(place).map(|(_, value)| value)
    }

    /// Takes out the entry at a place.
    pub fn take_out(&mut self, place: Place) -> Option<(K, V)> {
        let hash = self.hashes.get(place as usize).copied().filter(|hash| *hash != NO_KEY)?;
        if let Some(places) = self.places.get_mut()
            && let Ok(known) = places.find_entry(Indexed { hash, place }.spread(), |known| known.place == place)
        {
            known.remove();
        }
        self.note_hash(place, NO_KEY);
        let slot = self.slots.get_mut(place as usize)?;
        let Slot::Taken(key, value) = std::mem::replace(slot, Slot::Free(self.free)) else { return None };
        self.free = place;
        self.len -= 1;
        Some((key, value))
    }

    fn note_hash(&mut self, place: Place, hash: u32) {
        if let Some(known) = self.hashes.get_mut(place as usize) {
            *known = hash;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_used_again_and_places_hold() {
        let mut bag: Bag<u64, u64> = Bag::default();
        let places: Vec<Place> = (0..2_000).map(|i| bag.insert(i, i * 2)).collect();
        for i in (0..2_000).filter(|i| i % 3 != 0) {
            assert_eq!(bag.remove(&i), Some(i * 2));
        }
        assert_eq!((bag.remove(&1), bag.take_out(places[1]), bag.at(places[1])), (None, None, None));
        bag.insert(1, 5);
        bag.insert(3, 7);
        *bag.or_insert_with(4, || 8) += 1;
        assert_eq!(
            (bag.len(), bag.get(&3), bag.get(&1), bag.get(&2), bag.get(&4)),
            (669, Some(&7), Some(&5), None, Some(&9))
        );
        assert_eq!(bag.take_out(places[6]), Some((6, 12)));
        assert_eq!((bag.at(places[3]), bag.get(&6)), (Some((&3, &7)), None));
        assert_eq!(bag.end(), 2_000);
    }
}
