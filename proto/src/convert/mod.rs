//! Core events to wire messages and back, one file a family.
//!
//! To the wire, conversion cannot fail: what is longer than the wire allows is cut, and marked as cut where the message
//! has a mark for it. From the wire, everything is bounded and checked, and an event that breaks a bound is refused.

mod accounts;
mod container;
mod digest;
mod dns;
mod file;
mod io_uring;
mod name;
mod net;
mod node;
mod privilege;
mod process;
mod socket;
mod stream;
mod udp;

use std::fmt;

use lanner_core::event::{Event, Header, Origin, Payload, ProcessKey, Text};

use crate::v1;

/// The longest text of an event, in bytes. Linux's paths have at most 4096, its single arguments at most 131 072, of
/// which the sensor reads far less.
pub const MAX_TEXT: usize = 32 * 1024;
/// The most arguments of an image.
pub const MAX_ARGS: usize = 4096;
/// The most nested pid namespaces; Linux allows 32.
pub const MAX_PID_NAMESPACES: usize = 64;
/// The most supplementary groups of one process.
pub const MAX_GROUPS: usize = 256;
/// The most events of one batch.
pub const MAX_EVENTS: usize = 65_536;

/// Why an event from the wire was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It is of a family, or has a value of a kind, that this version does not know.
    Unknown,
    /// It breaks a bound, or lacks what it cannot be without: the name of the field.
    Malformed(&'static str),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Unknown => f.write_str("the event is of a kind that this version does not know"),
            Refused::Malformed(field) => write!(f, "the event's field `{field}` is missing, too long or out of range"),
        }
    }
}

impl std::error::Error for Refused {}

impl From<&Event> for v1::Event {
    fn from(event: &Event) -> Self {
        use v1::event::Payload as Wire;
        let payload = match &event.payload {
            Payload::Exec(e) => Wire::Exec(Box::new(e.as_ref().into())),
            Payload::Alive(e) => Wire::Alive(Box::new(e.as_ref().into())),
            Payload::Fork(f) => Wire::Fork(Box::new(f.as_ref().into())),
            Payload::Exit(e) => Wire::Exit(e.into()),
            Payload::Open(o) => Wire::Open(Box::new(o.as_ref().into())),
            Payload::Connect(c) => Wire::Connect(Box::new(c.into())),
            Payload::Accept(a) => Wire::Accept(Box::new(a.into())),
            Payload::Listen(l) => Wire::Listen(l.into()),
            Payload::Close(c) => Wire::Close(Box::new(c.into())),
            Payload::Namespace(n) => Wire::Namespace(n.into()),
            Payload::MemFd(m) => Wire::Memfd(m.into()),
            Payload::Rename(r) => Wire::Rename(Box::new(r.as_ref().into())),
            Payload::Link(l) => Wire::Link(Box::new(l.as_ref().into())),
            Payload::Unlink(u) => Wire::Unlink(Box::new(u.as_ref().into())),
            Payload::Make(m) => Wire::Make(Box::new(m.as_ref().into())),
            Payload::Attribute(a) => Wire::Attribute(Box::new(a.as_ref().into())),
            Payload::Traffic(t) => Wire::Traffic(Box::new(t.into())),
            Payload::Unix(u) => Wire::Unix(Box::new(u.as_ref().into())),
            Payload::Socket(s) => Wire::Socket(s.into()),
            Payload::Bind(b) => Wire::Bind(Box::new(b.into())),
            Payload::Udp(u) => Wire::Udp(Box::new(u.as_ref().into())),
            Payload::Dns(d) => Wire::Dns(Box::new(d.as_ref().into())),
            Payload::Credentials(c) => Wire::Credentials(Box::new(c.as_ref().into())),
            Payload::Root(r) => Wire::Root(Box::new(r.as_ref().into())),
            Payload::Mount(m) => Wire::Mount(Box::new(m.as_ref().into())),
            Payload::Trace(t) => Wire::Trace(Box::new(t.as_ref().into())),
            Payload::Signal(s) => Wire::Signal(s.into()),
            Payload::Kernel(k) => Wire::Kernel(Box::new(k.as_ref().into())),
            Payload::Bpf(b) => Wire::Bpf(Box::new(b.as_ref().into())),
            Payload::Stdio(s) => Wire::Stdio(Box::new(s.into())),
            Payload::Container(c) => Wire::Container(Box::new(c.as_ref().into())),
            Payload::Comm(c) => Wire::Comm(c.into()),
            Payload::Seal(s) => Wire::Seal(s.as_ref().into()),
            Payload::UringSetup(u) => Wire::IoUringSetup(u.into()),
            Payload::UringOp(u) => Wire::IoUring(u.as_ref().into()),
            Payload::Compat(c) => Wire::Compat(c.into()),
            Payload::Accounts(a) => Wire::Accounts(a.as_ref().into()),
            Payload::Digest(d) => Wire::Digest(d.as_ref().into()),
        };
        v1::Event { header: Some((&event.header).into()), payload: Some(payload) }
    }
}

impl TryFrom<v1::Event> for Event {
    type Error = Refused;

    fn try_from(event: v1::Event) -> Result<Self, Refused> {
        use v1::event::Payload as Wire;
        let header = event.header.ok_or(Refused::Malformed("header"))?.into();
        let payload = match event.payload.ok_or(Refused::Unknown)? {
            Wire::Exec(e) => Payload::Exec(Box::new((*e).try_into()?)),
            Wire::Alive(e) => Payload::Alive(Box::new((*e).try_into()?)),
            Wire::Fork(f) => Payload::Fork(Box::new((*f).try_into()?)),
            Wire::Exit(e) => Payload::Exit(e.try_into()?),
            Wire::Open(o) => Payload::Open(Box::new((*o).try_into()?)),
            Wire::Connect(c) => Payload::Connect((*c).try_into()?),
            Wire::Accept(a) => Payload::Accept((*a).try_into()?),
            Wire::Listen(l) => Payload::Listen(l.try_into()?),
            Wire::Close(c) => Payload::Close((*c).try_into()?),
            Wire::Namespace(n) => Payload::Namespace(n.try_into()?),
            Wire::Memfd(m) => Payload::MemFd(m.try_into()?),
            Wire::Rename(r) => Payload::Rename(Box::new((*r).try_into()?)),
            Wire::Link(l) => Payload::Link(Box::new((*l).try_into()?)),
            Wire::Unlink(u) => Payload::Unlink(Box::new((*u).try_into()?)),
            Wire::Make(m) => Payload::Make(Box::new((*m).try_into()?)),
            Wire::Attribute(a) => Payload::Attribute(Box::new((*a).try_into()?)),
            Wire::Traffic(t) => Payload::Traffic((*t).try_into()?),
            Wire::Unix(u) => Payload::Unix(Box::new((*u).try_into()?)),
            Wire::Socket(s) => Payload::Socket(s.into()),
            Wire::Bind(b) => Payload::Bind((*b).try_into()?),
            Wire::Udp(u) => Payload::Udp(Box::new((*u).try_into()?)),
            Wire::Dns(d) => Payload::Dns(Box::new((*d).try_into()?)),
            Wire::Credentials(c) => Payload::Credentials(Box::new((*c).try_into()?)),
            Wire::Root(r) => Payload::Root(Box::new((*r).try_into()?)),
            Wire::Mount(m) => Payload::Mount(Box::new((*m).try_into()?)),
            Wire::Trace(t) => Payload::Trace(Box::new((*t).try_into()?)),
            Wire::Signal(s) => Payload::Signal(s.try_into()?),
            Wire::Kernel(k) => Payload::Kernel(Box::new((*k).try_into()?)),
            Wire::Bpf(b) => Payload::Bpf(Box::new((*b).try_into()?)),
            Wire::Stdio(s) => Payload::Stdio((*s).try_into()?),
            Wire::Container(c) => Payload::Container(Box::new((*c).try_into()?)),
            Wire::Comm(c) => Payload::Comm(c.try_into()?),
            Wire::Seal(s) => Payload::Seal(Box::new(s.try_into()?)),
            Wire::IoUringSetup(u) => Payload::UringSetup(u.into()),
            Wire::IoUring(u) => Payload::UringOp(Box::new(u.try_into()?)),
            Wire::Compat(c) => Payload::Compat(c.into()),
            Wire::Accounts(a) => Payload::Accounts(Box::new(a.try_into()?)),
            Wire::Digest(d) => Payload::Digest(Box::new(d.try_into()?)),
        };
        Ok(Event { header, payload })
    }
}

impl From<&Header> for v1::Header {
    fn from(header: &Header) -> Self {
        v1::Header {
            seq: header.seq,
            time: header.time.0,
            cpu: header.cpu,
            process: (!header.process.is_unknown()).then(|| header.process.into()),
            tid: header.tid,
            backfill: header.origin == Origin::Backfill,
            compat: header.compat,
        }
    }
}

impl From<v1::Header> for Header {
    fn from(header: v1::Header) -> Self {
        Header {
            seq: header.seq,
            time: lanner_core::event::BootTime(header.time),
            cpu: header.cpu,
            process: header.process.map_or(ProcessKey::UNKNOWN, Into::into),
            tid: header.tid,
            origin: if header.backfill { Origin::Backfill } else { Origin::Live },
            compat: header.compat,
        }
    }
}

/// A text for the wire, cut to its bound.
fn bytes(text: &Text) -> Vec<u8> {
    let all = text.as_bytes();
    all[..all.len().min(MAX_TEXT)].to_vec()
}

/// A text from the wire; `field` names it in the refusal.
fn text(bytes: Vec<u8>, field: &'static str) -> Result<Text, Refused> {
    if bytes.len() > MAX_TEXT {
        return Err(Refused::Malformed(field));
    }
    Ok(Text::from(bytes))
}

fn optional(bytes: Option<Vec<u8>>, field: &'static str) -> Result<Option<Text>, Refused> {
    bytes.map(|b| text(b, field)).transpose()
}
