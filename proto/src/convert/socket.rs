//! Unix sockets, sockets of kinds worth knowing, addresses given to sockets.

use lanner_core::event::{Bind, BindAddress, Domain, Socket, SocketType, Unix, UnixAct, UnixName};

use super::{Refused, bytes, text};
use crate::v1;

impl From<&Unix> for v1::Unix {
    fn from(unix: &Unix) -> Self {
        let (act, errno) = match unix.act {
            UnixAct::Connected => (v1::UnixAct::Connected, 0),
            UnixAct::Failed(errno) => (v1::UnixAct::Failed, errno),
            UnixAct::Listening => (v1::UnixAct::Listening, 0),
        };
        let name = match &unix.name {
            UnixName::Path(file) => v1::unix::Name::Path(file.into()),
            UnixName::Abstract(name) => v1::unix::Name::Abstract(bytes(name)),
        };
        v1::Unix {
            act: act.into(),
            errno,
            socket_type: unix.socket_type.0,
            name: Some(name),
            peer: unix.peer.map(Into::into),
            asked: unix.asked,
            netns: unix.netns,
        }
    }
}

impl TryFrom<v1::Unix> for Unix {
    type Error = Refused;

    fn try_from(unix: v1::Unix) -> Result<Self, Refused> {
        let act = match unix.act() {
            v1::UnixAct::Connected => UnixAct::Connected,
            v1::UnixAct::Failed => UnixAct::Failed(unix.errno),
            v1::UnixAct::Listening => UnixAct::Listening,
            v1::UnixAct::Unspecified => return Err(Refused::Unknown),
        };
        let name = match unix.name.ok_or(Refused::Malformed("name"))? {
            v1::unix::Name::Path(file) => UnixName::Path(file.try_into()?),
            v1::unix::Name::Abstract(name) => UnixName::Abstract(text(name, "abstract")?),
        };
        Ok(Unix {
            act,
            socket_type: SocketType(unix.socket_type),
            name,
            peer: unix.peer.map(Into::into),
            asked: unix.asked,
            netns: unix.netns,
        })
    }
}

impl From<&Socket> for v1::Socket {
    fn from(socket: &Socket) -> Self {
        v1::Socket { domain: socket.domain.0, r#type: socket.socket_type.0, protocol: socket.protocol, fd: socket.fd }
    }
}

impl From<v1::Socket> for Socket {
    fn from(socket: v1::Socket) -> Self {
        Socket {
            domain: Domain(socket.domain),
            socket_type: SocketType(socket.r#type),
            protocol: socket.protocol,
            fd: socket.fd,
        }
    }
}

impl From<&Bind> for v1::Bind {
    fn from(bind: &Bind) -> Self {
        let to = match bind.to {
            BindAddress::Inet { local, protocol } => {
                v1::bind::To::Inet(v1::InetAddress { local: Some(local.into()), protocol: protocol.into() })
            }
            BindAddress::Packet { interface, protocol } => {
                v1::bind::To::Packet(v1::PacketAddress { interface, protocol: protocol.into() })
            }
        };
        v1::Bind { domain: bind.domain.0, r#type: bind.socket_type.0, to: Some(to), netns: bind.netns }
    }
}

impl TryFrom<v1::Bind> for Bind {
    type Error = Refused;

    fn try_from(bind: v1::Bind) -> Result<Self, Refused> {
        let to = match bind.to.ok_or(Refused::Malformed("to"))? {
            v1::bind::To::Inet(inet) => BindAddress::Inet {
                local: inet.local.ok_or(Refused::Malformed("local"))?.try_into()?,
                protocol: protocol(inet.protocol)?,
            },
            v1::bind::To::Packet(packet) => {
                BindAddress::Packet { interface: packet.interface, protocol: protocol(packet.protocol)? }
            }
        };
        Ok(Bind { domain: Domain(bind.domain), socket_type: SocketType(bind.r#type), to, netns: bind.netns })
    }
}

fn protocol(number: u32) -> Result<u16, Refused> {
    u16::try_from(number).map_err(|_| Refused::Malformed("protocol"))
}
