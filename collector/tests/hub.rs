//! The hub hands out every event once, in order, or counts it.

use lanner_collector::hub::{Cursor, Limits, Next, Room, Subscribe};
use lanner_collector::recorder::record;
use lanner_core::condition::Filter;
use lanner_core::event::*;
use lanner_recording::{Header, LiveWriter, Reader, create};

mod support;
use support::*;

const fn room(events: usize) -> Room {
    Room { events, bytes: usize::MAX }
}

const SMALL: Limits = Limits { history: room(1000), queue: room(100), subscribers: 3 };

fn all() -> Subscribe {
    Subscribe::default()
}

#[test]
fn a_follower_gets_every_event_numbered_from_one() {
    let (script, hub) = hub(Limits::default());
    let mut follower = hub.subscribe(all()).unwrap();
    script.give(noise(1, 3000));
    script.give(noise(3001, 50));
    hub.stop().unwrap();
    let batches = rest(&mut follower);
    assert!(batches[0].snapshot && batches[0].events.is_empty());
    assert_eq!(news(&batches), (1..=3050).collect::<Vec<_>>());
    let mut now = BootTime(0);
    for batch in &batches {
        assert!(batch.events.iter().all(|event| event.header.time >= now), "no event is older than the time told");
        now = batch.now;
    }
    assert_eq!(now, BootTime(3050));
}

#[test]
fn a_slow_follower_loses_its_oldest_events_knows_how_many_and_harms_nobody() {
    let (script, hub) = hub(SMALL);
    let mut slow = hub.subscribe(all()).unwrap();
    let mut fast = hub.subscribe(all()).unwrap();
    script.lose(LossCause::RingFull, 3);
    let mut followed = Vec::new();
    for round in 0..50 {
        script.give(noise(1 + round * 70, 70));
        followed.extend(until(&mut fast, (round + 1) * 70));
    }
    script.lose(LossCause::MapFull, 4);
    hub.stop().unwrap();
    followed.extend(rest(&mut fast));
    let late = rest(&mut slow);

    assert_eq!(news(&followed), (1..=3500).collect::<Vec<_>>());
    assert_eq!(lost(&followed, LossCause::SlowClient), 0);
    assert_eq!(news(&late), (3401..=3500).collect::<Vec<_>>());
    assert_eq!(lost(&late, LossCause::SlowClient), 3400);
    assert_eq!(hub.stats().turned_away, 3400);
    for batches in [&followed, &late] {
        assert_eq!(lost(batches, LossCause::RingFull), 3, "what the sensor lost is told to all");
        assert_eq!(lost(batches, LossCause::MapFull), 4);
    }
    let first = late.iter().find(|batch| !batch.snapshot).unwrap();
    assert_eq!(first.first_seq, 3401);
    assert_eq!(
        lost(std::slice::from_ref(first), LossCause::SlowClient),
        3400,
        "told with the first batch after the gap"
    );
}

#[test]
fn one_batch_larger_than_the_queue_is_cut_to_its_latest_events() {
    let (script, hub) = hub(Limits { queue: room(10), ..SMALL });
    let mut follower = hub.subscribe(all()).unwrap();
    script.give(noise(1, 64));
    hub.stop().unwrap();
    let batches = rest(&mut follower);
    assert_eq!(news(&batches), (55..=64).collect::<Vec<_>>());
    assert_eq!(lost(&batches, LossCause::SlowClient), 54);
}

#[test]
fn who_comes_late_is_told_what_lives() {
    let (script, hub) = hub(SMALL);
    let mut early = hub.subscribe(all()).unwrap();
    script.give(vec![
        exec(10, 1, "/sbin/init"),
        fork(20, 1, 2),
        exec(30, 2, "/bin/sh"),
        fork(40, 2, 3),
        fork(50, 1, 4),
        exec(60, 4, "/bin/true"),
        exit(70, 4),
        exec(80, 2, "/bin/bash"),
    ]);
    until(&mut early, 8);
    let mut late = hub.subscribe(all()).unwrap();
    script.give(noise(100, 2));
    hub.stop().unwrap();
    let batches = rest(&mut late);
    assert_eq!((batches[0].snapshot, batches[0].first_seq, batches[0].now), (true, 9, BootTime(80)));
    let told = |event: &Event| {
        let Payload::Alive(exec) = &event.payload else { panic!("{event:?}") };
        assert_eq!(event.header.origin, Origin::Backfill);
        let parent = exec.task.parent.map_or(0, |key| key.pid);
        (event.header.process.pid, parent, exec.image.exe.path.to_string(), event.header.seq, event.header.time.0)
    };
    let lives: Vec<_> = batches[0].events.iter().map(told).collect();
    assert_eq!(
        lives,
        [
            (1, 0, "/sbin/init".to_owned(), 1, 10),
            (2, 1, "/bin/bash".to_owned(), 8, 80),
            (3, 2, "/bin/sh".to_owned(), 0, 3),
        ]
    );
    assert_eq!(news(&batches), [9, 10]);
}

#[test]
fn who_comes_late_is_told_the_roots_that_were_seen_to_change() {
    let (script, hub) = hub(SMALL);
    let mut early = hub.subscribe(all()).unwrap();
    let root = |path: &str, ino| File::new(path, 1, ino);
    let change = RootChange {
        call: Call::of(Family::Root, "chroot").unwrap(),
        now: root("/srv/jail", 7),
        before: root("/", 2),
        namespace: 0,
        errno: 0,
    };
    let changed = event(20, ProcessKey::new(1, 1), Payload::Root(Box::new(change)));
    script.give(vec![exec(10, 1, "/sbin/init"), changed, fork(30, 1, 2), exec(40, 3, "/bin/sh")]);
    until(&mut early, 4);
    let mut late = hub.subscribe(all()).unwrap();
    hub.stop().unwrap();
    let batches = rest(&mut late);
    let roots: Vec<_> = batches[0]
        .events
        .iter()
        .map(|event| {
            let Payload::Alive(exec) = &event.payload else { panic!("{event:?}") };
            (
                event.header.process.pid,
                exec.task.context.root.ino,
                exec.task.context.root_path.as_ref().map(ToString::to_string),
            )
        })
        .collect();
    let jail = || Some("/srv/jail".to_owned());
    assert_eq!(roots, [(1, 7, jail()), (2, 7, jail()), (3, 0, None)]);

    // Who is told so knows as much, and tells it on.
    let mut graph = lanner_core::graph::Graph::default();
    batches[0].events.iter().for_each(|event| graph.apply(event));
    assert_eq!(graph.process(ProcessKey::new(2, 2)).unwrap().task.context.root_path, Some("/srv/jail".into()));
}

#[test]
fn between_the_snapshot_and_the_news_is_no_gap_and_no_double() {
    let (script, hub) = hub(Limits::default());
    for round in 0..40 {
        script.give(noise(1 + round * 10, 10));
        // Wherever the hub is just now.
        let mut follower = hub.subscribe(all()).unwrap();
        let Next::Batch(snapshot) = follower.wait(LONG) else { panic!() };
        assert!(snapshot.snapshot);
        script.give(noise(1 + round * 10, 1));
        let seqs = news(&until(&mut follower, snapshot.first_seq));
        assert_eq!(seqs, (snapshot.first_seq..snapshot.first_seq + seqs.len() as u64).collect::<Vec<_>>());
    }
}

#[test]
fn who_returns_goes_on_where_it_left() {
    let (script, hub) = hub(Limits { history: room(100), ..SMALL });
    let mut first = hub.subscribe(all()).unwrap();
    script.give(noise(1, 40));
    until(&mut first, 40);
    drop(first);
    let mut watcher = hub.subscribe(all()).unwrap();
    script.give(noise(41, 40));
    until(&mut watcher, 80);
    let resume = |seq, stream| Subscribe { cursor: Some(Cursor { stream, seq }), filter: None };

    let mut back = hub.subscribe(resume(31, hub.stream())).unwrap();
    script.give(noise(81, 5));
    let batches = until(&mut back, 85);
    assert_eq!(news(&batches), (31..=85).collect::<Vec<_>>());
    assert!(batches.iter().all(|batch| !batch.snapshot));
    drop(back);

    script.give(noise(86, 60));
    until(&mut watcher, 145);
    for (why, want, missed) in [
        ("the history no longer holds it", resume(31, hub.stream()), 146 - 31),
        ("another run numbered it", resume(100, hub.stream() ^ 1), 0),
        ("it has not happened", resume(1000, hub.stream()), 0),
    ] {
        let mut follower = hub.subscribe(want).unwrap();
        let Next::Batch(batch) = follower.wait(LONG) else { panic!() };
        assert!(batch.snapshot && batch.first_seq == 146, "{why}: {batch:?}");
        assert_eq!(lost(std::slice::from_ref(&*batch), LossCause::SlowClient), missed, "{why}");
    }
}

#[test]
fn a_filter_chooses_news_and_leaves_the_snapshot_whole() {
    let (script, hub) = hub(SMALL);
    let mut early = hub.subscribe(all()).unwrap();
    script.give(vec![exec(1, 1, "/sbin/init"), fork(2, 1, 2)]);
    until(&mut early, 2);
    let mut follower = hub
        .subscribe(Subscribe {
            filter: Some(Filter::parse("lanner.event = exec and proc.pid = 2").unwrap()),
            cursor: None,
        })
        .unwrap();
    script.give(vec![exec(3, 2, "/bin/a"), exit(4, 2), exec(5, 1, "/bin/b")]);
    script.lose(LossCause::RingFull, 2);
    hub.stop().unwrap();
    let batches = rest(&mut follower);
    assert_eq!(batches[0].events.len(), 2);
    assert_eq!(news(&batches), [3]);
    assert_eq!(lost(&batches, LossCause::RingFull), 2);
}

#[test]
fn there_are_only_so_many_followers() {
    let (_script, hub) = hub(SMALL);
    let three: Vec<_> = (0..3).map(|_| hub.subscribe(all()).unwrap()).collect();
    assert_eq!(hub.subscribe(all()).unwrap_err().to_string(), "this collector has 3 clients and takes no more");
    drop(three);
    assert!(hub.subscribe(all()).is_ok());
    assert_eq!(hub.stats().refused, 1);
}

#[test]
fn a_source_that_fails_ends_its_followers_and_says_why() {
    for (step, why) in [(Step::Fail("the sensor is gone"), "the sensor is gone"), (Step::Panic, "panicked")] {
        let (script, hub) = hub(SMALL);
        let mut follower = hub.subscribe(all()).unwrap();
        script.give(noise(1, 5));
        until(&mut follower, 5);
        script.step(step);
        let end = loop {
            match follower.wait(LONG) {
                Next::Ended(end) => break end,
                Next::Batch(_) => {}
                Next::Waiting => panic!("no end"),
            }
        };
        assert!(end.as_deref().is_some_and(|end| end.contains(why)), "{end:?}");
        assert!(hub.stop().unwrap_err().to_string().contains(why));
        // Who comes now learns it too.
        let mut late = hub.subscribe(all()).unwrap();
        assert!(matches!(late.wait(LONG), Next::Batch(batch) if batch.snapshot));
        assert_eq!(late.wait(LONG), Next::Ended(end));
    }
}

#[test]
fn a_recording_holds_everything_from_snapshot_to_stop() {
    let folder = Folder::new();
    let path = folder.join("a.lanner");
    let (script, hub) = hub(Limits::default());
    let mut follower = hub.subscribe(all()).unwrap();
    let writer = LiveWriter::new(create(&path).unwrap(), &Header::new(hub.node().clone())).unwrap();
    let recorded = std::thread::scope(|scope| {
        let recorder = scope.spawn(|| record(&mut follower, writer).unwrap());
        script.give(noise(1, 2000));
        hub.stop().unwrap();
        recorder.join().unwrap()
    });
    assert_eq!((recorded.events, recorded.failure), (2000, None));
    let mut reader = Reader::new(std::fs::File::open(&path).unwrap()).unwrap();
    assert_eq!(reader.header().node, node());
    let batches: Vec<Batch> = reader.by_ref().collect();
    assert!(batches[0].snapshot);
    assert_eq!(news(&batches), (1..=2000).collect::<Vec<_>>());
    assert_eq!(reader.report().problem, None);
    assert_eq!(create(&path).unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
}
