//! Incidents: signals that evidence links, told as stages.

use std::net::SocketAddr;

use super::{LinkKind, Occurrence, Severity, Tactic, Tie};
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
    /// What its stages weigh together.
    pub score: u32,
    /// Why it is that grave, in plain words; safe to show.
    pub because: String,
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
    /// The evidence that ties its processes to each other, in the order in which it came up; lineage stands in
    /// [`ProcessSummary::parent`].
    pub links: Vec<Tie>,
    /// Links that there was no room for.
    pub links_left_out: u64,
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
    /// Its times: the first by each process, the first 16 of them.
    pub times: Vec<Occurrence>,
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
    /// Whose child it is; `None` when unknown.
    pub parent: Option<ProcessKey>,
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
    /// Each of its steps, seen or missing.
    pub parts: Vec<FoundStep>,
    /// The story in one sentence; escaped, safe to show.
    pub story: String,
}

/// A step of a known story, as an incident shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundStep {
    /// Its name.
    pub step: String,
    /// Without it the story would be another one.
    pub required: bool,
    /// The stage that it is: an index into [`Incident::stages`]; `None`: it was not seen.
    pub stage: Option<usize>,
    /// The event (`header.seq`) by which it is that.
    pub event: Option<u64>,
}
