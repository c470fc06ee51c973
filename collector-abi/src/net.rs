//! Records of TCP sockets.

use crate::{Header, plain};

/// IPv4, in [`TcpRecord::family`].
pub const AF_INET: u16 = 2;
/// IPv6.
pub const AF_INET6: u16 = 10;

/// Values of [`TcpRecord::direction`].
#[allow(non_snake_case)]
pub mod Direction {
    /// The socket is older than the sensor.
    pub const UNKNOWN: u8 = 0;
    /// This node opened the connection.
    pub const OUTGOING: u8 = 1;
    /// It was accepted, or will be.
    pub const INCOMING: u8 = 2;
}

/// What happened to a TCP socket; the header's kind tells what. No tail.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpRecord {
    /// When, and whose socket it is.
    pub header: Header,
    /// The socket's own number, unique in this boot; 0 for one that listens.
    pub flow: u64,
    /// When the sensor first saw it.
    pub since: u64,
    /// This end's address; IPv4 in the first four bytes.
    pub local: [u8; 16],
    /// The other end's.
    pub remote: [u8; 16],
    /// Payload bytes that the peer acknowledged.
    pub sent: u64,
    /// Payload bytes received.
    pub received: u64,
    /// This end's port.
    pub local_port: u16,
    /// The other end's.
    pub remote_port: u16,
    /// [`AF_INET`] or [`AF_INET6`].
    pub family: u16,
    /// One of [`Direction`].
    pub direction: u8,
    /// Zero.
    pub zero: u8,
    /// The network namespace's inode number.
    pub netns: u32,
    /// Why it failed, an errno; 0 when unknown.
    pub errno: u32,
}

plain!(TcpRecord = 120);
