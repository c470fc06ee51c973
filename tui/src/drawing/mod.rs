//! The picture of an attack: who started whom, what they wrote and read, whom they called.
//!
//! A [`Sketch`] says what is in it, a [`Drawing`] where each thing stands. All of it is pure: the same sketch, laid out with
//! the same memory, gives the same drawing, and every form of output is made of that one.
//!
//! - `sketch`: nodes and edges. `gather` collects them from the graph; `incident` and `around` say of what.
//! - `collapse`: siblings that are alike become one node; `contract`: steps that only lead on become part of an edge; `bound`: no more nodes than can be read.
//! - `layout`: a place for each node and a way for each edge, entry on the left; what is there stays where it is.
//! - `cells`: a drawing on a terminal. `svg`: in a page. `dot`, `mermaid`: a sketch for others to lay out.

mod around;
mod bound;
mod cells;
mod collapse;
mod contract;
mod dot;
mod gather;
mod incident;
mod layout;
mod mermaid;
mod sketch;
mod svg;
#[cfg(test)]
mod tests;

pub(crate) use around::around;
pub(crate) use cells::{Cells, Glyphs, Ink};
pub(crate) use dot::dot;
pub(crate) use incident::of_incident;
pub(crate) use layout::{Detail, Drawing, Memory, Place, Shape, lay_out};
pub(crate) use mermaid::mermaid;
pub(crate) use sketch::{Edge, Entity, Kind, Node, Sketch};
pub(crate) use svg::svg;
