//! Signals.

use std::sync::Arc;

use super::{Tactic, words};
use crate::event::{BootTime, ContainerInfo, ProcessKey};

/// How much an analyst should care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// What one stage of this severity adds to an incident's score.
    pub fn weight(self) -> u32 {
        match self {
            Severity::Low => 1,
            Severity::Medium => 3,
            Severity::High => 6,
            Severity::Critical => 10,
        }
    }

    /// In one lower-case word.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

/// One event met one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// The rule's name.
    pub rule: Arc<str>,
    /// From the rule's priority.
    pub severity: Severity,
    /// From the rule's tags.
    pub tactic: Option<Tactic>,
    /// ATT&CK technique id, from the rule's tags, such as `T1611`; empty when the rule names none.
    pub technique: Arc<str>,
    /// The event.
    pub seq: u64,
    /// When.
    pub time: BootTime,
    /// Who.
    pub process: ProcessKey,
    /// What happened, in the words of the rule's output; escaped, safe to show.
    pub sentence: String,
}

impl Signal {
    /// Puts a container's name where so far its id stood.
    pub(crate) fn name_container(&mut self, info: &ContainerInfo) {
        if let Some(words) = words::renamed(&self.sentence, info) {
            self.sentence = words;
        }
    }
}
