//! First in, first out, in chunks that copies share.

use std::collections::VecDeque;

use triomphe::Arc;

use super::chunks::{Stock, entries};

/// Entries in a row.
#[derive(Debug)]
pub struct Queue<T> {
    /// All but the last are full.
    chunks: VecDeque<Arc<Vec<T>>>,
    /// How many entries of the first chunk have gone already.
    gone: usize,
    len: usize,
    /// Bytes that were copied since stock was last taken.
    copied: usize,
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Queue { chunks: self.chunks.clone(), gone: self.gone, len: self.len, copied: 0 }
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Queue { chunks: VecDeque::new(), gone: 0, len: 0, copied: 0 }
    }
}

impl<T> Queue<T> {
    const LEN: usize = entries::<T>();

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The entry that so many stand before.
    pub fn get(&self, index: usize) -> Option<&T> {
        if index >= self.len {
            return None;
        }
        let at = self.gone + index;
        self.chunks.get(at / Self::LEN)?.get(at % Self::LEN)
    }

    /// All, first in first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        (0..self.len).map(|index| self.get(index).expect("an entry below the length"))
    }

    /// About what a copy takes that is taken now; what changes after it counts anew.
    pub fn take_stock(&mut self) -> Stock {
        let list = self.chunks.len() * size_of::<Arc<Vec<T>>>();
        let whole = list + self.chunks.len() * Self::LEN * size_of::<T>();
        Stock { own: std::mem::take(&mut self.copied) + list, whole }
    }
}

impl<T: Clone> Queue<T> {
    fn own(&mut self, chunk: usize) -> Option<&mut Vec<T>> {
        let chunk = self.chunks.get_mut(chunk)?;
        if !chunk.is_unique() {
            let mut copy = Vec::with_capacity(Self::LEN);
            copy.extend_from_slice(chunk);
            *chunk = Arc::new(copy);
            self.copied += Self::LEN * size_of::<T>();
        }
        Arc::get_mut(chunk)
    }

    /// The entry that so many stand before, to be changed.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        if index >= self.len {
            return None;
        }
        let at = self.gone + index;
        self.own(at / Self::LEN)?.get_mut(at % Self::LEN)
    }

    /// Adds an entry as the last.
    pub fn push_back(&mut self, entry: T) {
        if (self.gone + self.len).is_multiple_of(Self::LEN) {
            self.chunks.push_back(Arc::new(Vec::with_capacity(Self::LEN)));
        }
        if let Some(last) = self.own(self.chunks.len() - 1) {
            last.push(entry);
        }
        self.len += 1;
    }

    /// Adds an entry as the first.
    pub fn push_front(&mut self, entry: T) {
        if self.len == 0 {
            return self.push_back(entry);
        }
        if self.gone == 0 {
            self.chunks.push_front(Arc::new(vec![entry.clone(); Self::LEN]));
            self.gone = Self::LEN;
        }
        self.gone -= 1;
        let gone = self.gone;
        if let Some(place) = self.own(0).and_then(|first| first.get_mut(gone)) {
            *place = entry;
        }
        self.len += 1;
    }

    /// Takes the first entry.
    pub fn pop_front(&mut self) -> Option<T> {
        let entry = self.get(0)?.clone();
        self.gone += 1;
        self.len -= 1;
        if self.len == 0 {
            self.chunks.clear();
            self.gone = 0;
        } else if self.gone == Self::LEN {
            self.chunks.pop_front();
            self.gone = 0;
        }
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_as_the_standard_librarys_does_and_its_copies_stay_as_they_were() {
        let (mut queue, mut plain) = (Queue::default(), VecDeque::new());
        let mut copies = Vec::new();
        let mut random = 1_u64;
        for step in 0..40_000_u64 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            match random >> 60 {
                0..8 => {
                    queue.push_back(step);
                    plain.push_back(step);
                }
                8 => {
                    queue.push_front(step);
                    plain.push_front(step);
                }
                9 if !plain.is_empty() => {
                    let at = (random >> 20) as usize % plain.len();
                    *queue.get_mut(at).unwrap() = step;
                    plain[at] = step;
                }
                _ => assert_eq!(queue.pop_front(), plain.pop_front()),
            }
            if step % 4_000 == 0 {
                queue.take_stock();
                copies.push((queue.clone(), plain.clone()));
            }
        }
        copies.push((queue, plain));
        for (queue, plain) in copies {
            assert_eq!(queue.iter().copied().collect::<Vec<_>>(), Vec::from(plain));
        }
    }
}
