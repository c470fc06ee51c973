//! The terminal user interface.
//!
//! [`run`] is the loop: it takes in what a [`FeedItem`] channel and the keyboard bring, hands it to [`update`], carries
//! out the [`Effect`]s, and lets [`view`] draw when something has changed. [`update`] and [`view`] are pure.
//!
//! - `feed`: what goes in: nodes, batches of events, states of the connection. `inlet`: it waits there for the loop.
//! - `world`, `known`: what is known, now and at any kept moment; it grows with the feed whatever the user does.
//! - `scene`: what is shown of it: all of it as it is now, or as it was at the moment that is looked at.
//! - `state`: what the user chose: screen, selection, the way that was drilled down, time, folds, filter. Selections name
//!   entities, never rows.
//! - `scope`, `filter`, `listing`: what is left out, and which events that leaves. `rows`, `forest`: the rows of long lists and
//!   of the tree, which follow what changes.
//! - `command`, `keymap`: the one table of keys, footer, help, palette and settings, and the keys that the user gave it.
//! - `prompt`, `complete`, `palette`: what is typed, and what it may become.
//! - `screens`: one file a screen, each with its `draw` and its `act`; `details` is the pane over any selection.
//! - `memory`: how the kernel gives it.
//! - `terminal`: the only place that writes to the terminal.

mod chrome;
mod command;
mod complete;
mod details;
mod feed;
mod filter;
mod forest;
mod inlet;
mod keymap;
mod known;
mod listing;
mod look;
mod memory;
mod model;
mod palette;
mod prompt;
mod rows;
mod run;
mod scene;
mod scope;
mod screens;
mod sort;
mod state;
mod takeaway;
mod terminal;
#[cfg(test)]
mod tests;
mod update;
mod view;
mod words;
mod world;

use crate::words::{text, when};
pub use command::{Binding, Command, Context, Key};
pub use feed::{ConnectionState, End, FeedItem, ReplayCommand, Source, Speed};
pub use keymap::{KeyError, Keymap};
pub use look::{Colours, Look, Theme};
pub use memory::in_small_pages;
pub use model::Model;
pub use prompt::PromptKind;
pub use run::{Ended, Left, Options, run};
pub use state::{Screen, State};
pub use terminal::{Unusable, check};
pub use update::{Effect, Msg, update};
pub use view::{ViewState, view};
