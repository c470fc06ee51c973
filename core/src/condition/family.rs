//! The families of events, so that a condition is only asked about those that can meet it.

use std::fmt;

use crate::event::{NsChangeHow, Payload};

/// What kind of event: [`Payload`] without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
#[repr(u8)]
pub enum Family {
    Exec,
    Alive,
    Fork,
    Exit,
    Open,
    Connect,
    Accept,
    Listen,
    Close,
    Namespace,
    MemFd,
}

impl Family {
    /// All, in the order of [`Payload`].
    pub const ALL: [Family; 11] = [
        Family::Exec,
        Family::Alive,
        Family::Fork,
        Family::Exit,
        Family::Open,
        Family::Connect,
        Family::Accept,
        Family::Listen,
        Family::Close,
        Family::Namespace,
        Family::MemFd,
    ];

    /// The family of an event.
    pub fn of(payload: &Payload) -> Family {
        match payload {
            Payload::Exec(_) => Family::Exec,
            Payload::Alive(_) => Family::Alive,
            Payload::Fork(_) => Family::Fork,
            Payload::Exit(_) => Family::Exit,
            Payload::Open(_) => Family::Open,
            Payload::Connect(_) => Family::Connect,
            Payload::Accept(_) => Family::Accept,
            Payload::Listen(_) => Family::Listen,
            Payload::Close(_) => Family::Close,
            Payload::Namespace(_) => Family::Namespace,
            Payload::MemFd(_) => Family::MemFd,
        }
    }

    /// Its name: `lanner.event`.
    pub fn name(self) -> &'static str {
        match self {
            Family::Exec => "exec",
            Family::Alive => "alive",
            Family::Fork => "fork",
            Family::Exit => "exit",
            Family::Open => "open",
            Family::Connect => "connect",
            Family::Accept => "accept",
            Family::Listen => "listen",
            Family::Close => "close",
            Family::Namespace => "namespace",
            Family::MemFd => "memfd",
        }
    }

    /// What `evt.type` can be for its events: the names of system calls, as Falco has them.
    pub fn event_types(self) -> &'static [&'static str] {
        match self {
            Family::Exec => &["execve"],
            Family::Alive => &["alive"],
            Family::Fork => &["clone"],
            Family::Exit => &["procexit"],
            Family::Open => &["openat"],
            Family::Connect => &["connect"],
            Family::Accept => &["accept"],
            Family::Listen => &["listen"],
            Family::Close => &["close"],
            Family::Namespace => &["setns", "unshare"],
            Family::MemFd => &["memfd_create"],
        }
    }
}

/// `evt.type` of an event.
pub(super) fn event_type(payload: &Payload) -> &'static str {
    match payload {
        Payload::Namespace(change) if change.how == NsChangeHow::Unshare => "unshare",
        _ => Family::of(payload).event_types()[0],
    }
}

/// A set of families.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FamilySet(u16);

impl FamilySet {
    /// No family.
    pub const NONE: FamilySet = FamilySet(0);
    /// Every family.
    pub const ALL: FamilySet = FamilySet::of(&Family::ALL);

    /// These families.
    pub const fn of(families: &[Family]) -> FamilySet {
        let mut bits = 0;
        let mut i = 0;
        while i < families.len() {
            bits |= 1 << families[i] as u16;
            i += 1;
        }
        FamilySet(bits)
    }

    /// Whether this family is in it.
    pub const fn has(self, family: Family) -> bool {
        self.0 & (1 << family as u16) != 0
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: FamilySet) -> FamilySet {
        FamilySet(self.0 & other.0)
    }

    /// What is in either.
    #[must_use]
    pub const fn or(self, other: FamilySet) -> FamilySet {
        FamilySet(self.0 | other.0)
    }

    /// What is not in it.
    #[must_use]
    pub const fn not(self) -> FamilySet {
        FamilySet(Self::ALL.0 & !self.0)
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its families, in order.
    pub fn iter(self) -> impl Iterator<Item = Family> {
        Family::ALL.into_iter().filter(move |f| self.has(*f))
    }
}

impl fmt::Debug for FamilySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Family::name)).finish()
    }
}
