//! Datagrams, by flow.

use std::time::Duration;

use super::Flow;
use super::net::nanoseconds;

/// What passed between a UDP socket and a peer, from the first datagram on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Udp {
    /// The two ends. The local address is that of the first datagram.
    pub flow: Flow,
    /// How far it has come.
    pub stage: UdpStage,
    /// Whether this end sent the first datagram that was seen.
    pub outgoing: bool,
    /// Whether the socket was connected to this peer then.
    pub connected: bool,
    /// What this end sent, from the first datagram on.
    pub sent: Datagrams,
    /// What reached the socket, whether or not it was read.
    pub received: Datagrams,
    /// From the first datagram to this event.
    #[serde(rename = "lasted_ns", serialize_with = "nanoseconds")]
    pub lasted: Duration,
}

/// How far a flow has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UdpStage {
    /// This is its first datagram.
    Started,
    /// Datagrams passed since the last event.
    Continues,
    /// Nothing has passed for a while; what comes later is a new flow.
    Silent,
    /// The socket was closed.
    Closed,
}

/// How many datagrams, and how much they carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Datagrams {
    /// How many.
    pub datagrams: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
}
