//! Sockets of kinds worth knowing, and addresses given to sockets.

use std::net::SocketAddr;

use lanner_collector_abi::{AF_PACKET, BindRecord, SocketRecord};
use lanner_core::event::{Bind, BindAddress, Domain, Payload, Socket, SocketType};

use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{Reader, address};

/// Exits first: a call whose exit nobody sees would be remembered for ever.
pub(super) const HOOKS: &[Spec] = &[
    Spec {
        name: "sys_exit_socket",
        program: "socket_exit",
        attach: Attach::Syscalls(&["sys_exit_socket"]),
        without: "raw and packet sockets",
        unless: "",
    },
    Spec {
        name: "sys_exit_bind",
        program: "bind",
        attach: Attach::Syscalls(&["sys_exit_bind"]),
        without: "addresses given to sockets",
        unless: "",
    },
    Spec {
        name: "sys_enter_socket",
        program: "socket_enter",
        attach: Attach::Syscalls(&["sys_enter_socket"]),
        without: "raw and packet sockets",
        unless: "",
    },
];

pub(super) fn socket(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<SocketRecord>()?;
    Some(Payload::Socket(Socket {
        domain: Domain(record.family),
        socket_type: SocketType(record.socket_type),
        protocol: record.protocol,
        fd: record.result,
    }))
}

pub(super) fn bind(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<BindRecord>()?;
    let to = if record.family == AF_PACKET {
        BindAddress::Packet { interface: record.interface, protocol: record.port }
    } else {
        let local = SocketAddr::new(address(record.family.into(), record.local)?, record.port);
        BindAddress::Inet { local, protocol: record.protocol }
    };
    Some(Payload::Bind(Bind {
        domain: Domain(record.family.into()),
        socket_type: SocketType(record.socket_type.into()),
        to,
        netns: record.netns,
    }))
}
