//! Collections of which a copy costs only what has changed since the last one: whatever two of them have in common they share.
//!
//! Entries stand in chunks. [`Chunks::seal`] (and likewise of the others) makes all of them shareable; a clone taken then
//! copies no entry, and whoever changes one afterwards copies its chunk first. A chunk that nobody shares is changed in place,
//! without so much as an atomic count: whoever never seals pays nothing.
//!
//! - [`Chunks`]: a vector.
//! - [`Table`]: entries by key, in the order in which they came.
//! - [`Queue`]: first in, first out.

mod chunks;
mod queue;
mod table;

pub use chunks::{Chunks, Sealed};
pub use queue::Queue;
pub use table::{Place, Table};
