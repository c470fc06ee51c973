//! A vector whose copies share its chunks.

use std::ops::Add;

use triomphe::Arc;

/// What a chunk takes at most, in bytes, unless one entry takes more: what is copied for the first change after a copy.
const BYTES: usize = 1 << 9;
/// Entries of a chunk at most: what is copied for one bit should not be more.
const MOST: usize = 256;
/// Chunks of a group: a copy of all takes up the groups alone.
const GROUP: usize = 64;

/// What a copy takes, about, in bytes; not what entries point to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stock {
    /// What it does not share: what had changed since the copy before.
    pub own: usize,
    /// All of it.
    pub whole: usize,
}

impl Add for Stock {
    type Output = Stock;

    fn add(self, other: Stock) -> Stock {
        Stock { own: self.own + other.own, whole: self.whole + other.whole }
    }
}

/// Entries by their indices. None is ever moved. What is alone is changed in place, and what copies share is copied first.
#[derive(Debug)]
pub struct Chunks<T> {
    groups: Vec<Arc<Group<T>>>,
    len: usize,
    /// Bytes that were copied since stock was last taken.
    copied: usize,
}

/// Entries next to each other. Behind the last of all entries there are blank ones, and behind the last chunk none.
type Group<T> = [Option<Arc<[T]>>; GROUP];

impl<T> Clone for Chunks<T> {
    fn clone(&self) -> Self {
        Chunks { groups: self.groups.clone(), len: self.len, copied: 0 }
    }
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Chunks { groups: Vec::new(), len: 0, copied: 0 }
    }
}

/// How many entries of a type make a chunk: a power of two.
pub(super) const fn entries<T>() -> usize {
    let size = if size_of::<T>() == 0 { 1 } else { size_of::<T>() };
    let fit = if BYTES / size == 0 { 1 } else { BYTES / size };
    let fit = if fit > MOST { MOST } else { fit };
    1 << fit.ilog2()
}

impl<T> Chunks<T> {
    const LEN: usize = entries::<T>();

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The entry at an index.
    pub fn get(&self, index: usize) -> Option<&T> {
        if index >= self.len {
            return None;
        }
        let chunk = index / Self::LEN;
        self.groups.get(chunk / GROUP)?[chunk % GROUP].as_ref()?.get(index % Self::LEN)
    }

    /// About what a copy takes that is taken now; what changes after it counts anew.
    pub fn take_stock(&mut self) -> Stock {
        let list = self.groups.len() * size_of::<Arc<Group<T>>>();
        let groups = self.groups.len() * size_of::<Group<T>>();
        let entries = self.len.next_multiple_of(Self::LEN) * size_of::<T>();
        Stock { own: std::mem::take(&mut self.copied) + list, whole: list + groups + entries }
    }
}

impl<T: Clone + Default> Chunks<T> {
    /// The entry at an index, to be changed.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        if index >= self.len {
            return None;
        }
        let chunk = index / Self::LEN;
        let group = own_group(self.groups.get_mut(chunk / GROUP)?, &mut self.copied);
        own_chunk(group[chunk % GROUP].as_mut()?, &mut self.copied)?.get_mut(index % Self::LEN)
    }

    /// Adds an entry behind all others.
    pub fn push(&mut self, entry: T) {
        let chunk = self.len / Self::LEN;
        if self.len.is_multiple_of(Self::LEN) {
            if chunk.is_multiple_of(GROUP) {
                self.groups.push(Arc::new([const { None }; GROUP]));
            }
            if let Some(group) = self.groups.last_mut() {
                let blank = (0..Self::LEN).map(|_| T::default());
                own_group(group, &mut self.copied)[chunk % GROUP] = Some(blank.collect());
            }
        }
        self.len += 1;
        if let Some(place) = self.get_mut(self.len - 1) {
            *place = entry;
        }
    }
}

fn own_group<'a, T>(group: &'a mut Arc<Group<T>>, copied: &mut usize) -> &'a mut Group<T> {
    if !group.is_unique() {
        *copied += size_of::<Group<T>>();
    }
    Arc::make_mut(group)
}

fn own_chunk<'a, T: Clone>(chunk: &'a mut Arc<[T]>, copied: &mut usize) -> Option<&'a mut [T]> {
    if !chunk.is_unique() {
        copy(chunk);
        *copied += size_of_val::<[T]>(chunk);
    }
    Arc::get_mut(chunk)
}

#[cold]
fn copy<T: Clone>(chunk: &mut Arc<[T]>) {
    *chunk = chunk.iter().cloned().collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_stays_as_it_was_and_shares_what_is_the_same() {
        let mut chunks = Chunks::default();
        (0..50_000_u64).for_each(|n| chunks.push(n));
        chunks.take_stock();
        let before = chunks.clone();
        *chunks.get_mut(5_000).unwrap() = 7;
        chunks.push(8);
        let all = |chunks: &Chunks<u64>| (0..chunks.len()).filter_map(|at| chunks.get(at).copied()).collect::<Vec<_>>();
        assert_eq!(all(&before), (0..50_000).collect::<Vec<_>>());
        assert_eq!((chunks.get(5_000), chunks.get(50_000), chunks.get(50_001)), (Some(&7), Some(&8), None));
        let shared = |at: usize| std::ptr::eq(before.get(at).unwrap(), chunks.get(at).unwrap());
        let own = (0..50_000).filter(|at| !shared(*at)).count();
        assert!(own <= 2 * Chunks::<u64>::LEN && shared(0), "{own} are copied");
        let stock = chunks.take_stock();
        assert!(stock.own >= own * size_of::<u64>() && stock.own < stock.whole / 50, "{stock:?}");
    }

    #[test]
    fn who_is_alone_changes_in_place() {
        let mut chunks = Chunks::default();
        (0..1_000_u64).for_each(|n| chunks.push(n));
        let place: *const u64 = chunks.get(3).unwrap();
        drop(chunks.clone());
        *chunks.get_mut(3).unwrap() = 4;
        assert!(std::ptr::eq(place, chunks.get(3).unwrap()));
    }
}
