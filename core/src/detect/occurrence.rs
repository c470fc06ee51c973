//! The times of a stage: who did it, with what, and why that belongs to what was before.

use std::net::SocketAddr;

use super::Link;
use crate::event::{BootTime, Event, Payload, ProcessKey, Text};

/// Times of a stage that are kept, each of another process.
const MAX_TIMES: usize = 16;

/// The first time that one process did what a stage tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// Who.
    pub process: ProcessKey,
    /// When.
    pub time: BootTime,
    /// The event (`header.seq`).
    pub event: u64,
    /// The file that it was about; empty when it was about none.
    pub file: Text,
    /// The remote end that it was about.
    pub peer: Option<SocketAddr>,
    /// Why it belongs to an earlier stage, if this is not the stage's first time.
    pub link: Option<Link>,
}

impl Occurrence {
    /// What an event did.
    pub(super) fn of(event: &Event, link: Option<Link>) -> Occurrence {
        let (file, peer) = about(&event.payload);
        let header = &event.header;
        Occurrence { process: header.process, time: header.time, event: header.seq, file, peer, link }
    }
}

/// Whether a time by this process is kept: of each process the first is.
pub(super) fn is_new(times: &[Occurrence], process: ProcessKey) -> bool {
    times.len() < MAX_TIMES && times.iter().all(|t| t.process != process)
}

/// Notes one more time. Gives whether it is kept.
pub(super) fn note(times: &mut Vec<Occurrence>, event: &Event, link: Option<Link>) -> bool {
    let is_kept = is_new(times, event.header.process);
    if is_kept {
        times.push(Occurrence::of(event, link));
    }
    is_kept
}

/// Takes in the times that the same rule found in another case, whose stage had that link.
pub(super) fn absorb(times: &mut Vec<Occurrence>, others: Vec<Occurrence>, link: Option<Link>) {
    for (i, mut other) in others.into_iter().enumerate() {
        if is_new(times, other.process) {
            if i == 0 {
                other.link = other.link.or_else(|| link.clone());
            }
            times.push(other);
        }
    }
    times.sort_by_key(|t| (t.time, t.event));
}

/// The file and the remote end that an event is about.
fn about(payload: &Payload) -> (Text, Option<SocketAddr>) {
    let nothing = || (Text::empty(), None);
    let file = |text: &Text| (text.clone(), None);
    match payload {
        Payload::Exec(exec) => file(&exec.image.exe.path),
        Payload::Open(open) => file(&open.file.path),
        Payload::MemFd(memfd) => file(&memfd.file.path),
        Payload::Rename(rename) => file(&rename.file.path),
        Payload::Link(link) => file(&link.file.path),
        Payload::Unlink(unlink) => file(&unlink.file.path),
        Payload::Make(make) => file(&make.file.path),
        Payload::Attribute(attribute) => file(&attribute.file.path),
        Payload::Mount(mount) => file(&mount.place.path),
        Payload::Root(root) => file(&root.now.path),
        Payload::Kernel(load) => load.file.as_ref().map_or_else(nothing, |f| file(&f.path)),
        Payload::Unix(unix) => match &unix.name {
            crate::event::UnixName::Path(socket) => file(&socket.path),
            _ => nothing(),
        },
        Payload::Connect(connect) => (Text::empty(), Some(connect.flow.remote)),
        Payload::Accept(accept) => (Text::empty(), Some(accept.flow.remote)),
        Payload::Close(close) => (Text::empty(), Some(close.flow.remote)),
        Payload::Traffic(traffic) => (Text::empty(), Some(traffic.flow.remote)),
        Payload::Udp(udp) => (Text::empty(), Some(udp.flow.remote)),
        Payload::Stdio(change) => (Text::empty(), change.leads_to.peer),
        _ => nothing(),
    }
}
