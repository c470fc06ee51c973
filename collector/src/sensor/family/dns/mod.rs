//! Questions to name servers and their answers, put together: by socket, the message's number and what was asked.

mod message;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use lanner_collector_abi::DnsRecord;
use lanner_core::event::{
    BootTime, Dns, DnsReply, DnsTransport, Event, Flow, FlowId, Header, Origin, Payload, RecordType,
};

use crate::sensor::record::{Reader, address, live};
use message::{Message, Question};

/// Nobody waits longer for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Questions that are remembered; beyond, the eldest are taken for unanswered.
const MAX_OPEN: usize = 4096;
/// Messages that are looked for in one segment of a TCP stream.
const MAX_MESSAGES: usize = 16;
/// A message has at least its header.
const HEADER: usize = 12;

/// Which question, as an answer must repeat it: servers may spell a name in their own way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    socket: u64,
    id: u16,
    record_type: RecordType,
    /// In lower case.
    name: Vec<u8>,
}

/// Who asked, and when.
#[derive(Debug)]
struct Open {
    header: Header,
    flow: Flow,
    transport: DnsTransport,
    question: Question,
    number: u64,
}

/// The questions that wait for an answer.
#[derive(Debug, Default)]
pub(in crate::sensor) struct Questions {
    open: BTreeMap<Asked, Open>,
    by_age: BTreeMap<(BootTime, u64), Asked>,
    asked: u64,
}

/// What a record says besides its messages.
struct Carrier {
    header: Header,
    socket: u64,
    flow: Flow,
    transport: DnsTransport,
}

impl Questions {
    /// A datagram, or a segment of a stream, to or from a name server. `None`: the record does not decode. What is no DNS
    /// message is none of the sensor's business.
    pub(super) fn passed(&mut self, reader: &mut Reader<'_>, out: &mut Vec<Event>) -> Option<()> {
        let record = reader.fixed::<DnsRecord>()?;
        let payload = record.payload.get(..usize::from(record.taken))?;
        let whole = u32::from(record.taken) == record.whole;
        let family = u32::from(record.family);
        let carrier = Carrier {
            header: live(&record.header),
            socket: record.socket,
            flow: Flow {
                id: FlowId(record.flow),
                local: SocketAddr::new(address(family, record.local)?, record.local_port),
                remote: SocketAddr::new(address(family, record.remote)?, record.remote_port),
                netns: record.netns,
            },
            transport: if record.tcp != 0 { DnsTransport::Tcp } else { DnsTransport::Udp },
        };
        let messages = match carrier.transport {
            DnsTransport::Udp => message::read(payload, whole).into_iter().collect(),
            DnsTransport::Tcp => messages(payload, whole),
        };
        for message in messages {
            match (message.reply, record.sent != 0) {
                (None, true) => self.ask(&carrier, message.id, message.question, out),
                (Some(reply), false) => self.answer(&carrier, message.id, message.question, reply, out),
                // A server among the clients, or nonsense.
                _ => {}
            }
        }
        Some(())
    }

    fn ask(&mut self, carrier: &Carrier, id: u16, question: Option<Question>, out: &mut Vec<Event>) {
        let Some(question) = question else { return };
        let asked = Asked::new(carrier.socket, id, &question);
        // Asked again: who asks has waited since the first time.
        if self.open.contains_key(&asked) {
            return;
        }
        if self.open.len() >= MAX_OPEN
            && let Some((_, eldest)) = self.by_age.pop_first()
        {
            self.give_up(&eldest, (carrier.header.time, carrier.header.cpu), out);
        }
        self.asked += 1;
        let number = self.asked;
        self.by_age.insert((carrier.header.time, number), asked.clone());
        let Carrier { header, flow, transport, .. } = *carrier;
        self.open.insert(asked, Open { header, flow, transport, question, number });
    }

    fn answer(
        &mut self,
        carrier: &Carrier,
        id: u16,
        question: Option<Question>,
        reply: DnsReply,
        out: &mut Vec<Event>,
    ) {
        let asked = match &question {
            Some(question) => Some(Asked::new(carrier.socket, id, question)),
            // Some servers repeat nothing when they refuse.
            None => self.of_socket(carrier.socket).find(|asked| asked.id == id).cloned(),
        };
        let Some((asked, open)) = asked.and_then(|asked| self.open.remove_entry(&asked)) else {
            // The question was not seen, or answered before. Of a stream's middle anything may look like an answer.
            if let (Some(question), DnsTransport::Udp) = (question, carrier.transport) {
                out.push(event(carrier.header, carrier.flow, carrier.transport, question, Some(reply), None));
            }
            return;
        };
        drop(asked);
        self.by_age.remove(&(open.header.time, open.number));
        let header = Header { time: carrier.header.time, cpu: carrier.header.cpu, ..open.header };
        let waited = header.time.since(open.header.time);
        out.push(event(header, open.flow, open.transport, open.question, Some(reply), Some(waited)));
    }

    /// The socket was closed: nobody waits for its answers any more.
    pub(super) fn released(&mut self, socket: u64, at: (BootTime, u32), out: &mut Vec<Event>) {
        let open: Vec<Asked> = self.of_socket(socket).cloned().collect();
        for asked in open {
            if let Some(open) = self.open.get(&asked) {
                self.by_age.remove(&(open.header.time, open.number));
            }
            self.give_up(&asked, at, out);
        }
    }

    /// Gives up the questions that are too old. Nothing that happened before `now` is still to be read.
    pub(in crate::sensor) fn look(&mut self, now: BootTime, out: &mut Vec<Event>) {
        while let Some(eldest) = self.by_age.first_entry() {
            if now.since(eldest.key().0) < PATIENCE {
                break;
            }
            let asked = eldest.remove();
            self.give_up(&asked, (now, 0), out);
        }
    }

    /// Gives up all: for the end.
    pub(in crate::sensor) fn finish(&mut self, now: BootTime, out: &mut Vec<Event>) {
        while let Some((_, asked)) = self.by_age.pop_first() {
            self.give_up(&asked, (now, 0), out);
        }
    }

    fn give_up(&mut self, asked: &Asked, (time, cpu): (BootTime, u32), out: &mut Vec<Event>) {
        let Some(open) = self.open.remove(asked) else { return };
        let header = Header { time, cpu, origin: Origin::Live, ..open.header };
        let waited = time.since(open.header.time);
        out.push(event(header, open.flow, open.transport, open.question, None, Some(waited)));
    }

    fn of_socket(&self, socket: u64) -> impl Iterator<Item = &Asked> {
        let from = Asked { socket, id: 0, record_type: RecordType(0), name: Vec::new() };
        self.open.range(from..).map(|(asked, _)| asked).take_while(move |asked| asked.socket == socket)
    }
}

impl Asked {
    fn new(socket: u64, id: u16, question: &Question) -> Self {
        let name = question.name.as_bytes().to_ascii_lowercase();
        Asked { socket, id, record_type: question.record_type, name }
    }
}

fn event(
    header: Header,
    flow: Flow,
    transport: DnsTransport,
    question: Question,
    reply: Option<DnsReply>,
    waited: Option<Duration>,
) -> Event {
    let Question { name, record_type } = question;
    Event { header, payload: Payload::Dns(Box::new(Dns { flow, transport, name, record_type, reply, waited })) }
}

/// The messages of a segment: each with its length before it. One whose length came in a segment of its own has none.
fn messages(segment: &[u8], whole: bool) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut rest = segment;
    while messages.len() < MAX_MESSAGES {
        let Some((length, after)) = rest.split_first_chunk::<2>() else { break };
        let length = usize::from(u16::from_be_bytes(*length));
        let there = length.min(after.len());
        let Some(message) = (length >= HEADER).then(|| message::read(&after[..there], there == length)).flatten()
        else {
            break;
        };
        messages.push(message);
        rest = &after[there..];
    }
    if messages.is_empty() {
        messages.extend(message::read(segment, whole));
    }
    messages
}

#[cfg(test)]
mod tests;
