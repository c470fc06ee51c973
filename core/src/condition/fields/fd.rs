//! `fd.*`: the open file or the connection that the event is about.

use std::borrow::Cow;
use std::net::SocketAddr;

use super::{
    FILE, FLOW, Field, Found, OPEN, SOCKET, UNIX, address, directory, ends, flag, fs, known, number, ports, text, word,
};
use crate::condition::scratch::Put;
use crate::condition::view::View;
use crate::event::{Bind, BindAddress, Family, FamilySet, Payload, UdpStage, Unix};

const STDIO: FamilySet = FamilySet::of(&[Family::Stdio]);
const FD: FamilySet = FILE.or(SOCKET).or(UNIX).or(STDIO);

pub(super) const FIELDS: &[Field] = &[
    number("fd.num", FILE.or(STDIO), "The descriptor.", |v| match &v.event.payload {
        Payload::Stdio(change) => Some(change.fd.into()),
        // Rules ask so whether the call failed: one that needs no descriptor did not.
        Payload::Open(open) => Some(open.fd.max(0).into()),
        Payload::MemFd(memfd) => Some(memfd.fd.into()),
        _ => None,
    }),
    text("fd.name", FD, "A file's or unix socket's path, or a connection: client:port->server:port.", |v| {
        match (v.file(), unix(v)) {
            (Some(file), _) => Some(Cow::Borrowed(file.path.as_bytes())),
            (_, Some(unix)) => Some(Cow::Borrowed(unix.name.text().as_bytes())),
            _ => connection(v),
        }
    }),
    text("fd.nameraw", OPEN, "A file's name as the caller of the open spelled it.", fs::nameraw),
    text("fd.directory", FILE, "The directory of a file.", |v| {
        Some(Cow::Borrowed(directory(v.file()?.path.as_bytes())))
    }),
    text("fd.filename", FILE, "The last part of a file's path.", |v| Some(Cow::Borrowed(v.file()?.path.file_name()))),
    text("fd.type", FD, "file, directory, ipv4, ipv6 or unix.", |v| {
        word(match kind(v)? {
            'd' => "directory",
            '4' => "ipv4",
            '6' => "ipv6",
            'u' => "unix",
            _ => "file",
        })
    }),
    text("fd.typechar", FD, "f for a file, d for a directory, 4 and 6 for IPv4 and IPv6, u for a unix socket.", |v| {
        word(match kind(v)? {
            'd' => "d",
            '4' => "4",
            '6' => "6",
            'u' => "u",
            _ => "f",
        })
    }),
    number("fd.ino", FILE, "The inode number of a file.", |v| {
        let id = v.file()?.id;
        id.is_known().then_some(id.ino.into())
    }),
    number("fd.dev", FILE, "The device number of a file's file system.", |v| {
        let id = v.file()?.id;
        id.is_known().then_some(id.dev.into())
    }),
    number("fd.dev.major", FILE, "The upper part of that number.", |v| Some((v.file()?.id.dev >> 20).into())),
    number("fd.dev.minor", FILE, "The lower part of that number.", |v| Some((v.file()?.id.dev & 0xf_ffff).into())),
    ends("fd.ip", SOCKET, "Either end's address; an address or a network such as 10.0.0.0/8.", |v| {
        both(v).map(|end| end.map(|e| e.ip()))
    }),
    ends("fd.net", SOCKET, "Either end's address, compared with networks.", |v| both(v).map(|end| end.map(|e| e.ip()))),
    ports("fd.port", SOCKET, "Either end's port.", |v| both(v).map(|end| end.map(|e| e.port()))),
    address("fd.cip", FLOW, "The client's address.", |v| Some(client(v)?.ip())),
    address("fd.sip", SOCKET, "The server's address.", |v| Some(server(v)?.ip())),
    address("fd.lip", SOCKET, "This end's address.", |v| Some(local(v)?.ip())),
    address("fd.rip", FLOW.or(STDIO), "The other end's address.", |v| Some(remote(v)?.ip())),
    address("fd.cnet", FLOW, "The client's address, compared with networks.", |v| Some(client(v)?.ip())),
    address("fd.snet", SOCKET, "The server's address, compared with networks.", |v| Some(server(v)?.ip())),
    address("fd.lnet", SOCKET, "This end's address, compared with networks.", |v| Some(local(v)?.ip())),
    address("fd.rnet", FLOW, "The other end's address, compared with networks.", |v| Some(remote(v)?.ip())),
    number("fd.cport", FLOW, "The client's port.", |v| Some(client(v)?.port().into())),
    number("fd.sport", SOCKET, "The server's port.", |v| Some(server(v)?.port().into())),
    number("fd.lport", SOCKET, "This end's port.", |v| Some(local(v)?.port().into())),
    number("fd.rport", FLOW.or(STDIO), "The other end's port.", |v| Some(remote(v)?.port().into())),
    text("fd.cip.name", FLOW, "The client's name, as a name server gave it.", |v| name(v, client(v)?)),
    text("fd.sip.name", SOCKET, "The server's name, as a name server gave it.", |v| name(v, server(v)?)),
    text("fd.lip.name", SOCKET, "This end's name, as a name server gave it.", |v| name(v, local(v)?)),
    text("fd.rip.name", FLOW, "The other end's name, as a name server gave it.", |v| name(v, remote(v)?)),
    text("fd.l4proto", SOCKET, "The protocol: tcp, udp, icmp or raw.", |v| word(protocol(v)?)),
    text("fd.sockfamily", SOCKET.or(UNIX), "ip or unix.", |v| match unix(v) {
        Some(_) => word("unix"),
        None => local(v).and_then(|_| word("ip")),
    }),
    flag("fd.is_server", SOCKET, "This end is the server.", |v| match v.event.payload {
        Payload::Listen(_) | Payload::Bind(_) => local(v).map(|_| true),
        _ => v.outgoing().map(|outgoing| !outgoing),
    }),
    flag("fd.connected", SOCKET, "The socket is connected.", |v| match &v.event.payload {
        Payload::Udp(udp) => Some(udp.connected),
        _ => local(v).map(|_| v.flow().is_some()),
    }),
    flag("fd.name_changed", SOCKET, "The event gave the socket its name.", |v| {
        local(v).map(|_| match &v.event.payload {
            Payload::Close(_) | Payload::Traffic(_) | Payload::Dns(_) => false,
            Payload::Udp(udp) => udp.stage == UdpStage::Started,
            _ => true,
        })
    }),
    text("fd.containername", FD, "The container's id and fd.name, with a colon between.", |v| {
        let name = match v.file() {
            Some(file) => Cow::Borrowed(file.path.as_bytes()),
            None => connection(v)?,
        };
        let id = v.container_id().map_or(&b"host"[..], |id| id.short_bytes());
        Some(v.put(Put::ContainerAndName, |out| [id, b":", &name].iter().for_each(|part| out.extend_from_slice(part))))
    }),
    text("fd.containerdirectory", FILE, "The container's id and fd.directory, with a colon between.", |v| {
        let directory = directory(v.file()?.path.as_bytes());
        let id = v.container_id().map_or(&b"host"[..], |id| id.short_bytes());
        Some(v.put(Put::ContainerAndDirectory, |out| {
            [id, b":", directory].iter().for_each(|part| out.extend_from_slice(part));
        }))
    }),
];

fn unix(view: View<'_>) -> Option<&Unix> {
    match &view.event.payload {
        Payload::Unix(unix) => Some(unix),
        _ => None,
    }
}

fn protocol(view: View<'_>) -> Option<&'static str> {
    match &view.event.payload {
        Payload::Udp(_) => Some("udp"),
        Payload::Dns(dns) => Some(dns.transport.name()),
        Payload::Bind(Bind { to: BindAddress::Inet { protocol, .. }, .. }) => Some(match protocol {
            6 => "tcp",
            17 => "udp",
            1 | 58 => "icmp",
            _ => "raw",
        }),
        _ => local(view).map(|_| "tcp"),
    }
}

fn kind(view: View<'_>) -> Option<char> {
    match &view.event.payload {
        Payload::Open(open) if open.directory => Some('d'),
        Payload::Open(_) | Payload::MemFd(_) => Some('f'),
        Payload::Unix(_) => Some('u'),
        Payload::Stdio(_) => remote(view).map(|r| if r.ip().is_ipv4() { '4' } else { '6' }),
        _ => local(view).map(|l| if l.ip().to_canonical().is_ipv4() { '4' } else { '6' }),
    }
}

/// Addresses compare as what they mean: `::ffff:10.0.0.1` is 10.0.0.1.
fn canonical(end: SocketAddr) -> SocketAddr {
    SocketAddr::new(end.ip().to_canonical(), end.port())
}

fn local(view: View<'_>) -> Option<SocketAddr> {
    match &view.event.payload {
        Payload::Listen(listen) => Some(canonical(listen.local)),
        Payload::Bind(Bind { to: BindAddress::Inet { local, .. }, .. }) => Some(canonical(*local)),
        _ => Some(canonical(view.flow()?.local)),
    }
}

fn remote(view: View<'_>) -> Option<SocketAddr> {
    match view.event.payload {
        Payload::Stdio(change) => change.leads_to.peer.map(canonical),
        _ => Some(canonical(view.flow()?.remote)),
    }
}

fn both(view: View<'_>) -> [Option<SocketAddr>; 2] {
    [local(view), remote(view)]
}

fn client(view: View<'_>) -> Option<SocketAddr> {
    if view.outgoing()? { local(view) } else { remote(view) }
}

fn server(view: View<'_>) -> Option<SocketAddr> {
    match view.event.payload {
        Payload::Listen(_) | Payload::Bind(_) => local(view),
        _ if view.outgoing()? => remote(view),
        _ => local(view),
    }
}

/// What an address of the event's network namespace was answered to be the address of.
fn name(view: View<'_>, end: SocketAddr) -> Found<'_> {
    let netns = match &view.event.payload {
        Payload::Listen(listen) => listen.netns,
        _ => view.flow()?.netns,
    };
    known(&view.graph.name_of(netns, end.ip())?.name)
}

fn connection(view: View<'_>) -> Found<'_> {
    let (from, to) = match (client(view), server(view)) {
        (Some(client), Some(server)) => (Some(client), server),
        (None, Some(server)) => (None, server),
        _ if matches!(view.event.payload, Payload::Stdio(_)) => (None, remote(view)?),
        // Who opened it is not known: it began before the sensor did.
        _ => (Some(local(view)?), remote(view)?),
    };
    Some(view.put(Put::Connection, |out| {
        if let Some(from) = from {
            address_to(out, from);
            out.extend_from_slice(b"->");
        }
        address_to(out, to);
    }))
}

/// Writes an address; a buffer takes all.
pub(super) fn address_to(out: &mut Vec<u8>, address: SocketAddr) {
    use std::fmt::Write as _;

    struct Into<'a>(&'a mut Vec<u8>);
    impl std::fmt::Write for Into<'_> {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }
    let _ = write!(Into(out), "{address}");
}
