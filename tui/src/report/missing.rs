//! What a report does not tell, because nobody saw it.

use std::collections::BTreeMap;

use lanner_core::event::{Event, Loss, LossCause, NodeInfo, Payload};
use lanner_core::graph::Graph;

use crate::words::text::{count, grouped, safe};

/// What was lost on the way, or never seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Missing {
    /// Events that are known to be missing, by cause.
    pub(crate) losses: BTreeMap<LossCause, u64>,
    /// Listed events of which the sensor read only a part.
    pub(crate) truncated: u64,
    /// Why the source could not be read whole.
    pub(crate) problem: Option<String>,
}

impl Missing {
    pub(crate) fn lose(&mut self, losses: &[Loss]) {
        for loss in losses {
            *self.losses.entry(loss.cause).or_default() += loss.count;
        }
    }

    /// All of it in sentences: that nothing was lost is worth saying, too.
    pub(crate) fn sentences(&self, node: &NodeInfo, graph: &Graph) -> Vec<String> {
        let mut said = Vec::new();
        if self.losses.is_empty() {
            said.push("No event is known to be missing.".to_owned());
        }
        for (cause, n) in &self.losses {
            let (events, verb) = if *n == 1 { ("event is", "") } else { ("events are", "") };
            said.push(format!("{} {events}{verb} missing: {}.", grouped(*n), cause.words()));
        }
        if let Some(problem) = &self.problem {
            said.push(format!("The source could not be read whole: {}.", safe(problem).trim_end_matches('.')));
        }
        if self.truncated > 0 {
            let events = count(usize::try_from(self.truncated).unwrap_or(usize::MAX), "event", "events");
            said.push(format!(
                "Of {events} in this report the sensor read only a part: long arguments or paths end early."
            ));
        }
        for (n, what) in [
            (graph.evicted(), "processes had to be forgotten to bound the memory"),
            (graph.objects_evicted(), "files and peers had to be forgotten to bound the memory"),
        ] {
            if n > 0 {
                said.push(format!("{} {what}.", grouped(n)));
            }
        }
        for refusal in node.refusals() {
            let hooks = safe(&refusal.names.join(", "));
            said.push(format!("Not seen: {} ({hooks}: {}).", safe(refusal.without), safe(refusal.why)));
        }
        said
    }

    /// What no hook of this node tells, whatever happens: of which family of events it would be, and what.
    pub(crate) fn never(node: &NodeInfo) -> Vec<String> {
        node.blind.iter().map(|blind| format!("{}: {}", safe(&blind.family), safe(&blind.what))).collect()
    }
}

/// Whether the sensor read only a part of an event's words.
pub(crate) fn is_truncated(event: &Event) -> bool {
    match &event.payload {
        Payload::Exec(exec) | Payload::Alive(exec) => {
            exec.image.args.truncated || exec.image.env.truncated || exec.image.exe.truncated
        }
        Payload::Open(open) => open.file.truncated,
        Payload::MemFd(memfd) => memfd.file.truncated,
        Payload::Rename(rename) => rename.file.truncated || rename.from.truncated,
        Payload::Link(link) => link.file.truncated || link.target.truncated,
        Payload::Unlink(unlink) => unlink.file.truncated,
        Payload::Make(make) => make.file.truncated,
        Payload::Attribute(attribute) => attribute.file.truncated,
        _ => false,
    }
}
