//! What was seen of a trick.

use std::collections::HashSet;
use std::fmt;

use lanner_core::event::{BootTime, Connect, Event, Exec, Hook, HookLayer, HookState, Open, Payload, ProcessKey};

/// The events of the process that performed a trick and of all its descendants, in their order.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    /// The process that performed it, first.
    pub(crate) cast: Vec<ProcessKey>,
    pub(crate) events: Vec<Event>,
    /// Whether any hook of the full layer is attached.
    pub(crate) full_layer: bool,
    /// All hooks that are.
    pub(crate) attached: HashSet<String>,
}

impl Scene {
    /// What `pid`, a child that this process made after `since`, and its descendants did, among all `events`: numbers of
    /// processes are used again.
    pub(crate) fn of(pid: u32, since: BootTime, events: &[Event], hooks: &[Hook]) -> Scene {
        let mut cast: Vec<ProcessKey> = Vec::new();
        let mut known: HashSet<ProcessKey> = HashSet::new();
        let mut own = Vec::new();
        for event in events {
            if let Payload::Fork(fork) = &event.payload
                && (known.contains(&event.header.process)
                    || (fork.child.pid == pid
                        && fork.child.start >= since
                        && event.header.process.pid == std::process::id()))
                && known.insert(fork.child)
            {
                cast.push(fork.child);
            }
            if known.contains(&event.header.process) {
                own.push(event.clone());
            }
        }
        let attached = || hooks.iter().filter(|hook| hook.state == HookState::Attached);
        let full_layer = attached().any(|hook| hook.layer == HookLayer::Full);
        Scene { cast, events: own, full_layer, attached: attached().map(|hook| hook.name.clone()).collect() }
    }

    /// Whether all of them have ended.
    pub(crate) fn is_over(&self) -> bool {
        let ended = |key: &ProcessKey| {
            self.events.iter().any(|e| e.header.process == *key && matches!(e.payload, Payload::Exit(_)))
        };
        !self.cast.is_empty() && self.cast.iter().all(ended)
    }

    /// What was run, but for the program that performs the trick.
    pub(crate) fn execs(&self) -> impl Iterator<Item = &Exec> {
        let execs = self.events.iter().filter_map(|e| match &e.payload {
            Payload::Exec(exec) => Some(exec.as_ref()),
            _ => None,
        });
        execs.skip(1)
    }

    /// Files that were opened.
    pub(crate) fn opens(&self) -> impl Iterator<Item = &Open> {
        self.events.iter().filter_map(|e| match &e.payload {
            Payload::Open(open) => Some(open.as_ref()),
            _ => None,
        })
    }

    /// TCP connections that were tried, and what became of them.
    pub(crate) fn connects(&self) -> impl Iterator<Item = &Connect> {
        self.events.iter().filter_map(|e| match &e.payload {
            Payload::Connect(connect) => Some(connect),
            _ => None,
        })
    }

    /// That an exec `is` such.
    pub(crate) fn ran(&self, what: &str, is: impl Fn(&Exec) -> bool) -> Result<(), String> {
        self.execs().any(is).then_some(()).ok_or_else(|| format!("an exec of {what}"))
    }

    /// That a file was opened that `is` such.
    pub(crate) fn opened(&self, what: &str, is: impl Fn(&Open) -> bool) -> Result<(), String> {
        self.opens().any(is).then_some(()).ok_or_else(|| format!("an open of {what}"))
    }

    /// That something happened that `is` such.
    pub(crate) fn tells(&self, what: &str, is: impl Fn(&Payload) -> bool) -> Result<(), String> {
        self.events.iter().any(|e| is(&e.payload)).then_some(()).ok_or_else(|| what.to_owned())
    }

    /// As [`Self::tells`], by a 32-bit system call.
    pub(crate) fn tells_narrow(&self, what: &str, is: impl Fn(&Payload) -> bool) -> Result<(), String> {
        let told = self.events.iter().any(|e| e.header.compat && is(&e.payload));
        told.then_some(()).ok_or_else(|| format!("{what}, as a 32-bit call"))
    }
}

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} processes, full layer: {}", self.cast.len(), self.full_layer)?;
        self.events.iter().try_for_each(|e| writeln!(f, "{} {:?}", e.header.process.pid, e.payload))
    }
}
