//! What goes over the wire arrives as it was; what comes from the wire is bounded.

use lanner_core::event::*;
use lanner_proto::{chunk, convert, v1};
use prost::Message;

mod generator;
use generator::Rng;

fn over_the_wire(batch: &Batch) -> Batch {
    let bytes = v1::Batch {
        first_seq: batch.first_seq,
        now: batch.now.0,
        snapshot: batch.snapshot,
        events: batch.events.iter().map(Into::into).collect(),
        losses: batch.losses.iter().map(Into::into).collect(),
    }
    .encode_to_vec();
    v1::Batch::decode(bytes.as_slice()).expect("what was encoded decodes").into()
}

#[test]
fn events_of_every_family_arrive_as_they_were() {
    let mut rng = Rng(1);
    let mut families = std::collections::BTreeSet::new();
    for seq in 0..200 * Family::ALL.len() as u64 {
        let event = rng.event(seq, seq);
        families.insert(event.payload.family());
        let wire = v1::Event::decode(v1::Event::from(&event).encode_to_vec().as_slice()).unwrap();
        assert_eq!(Event::try_from(wire), Ok(event));
    }
    assert_eq!(families.len(), Family::ALL.len(), "{families:?}");
}

#[test]
fn batches_and_losses_of_every_cause_arrive_as_they_were() {
    let mut batch = Rng(2).batch(7, 50);
    batch.losses = LossCause::ALL.iter().zip(1..).map(|(cause, count)| Loss { cause: *cause, count }).collect();
    assert_eq!(over_the_wire(&batch), batch);
    batch.snapshot = true;
    assert_eq!(over_the_wire(&batch), batch);
}

#[test]
fn a_nodes_description_arrives_as_it_was() {
    let node = NodeInfo {
        name: "n\u{e4}chste".into(),
        boot_id: "b".into(),
        kernel: "6.1".into(),
        machine: "x86_64".into(),
        wall_offset: -5,
        version: "0.1.0".into(),
        hooks: vec![
            Hook { name: "a".into(), layer: HookLayer::Base, state: HookState::Attached, without: "executions".into() },
            Hook {
                name: "c".into(),
                layer: HookLayer::Base,
                state: HookState::Waiting("a program".into()),
                without: "calls".into(),
            },
            Hook {
                name: "b".into(),
                layer: HookLayer::Full,
                state: HookState::Refused("no".into()),
                without: String::new(),
            },
        ],
        blind: vec![BlindSpot { family: "open".into(), what: "what nobody opens".into() }],
    };
    assert_eq!(NodeInfo::from(v1::NodeInfo::from(&node)), node);
}

#[test]
fn what_the_reader_does_not_know_or_cannot_trust_is_counted() {
    let good = Rng(3).event(1, 1);
    let header = v1::Event::from(&good).header;
    let with = |payload| v1::Event { header, payload };
    let long = v1::File { path: vec![b'a'; convert::MAX_TEXT + 1], ..Default::default() };
    let connect = v1::Connect { attempt: 99, ..Default::default() };
    let events = vec![
        (&good).into(),
        with(None),
        with(Some(v1::event::Payload::Connect(Box::new(connect)))),
        with(Some(v1::event::Payload::Memfd(v1::MemFd { file: Some(long), fd: 3 }))),
        with(Some(v1::event::Payload::Exit(v1::Exit { code: 256, signal: 0 }))),
        v1::Event { header: None, payload: None },
    ];
    let losses = vec![v1::Loss { cause: 77, count: 5 }, v1::Loss { cause: 6, count: u64::MAX }];
    let batch = Batch::from(v1::Batch { first_seq: 1, now: 1, snapshot: false, events, losses });
    assert_eq!(batch.events, [good]);
    let counted = |cause, count| Loss { cause, count };
    assert_eq!(batch.losses, [counted(LossCause::Undecodable, 3), counted(LossCause::UnknownKind, u64::MAX)]);
}

#[test]
fn what_is_too_long_for_the_wire_is_cut_and_says_so() {
    let long = Text::from(vec![b'x'; convert::MAX_TEXT + 9]);
    let image = Image {
        exe: File::new(long.clone(), 1, 1),
        args: Args { list: vec![Text::from("a"); convert::MAX_ARGS + 1], truncated: false },
        ..Image::default()
    };
    let back = Image::try_from(v1::Image::from(&image)).unwrap();
    assert_eq!((back.exe.path.as_bytes().len(), back.exe.truncated), (convert::MAX_TEXT, true));
    assert_eq!((back.args.list.len(), back.args.truncated), (convert::MAX_ARGS, true));
    let one = Image { args: Args { list: vec![long], truncated: false }, ..Image::default() };
    assert!(Image::try_from(v1::Image::from(&one)).unwrap().args.truncated);
}

#[test]
fn chunks_hold_the_batch_in_order_and_promise_no_more_than_they_know() {
    let mut batch = Rng(4).batch(100, 300);
    batch.losses = vec![Loss { cause: LossCause::RingFull, count: 3 }];
    let chunks: Vec<Batch> = chunk::chunks(&batch, 4096).into_iter().map(Batch::from).collect();
    assert!(chunks.len() > 5);
    let events: Vec<Event> = chunks.iter().flat_map(|c| c.events.clone()).collect();
    assert_eq!(events, batch.events);
    for pair in chunks.windows(2) {
        assert_eq!(pair[1].first_seq, pair[1].events[0].header.seq);
        assert!(pair[0].now <= pair[1].events[0].header.time);
        assert_eq!(pair[0].losses, []);
    }
    let last = chunks.last().unwrap();
    assert_eq!((last.now, &last.losses), (batch.now, &batch.losses));
}

#[test]
fn an_event_that_no_message_can_hold_is_counted() {
    let mut batch = Rng(5).batch(1, 3);
    let args = vec![Text::from(vec![b'x'; convert::MAX_TEXT]); 20];
    let image = Image { args: Args { list: args, truncated: false }, ..Image::default() };
    batch.events[1].payload = Payload::Exec(Box::new(Exec { task: Task::default(), image }));
    let chunks = chunk::chunks(&batch, 1 << 20);
    let back = Batch::from(chunks.into_iter().next().unwrap());
    assert_eq!(back.events.len(), 2);
    assert_eq!(back.losses, [Loss { cause: LossCause::Undecodable, count: 1 }]);
}

#[test]
fn random_bytes_are_no_reason_to_panic() {
    let mut rng = Rng(6);
    let valid = v1::Batch { events: vec![(&rng.event(0, 0)).into()], ..Default::default() }.encode_to_vec();
    for _ in 0..20_000 {
        let mut bytes = valid.clone();
        for _ in 0..=rng.below(4) {
            let at = rng.below(bytes.len() as u64) as usize;
            bytes[at] = rng.next() as u8;
        }
        if let Ok(batch) = v1::Batch::decode(bytes.as_slice()) {
            let batch = Batch::from(batch);
            assert!(batch.events.len() <= convert::MAX_EVENTS);
        }
    }
}
