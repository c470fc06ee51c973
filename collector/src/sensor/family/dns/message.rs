//! Reads DNS messages (RFC 1035). Whoever sent them may have chosen any bytes: every name ends, every length is checked,
//! and what does not parse is `None`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lanner_core::event::{DnsReply, RecordType, ResponseCode, Text};

/// The longest name, on the wire.
const MAX_NAME: usize = 255;
/// The class of the Internet.
const CLASS_IN: u16 = 1;

/// A question or an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) id: u16,
    /// What is asked; an answer need not repeat it.
    pub(super) question: Option<Question>,
    /// `None`: it is a question.
    pub(super) reply: Option<DnsReply>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) name: Text,
    pub(super) record_type: RecordType,
}

/// Reads a message of which `bytes` are the beginning; `whole` when they are all of it.
pub(super) fn read(bytes: &[u8], whole: bool) -> Option<Message> {
    let mut cursor = Cursor { bytes, at: 0 };
    let (id, flags) = (cursor.u16()?, cursor.u16()?);
    let counts = [cursor.u16()?, cursor.u16()?, cursor.u16()?, cursor.u16()?];
    let (questions, records) = (counts[0], counts[1]);
    // Only plain queries: neither updates nor notifications ask for a name.
    if flags >> 11 & 0xf != 0 || questions > 1 {
        return None;
    }
    let question = if questions == 1 {
        let name = cursor.name()?;
        let record_type = RecordType(cursor.u16()?);
        cursor.u16()?;
        Some(Question { name, record_type })
    } else {
        None
    };
    if flags >> 15 == 0 {
        return question.is_some().then_some(Message { id, question, reply: None });
    }
    let mut reply = DnsReply {
        rcode: ResponseCode(flags & 0xf),
        records,
        truncated: flags >> 9 & 1 == 1,
        cut: !whole,
        ..DnsReply::default()
    };
    for _ in 0..records {
        if cursor.record(&mut reply).is_none() {
            reply.cut = true;
            break;
        }
    }
    Some(Message { id, question, reply: Some(reply) })
}

#[derive(Clone)]
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(n)?)?;
        self.at += n;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    /// A name; the cursor then stands behind it. A pointer leads further to the front each time, so that names end.
    fn name(&mut self) -> Option<Text> {
        let mut name = Vec::new();
        let mut wire = 0;
        // Where the cursor goes on, once a pointer was followed.
        let mut back = None;
        let mut part = self.at;
        loop {
            let length = self.u8()?;
            match length >> 6 {
                0 if length == 0 => break,
                0 => {
                    let label = self.take(usize::from(length))?;
                    wire += label.len() + 1;
                    if wire >= MAX_NAME {
                        return None;
                    }
                    if !name.is_empty() {
                        name.push(b'.');
                    }
                    push_label(&mut name, label);
                }
                3 => {
                    let target = usize::from(u16::from(length & 0x3f) << 8 | u16::from(self.u8()?));
                    if target >= part {
                        return None;
                    }
                    back.get_or_insert(self.at);
                    (self.at, part) = (target, target);
                }
                _ => return None,
            }
        }
        self.at = back.unwrap_or(self.at);
        if name.is_empty() {
            name.push(b'.');
        }
        Some(Text::from(name))
    }

    /// A resource record of the answer.
    fn record(&mut self, reply: &mut DnsReply) -> Option<()> {
        self.name()?;
        let (record_type, class) = (RecordType(self.u16()?), self.u16()?);
        let (ttl, length) = (self.u32()?, usize::from(self.u16()?));
        let mut data = self.clone();
        let raw = self.take(length)?;
        if class != CLASS_IN {
            return Some(());
        }
        reply.ttl = Some(reply.ttl.map_or(ttl, |least| least.min(ttl)));
        match record_type {
            RecordType::A => push(&mut reply.addresses, IpAddr::from(Ipv4Addr::from(<[u8; 4]>::try_from(raw).ok()?))),
            RecordType::AAAA => {
                push(&mut reply.addresses, IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(raw).ok()?)));
            }
            RecordType::CNAME | RecordType::PTR => push(&mut reply.names, data.name()?),
            _ => {}
        }
        Some(())
    }
}

fn push<T>(to: &mut Vec<T>, what: T) {
    if to.len() < DnsReply::MAX {
        to.push(what);
    }
}

fn push_label(name: &mut Vec<u8>, label: &[u8]) {
    for byte in label {
        if matches!(byte, b'.' | b'\\') {
            name.push(b'\\');
        }
        name.push(*byte);
    }
}
