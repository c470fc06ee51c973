//! A vector whose copies share its chunks.

use std::ops::Add;
use std::sync::Arc;

/// What a chunk takes at most, in bytes, unless one entry takes more: what is copied for the first change after a copy.
const BYTES: usize = 1 << 10;
/// Entries of a chunk at most: what is copied for one bit should not be more.
const MOST: usize = 256;

/// What a copy takes, about, in bytes; not what entries point to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sealed {
    /// What it does not share: what had changed since the copy before.
    pub own: usize,
    /// All of it.
    pub whole: usize,
}

impl Add for Sealed {
    type Output = Sealed;

    fn add(self, other: Sealed) -> Sealed {
        Sealed { own: self.own + other.own, whole: self.whole + other.whole }
    }
}

impl Sealed {
    /// Of a list of so many chunks of `T`, of which so many were copied.
    pub(super) fn of<T>(chunks: usize, copied: usize) -> Sealed {
        let list = chunks * size_of::<Chunk<T>>();
        let entries = Chunks::<T>::LEN * size_of::<T>();
        Sealed { own: copied * entries + list, whole: chunks * entries + list }
    }
}

/// Entries by their indices. None is ever moved.
#[derive(Debug, Clone)]
pub struct Chunks<T> {
    chunks: Vec<Chunk<T>>,
    len: usize,
    /// Chunks that were copied since they were last sealed.
    copied: usize,
}

/// Entries next to each other; all chunks but the last are full.
#[derive(Debug)]
pub(super) enum Chunk<T> {
    Own(Vec<T>),
    Shared(Arc<Vec<T>>),
}

impl<T: Clone> Clone for Chunk<T> {
    fn clone(&self) -> Self {
        match self {
            Chunk::Own(entries) => Chunk::Own(entries.clone()),
            Chunk::Shared(entries) => Chunk::Shared(Arc::clone(entries)),
        }
    }
}

impl<T> Chunk<T> {
    pub(super) fn as_slice(&self) -> &[T] {
        match self {
            Chunk::Own(entries) => entries,
            Chunk::Shared(entries) => entries,
        }
    }

    /// Lets clones share it from now on.
    pub(super) fn seal(&mut self) {
        if let Chunk::Own(entries) = self {
            *self = Chunk::Shared(Arc::new(std::mem::take(entries)));
        }
    }
}

impl<T: Clone> Chunk<T> {
    /// Its entries, to be changed; copied before if somebody shares them. `room` is for so many entries in all;
    /// `copied` counts.
    pub(super) fn own(&mut self, room: usize, copied: &mut usize) -> &mut Vec<T> {
        if let Chunk::Shared(shared) = self {
            *self = Chunk::Own(unshared(std::mem::take(shared), room, copied));
        }
        match self {
            Chunk::Own(entries) => entries,
            Chunk::Shared(_) => unreachable!("it has just become its own"),
        }
    }
}

#[cold]
fn unshared<T: Clone>(shared: Arc<Vec<T>>, room: usize, copied: &mut usize) -> Vec<T> {
    Arc::try_unwrap(shared).unwrap_or_else(|shared| {
        *copied += 1;
        let mut copy = Vec::with_capacity(room);
        copy.extend_from_slice(&shared);
        copy
    })
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Chunks { chunks: Vec::new(), len: 0, copied: 0 }
    }
}

impl<T> Chunks<T> {
    /// Entries of a chunk: a power of two.
    pub(super) const LEN: usize = {
        let size = if size_of::<T>() == 0 { 1 } else { size_of::<T>() };
        let fit = if BYTES / size == 0 { 1 } else { BYTES / size };
        let fit = if fit > MOST { MOST } else { fit };
        1 << fit.ilog2()
    };

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
        self.chunks.get(index / Self::LEN)?.as_slice().get(index % Self::LEN)
    }

    /// Lets clones share all entries from now on. Gives about what the next clone takes.
    pub fn seal(&mut self) -> Sealed {
        self.chunks.iter_mut().for_each(Chunk::seal);
        Sealed::of::<T>(self.chunks.len(), std::mem::take(&mut self.copied))
    }
}

impl<T: Clone> Chunks<T> {
    /// The entry at an index, to be changed.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.chunks.get_mut(index / Self::LEN)?.own(Self::LEN, &mut self.copied).get_mut(index % Self::LEN)
    }

    /// Adds an entry behind all others.
    pub fn push(&mut self, entry: T) {
        if self.len.is_multiple_of(Self::LEN) {
            self.chunks.push(Chunk::Own(Vec::with_capacity(Self::LEN)));
        }
        if let Some(last) = self.chunks.last_mut() {
            last.own(Self::LEN, &mut self.copied).push(entry);
        }
        self.len += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_stays_as_it_was_and_shares_what_is_the_same() {
        let mut chunks = Chunks::default();
        (0..10_000_u64).for_each(|n| chunks.push(n));
        chunks.seal();
        let before = chunks.clone();
        *chunks.get_mut(5_000).unwrap() = 7;
        chunks.push(8);
        let all = |chunks: &Chunks<u64>| (0..chunks.len()).filter_map(|at| chunks.get(at).copied()).collect::<Vec<_>>();
        assert_eq!(all(&before), (0..10_000).collect::<Vec<_>>());
        assert_eq!((chunks.get(5_000), chunks.get(10_000), chunks.len()), (Some(&7), Some(&8), 10_001));
        let shared = |at: usize| std::ptr::eq(before.get(at).unwrap(), chunks.get(at).unwrap());
        let own = (0..10_000).filter(|at| !shared(*at)).count();
        assert!(own <= 2 * Chunks::<u64>::LEN && shared(0), "{own} are copied");
    }

    #[test]
    fn who_is_alone_changes_in_place() {
        let mut chunks = Chunks::default();
        (0..1_000_u64).for_each(|n| chunks.push(n));
        chunks.seal();
        let place: *const u64 = chunks.get(3).unwrap();
        drop(chunks.clone());
        *chunks.get_mut(3).unwrap() = 4;
        assert!(std::ptr::eq(place, chunks.get(3).unwrap()));
    }
}
