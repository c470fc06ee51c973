//! The terminal program: its command line and its user interface.

pub mod ui;
