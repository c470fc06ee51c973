//! Records of sockets.

use crate::{FileFacts, Header, Key, plain};

/// Unix sockets, in the fields named `family`.
pub const AF_UNIX: u16 = 1;
/// IPv4.
pub const AF_INET: u16 = 2;
/// IPv6.
pub const AF_INET6: u16 = 10;
/// The kernel's own messages.
pub const AF_NETLINK: u16 = 16;
/// Whole packets of an interface.
pub const AF_PACKET: u16 = 17;

/// Values of [`TcpRecord::direction`].
#[allow(non_snake_case)]
pub mod Direction {
    /// The socket is older than the sensor.
    pub const UNKNOWN: u8 = 0;
    /// This node opened the connection.
    pub const OUTGOING: u8 = 1;
    /// It was accepted, or will be.
    pub const INCOMING: u8 = 2;
    /// It is no connection: it listens.
    pub const LISTENING: u8 = 3;
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
    /// Payload bytes sent again.
    pub retransmitted: u64,
    /// Segments sent again, those of the handshake included.
    pub retransmits: u32,
    /// Smoothed round trip time in microseconds; 0 when none was measured.
    pub rtt: u32,
    /// The shortest of late, in microseconds; 0 when none was measured.
    pub rtt_min: u32,
    /// This end's port.
    pub local_port: u16,
    /// The other end's.
    pub remote_port: u16,
    /// [`AF_INET`] or [`AF_INET6`].
    pub family: u16,
    /// One of [`Direction`].
    pub direction: u8,
    /// The kernel's number of the state that it is in, or that it left when it was closed.
    pub state: u8,
    /// The network namespace's inode number.
    pub netns: u32,
    /// Why it failed or broke off, an errno; 0 when nothing says why.
    pub errno: u32,
    /// 1 when the other end is what the caller asked for: the kernel kept no address of its own.
    pub asked: u32,
}

/// The kernel's numbers of a TCP socket's states, where they matter to both sides.
#[allow(non_snake_case, missing_docs)]
pub mod TcpState {
    pub const ESTABLISHED: u8 = 1;
    pub const SYN_SENT: u8 = 2;
    pub const SYN_RECV: u8 = 3;
    pub const FIN_WAIT1: u8 = 4;
    pub const FIN_WAIT2: u8 = 5;
    pub const CLOSE: u8 = 7;
    pub const CLOSE_WAIT: u8 = 8;
    pub const LAST_ACK: u8 = 9;
    pub const LISTEN: u8 = 10;
}

/// A unix socket was connected to, or listens; the header's kind tells which. Tail: the path's components as for files,
/// or the name's bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnixRecord {
    /// When and who.
    pub header: Header,
    /// Who made the other end listen; zeros when unknown.
    pub peer: Key,
    /// The socket's file; zeros for a name without one.
    pub file: FileFacts,
    /// Bytes of the name in the tail, after the path's: an abstract name, or one that was asked for.
    pub name_len: u16,
    /// `SOCK_STREAM` (1), `SOCK_DGRAM` (2) or `SOCK_SEQPACKET` (5).
    pub socket_type: u16,
    /// Why it failed, an errno; 0 when it did not.
    pub errno: u32,
    /// The network namespace's inode number: abstract names belong to one.
    pub netns: u32,
    /// 1 when the name is what the caller asked for: there was no socket to ask.
    pub asked: u32,
}

/// A socket of a kind worth knowing was asked for. No tail.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketRecord {
    /// When and who.
    pub header: Header,
    /// The address family (`AF_*`).
    pub family: u32,
    /// `SOCK_*`, without flags.
    pub socket_type: u32,
    /// The protocol, in the byte order in which the caller gave it.
    pub protocol: u32,
    /// The descriptor, or its place in a table of a ring's own; below zero the error.
    pub result: i32,
}

/// A socket got an address. No tail.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BindRecord {
    /// When and who.
    pub header: Header,
    /// The address; IPv4 in the first four bytes.
    pub local: [u8; 16],
    /// The port; for [`AF_PACKET`] the protocol.
    pub port: u16,
    /// The address family (`AF_*`).
    pub family: u16,
    /// `SOCK_*`.
    pub socket_type: u16,
    /// The protocol (`IPPROTO_*`); 0 for [`AF_PACKET`].
    pub protocol: u16,
    /// The network namespace's inode number.
    pub netns: u32,
    /// For [`AF_PACKET`], the interface's number; 0: all.
    pub interface: u32,
}

plain!(TcpRecord = 144, UnixRecord = 96, SocketRecord = 56, BindRecord = 72);
