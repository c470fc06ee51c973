//! What stands before a process's name: that it speaks to the network, that it writes, that a rule spoke of it.

use lanner_core::detect::{Severity, Signal};
use lanner_core::event::{Event, Payload, ProcessKey};
use lanner_core::graph::Graph;
use lanner_core::persistent::{Stock, Table};

/// Marks are tidied when there are more than this; those of processes that the graph has forgotten go.
const TIDY_ABOVE: usize = 65_536;

/// What a process was seen to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// It connected, listened or accepted.
    pub(crate) network: bool,
    /// It opened a file for writing.
    pub(crate) writes: bool,
    /// It made a file in memory.
    pub(crate) memory_file: bool,
    /// The gravest signal about it.
    pub(crate) worst: Option<Severity>,
}

/// The marks of all processes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks {
    of: Table<ProcessKey, Mark>,
    tidied_at: usize,
}

impl Marks {
    /// About how many bytes a clone takes that is taken now; what changes after it counts anew.
    pub(crate) fn take_stock(&mut self) -> Stock {
        self.of.take_stock()
    }

    pub(crate) fn of(&self, process: ProcessKey) -> Mark {
        self.of.get(&process).copied().unwrap_or_default()
    }

    pub(crate) fn apply(&mut self, event: &Event, signals: &[Signal]) {
        let key = event.header.process;
        match event.payload {
            Payload::Connect(_)
            | Payload::Accept(_)
            | Payload::Listen(_)
            | Payload::Close(_)
            | Payload::Traffic(_)
            | Payload::Udp(_)
            | Payload::Dns(_)
            | Payload::Socket(_) => self.mark(key, |mark| mark.network = true),
            Payload::Open(ref open) if open.access.write && !open.directory => {
                self.mark(key, |mark| mark.writes = true)
            }
            Payload::MemFd(_) => self.mark(key, |mark| mark.memory_file = true),
            _ => {}
        }
        for signal in signals {
            self.mark(signal.process, |mark| mark.worst = mark.worst.max(Some(signal.severity)));
        }
    }

    /// Forgets the marks of processes that the graph has forgotten, now and then.
    pub(crate) fn tidy(&mut self, graph: &Graph) {
        if self.of.len() > TIDY_ABOVE.max(self.tidied_at * 2) {
            self.of.retain(|key, _| graph.process(*key).is_some());
            self.tidied_at = self.of.len();
        }
    }

    /// What is marked already is not touched: the past need not keep what it was before.
    fn mark(&mut self, key: ProcessKey, mark: impl FnOnce(&mut Mark)) {
        let known = self.of.get(&key).copied().unwrap_or_default();
        let mut marked = known;
        mark(&mut marked);
        if marked != known {
            self.of.insert(key, marked);
        }
    }
}
