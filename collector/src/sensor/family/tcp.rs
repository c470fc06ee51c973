//! TCP connections.

use std::net::SocketAddr;

use lanner_collector_abi::{Direction, TcpRecord, kind};
use lanner_core::event::{Accept, Attempt, BootTime, Close, Connect, Flow, FlowId, Listen, Payload};

use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{Reader, address};

pub(super) const HOOKS: &[Spec] = &[
    Spec {
        name: "inet_sock_set_state",
        program: "tcp_state",
        attach: Attach::Typed("inet_sock_set_state"),
        without: "TCP connections",
        unless: "",
    },
    Spec {
        name: "sys_exit_accept*",
        program: "accept",
        attach: Attach::Syscalls(&["sys_exit_accept4", "sys_exit_accept"]),
        without: "which process accepted a TCP connection",
        unless: "",
    },
];

pub(super) fn tcp(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<TcpRecord>()?;
    let family = u32::from(record.family);
    let local = SocketAddr::new(address(family, record.local)?, record.local_port);
    let remote = SocketAddr::new(address(family, record.remote)?, record.remote_port);
    let flow = Flow { id: FlowId(record.flow), local, remote, netns: record.netns };
    Some(match record.header.kind {
        kind::TCP_STARTED => Payload::Connect(Connect { flow, attempt: Attempt::Started }),
        kind::TCP_ESTABLISHED => Payload::Connect(Connect { flow, attempt: Attempt::Established }),
        kind::TCP_FAILED => Payload::Connect(Connect { flow, attempt: Attempt::Failed(record.errno) }),
        kind::TCP_ACCEPTED => Payload::Accept(Accept { flow }),
        kind::TCP_LISTEN => Payload::Listen(Listen { local, netns: record.netns }),
        kind::TCP_CLOSED => Payload::Close(Close {
            flow,
            outgoing: match record.direction {
                Direction::OUTGOING => Some(true),
                Direction::INCOMING => Some(false),
                _ => None,
            },
            sent: record.sent,
            received: record.received,
            lasted: BootTime(record.header.time).since(BootTime(record.since)),
        }),
        _ => return None,
    })
}
