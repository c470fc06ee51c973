//! Records of UDP sockets, and what is counted of their flows.

use crate::{Header, Key, plain};

/// Which flow: a socket and a peer. The key of the map in which the programs count.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct UdpKey {
    /// The socket's cookie, unique in this boot.
    pub socket: u64,
    /// The other end's address; IPv4 in the first four bytes.
    pub remote: [u8; 16],
    /// The other end's port.
    pub port: u16,
    /// [`crate::AF_INET`] or [`crate::AF_INET6`].
    pub family: u16,
    /// Zero.
    pub zero: u32,
}

/// What has passed between a socket and a peer.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UdpCounts {
    /// Whose flow it is: who sent first on it, or owned the socket then; zeros while unknown.
    pub owner: Key,
    /// The flow's own number, unique in this boot.
    pub flow: u64,
    /// Datagrams sent.
    pub sent: u64,
    /// Bytes of their payloads.
    pub sent_bytes: u64,
    /// Datagrams that reached the socket, whether or not they were read.
    pub received: u64,
    /// Bytes of their payloads.
    pub received_bytes: u64,
    /// When the last one passed.
    pub last: u64,
}

/// A flow's first datagram passed. No tail.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UdpRecord {
    /// When, and whose flow it is.
    pub header: Header,
    /// Which flow.
    pub key: UdpKey,
    /// As [`UdpCounts::flow`].
    pub flow: u64,
    /// This end's address; IPv4 in the first four bytes.
    pub local: [u8; 16],
    /// This end's port.
    pub local_port: u16,
    /// 1 when the datagram came in.
    pub incoming: u8,
    /// 1 when the socket is connected to this peer.
    pub connected: u8,
    /// The network namespace's inode number.
    pub netns: u32,
    /// How many datagrams it was: one that was put together from several counts as those.
    pub datagrams: u32,
    /// Bytes of its payload.
    pub bytes: u32,
}

/// A socket that had flows was closed. No tail.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UdpReleaseRecord {
    /// When, and who closed it.
    pub header: Header,
    /// Its cookie.
    pub socket: u64,
}

/// How many flows are counted at once.
pub const UDP_FLOWS: u32 = 16384;

plain!(UdpKey = 32, UdpCounts = 64, UdpRecord = 112, UdpReleaseRecord = 48);
