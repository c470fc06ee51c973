//! Incidents: signals that evidence links, told as stages.

use std::net::SocketAddr;

use super::{Severity, Tactic};
use crate::event::{BootTime, ContainerId, ProcessKey, Text};

/// An attack as far as it is known. It grows; each time it does its revision goes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Its id: the same in every replay of the same events.
    pub id: String,
    /// How many times it has changed, from 1.
    pub revision: u32,
    /// The chain it follows, or its most telling stage.
    pub name: String,
    /// From its stages.
    pub severity: Severity,
    /// Whether it goes on.
    pub status: Status,
    /// Time of its first stage.
    pub first_time: BootTime,
    /// Time of the last event that belongs to it.
    pub last_time: BootTime,
    /// In time order.
    pub stages: Vec<Stage>,
    /// Every process of it, in the order in which they started.
    pub processes: Vec<ProcessSummary>,
    /// The files that tell the story, in the order in which they came up.
    pub files: Vec<Text>,
    /// Remote ends of its connections.
    pub peers: Vec<SocketAddr>,
    /// The known story that it follows.
    pub chain: Option<ChainMatch>,
    /// The id of the incident that this one turned out to be part of.
    pub merged_into: Option<String>,
}

/// Whether an incident goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// A process of it lives.
    Ongoing,
    /// All of its processes have ended.
    Over,
    /// Evidence showed that it is part of an older incident: see [`Incident::merged_into`].
    Merged,
}

/// One step of an attack: what one rule found, once or many times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// ATT&CK tactic.
    pub tactic: Tactic,
    /// ATT&CK technique id, such as `T1611`.
    pub technique: String,
    /// The rule.
    pub signal: String,
    /// The rule's severity.
    pub severity: Severity,
    /// First time.
    pub time: BootTime,
    /// Last time.
    pub last_time: BootTime,
    /// How many times.
    pub count: u64,
    /// Who, the first time.
    pub process: ProcessSummary,
    /// What happened, in plain words; escaped, safe to show.
    pub sentence: String,
    /// The events it rests on (`header.seq`), the first 32.
    pub evidence: Vec<u64>,
    /// Why it belongs to an earlier stage; `None` for the first, and for the first of what a later stage showed to be part
    /// of the same attack.
    pub link: Option<Link>,
}

/// Why two stages belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The kind of evidence.
    pub kind: LinkKind,
    /// The earlier stage: an index into [`Incident::stages`].
    pub to_stage: usize,
    /// In plain words; escaped, safe to show.
    pub why: String,
    /// The events that show it (`header.seq`).
    pub evidence: Vec<u64>,
}

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
    /// A container was started because of a file that the other wrote.
    WroteStarted,
    /// A file that the other wrote was executed.
    WroteExecuted,
    /// A file that the other wrote was read.
    WroteRead,
    /// They ran in the same container, and nothing closer is known.
    SameContainer,
}

/// What an incident says of a process; kept even when the graph has forgotten it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessSummary {
    /// Which.
    pub key: ProcessKey,
    /// The path of its last image.
    pub exe: Text,
    /// Its arguments, joined by spaces, the program's own name included.
    pub args: Text,
    /// Where it runs.
    pub container: Option<ContainerId>,
}

/// A known story, and how much of it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainMatch {
    /// The chain's name.
    pub name: String,
    /// Its steps that were seen.
    pub found: usize,
    /// All of its steps.
    pub steps: usize,
}

impl LinkKind {
    /// Its name, as JSON gives it.
    pub fn id(self) -> &'static str {
        match self {
            LinkKind::SameProcess => "same-process",
            LinkKind::Lineage => "lineage",
            LinkKind::Pipe => "pipe",
            LinkKind::Traced => "traced",
            LinkKind::WroteStarted => "wrote-started",
            LinkKind::WroteExecuted => "wrote-executed",
            LinkKind::WroteRead => "wrote-read",
            LinkKind::SameContainer => "same-container",
        }
    }
}
