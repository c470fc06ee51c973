//! What is taken away from the screen: reports, copies, recordings, pictures of the screen.
//!
//! - `export`, `copy`: what is taken, as text. Pure.
//! - `files`: where it goes. `recorder`: a recording that grows while one watches.

pub(crate) mod copy;
pub(crate) mod export;
pub(crate) mod files;
pub(crate) mod recorder;
