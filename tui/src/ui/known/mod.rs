//! What is known of a node, put together from its events.
//!
//! - `picture`: all that stands at one moment: the engine, marks, flows, files. Snapshots of it are what the past is made of.
//! - `flows`, `files`, `marks`: what an event changes in each; `going`: who goes where no more are kept.
//! - `history`: the events themselves, the latest of them; `packing`: they are made small; `past`: the picture at any of them.
//! - `changes`, `journal`: what has changed lately of what stands now.
//! - `health`: how much came, and how much was lost on the way; `lag`: how late it came.

pub(crate) mod changes;
pub(crate) mod files;
pub(crate) mod flows;
mod going;
pub(crate) mod health;
pub(crate) mod history;
pub(crate) mod journal;
pub(crate) mod lag;
pub(crate) mod marks;
mod packing;
pub(crate) mod past;
pub(crate) mod picture;
