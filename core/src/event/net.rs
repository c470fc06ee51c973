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
    /// It failed; the errno says how (111 refused, 110 timed out, 113 unreachable, ...), 0 when unknown.
    Failed(u32),
}

/// An outgoing connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connect {
    /// The connection.
    pub flow: Flow,
    /// What became of it.
    pub attempt: Attempt,
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
    /// From the first sight of the socket to its end.
    #[serde(rename = "lasted_ns", serialize_with = "nanoseconds")]
    pub lasted: Duration,
}

fn nanoseconds<S: serde::Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}
