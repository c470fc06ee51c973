//! The node that events come from, and the unit in which they travel.

use std::time::Duration;

use super::{BootTime, Event, Loss};

/// The node, and what its sensor can see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeInfo {
    /// Its name: the host name, or what the collector was told to call it.
    pub name: String,
    /// The kernel's boot id; with a [`super::ProcessKey`] it names a process for all time.
    pub boot_id: String,
    /// `uname -r`.
    pub kernel: String,
    /// `uname -m`.
    pub machine: String,
    /// Add this to a [`BootTime`] to get nanoseconds since 1970 (UTC), as the offset was when the collector started.
    pub wall_offset: i64,
    /// Version of the collector.
    pub version: String,
    /// The sensor's hooks, attached or not.
    pub hooks: Vec<Hook>,
    /// What cannot be seen there for all that the hooks tell.
    pub blind: Vec<BlindSpot>,
}

/// Something that happens and is not seen, and that not for want of a hook: no such hook is known, or this kernel has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlindSpot {
    /// The family ([`super::Family::name`]) whose events do not tell of it.
    pub family: String,
    /// What it is, in words.
    pub what: String,
}

impl NodeInfo {
    /// Nanoseconds since 1970 (UTC) of a time on this node.
    pub fn wall(&self, time: BootTime) -> i64 {
        i64::try_from(time.0).unwrap_or(i64::MAX).saturating_add(self.wall_offset)
    }

    /// How many hooks are attached.
    pub fn attached(&self) -> usize {
        self.hooks.iter().filter(|h| h.state == HookState::Attached).count()
    }

    /// Hooks that were refused.
    pub fn degraded(&self) -> impl Iterator<Item = &Hook> {
        self.hooks.iter().filter(|h| matches!(h.state, HookState::Refused(_)))
    }

    /// Hooks that were refused, those of one layer together that were refused for one reason and cost the same: a kernel
    /// that allows no fentry refuses a dozen at once. In the order of the first of each.
    pub fn refusals(&self) -> Vec<Refusal<'_>> {
        let mut refusals: Vec<Refusal<'_>> = Vec::new();
        for hook in &self.hooks {
            let HookState::Refused(why) = &hook.state else { continue };
            let is_alike = |r: &&mut Refusal<'_>| r.layer == hook.layer && r.why == why && r.without == hook.without;
            match refusals.iter_mut().find(is_alike) {
                Some(refusal) => refusal.names.push(&hook.name),
                None => {
                    let names = vec![hook.name.as_str()];
                    refusals.push(Refusal { layer: hook.layer, names, why, without: &hook.without });
                }
            }
        }
        refusals
    }
}

/// Hooks that were refused alike: see [`NodeInfo::refusals`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// Their layer.
    pub layer: HookLayer,
    /// Their names.
    pub names: Vec<&'a str>,
    /// Why the kernel refused them.
    pub why: &'a str,
    /// What is not seen without them.
    pub without: &'a str,
}

/// One place in the kernel where the sensor listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Its name, such as `sched_process_exec`.
    pub name: String,
    /// Which layer it is part of.
    pub layer: HookLayer,
    /// Whether it works.
    pub state: HookState,
    /// What cannot be seen without it, in words.
    pub without: String,
}

/// The sensor's layers: all that matters works on the base layer alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookLayer {
    /// Tracepoints and iterators, wherever BPF is allowed.
    Base,
    /// fentry and LSM programs, where the kernel allows them.
    Full,
}

/// Whether a hook works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookState {
    /// It is attached.
    Attached,
    /// It is not, and why.
    Refused(String),
    /// It will be when it is needed: what it waits for.
    Waiting(String),
}

/// How a collector itself is doing. What is not known is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// When that was, by the node's clock.
    pub now: BootTime,
    /// Processor time that its process has used since it started.
    pub cpu: Duration,
    /// Memory that its process holds (resident), in bytes.
    pub memory: u64,
    /// Events that wait for the client that is told.
    pub waiting: u64,
    /// Events for which it has room there.
    pub room: u64,
}

/// Events in their order, as they travel from a collector or a recording to whoever follows them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// The stream goes on here: an event of this batch, or of a later one, has this [`super::Header::seq`] or a higher
    /// one. For a snapshot it is the number of the first event that follows the whole snapshot. 0: not numbered.
    pub first_seq: u64,
    /// The node's time when the batch was made: nothing that happened before is still to come.
    pub now: BootTime,
    /// Its events are no news: they are [`super::Payload::Alive`], one for each process that lives as the client
    /// attaches, in the order in which they became known, then [`super::Payload::Container`] for the containers of those.
    /// What was known before is void.
    pub snapshot: bool,
    /// In the order (time, cpu, seq).
    pub events: Vec<Event>,
    /// What was lost since the batch before, by cause.
    pub losses: Vec<Loss>,
}
