//! What the user interface is fed with, and how it speaks back to a replay.

use std::fmt;
use std::time::Duration;

use lanner_core::event::{Batch, Load, NodeInfo};
use lanner_recording::Header;

/// One thing that a source of events has to say.
#[derive(Debug, Clone)]
pub enum FeedItem {
    /// Which node the events that follow come from, and what its sensor sees. Comes first, and again when it changes. A
    /// new boot id means that another node, or another boot, begins: all that was known is put away.
    Node(NodeInfo),
    /// What a recording says of itself; follows its node.
    Recording(Box<Header>),
    /// Events.
    Batch(Batch),
    /// How the collector itself is doing.
    Load(Load),
    /// So much of the recording has been read, in percent.
    Progress(u8),
    /// The connection changed. Sources that cannot lose theirs never send it.
    Status(ConnectionState),
    /// Nothing will follow. What is known stays on the screen.
    End(End),
}

/// How a source ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// In words, such as `the recording ends here`.
    pub words: String,
    /// Nothing is missing.
    pub complete: bool,
}

impl End {
    /// It ended as it should.
    pub fn complete(words: impl Into<String>) -> End {
        End { words: words.into(), complete: true }
    }

    /// It ended early, or not all of it could be had.
    pub fn early(words: impl Into<String>) -> End {
        End { words: words.into(), complete: false }
    }

    /// What is missing, in words.
    pub fn problem(self) -> Option<String> {
        (!self.complete).then_some(self.words)
    }
}

/// The connection to a source of events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ConnectionState {
    /// Not yet there.
    #[default]
    Connecting,
    /// Events flow.
    Connected,
    /// It broke; what was known stays.
    Lost {
        /// Why, in words.
        why: String,
        /// In how long it will be tried again.
        retry_in: Duration,
    },
}

/// Where events come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A collector in this process.
    Live,
    /// A collector elsewhere, by its address.
    Remote(String),
    /// A recording, by its name, and how fast it is played at first.
    Recording(String, Speed),
}

/// What a replay is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ReplayCommand {
    /// From now on play this fast.
    Speed(Speed),
    /// Stand still.
    Pause,
    /// Go on.
    Resume,
    /// From now on pass over stretches in which nothing happens, or play them too.
    SkipSilence(bool),
}

/// How fast a recording is played, as a multiple of the time it took.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Speed(f64);

impl Speed {
    /// As it happened.
    pub const REAL: Speed = Speed(1.0);
    /// As fast as it can be read.
    pub const MAX: Speed = Speed(f64::INFINITY);
    const SLOWEST: f64 = 0.25;
    const FASTEST: f64 = 1024.0;

    /// This many times as fast as it happened; `None` unless it is above zero. Infinity means [`Speed::MAX`].
    pub fn times(factor: f64) -> Option<Speed> {
        (factor > 0.0).then_some(Speed(factor))
    }

    /// The multiple; infinite for [`Speed::MAX`].
    pub fn factor(self) -> f64 {
        self.0
    }

    /// Twice as fast; after 1024 times comes [`Speed::MAX`].
    pub fn faster(self) -> Speed {
        if self.0 * 2.0 > Self::FASTEST { Speed::MAX } else { Speed(self.0 * 2.0) }
    }

    /// Half as fast; a quarter is the slowest.
    pub fn slower(self) -> Speed {
        if self.0.is_infinite() { Speed(Self::FASTEST) } else { Speed((self.0 / 2.0).max(Self::SLOWEST)) }
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_infinite() { f.write_str("max") } else { write!(f, "x{}", self.0) }
    }
}
