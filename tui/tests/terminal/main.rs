//! The real program in a pseudo-terminal: from keystroke to screen, on a slow line and on a stopped one, in every size, and
//! the terminal as it was afterwards, however the program ended. Every step waits for what the screen shows.
#![allow(clippy::unwrap_used, missing_docs)]

#[cfg(feature = "live")]
mod collector;
mod investigation;
mod leaving;
mod looks;
mod readme;
mod session;
mod shell;
mod size;
mod slow;
