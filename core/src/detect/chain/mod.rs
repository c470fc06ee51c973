//! Chain files: known stories, as steps that an incident's stages are held against, and how those steps hang together.
//!
//! - `file`: the format, and what is wrong with a file.
//! - `relation`: what must hold between two steps.
//! - `scene`: what of an incident a chain is held against.
//! - `matching`: the best way to see a chain in an incident.
//! - `story`: the sentence that tells it.

mod file;
mod matching;
mod relation;
mod scene;
mod story;

use super::{LinkKind, Tactic};

pub use file::{ChainErrors, load};
pub(super) use matching::best;
pub use relation::{Relation, RelationKind};
pub(super) use scene::Scene;
pub use story::{Story, What};

/// A known story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Its name: what an incident that follows it is called.
    pub name: String,
    /// What happens in it, for a person.
    pub desc: String,
    /// One sentence, with names of what was seen in it.
    pub story: Story,
    /// In the order in which they happen.
    pub steps: Vec<ChainStep>,
}

/// One step of a story: a stage that meets all that is said here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainStep {
    /// Its name in the story.
    pub name: String,
    /// What the stage is.
    pub shape: Shape,
    /// It is also one of these; of any shape when empty.
    pub any: Vec<Shape>,
    /// How it hangs together with steps above; all must hold.
    pub with: Vec<Relation>,
    /// Without it the story is another one.
    pub required: bool,
    /// With it, after the step above, the story is another one.
    pub absent: bool,
    /// It has no place in the order.
    pub anytime: bool,
}

/// What a stage may be asked to be. What is not said may be anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shape {
    /// Its tactic.
    pub tactic: Option<Tactic>,
    /// Its technique is one of these, or a sub-technique of one.
    pub techniques: Vec<String>,
    /// One of these rules found it.
    pub rules: Vec<String>,
    /// How it is linked to an earlier stage.
    pub link: Option<LinkKind>,
}

impl Shape {
    fn is_empty(&self) -> bool {
        *self == Shape::default()
    }
}
