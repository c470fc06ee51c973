//! System calls by name, where several of them make one family.

use std::fmt;

use super::Family;

/// A system call, by its name in Linux and in Falco.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Call(&'static str);

impl Call {
    /// The call of this name, if a family has it.
    pub fn of(family: Family, name: &str) -> Option<Call> {
        family.event_types().iter().find(|known| **known == name).map(|known| Call(known))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
