//! Lengthening silent gaps. An attack whose stages lie an hour apart can be performed in a minute, and told at its true
//! length: every event stays as it was, only later. The [`crate::Header`] of the result names every gap.

use std::time::Duration;

use lanner_core::event::{Batch, BootTime, Event, Payload, ProcessKey, Task};

use crate::Stretch;

/// Moves everything after certain moments towards the future, consistently: times, and the start times by which
/// processes are known. Flow ids are names, and stay.
#[derive(Debug, Clone, Default)]
pub struct Stretcher {
    /// In time order.
    gaps: Vec<Stretch>,
}

impl Stretcher {
    /// Lengthens these gaps, given in any order.
    pub fn new(mut gaps: Vec<Stretch>) -> Self {
        gaps.sort_by_key(|gap| gap.at);
        Stretcher { gaps }
    }

    /// The gaps in time order, for [`crate::Header::stretched`].
    pub fn gaps(&self) -> &[Stretch] {
        &self.gaps
    }

    /// Where a moment lies afterwards. Monotone; a moment at which a gap begins stays before it.
    pub fn time(&self, time: BootTime) -> BootTime {
        let before = self.gaps.iter().take_while(|gap| gap.at < time);
        time.after(before.fold(Duration::ZERO, |sum, gap| sum.saturating_add(gap.by)))
    }

    /// The batch, later.
    pub fn batch(&self, mut batch: Batch) -> Batch {
        batch.now = self.time(batch.now);
        for event in &mut batch.events {
            self.event(event);
        }
        batch
    }

    fn event(&self, event: &mut Event) {
        let time = event.header.time;
        event.header.time = self.time(time);
        self.key(&mut event.header.process);
        match &mut event.payload {
            Payload::Exec(exec) | Payload::Alive(exec) => self.task(&mut exec.task),
            Payload::Fork(fork) => {
                self.key(&mut fork.child);
                self.task(&mut fork.task);
            }
            Payload::Close(close) => self.lasted(time, &mut close.lasted),
            Payload::Traffic(traffic) => self.lasted(time, &mut traffic.lasted),
            Payload::Udp(udp) => self.lasted(time, &mut udp.lasted),
            Payload::Dns(dns) => {
                if let Some(waited) = &mut dns.waited {
                    self.lasted(time, waited);
                }
            }
            Payload::Unix(unix) => {
                if let Some(peer) = &mut unix.peer {
                    self.key(peer);
                }
            }
            Payload::Trace(trace) => self.key(&mut trace.target),
            Payload::Signal(signal) => self.key(&mut signal.target),
            Payload::Digest(digest) => digest.since = self.time(digest.since),
            Payload::Exit(_)
            | Payload::Open(_)
            | Payload::Connect(_)
            | Payload::Accept(_)
            | Payload::Listen(_)
            | Payload::Namespace(_)
            | Payload::MemFd(_)
            | Payload::Rename(_)
            | Payload::Link(_)
            | Payload::Unlink(_)
            | Payload::Make(_)
            | Payload::Attribute(_)
            | Payload::Socket(_)
            | Payload::Bind(_)
            | Payload::Credentials(_)
            | Payload::Root(_)
            | Payload::Mount(_)
            | Payload::Kernel(_)
            | Payload::Bpf(_)
            | Payload::Stdio(_)
            | Payload::Container(_)
            | Payload::Comm(_)
            | Payload::Seal(_)
            | Payload::UringSetup(_)
            | Payload::UringOp(_)
            | Payload::Compat(_)
            | Payload::Accounts(_) => {}
        }
    }

    fn task(&self, task: &mut Task) {
        if let Some(parent) = &mut task.parent {
            self.key(parent);
        }
    }

    fn key(&self, key: &mut ProcessKey) {
        if !key.is_unknown() {
            key.start = self.time(key.start);
        }
    }

    /// What went on across a gap lasted longer by it.
    fn lasted(&self, end: BootTime, lasted: &mut Duration) {
        let before = u64::try_from(lasted.as_nanos()).unwrap_or(u64::MAX);
        let begin = BootTime(end.0.saturating_sub(before));
        let longer = self.time(end).since(self.time(begin)).saturating_sub(end.since(begin));
        *lasted = lasted.saturating_add(longer);
    }
}
