//! What may come from a wire.
#![allow(unsafe_code)]

use lanner_collector_abi::{AF_INET, DNS_PAYLOAD, Header as Head, Key, kind};
use lanner_core::event::{ProcessKey, ResponseCode};

use super::*;

/// A question for the addresses of a name, or the beginning of its answer.
fn message(id: u16, flags: u16, records: u16, name: &[&[u8]]) -> Vec<u8> {
    let numbers = [id, flags, 1, records, 0, 0];
    let mut message: Vec<u8> = numbers.into_iter().flat_map(u16::to_be_bytes).collect();
    for label in name {
        message.push(label.len() as u8);
        message.extend_from_slice(label);
    }
    message.extend_from_slice(&[0, 0, 1, 0, 1]);
    message
}

const EXAMPLE: &[&[u8]] = &[b"a", b"example"];
/// An address of whatever stands at the message's beginning.
const ADDRESS: &[u8] = &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 9, 0, 2];

fn answer(id: u16, records: &[&[u8]]) -> Vec<u8> {
    let mut answer = message(id, 0x8180, records.len() as u16, EXAMPLE);
    records.iter().for_each(|record| answer.extend_from_slice(record));
    answer
}

fn reply(bytes: &[u8]) -> Option<DnsReply> {
    message::read(bytes, true)?.reply
}

#[test]
fn names_are_read_as_they_are_and_always_end() {
    let name = |labels: &[&[u8]]| message::read(&message(1, 0, 0, labels), true)?.question.map(|q| q.name);
    assert_eq!(name(&[]), Some(".".into()));
    assert_eq!(name(&[b"WwW", b"example"]), Some("WwW.example".into()));
    assert_eq!(name(&[b"a.b", b"c\\"]), Some("a\\.b.c\\\\".into()), "a dot within a label is none between two");
    assert_eq!(name(&[b"\xff\x00\x1b"]), Some((&b"\xff\x00\x1b"[..]).into()));
    assert_eq!(name(&[&[b'x'; 63], &[b'x'; 63], &[b'x'; 63], &[b'x'; 61]]).map(|n| n.as_bytes().len()), Some(253));
    assert_eq!(name(&[&[b'x'; 63], &[b'x'; 63], &[b'x'; 63], &[b'x'; 62]]), None, "too long");

    let pointing = |pointer: &[u8]| {
        let mut question = message(1, 0, 0, &[]);
        question.splice(12..13, pointer.iter().copied());
        message::read(&question, true)
    };
    for pointer in [&[0xc0, 12][..], &[0xc0, 13], &[0xff, 0xff], &[1, b'x', 0xc0, 12], &[0x40, 1], &[0x80, 1]] {
        assert_eq!(pointing(pointer), None, "{pointer:x?}");
    }
}

#[test]
fn answers_are_read_and_what_cannot_be_is_marked() {
    let alias = [&[0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 7, 4][..], b"real", &[0xc0, 14]].concat();
    let ipv6 = [&[0xc0, 12, 0, 28, 0, 1, 0, 0, 0, 70, 0, 16, 0xfd], &[0; 14][..], &[2]].concat();
    let text = [0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 80, 0, 2, 1, b'x'];
    let chaos = [0xc0, 12, 0, 1, 0, 3, 0, 0, 0, 1, 0, 4, 1, 2, 3, 4];
    let expected = DnsReply {
        rcode: ResponseCode::NOERROR,
        addresses: vec!["10.9.0.2".parse().expect("an address"), "fd00::2".parse().expect("an address")],
        names: vec!["real.example".into()],
        records: 5,
        ttl: Some(9),
        truncated: false,
        cut: false,
    };
    assert_eq!(reply(&answer(1, &[&alias, ADDRESS, &ipv6, &text, &chaos])), Some(expected.clone()));

    let whole = answer(1, &[ADDRESS, ADDRESS]);
    let half = &whole[..whole.len() - 3];
    let read = reply(half).expect("the first half");
    assert_eq!((read.addresses.len(), read.records, read.cut), (1, 2, true));
    assert!(message::read(&whole, false).and_then(|m| m.reply).is_some_and(|r| r.cut), "the rest was not taken along");

    let many: Vec<&[u8]> = vec![ADDRESS; 60];
    assert_eq!(reply(&answer(1, &many)).map(|r| (r.addresses.len(), r.cut)), Some((DnsReply::MAX, false)));
    assert_eq!(reply(&message(1, 0x8183, 0, EXAMPLE)).map(|r| r.rcode), Some(ResponseCode::NXDOMAIN));
    assert_eq!(reply(&message(1, 0x8380, 0, EXAMPLE)).map(|r| r.truncated), Some(true));
    assert_eq!(message::read(&message(1, 0x2800, 0, EXAMPLE), true), None, "an update is no question");
}

/// Bytes without end, the same for the same seed.
struct Bytes(u64);

impl Bytes {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[test]
fn nothing_that_comes_from_a_wire_makes_it_panic_or_grow() {
    let alias = [&[0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 7, 4][..], b"real", &[0xc0, 14]].concat();
    let good = answer(1, &[&alias, ADDRESS, &alias]);
    let mut bytes = Bytes(0x9e37_79b9_7f4a_7c15);
    let mut readable = 0;
    for _ in 0..200_000 {
        let mut hostile = good.clone();
        for _ in 0..1 + bytes.next() % 4 {
            let at = (bytes.next() % hostile.len() as u64) as usize;
            hostile[at] = *[0, 0x3f, 0xc0, 0xff, 12, bytes.next() as u8].get((bytes.next() % 6) as usize).expect("one");
        }
        hostile.truncate(hostile.len() - (bytes.next() % 8) as usize);
        for message in messages(&hostile, true).into_iter().chain(message::read(&hostile, true)) {
            readable += 1;
            let names = message.reply.iter().flat_map(|r| &r.names).chain(message.question.iter().map(|q| &q.name));
            for name in names {
                // Each byte of the longest name may be a dot within a label.
                assert!(!name.is_empty() && name.as_bytes().len() < 2 * 255, "{name}");
            }
            assert!(message.reply.is_none_or(|r| r.addresses.len().max(r.names.len()) <= DnsReply::MAX));
        }
    }
    assert!(readable > 50_000, "most of it must get somewhere: {readable}");
}

const CLIENT: Key = Key { pid: 7, zero: 0, start: 9 };

/// A record of a datagram, or of a segment, as the kernel makes it.
fn record(time: u64, sent: bool, tcp: bool, payload: &[u8]) -> Vec<u8> {
    let mut record = DnsRecord {
        header: Head {
            kind: kind::DNS,
            len: size_of::<DnsRecord>() as u32,
            time,
            process: CLIENT,
            tid: if sent { 8 } else { 0 },
            ..Head::default()
        },
        socket: 5,
        flow: 6,
        local: [127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        remote: [127, 0, 0, 53, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        local_port: 4000,
        remote_port: 53,
        family: AF_INET,
        taken: payload.len() as u16,
        whole: payload.len() as u32,
        netns: 1,
        sent: u8::from(sent),
        tcp: u8::from(tcp),
        zero: [0; 6],
        payload: [0; DNS_PAYLOAD],
    };
    record.payload[..payload.len()].copy_from_slice(payload);
    let bytes = std::ptr::from_ref(&record).cast::<u8>();
    // SAFETY: `Plain` types have no padding, so all their bytes are initialized.
    unsafe { std::slice::from_raw_parts(bytes, size_of::<DnsRecord>()) }.to_vec()
}

#[derive(Default)]
struct Story {
    questions: Questions,
    events: Vec<Event>,
}

impl Story {
    fn pass(&mut self, time: u64, sent: bool, payload: &[u8]) {
        let record = record(time, sent, false, payload);
        self.questions.passed(&mut Reader(&record), &mut self.events).expect("it decodes");
    }

    /// When, who, and how long they waited for what.
    fn told(&self) -> Vec<(u64, ProcessKey, u32, Option<u64>, bool)> {
        let told = |e: &Event| {
            let Payload::Dns(dns) = &e.payload else { panic!("a question") };
            let waited = dns.waited.map(|w| w.as_nanos() as u64);
            (e.header.time.0, e.header.process, e.header.tid, waited, dns.reply.is_some())
        };
        self.events.iter().map(told).collect()
    }
}

const ME: ProcessKey = ProcessKey::new(7, 9);

#[test]
fn an_answer_belongs_to_its_question_however_it_spells_the_name() {
    let mut story = Story::default();
    story.pass(100, true, &message(1, 0x100, 0, EXAMPLE));
    // Asked once more, by an impatient resolver.
    story.pass(150, true, &message(1, 0x100, 0, EXAMPLE));
    story.pass(160, false, &answer(2, &[ADDRESS]));
    story.pass(170, false, &message(1, 0x8180, 0, &[b"b", b"example"]));
    story.pass(180, false, &message(1, 0x8180, 0, &[b"A", b"eXample"]));
    let unasked = |time| (time, ME, 0, None, true);
    assert_eq!(story.told(), [unasked(160), unasked(170), (180, ME, 8, Some(80), true)]);
    // An answer that comes twice was asked for once.
    story.pass(190, false, &answer(1, &[ADDRESS]));
    assert_eq!(story.told()[3], unasked(190));
}

#[test]
fn an_error_that_repeats_no_question_answers_it() {
    let mut story = Story::default();
    story.pass(100, true, &message(1, 0x100, 0, EXAMPLE));
    story.pass(200, false, &[0, 1, 0x81, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(story.told(), [(200, ME, 8, Some(100), true)]);
}

#[test]
fn questions_end_with_their_socket_and_with_patience() {
    let mut story = Story::default();
    story.pass(100, true, &message(1, 0x100, 0, EXAMPLE));
    story.questions.released(4, (BootTime(200), 0), &mut story.events);
    assert_eq!(story.told(), [], "another socket's end");
    story.questions.released(5, (BootTime(300), 0), &mut story.events);
    assert_eq!(story.told(), [(300, ME, 8, Some(200), false)]);

    let patience = PATIENCE.as_nanos() as u64;
    story.pass(1000, true, &message(2, 0x100, 0, EXAMPLE));
    story.questions.look(BootTime(999 + patience), &mut story.events);
    assert_eq!(story.events.len(), 1);
    story.questions.look(BootTime(1000 + patience), &mut story.events);
    assert_eq!(story.told()[1], (1000 + patience, ME, 8, Some(patience), false));
    assert!(story.questions.open.is_empty() && story.questions.by_age.is_empty());
}

#[test]
fn too_many_questions_push_the_eldest_out() {
    let mut story = Story::default();
    for i in 0..=MAX_OPEN as u64 {
        story.pass(i, true, &message(i as u16, 0x100, 0, EXAMPLE));
    }
    assert_eq!(story.told(), [(MAX_OPEN as u64, ME, 8, Some(MAX_OPEN as u64), false)]);
    assert_eq!((story.questions.open.len(), story.questions.by_age.len()), (MAX_OPEN, MAX_OPEN));
    story.questions.finish(BootTime(u64::MAX), &mut story.events);
    assert_eq!(story.events.len(), MAX_OPEN + 1);
}

#[test]
fn a_segment_may_hold_several_messages_or_half_of_one() {
    let prefixed = |message: &[u8]| [&(message.len() as u16).to_be_bytes()[..], message].concat();
    let (one, two) = (message(1, 0, 0, EXAMPLE), message(2, 0, 0, EXAMPLE));
    let ids = |segment: &[u8]| messages(segment, true).iter().map(|m| m.id).collect::<Vec<_>>();
    assert_eq!(ids(&[prefixed(&one), prefixed(&two)].concat()), [1, 2]);
    assert_eq!(ids(&one), [1], "its length came before, alone");
    let segment = prefixed(&answer(3, &[ADDRESS, ADDRESS]));
    let cut = messages(&segment[..segment.len() - 5], true);
    assert_eq!(cut.iter().map(|m| (m.id, m.reply.as_ref().map(|r| r.cut))).collect::<Vec<_>>(), [(3, Some(true))]);
    assert!(ids(&[0, 40]).is_empty() && ids(b"").is_empty() && ids(&[0xff; 300]).is_empty());
}

#[test]
fn damaged_records_are_refused_and_never_panic() {
    let good = record(1, true, true, &message(1, 0, 0, EXAMPLE));
    let mut questions = Questions::default();
    for cut in 0..good.len() {
        assert!(questions.passed(&mut Reader(&good[..cut]), &mut Vec::new()).is_none(), "cut at {cut}");
    }
    let mut bytes = Bytes(1);
    for _ in 0..20_000 {
        let mut damaged = good.clone();
        damaged[(bytes.next() % 160) as usize] = bytes.next() as u8;
        let _ = questions.passed(&mut Reader(&damaged), &mut Vec::new());
    }
}
