//! TCP connections.

use std::net::SocketAddr;
use std::time::Duration;

/// One socket's life, the same in all of its events: the boottime at which the sensor first saw it, made unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct FlowId(pub u64);

/// The two ends of a connection, seen from the process in the event's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Flow {
    /// Which socket.
    pub id: FlowId,
    /// This end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// The network namespace (inode number) in which these addresses have their meaning; 0 when unknown.
    pub netns: u32,
}

/// What became of a connection that this node opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It has been tried.
    Started,
    /// The peer answered.
    Established,
    /// It failed; the errno says how (111 refused, 110 timed out, 113 unreachable, ...). 0: nothing says how, for its
    /// process gave up before an answer came.
    Failed(u32),
}

/// An outgoing connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connect {
    /// The connection.
    pub flow: Flow,
    /// What became of it.
    pub attempt: Attempt,
    /// The remote end is what the caller asked for: the attempt failed before the kernel took an address for its own.
    pub asked: bool,
}

/// An incoming connection was taken by the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Accept {
    /// The connection.
    pub flow: Flow,
}

/// A socket began to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Listen {
    /// Where.
    pub local: SocketAddr,
    /// The network namespace (inode number); 0 when unknown.
    pub netns: u32,
}

/// A connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Close {
    /// The connection.
    pub flow: Flow,
    /// Whether this node opened it; false: it was accepted; `None`: it began before the sensor did.
    pub outgoing: Option<bool>,
    /// Payload bytes the peer acknowledged.
    pub sent: u64,
    /// Payload bytes received.
    pub received: u64,
    /// How well it went.
    #[serde(flatten)]
    pub quality: Quality,
    /// How it ended.
    #[serde(flatten)]
    pub end: End,
    /// From the first sight of the socket to its end.
    #[serde(rename = "lasted_ns", serialize_with = "nanoseconds")]
    pub lasted: Duration,
}

/// How far a connection that lives has got: told now and then of those that live long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Traffic {
    /// The connection.
    pub flow: Flow,
    /// As in [`Close`].
    pub outgoing: Option<bool>,
    /// Payload bytes the peer acknowledged so far.
    pub sent: u64,
    /// Payload bytes received so far.
    pub received: u64,
    /// How well it goes.
    #[serde(flatten)]
    pub quality: Quality,
    /// From the first sight of the socket until now.
    #[serde(rename = "lasted_ns", serialize_with = "nanoseconds")]
    pub lasted: Duration,
}

/// How well a connection goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Quality {
    /// Segments sent again, those of the handshake included.
    pub retransmits: u32,
    /// Payload bytes sent again.
    pub retransmitted: u64,
    /// Smoothed round trip time, whole microseconds; zero when none was measured.
    #[serde(rename = "rtt_ns", serialize_with = "nanoseconds")]
    pub rtt: Duration,
    /// The shortest round trip time of the last minutes, whole microseconds; zero when none was measured.
    #[serde(rename = "rtt_min_ns", serialize_with = "nanoseconds")]
    pub rtt_min: Duration,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(tag = "end", content = "errno", rename_all = "kebab-case")]
pub enum End {
    /// This end closed it, and so did the other or nothing was heard of it any more.
    #[default]
    Finished,
    /// The other end broke it off.
    Reset,
    /// This end broke it off: it had not read all, or did not want to wait.
    Aborted,
    /// Nothing was acknowledged for too long.
    TimedOut,
    /// It was torn down for another reason: the errno (103: by an administrator, 113: unreachable, ...).
    Broken(u32),
}

pub(super) fn nanoseconds<S: serde::Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}
