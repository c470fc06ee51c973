//! A stretched recording tells the same story, slower.

use std::time::Duration;

use lanner_core::event::*;
use lanner_recording::{Header, Options, Reader, Stretch, Stretcher, Writer};

#[path = "../../proto/tests/generator/mod.rs"]
mod generator;
use generator::Rng;

const HOUR: Duration = Duration::from_secs(3600);

fn stretcher() -> Stretcher {
    Stretcher::new(vec![
        Stretch { at: BootTime(2000), by: HOUR },
        Stretch { at: BootTime(1000), by: Duration::from_nanos(5) },
    ])
}

#[test]
fn time_moves_after_each_gap_and_never_back() {
    let s = stretcher();
    let hour = 3_600_000_000_000;
    let moved = [0, 1, 1000, 1001, 2000, 2001].map(|t| s.time(BootTime(t)).0);
    assert_eq!(moved, [0, 1, 1000, 1006, 2005, 2006 + hour]);
    assert_eq!(s.time(BootTime(u64::MAX)), BootTime(u64::MAX));
    assert_eq!(s.gaps()[0].at, BootTime(1000));
}

fn event(time: u64, process: ProcessKey, payload: Payload) -> Event {
    let header = lanner_core::event::Header {
        seq: 1,
        time: BootTime(time),
        cpu: 0,
        process,
        tid: 1,
        origin: Origin::Live,
        compat: false,
    };
    Event { header, payload }
}

#[test]
fn a_process_keeps_one_identity_wherever_it_is_named() {
    let (parent, child) = (ProcessKey::new(1, 500), ProcessKey::new(2, 1500));
    let task = Task { parent: Some(parent), ..Task::default() };
    let fork =
        event(1501, parent, Payload::Fork(Box::new(Fork { child, how: CloneFlags::default(), task: task.clone() })));
    let exec = event(2500, child, Payload::Exec(Box::new(Exec { task, image: Image::default() })));
    let unknown = event(2600, ProcessKey::UNKNOWN, Payload::Exit(Exit { code: 0, signal: 9 }));
    let batch = Batch { now: BootTime(3000), events: vec![fork, exec, unknown], ..Batch::default() };
    let batch = stretcher().batch(batch);
    let Payload::Fork(fork) = &batch.events[0].payload else { panic!() };
    let Payload::Exec(exec) = &batch.events[1].payload else { panic!() };
    assert_eq!(fork.child, batch.events[1].header.process);
    assert_eq!(fork.child, ProcessKey::new(2, 1505));
    assert_eq!((fork.task.parent, exec.task.parent), (Some(parent), Some(parent)));
    assert_eq!(batch.events[2].header.process, ProcessKey::UNKNOWN);
    assert_eq!(batch.now, BootTime(3005 + 3_600_000_000_000));
}

#[test]
fn a_connection_across_a_gap_lasts_as_much_longer() {
    let flow = Flow {
        id: FlowId(1700),
        local: "127.0.0.1:1".parse().unwrap(),
        remote: "127.0.0.1:2".parse().unwrap(),
        netns: 0,
    };
    let close = |lasted| Close {
        flow,
        outgoing: Some(true),
        sent: 1,
        received: 2,
        quality: Quality::default(),
        end: End::Finished,
        lasted: Duration::from_nanos(lasted),
    };
    let lasted = |time, lasted| {
        let batch =
            Batch { events: vec![event(time, ProcessKey::UNKNOWN, Payload::Close(close(lasted)))], ..Batch::default() };
        let Payload::Close(close) = stretcher().batch(batch).events[0].payload else { panic!() };
        assert_eq!(close.flow.id, FlowId(1700));
        close.lasted
    };
    assert_eq!(lasted(2400, 700), HOUR + Duration::from_nanos(700));
    assert_eq!(lasted(2400, 300), Duration::from_nanos(300));
    assert_eq!(
        lasted(2400, u64::MAX),
        HOUR.saturating_add(Duration::from_nanos(5)).saturating_add(Duration::from_nanos(u64::MAX))
    );
}

#[test]
fn nothing_but_time_changes_and_the_header_says_so() {
    let batches: Vec<Batch> = (0..20).map(|i| Rng(i).batch(1 + i * 11, 11)).collect();
    let none = Stretcher::new(Vec::new());
    assert_eq!(batches.iter().cloned().map(|b| none.batch(b)).collect::<Vec<_>>(), batches);

    let gaps = Stretcher::new(vec![Stretch { at: BootTime(50_000_000), by: HOUR }]);
    let header = Header { stretched: gaps.gaps().to_vec(), ..Header::default() };
    let mut writer = Writer::new(Vec::new(), &header, Options::COMPACT).unwrap();
    for batch in &batches {
        writer.write(&gaps.batch(batch.clone())).unwrap();
    }
    let bytes = writer.finish().unwrap();
    let reader = Reader::new(bytes.as_slice()).unwrap();
    assert_eq!(reader.header().stretched, gaps.gaps());
    let back: Vec<Event> = reader.flat_map(|b| b.events).collect();
    let seqs: Vec<u64> = back.iter().map(|e| e.header.seq).collect();
    assert_eq!(seqs, (1..=220).collect::<Vec<_>>());
    assert!(back.is_sorted_by_key(|e| e.header.time));
    assert_eq!(back[49].header.time, BootTime(50_000_000));
    assert_eq!(back[50].header.time, BootTime(51_000_000).after(HOUR));
}
