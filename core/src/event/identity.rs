//! What a process and a container *are*, so that a reused pid is never taken for its predecessor.

use std::fmt;
use std::time::Duration;

use super::Text;

/// Nanoseconds since the node booted, suspend included (`CLOCK_BOOTTIME`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BootTime(pub u64);

impl BootTime {
    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: BootTime) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// This time plus `d`.
    pub fn after(self, d: Duration) -> BootTime {
        BootTime(self.0.saturating_add(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// A process of one boot of one node: its pid on the machine (tgid) and when it started. Threads share it, execs keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessKey {
    /// The pid on the machine (not the one that a process in a pid namespace sees).
    pub pid: u32,
    /// When its first thread started: the kernel's `start_boottime` of the thread group's leader.
    pub start: BootTime,
}

impl ProcessKey {
    /// No process is known.
    pub const UNKNOWN: ProcessKey = ProcessKey { pid: 0, start: BootTime(0) };

    /// The process with this pid that started at `start` nanoseconds after boot.
    pub const fn new(pid: u32, start: u64) -> Self {
        ProcessKey { pid, start: BootTime(start) }
    }

    /// Whether this is [`ProcessKey::UNKNOWN`].
    pub fn is_unknown(self) -> bool {
        self == Self::UNKNOWN
    }
}

impl fmt::Display for ProcessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.pid, self.start.0)
    }
}

/// A container's id as its runtime names it: mostly 64 hex digits, but any name that a runtime allows.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize)]
#[serde(transparent)]
pub struct ContainerId(pub Text);

impl ContainerId {
    /// The first 12 characters, as container tools show it.
    pub fn short(&self) -> Text {
        Text::from(self.short_bytes())
    }

    /// The bytes of [`ContainerId::short`].
    pub fn short_bytes(&self) -> &[u8] {
        let bytes = self.0.as_bytes();
        let hex = bytes.len() >= 32 && bytes.iter().all(u8::is_ascii_hexdigit);
        if hex { &bytes[..12] } else { bytes }
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
