//! Maps that are asked for every event. Nothing that core gives out may depend on the order of their entries, so that the
//! hash function may be a fast one, with a seed of its own in each process against keys that were chosen to collide.

use foldhash::fast::RandomState;

pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;
pub(crate) type HashSet<K> = std::collections::HashSet<K, RandomState>;
pub(crate) type IndexMap<K, V> = indexmap::IndexMap<K, V, RandomState>;
pub(crate) type IndexSet<K> = indexmap::IndexSet<K, RandomState>;
