//! TCP connections.

use std::net::SocketAddr;
use std::time::Duration;

use lanner_collector_abi::{Direction, TcpRecord, TcpState, kind};
use lanner_core::event::{
    Accept, Attempt, BootTime, Close, Connect, End, Flow, FlowId, Listen, Payload, Quality, Traffic,
};

use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{Reader, address};

const EPIPE: u32 = 32;
const ECONNRESET: u32 = 104;
const ETIMEDOUT: u32 = 110;

pub(super) const HOOKS: &[Spec] = &[
    // First: what the next hook sees coming in, this one sees being accepted. Otherwise a child that holds the last copy of
    // a socket would be taken for who accepted it while the sensor began.
    Spec {
        name: "sys_exit_accept*",
        program: "accept",
        attach: Attach::Syscalls(&["sys_exit_accept4", "sys_exit_accept"]),
        without: "which process accepted a TCP connection",
        unless: "",
    },
    Spec {
        name: "inet_sock_set_state",
        program: "tcp_state",
        attach: Attach::Typed("inet_sock_set_state"),
        without: "TCP connections",
        unless: "",
    },
    Spec {
        name: "inet_sock_set_state (missed)",
        program: "tcp_state_missed",
        attach: Attach::Typed("inet_sock_set_state"),
        without: "changes of a TCP socket that a packet brings while another change is being told of",
        unless: "",
    },
    Spec {
        name: "__inet_stream_connect",
        program: "stream_connect",
        attach: Attach::Return("__inet_stream_connect"),
        without: "attempts by data that is sent with the first packet (MSG_FASTOPEN), where no packet could be sent",
        unless: "",
    },
    Spec {
        name: "security_sock_graft",
        program: "sock_graft",
        attach: Attach::Entry("security_sock_graft"),
        without: "which process accepted a TCP connection into a table of a ring's own, or by an operation that goes on accepting, \
                  until it closes it",
        unless: "",
    },
];

/// See [`super::SOCKETS`].
pub(super) const ITERATORS: &[Spec] = &[
    Spec {
        name: "iter/task_file",
        program: super::SOCKETS,
        attach: Attach::Iterator("task_file"),
        without: "connections and listening sockets that are older than the sensor, and whose they are",
        unless: "",
    },
    Spec {
        name: "iter/bpf_map_elem",
        program: super::TRAFFIC,
        attach: Attach::Iterator("bpf_map_elem"),
        without: "how far TCP connections have got while they live",
        unless: "",
    },
];

pub(super) fn tcp(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<TcpRecord>()?;
    let family = u32::from(record.family);
    let local = SocketAddr::new(address(family, record.local)?, record.local_port);
    let remote = SocketAddr::new(address(family, record.remote)?, record.remote_port);
    let flow = Flow { id: FlowId(record.flow), local, remote, netns: record.netns };
    let connect = |attempt| Payload::Connect(Connect { flow, attempt, asked: record.asked != 0 });
    Some(match (record.header.kind, record.direction) {
        (kind::TCP_STARTED, _) => connect(Attempt::Started),
        (kind::TCP_ESTABLISHED, _) => connect(Attempt::Established),
        (kind::TCP_FAILED, _) => connect(Attempt::Failed(record.errno)),
        (kind::TCP_FOUND, Direction::OUTGOING) if record.state == TcpState::SYN_SENT => connect(Attempt::Started),
        (kind::TCP_FOUND, Direction::OUTGOING) => connect(Attempt::Established),
        (kind::TCP_ACCEPTED, _) | (kind::TCP_FOUND, Direction::INCOMING) => Payload::Accept(Accept { flow }),
        (kind::TCP_LISTEN | kind::TCP_FOUND_LISTEN, _) => Payload::Listen(Listen { local, netns: record.netns }),
        // Nothing says who opened it: that it is there can be told.
        (kind::TCP_TRAFFIC | kind::TCP_FOUND, _) => Payload::Traffic(Traffic {
            flow,
            outgoing: outgoing(&record),
            sent: record.sent,
            received: record.received,
            quality: quality(&record),
            lasted: lasted(&record),
        }),
        (kind::TCP_CLOSED, _) => Payload::Close(Close {
            flow,
            outgoing: outgoing(&record),
            sent: record.sent,
            received: record.received,
            quality: quality(&record),
            end: end(&record),
            lasted: lasted(&record),
        }),
        _ => return None,
    })
}

fn outgoing(record: &TcpRecord) -> Option<bool> {
    match record.direction {
        Direction::OUTGOING => Some(true),
        Direction::INCOMING => Some(false),
        _ => None,
    }
}

fn quality(record: &TcpRecord) -> Quality {
    Quality {
        retransmits: record.retransmits,
        retransmitted: record.retransmitted,
        rtt: Duration::from_micros(record.rtt.into()),
        rtt_min: Duration::from_micros(record.rtt_min.into()),
    }
}

fn lasted(record: &TcpRecord) -> Duration {
    BootTime(record.header.time).since(BootTime(record.since))
}

/// An error is the network's word. Without one, who leaves a state in which this end has not said that it is done, has
/// broken off.
fn end(record: &TcpRecord) -> End {
    match (record.errno, record.state) {
        (0, TcpState::ESTABLISHED | TcpState::CLOSE_WAIT) => End::Aborted,
        (0, _) => End::Finished,
        (ECONNRESET | EPIPE, _) => End::Reset,
        (ETIMEDOUT, _) => End::TimedOut,
        (errno, _) => End::Broken(errno),
    }
}
