//! What a deed is.

use std::io;

/// Something that a rule is about, and something that is nearly that.
pub(crate) struct Deed {
    /// That of its rule in `rules.yaml`.
    pub(crate) name: &'static str,
    /// The rule of the Falco project's that is about the same.
    pub(crate) falco: &'static str,
    /// Where it is done.
    pub(crate) within: Within,
    /// Where what is nearly the same is done.
    pub(crate) nearly_within: Within,
    /// Does it. The process that calls this, and whatever it makes, is watched.
    pub(crate) it: fn() -> io::Result<()>,
    /// Does what is nearly the same.
    pub(crate) nearly: fn() -> io::Result<()>,
    /// Why this machine has no such thing.
    pub(crate) cannot: fn() -> Option<String>,
}

impl Deed {
    /// On the host, and every machine can do it: what most deeds begin with.
    pub(crate) const PLAIN: Deed = Deed {
        name: "",
        falco: "",
        within: Within::Host,
        nearly_within: Within::Host,
        it: || Ok(()),
        nearly: || Ok(()),
        cannot: || None,
    };
}

/// Where something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Within {
    Host,
    Container,
    /// A container whose runtime says that it is privileged.
    Privileged,
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    It,
    Nearly,
}

impl Done {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Done::It => "it",
            Done::Nearly => "nearly",
        }
    }
}
