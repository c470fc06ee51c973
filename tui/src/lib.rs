//! Lanner's terminal program: watch an attack unfold on a Linux node.
//!
//! - [`cli`]: the verbs.
//! - [`settings`]: the file of settings: theme, colours, keys.
//! - [`source`]: where events come from: this node, a collector, a recording.
//! - [`ui`]: the terminal user interface.
//! - `drawing`: the picture of an attack, and `report`: the account of it.
//! - [`lines`]: what the verbs without one print.
//! - [`detection`]: the rules and chains that all of them run with.

pub mod cli;
pub mod detection;
mod drawing;
pub mod lines;
mod navigator;
pub mod report;
pub mod settings;
pub mod source;
pub mod ui;
mod words;
