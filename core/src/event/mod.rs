//! Events: what the sensor saw, as everything in Lanner knows it. An event is a [`Header`] (when, who) and a
//! [`Payload`] (what), and never changes after it was made; what is concluded from it stands beside it.
//!
//! A payload that implements `Serialize` is its own `data` in `events --json`.

mod accounts;
mod call;
mod code;
mod container;
mod credentials;
mod digest;
mod dns;
mod family;
mod file;
mod identity;
mod io_uring;
mod mount;
mod name;
mod net;
mod node;
mod passed;
mod process;
mod sensor;
mod socket;
mod text;
mod trace;
mod udp;
mod unix;

pub use accounts::{Account, Accounts, MAX_ACCOUNTS};
pub use call::Call;
pub use code::{Bpf, BpfCommand, KernelLoad};
pub use container::{ContainerInfo, HostMount, HostNamespace, ImageName, Label, MAX_LISTED, PodName, Role, ToldBy};
pub use credentials::{CredentialsChange, Privileges};
pub use digest::{Digest, Sha256};
pub use dns::{Dns, DnsReply, DnsTransport, RecordType, ResponseCode};
pub use family::{Family, FamilySet, Payload};
pub use file::{Access, File, FileId, Open, Seal, Seals, Through};
pub use identity::{BootTime, ContainerId, ProcessKey};
pub use io_uring::{UringOp, UringOperation, UringSetup};
pub use mount::{Mount, RootChange};
pub use name::{Attribute, AttributeChange, Link, MadeKind, Make, Owner, Rename, Unlink};
pub use net::{Accept, Attempt, Close, Connect, End, Flow, FlowId, Listen, Quality, Traffic};
pub use node::{Batch, BlindSpot, Hook, HookLayer, HookState, Load, NodeInfo, Refusal};
pub use passed::{OpenFlags, Passed};
pub use process::{
    Args, CloneFlags, Comm, Compat, Context, Credentials, Environment, Exec, Exit, Fork, Gain, Image, Layer, MemFd,
    NamespaceChange, Namespaces, NsChangeHow, Stdio, StdioChange, StdioKind, Task,
};
pub use sensor::{Loss, LossCause};
pub use socket::{Bind, BindAddress, Domain, Socket, SocketType};
pub use text::{Text, is_deceptive};
pub use trace::{SignalOutcome, SignalSent, Trace, signal_name};
pub use udp::{Datagrams, Udp, UdpStage};
pub use unix::{Unix, UnixAct, UnixName};

/// One thing that happened on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, where and who.
    pub header: Header,
    /// What.
    pub payload: Payload,
}

/// The part that all events share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Position in the node's stream, counted from 1 by the collector. A gap is a loss that a [`Loss`] accounts for.
    pub seq: u64,
    /// When, since the node's boot.
    pub time: BootTime,
    /// The processor it happened on.
    pub cpu: u32,
    /// The process that did it; [`ProcessKey::UNKNOWN`] when the sensor could not tell.
    pub process: ProcessKey,
    /// The thread that did it, a pid of the machine; 0 when unknown.
    pub tid: u32,
    /// Whether it was seen as it happened.
    pub origin: Origin,
    /// Whether it was done by a 32-bit system call of x86, which a 64-bit program can make too.
    pub compat: bool,
}

/// How the collector came to know of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Seen by a hook as it happened.
    #[default]
    Live,
    /// Found already there when the collector started, or when a client attached.
    Backfill,
}
