//! Which sentences speak of a container by its id alone, so that they can be told again once it has a name.

use super::words;
use crate::event::ContainerInfo;
use crate::persistent::{Stock, Table};

/// Containers that are waited for; those spoken of first go first.
const MAX_CONTAINERS: usize = 8_192;
/// Sentences of one container that are remembered: the latest.
const MAX_SENTENCES: usize = 16_384;

/// Where a container stands by its id.
#[derive(Debug, Clone)]
pub(crate) struct Mentions<T>(Table<Box<str>, Vec<T>>);

impl<T> Default for Mentions<T> {
    fn default() -> Self {
        Mentions(Table::default())
    }
}

impl<T: Copy + Ord> Mentions<T> {
    /// About how many bytes a clone takes that is taken now; what changes after it counts anew.
    pub(crate) fn take_stock(&mut self) -> Stock {
        self.0.take_stock()
    }

    /// Notes what a sentence speaks of, which stands at `place`.
    pub(crate) fn note(&mut self, sentence: &str, place: T) {
        for id in words::containers(sentence) {
            if self.0.len() >= MAX_CONTAINERS && !self.0.contains_key(id) {
                self.0.pop_first();
            }
            let places = self.0.or_insert_with(id.into(), Vec::new);
            if places.last() != Some(&place) {
                if places.len() == MAX_SENTENCES {
                    places.drain(..MAX_SENTENCES / 2);
                }
                places.push(place);
            }
        }
    }

    /// Where a container stands that has a name now, in order.
    pub(crate) fn take(&mut self, info: &ContainerInfo) -> Vec<T> {
        if info.title().is_none() {
            return Vec::new();
        }
        let mut places = self.0.remove(info.id.short().to_string().as_str()).unwrap_or_default();
        places.sort_unstable();
        places.dedup();
        places
    }
}
