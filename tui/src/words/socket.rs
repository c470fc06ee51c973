//! What happens to sockets, in words.

use lanner_core::event::{Bind, BindAddress, Close, End, Quality, Socket, Traffic, Unix, UnixAct, UnixName};
use lanner_core::graph::Graph;

use super::net::peer;
use super::text::{bytes, shown};
use super::{LINE, errno_words, file, when};

pub(super) fn closed(close: &Close, graph: &Graph) -> String {
    let direction = match close.outgoing {
        Some(true) => "closed",
        Some(false) => "closed, accepted from",
        None => "closed, either way with",
    };
    let end = match close.end {
        End::Finished => String::new(),
        End::Reset => ", reset by the other end".to_owned(),
        End::Aborted => ", broken off by this end".to_owned(),
        End::TimedOut => ", timed out".to_owned(),
        End::Broken(errno) => format!(", broken off: {}", errno_words(errno)),
    };
    format!(
        "{direction} {}, sent {}, received {} in {}{}{end}",
        peer(&close.flow, graph),
        bytes(close.sent),
        bytes(close.received),
        when::short(close.lasted),
        again(&close.quality)
    )
}

pub(super) fn traffic(traffic: &Traffic, graph: &Graph) -> String {
    let direction = match traffic.outgoing {
        Some(true) => "talks to",
        Some(false) => "serves",
        None => "is connected with",
    };
    format!(
        "{direction} {}, sent {}, received {} so far in {}{}",
        peer(&traffic.flow, graph),
        bytes(traffic.sent),
        bytes(traffic.received),
        when::short(traffic.lasted),
        again(&traffic.quality)
    )
}

fn again(quality: &Quality) -> String {
    match quality.retransmits {
        0 => String::new(),
        1 => ", 1 segment sent again".to_owned(),
        n => format!(", {n} segments sent again"),
    }
}

pub(super) fn unix(unix: &Unix) -> String {
    let name = match &unix.name {
        UnixName::Path(path) if path.path.is_empty() => "an unknown unix socket".to_owned(),
        UnixName::Path(path) => file(path),
        // As ss and /proc/net/unix write them.
        UnixName::Abstract(name) => format!("@{}", shown(name, LINE)),
    };
    match unix.act {
        UnixAct::Connected => format!("connected to {name}"),
        UnixAct::Failed(errno) => format!("could not connect to {name}: {}", errno_words(errno)),
        UnixAct::Listening => format!("listens on {name}"),
    }
}

pub(super) fn socket(socket: &Socket) -> String {
    let kind = format!("{} {}", socket.domain, socket.socket_type);
    match u32::try_from(-i64::from(socket.fd)) {
        Ok(errno @ 1..) => format!("could not open a socket, {kind}: {}", errno_words(errno)),
        _ => format!("opened a socket, {kind}"),
    }
}

pub(super) fn bind(bind: &Bind) -> String {
    match bind.to {
        BindAddress::Inet { local, protocol: 6 } => format!("took {local} (TCP)"),
        BindAddress::Inet { local, protocol: 17 } => format!("took {local} (UDP)"),
        BindAddress::Inet { local, protocol } => format!("took {} (protocol {protocol})", local.ip()),
        BindAddress::Packet { interface: 0, .. } => "watches the packets of all interfaces".to_owned(),
        BindAddress::Packet { interface, .. } => format!("watches the packets of interface {interface}"),
    }
}
