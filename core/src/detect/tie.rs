//! Ties: the evidence between the processes of one incident.

use std::net::SocketAddr;

use crate::event::{ProcessKey, Text};
use crate::hash::HashSet;

/// Ties that are kept of one case.
const MAX_TIES: usize = 512;

/// Kinds of evidence that link two processes' doings, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkKind {
    /// The same process.
    SameProcess,
    /// One descends from the other, or both from one that started the attack.
    Lineage,
    /// One's output is the other's input.
    Pipe,
    /// One reached into the other: its memory, its registers, its descriptors.
    Traced,
    /// A container, a service or a job was started because of a file that the other wrote.
    WroteStarted,
    /// A container was started because the other asked its runtime to.
    AskedStarted,
    /// A file that the other wrote was executed.
    WroteExecuted,
    /// A file that the other wrote was loaded as code: a library, a kernel module, an interpreter's script.
    WroteLoaded,
    /// A file that the other wrote was read.
    WroteRead,
    /// One called the other, on this node.
    Connected,
    /// It came into the other's container from outside.
    Entered,
    /// They ran in the same container, and nothing closer is known.
    SameContainer,
}

impl LinkKind {
    /// All, strongest first.
    pub const ALL: [LinkKind; 12] = [
        LinkKind::SameProcess,
        LinkKind::Lineage,
        LinkKind::Pipe,
        LinkKind::Traced,
        LinkKind::WroteStarted,
        LinkKind::AskedStarted,
        LinkKind::WroteExecuted,
        LinkKind::WroteLoaded,
        LinkKind::WroteRead,
        LinkKind::Connected,
        LinkKind::Entered,
        LinkKind::SameContainer,
    ];

    /// Its name, as JSON gives it and chain files know it.
    pub fn id(self) -> &'static str {
        match self {
            LinkKind::SameProcess => "same-process",
            LinkKind::Lineage => "lineage",
            LinkKind::Pipe => "pipe",
            LinkKind::Traced => "traced",
            LinkKind::WroteStarted => "wrote-started",
            LinkKind::AskedStarted => "asked-started",
            LinkKind::WroteExecuted => "wrote-executed",
            LinkKind::WroteLoaded => "wrote-loaded",
            LinkKind::WroteRead => "wrote-read",
            LinkKind::Connected => "connected",
            LinkKind::Entered => "entered",
            LinkKind::SameContainer => "same-container",
        }
    }
}

/// Evidence that ties two processes of an incident to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tie {
    /// Of what kind.
    pub kind: LinkKind,
    /// Who came first in it: who wrote, called, reached into the other, fed the pipe.
    pub from: ProcessKey,
    /// Who came second: who ran, loaded or read it, was called or reached into.
    pub to: ProcessKey,
    /// The file or the address between them; empty when there is none.
    pub object: Text,
    /// The remote end that who wrote had been connected to before: where the file may have come from.
    pub delivered_by: Option<SocketAddr>,
    /// In plain words; escaped, safe to show.
    pub why: String,
    /// The events that show it (`header.seq`).
    pub evidence: Vec<u64>,
}

/// What makes two ties the same: kind, ends and object.
type Same = (LinkKind, ProcessKey, ProcessKey, Text);

/// The ties of one case. Each is there once.
#[derive(Debug, Clone, Default)]
pub(super) struct Ties {
    list: Vec<Tie>,
    known: HashSet<Same>,
    left_out: u64,
}

impl Ties {
    /// Gives whether the tie is new.
    pub(super) fn add(&mut self, tie: Tie) -> bool {
        let same = (tie.kind, tie.from, tie.to, tie.object.clone());
        if self.known.contains(&same) {
            return false;
        }
        if self.list.len() >= MAX_TIES {
            self.left_out += 1;
            return false;
        }
        self.known.insert(same);
        self.list.push(tie);
        true
    }

    /// Whether that who came first, by this file, is tied to who came second already.
    pub(super) fn knows(&self, kind: LinkKind, from: ProcessKey, to: ProcessKey, object: &Text) -> bool {
        self.known.contains(&(kind, from, to, object.clone()))
    }

    pub(super) fn absorb(&mut self, other: Ties) {
        self.left_out += other.left_out;
        for tie in other.list {
            self.add(tie);
        }
        // In the order of the events that show them, whichever case had them.
        self.list.sort_by_key(|t| (t.evidence.iter().max().copied().unwrap_or_default(), t.kind, t.from, t.to));
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Tie> {
        self.list.iter_mut()
    }

    pub(super) fn as_slice(&self) -> &[Tie] {
        &self.list
    }

    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }
}
