//! Unix sockets.

use lanner_collector_abi::{UnixRecord, kind};
use lanner_core::event::{File, Payload, SocketType, Text, Unix, UnixAct, UnixName};

use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{Reader, file, key, string};

/// Exits first: a call whose exit nobody sees would be remembered for ever.
pub(super) const HOOKS: &[Spec] = &[
    Spec {
        name: "sys_exit_connect",
        program: "connect",
        attach: Attach::Syscalls(&["sys_exit_connect"]),
        without: "connections that fail before a packet is sent, and connections to unix sockets",
        unless: "",
    },
    Spec {
        name: "sys_exit_listen",
        program: "listen",
        attach: Attach::Syscalls(&["sys_exit_listen"]),
        without: "unix sockets that listen",
        unless: "",
    },
    Spec {
        name: "sys_enter_connect, sys_enter_bind, sys_enter_listen",
        program: "socket_call",
        attach: Attach::Syscalls(&["sys_enter_connect", "sys_enter_bind", "sys_enter_listen"]),
        without: "connections that fail before a packet is sent, unix sockets, and addresses given to sockets",
        unless: "",
    },
    Spec {
        name: "security_unix_stream_connect",
        program: "unix_stream_connect",
        attach: Attach::Return("security_unix_stream_connect"),
        without: "connections to unix sockets by operations of io_uring that do not say when they are done",
        unless: "",
    },
];

pub(super) fn unix(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<UnixRecord>()?;
    let path = file(&record.file, reader)?;
    let name = reader.bytes(record.name_len)?;
    let name = if name.is_empty() { UnixName::Path(path) } else { asked_for(name) };
    let act = match (record.header.kind, record.errno) {
        (kind::UNIX_LISTEN | kind::UNIX_FOUND_LISTEN, _) => UnixAct::Listening,
        (_, 0) => UnixAct::Connected,
        (_, errno) => UnixAct::Failed(errno),
    };
    Some(Payload::Unix(Box::new(Unix {
        act,
        socket_type: SocketType(record.socket_type.into()),
        name,
        peer: (record.peer.pid != 0).then(|| key(record.peer)),
        asked: record.asked != 0,
        netns: record.netns,
    })))
}

/// A name as it stands in `sockaddr_un`: after a NUL an abstract one, which may contain others.
fn asked_for(name: &[u8]) -> UnixName {
    match name.split_first() {
        Some((0, rest)) => UnixName::Abstract(Text::from(rest)),
        _ => UnixName::Path(File { path: string(name), ..File::default() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abstract_names_may_contain_anything_and_paths_end_at_a_nul() {
        assert_eq!(asked_for(b"\0a\0b"), UnixName::Abstract(Text::from(&b"a\0b"[..])));
        let UnixName::Path(file) = asked_for(b"/run/x\0junk") else { panic!("a path") };
        assert_eq!((file.path, file.id.is_known()), (Text::from("/run/x"), false));
    }
}
