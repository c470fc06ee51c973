//! Everything that a report tells.

use lanner_core::detect::{Incident, Status};
use lanner_core::event::{Event, NodeInfo};
use lanner_core::graph::Graph;
use lanner_recording::Header;

use super::Missing;
use crate::words;
use crate::words::text::safe;

/// An incident and all that is known around it.
pub(crate) struct Account<'a> {
    pub(crate) incident: &'a Incident,
    /// Other incidents of the same source: their ids and names.
    pub(crate) others: Vec<(&'a str, &'a str)>,
    pub(crate) graph: &'a Graph,
    pub(crate) node: &'a NodeInfo,
    /// What the recording says of itself.
    pub(crate) header: Option<&'a Header>,
    /// Where the events come from, in words.
    pub(crate) source: String,
    /// Evidence, and what the incident's processes did, in the order in which it happened.
    pub(crate) events: Vec<&'a Event>,
    /// Events of its processes for which there was no room.
    pub(crate) left_out: u64,
    pub(crate) missing: Missing,
    /// What the events come from, when it is a file.
    pub(crate) source_hash: Option<Hash>,
}

/// The hash of something that the report rests on.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Hash {
    /// Of what, in words.
    pub(crate) of: String,
    /// In hexadecimal digits.
    pub(crate) sha256: String,
}

/// An event with the stages that rest on it.
pub(crate) struct Listed<'a> {
    pub(crate) event: &'a Event,
    /// Counted from 1.
    pub(crate) stages: Vec<usize>,
}

impl<'a> Account<'a> {
    /// The node's name, safe to show.
    pub(crate) fn node_name(&self) -> String {
        if self.node.name.is_empty() { "an unknown node".to_owned() } else { safe(&self.node.name) }
    }

    /// The events with the stages that rest on them.
    pub(crate) fn listed(&self) -> impl Iterator<Item = Listed<'a>> {
        self.events.iter().map(|event| {
            let rests = |(i, stage): (usize, &lanner_core::detect::Stage)| {
                stage.evidence.contains(&event.header.seq).then_some(i + 1)
            };
            Listed { event, stages: self.incident.stages.iter().enumerate().filter_map(rests).collect() }
        })
    }

    /// What the report rests on, and what the incident's processes ran, as far as it was read.
    pub(crate) fn hashes(&self) -> Vec<Hash> {
        let mut hashes: Vec<Hash> = self.source_hash.iter().cloned().collect();
        let processes = self.incident.processes.iter().filter_map(|process| self.graph.process(process.key));
        for running in processes.flat_map(|process| &process.images) {
            for file in [Some(&running.image.exe), running.image.script.as_ref()].into_iter().flatten() {
                let Some(sha256) = self.graph.digest(file.id, running.since) else { continue };
                let hash = Hash { of: words::file(file), sha256: sha256.to_string() };
                if !hashes.contains(&hash) {
                    hashes.push(hash);
                }
            }
        }
        hashes
    }

    /// Whether it goes on, in words.
    pub(crate) fn status(&self) -> String {
        match (self.incident.status, &self.incident.merged_into) {
            (Status::Ongoing, _) => "goes on: a process of it lives".to_owned(),
            (Status::Over, _) => "over: all of its processes have ended".to_owned(),
            (Status::Merged, into) => format!("part of {}", into.as_deref().unwrap_or("another incident")),
        }
    }

    /// The known story in one sentence, and the steps of it that were not seen.
    pub(crate) fn story(&self) -> Option<(String, Vec<&'a str>)> {
        let chain = self.incident.chain.as_ref()?;
        let missing = chain.parts.iter().filter(|part| part.stage.is_none()).map(|part| part.step.as_str());
        Some((safe(&chain.story), missing.collect()))
    }

    /// How much of a known story was seen, in words.
    pub(crate) fn chain(&self) -> Option<String> {
        let chain = self.incident.chain.as_ref()?;
        Some(format!("{}: {} of {} steps seen", chain.name, chain.found, chain.steps))
    }
}
