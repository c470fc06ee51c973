//! Collections of which a copy costs only what has changed since the last one: whatever two of them have in common they share.
//!
//! Entries stand in chunks that are counted: whoever changes an entry copies its chunk first, unless nobody shares it. That
//! costs a look at the count, without an atomic operation.
//!
//! - [`Chunks`]: a vector.
//! - [`Bag`]: entries by key.
//! - [`Table`]: the same, in the order in which they came.
//! - [`Queue`]: first in, first out.

mod bag;
mod chunks;
mod queue;
mod table;

pub use bag::{Bag, Place};
pub use chunks::{Chunks, Stock};
pub use queue::Queue;
pub use table::Table;
