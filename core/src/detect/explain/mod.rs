//! Why something is part of an incident, and why not. Pure: from what the graph and the incidents know, in words.
//!
//! - `within`: each stage, process, file and peer of an incident.
//! - `outside`: a process, whether it is part of an incident or not.

mod outside;
mod within;

use std::net::SocketAddr;

use super::Severity;
use crate::event::{ProcessKey, Text};

pub(super) use outside::process;
pub(crate) use within::incident;

/// A reason. Its words are escaped, safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Of what kind.
    pub kind: ReasonKind,
    /// In plain words.
    pub words: String,
    /// The events that show it (`header.seq`), where there are some.
    pub evidence: Vec<u64>,
}

/// Kinds of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonKind {
    /// In: a stage is its doing.
    Stage,
    /// In: a stage belongs to an earlier one.
    Link,
    /// In: it descends from what is in.
    Descends,
    /// In: what is in descends from it.
    LedTo,
    /// In: evidence ties it to what is in.
    Tie,
    /// In: it was written or called by what is in.
    Touched,
    /// Out: nobody knows such a process.
    Unknown,
    /// Out: no rule spoke of it or of its lineage.
    NoSignal,
    /// Out: what rules spoke of weighs too little.
    Weight,
    /// Out: it starts unrelated things for others.
    Boundary,
    /// Out: what it shares with an incident is everybody's.
    Ubiquitous,
    /// Out: it took up what an incident wrote, which alone is no reason.
    OnlyRead,
    /// Out: it was in the same container, which alone is no reason.
    OnlyContainer,
    /// Out: it spoke to the same address, or to what is in, which alone is no reason.
    OnlyPeer,
    /// Out: only others' doings lead from it to what is in.
    Distant,
    /// Out: it had ended before the incident began.
    EndedBefore,
    /// Part of what is known is missing.
    Forgotten,
}

/// Why an incident is what it is, and why each thing is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentExplanation {
    /// Its id.
    pub id: String,
    /// What each stage weighs.
    pub weights: Vec<(Severity, u32)>,
    /// What they weigh together.
    pub score: u32,
    /// What makes an incident.
    pub needed: u32,
    /// Why it is that grave.
    pub because: String,
    /// For each stage the links back to where it all began, nearest first.
    pub stages: Vec<Vec<Reason>>,
    /// Each process, and why it is in.
    pub processes: Vec<(ProcessKey, Reason)>,
    /// Each file, and why it is in.
    pub files: Vec<(Text, Reason)>,
    /// Each peer, and why it is in.
    pub peers: Vec<(SocketAddr, Reason)>,
}

/// Why a process is part of an incident, or of none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessExplanation {
    /// Which.
    pub process: ProcessKey,
    /// What a person calls it; escaped, safe to show.
    pub called: String,
    /// The id of the incident that it is part of.
    pub incident: Option<String>,
    /// Why, strongest first.
    pub reasons: Vec<Reason>,
}

impl Reason {
    fn new(kind: ReasonKind, words: impl Into<String>) -> Reason {
        Reason { kind, words: words.into(), evidence: Vec::new() }
    }

    fn shown_by(self, evidence: &[u64]) -> Reason {
        Reason { evidence: evidence.to_vec(), ..self }
    }
}
