//! Records of messages to and from name servers.

use crate::{Header, plain};

/// How many bytes of a message are taken along: what resolvers ask servers to keep to over UDP.
pub const DNS_PAYLOAD: usize = 1232;

/// A datagram, or a segment of a TCP stream, between a process of this node and port 53 of a peer. Always of one size,
/// so that it can be put together in the ring itself.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DnsRecord {
    /// When, and who asks, as far as that is known.
    pub header: Header,
    /// The socket's cookie, unique in this boot.
    pub socket: u64,
    /// The flow's own number, that of its other events.
    pub flow: u64,
    /// This end's address; IPv4 in the first four bytes.
    pub local: [u8; 16],
    /// The server's.
    pub remote: [u8; 16],
    /// This end's port.
    pub local_port: u16,
    /// The server's.
    pub remote_port: u16,
    /// [`crate::AF_INET`] or [`crate::AF_INET6`].
    pub family: u16,
    /// How many bytes of [`Self::payload`] are valid; the rest is whatever lay there.
    pub taken: u16,
    /// Bytes of the whole payload.
    pub whole: u32,
    /// The network namespace's inode number.
    pub netns: u32,
    /// 1: to the server, 0: from it.
    pub sent: u8,
    /// 1: a segment of a TCP stream.
    pub tcp: u8,
    /// Zero.
    pub zero: [u8; 6],
    /// What follows the UDP or TCP header.
    pub payload: [u8; DNS_PAYLOAD],
}

plain!(DnsRecord = 1344);
