//! Unix sockets: how the processes of a node speak with its daemons.

use super::{File, ProcessKey, SocketType, Text};

/// A process connected to a unix socket, or began to listen on one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unix {
    /// What it did.
    pub act: UnixAct,
    /// Stream, datagrams or sequenced packets.
    pub socket_type: SocketType,
    /// The socket's name.
    pub name: UnixName,
    /// Who made the socket at the other end listen; `None` when unknown, and for datagrams.
    pub peer: Option<ProcessKey>,
    /// The name is what the caller asked for: no socket was found that has it.
    pub asked: bool,
    /// The network namespace (inode number), to which abstract names belong; 0 when unknown.
    pub netns: u32,
}

/// What a process did with a unix socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnixAct {
    /// It connected to it.
    Connected,
    /// It could not; the errno says why (111: nobody listens, 13: not allowed, ...).
    Failed(u32),
    /// It listens on it.
    Listening,
}

/// What a unix socket is called.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnixName {
    /// A file: as its listener bound it, wherever the caller found it.
    Path(File),
    /// A name of the network namespace, without the NUL before it.
    Abstract(Text),
}

impl UnixName {
    /// The path or the name.
    pub fn text(&self) -> &Text {
        match self {
            UnixName::Path(file) => &file.path,
            UnixName::Abstract(name) => name,
        }
    }
}
