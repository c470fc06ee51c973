//! Sockets of kinds worth knowing, and addresses given to sockets.

use std::fmt;
use std::net::SocketAddr;

/// An address family, as `socket(2)` numbers it (`AF_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Domain(pub u32);

/// What a socket carries, as `socket(2)` numbers it (`SOCK_*`), without flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SocketType(pub u32);

/// `AF_*` by number; what nobody uses any more has no name here.
const DOMAINS: &[(u32, &str)] = &[
    (0, "AF_UNSPEC"),
    (1, "AF_UNIX"),
    (2, "AF_INET"),
    (3, "AF_AX25"),
    (4, "AF_IPX"),
    (5, "AF_APPLETALK"),
    (9, "AF_X25"),
    (10, "AF_INET6"),
    (15, "AF_KEY"),
    (16, "AF_NETLINK"),
    (17, "AF_PACKET"),
    (21, "AF_RDS"),
    (24, "AF_PPPOX"),
    (26, "AF_LLC"),
    (27, "AF_IB"),
    (28, "AF_MPLS"),
    (29, "AF_CAN"),
    (30, "AF_TIPC"),
    (31, "AF_BLUETOOTH"),
    (33, "AF_RXRPC"),
    (37, "AF_CAIF"),
    (38, "AF_ALG"),
    (39, "AF_NFC"),
    (40, "AF_VSOCK"),
    (41, "AF_KCM"),
    (42, "AF_QIPCRTR"),
    (43, "AF_SMC"),
    (44, "AF_XDP"),
    (45, "AF_MCTP"),
];

/// `SOCK_*` by number.
const TYPES: &[(u32, &str)] = &[
    (1, "SOCK_STREAM"),
    (2, "SOCK_DGRAM"),
    (3, "SOCK_RAW"),
    (4, "SOCK_RDM"),
    (5, "SOCK_SEQPACKET"),
    (6, "SOCK_DCCP"),
    (10, "SOCK_PACKET"),
];

fn named(names: &[(u32, &str)], number: u32, prefix: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match names.iter().find(|(n, _)| *n == number) {
        Some((_, name)) => f.write_str(name),
        None => write!(f, "{prefix}{number}"),
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        named(DOMAINS, self.0, "AF_", f)
    }
}

impl fmt::Display for SocketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        named(TYPES, self.0, "SOCK_", f)
    }
}

impl serde::Serialize for Domain {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl serde::Serialize for SocketType {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// A socket of a kind worth knowing was asked for: raw ones, and all but those of the internet, unix and netlink families.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Socket {
    /// The address family.
    pub domain: Domain,
    /// What it carries.
    #[serde(rename = "type")]
    pub socket_type: SocketType,
    /// The protocol, as the caller gave it: for packet sockets in network byte order.
    pub protocol: u32,
    /// The descriptor, or its place in a table of a ring's own; below zero the error: -1 is EPERM.
    pub fd: i32,
}

/// A socket got an address of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Bind {
    /// The address family.
    pub domain: Domain,
    /// What it carries.
    #[serde(rename = "type")]
    pub socket_type: SocketType,
    /// The address, as the kernel holds it.
    pub to: BindAddress,
    /// The network namespace (inode number); 0 when unknown.
    pub netns: u32,
}

/// What a socket was bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BindAddress {
    /// An address and a port, of this protocol (`IPPROTO_*`).
    Inet {
        /// The address; port 0 for raw sockets means none.
        local: SocketAddr,
        /// 6 for TCP, 17 for UDP, ...
        protocol: u16,
    },
    /// An interface.
    Packet {
        /// Its number; 0: all.
        interface: u32,
        /// The protocol of the packets (`ETH_P_*`); 3: all, 0: none.
        protocol: u16,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_without_a_name_are_told_as_numbers() {
        assert_eq!(Domain(17).to_string(), "AF_PACKET");
        assert_eq!(Domain(99).to_string(), "AF_99");
        assert_eq!(SocketType(3).to_string(), "SOCK_RAW");
        assert_eq!(SocketType(9).to_string(), "SOCK_9");
    }
}
