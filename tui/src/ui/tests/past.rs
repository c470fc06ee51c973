//! The past is shown as it was; and what was known stays when the connection was lost for a while.

use std::time::Duration;

use lanner_core::engine::Engine;
use lanner_core::event::{Batch, BootTime, Event, Exec, Header, Origin, Payload};
use lanner_core::graph::Process;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::super::feed::{FeedItem, Source};
use super::super::keymap::Keymap;
use super::super::known::changes::Changes;
use super::super::known::history::History;
use super::super::known::past::{self, Past};
use super::super::known::picture::Picture;
use super::super::model::Model;
use super::super::state::Screen;
use super::super::update::{Msg, update};
use super::super::view::{ViewState, paint};
use super::{PLAIN, attack, key, text};

fn engine() -> Engine {
    crate::detection::engine().unwrap()
}

/// All that a screen could show of a picture, in one text.
fn told(picture: &Picture) -> String {
    let graph = picture.engine.graph();
    let processes: Vec<_> = graph.processes().map(|p| (p, picture.tables.marks.of(p.key))).collect();
    let files: Vec<_> = picture.tables.files.iter().collect();
    let flows: Vec<_> = picture.tables.flows.iter().collect();
    let incidents: Vec<_> =
        picture.engine.incidents().iter().map(|i| (&i.id, &i.stages, &i.processes, &i.files, i.status)).collect();
    format!("{processes:?}\n{files:?}\n{flows:?}\n{incidents:?}")
}

/// A history, and snapshots of it this far apart.
fn recorded(events: &[Event], distance: u64) -> (History, Past) {
    let mut picture = Picture::new(engine());
    let mut past = Past::new(picture.clone(), past::room(&Source::Live)).every(distance);
    let mut history = History::new(History::CAPACITY);
    for event in events {
        let signals = picture.apply(event, &mut Changes::default());
        history.push(event.clone(), signals);
        past.note(&history, &mut picture);
        picture.settle();
    }
    (history, past)
}

#[test]
fn any_moment_is_as_it_was_wherever_one_comes_from() {
    let events = attack::attack().0.events;
    let (history, mut past) = recorded(&events, 10);
    assert!(past.snapshots() > 4);
    let mut then = Picture::new(engine());
    let mut expected = vec![told(&then)];
    for event in &events {
        then.apply(event, &mut Changes::default());
        then.settle();
        expected.push(told(&then));
    }
    // Forward by ones, backward, and in leaps that meet every remainder.
    let n = events.len();
    let leaps = (0..n).map(|i| i * 37 % (n + 1));
    for end in (0..=n).chain((0..=n).rev()).chain(leaps) {
        past.turn_to(Some(end as u64), &history);
        assert!(told(past.seen().unwrap()) == expected[end], "after {end} events it is another picture");
    }
    past.turn_to(None, &history);
    assert!(past.seen().is_none());
}

/// Far enough back events are packed, and two threads take them in.
#[test]
fn what_is_packed_makes_the_same_picture() {
    let once = attack::attack().0.events;
    let last = once.last().expect("events").header;
    let events: Vec<Event> = (0..9_000 / once.len() as u64 + 1)
        .flat_map(|round| once.iter().map(move |event| (round, event.clone())))
        .map(|(round, mut event)| {
            event.header.seq += round * (last.seq + 1);
            event.header.time.0 += round * (last.time.0 + 1_000);
            event
        })
        .collect();
    let (history, mut past) = recorded(&events, 900);
    let mut then = Picture::new(engine());
    for (end, event) in (1_u64..).zip(&events) {
        then.apply(event, &mut Changes::default());
        then.settle();
        if end.is_multiple_of(997) {
            past.turn_to(Some(end), &history);
            assert!(told(past.seen().unwrap()) == told(&then), "after {end} events it is another picture");
        }
    }
    assert!(history.blocks(0..1_500).count() > 1, "some are packed");
}

#[test]
fn every_event_is_kept_as_it_came_packed_or_not() {
    let events = attack::attack().0.events;
    let mut engine = engine();
    let raised: Vec<_> = events.iter().map(|event| engine.apply(event).signals).collect();
    let came = || events.iter().zip(&raised).cycle().take(20_000).enumerate();
    let numbered = |number: usize, event: &Event| {
        let mut event = event.clone();
        (event.header.seq, event.header.time) = (number as u64 * 2 + 1, BootTime(number as u64 * 10));
        event
    };
    let mut history = History::new(History::CAPACITY);
    came().for_each(|(n, (event, signals))| history.push(numbered(n, event), signals.clone()));
    let packed = history.bytes();
    history.let_go_to(1_500);
    assert!(packed < 20_000 * 200 && history.bytes() < packed, "{packed} bytes, then {}", history.bytes());
    for (n, (event, signals)) in came() {
        let (number, is_kept) = (n as u64, n >= 1_500);
        let entry = history.get(number);
        assert_eq!(entry.is_some(), is_kept, "{n}");
        let Some(entry) = entry else { continue };
        assert!(entry.event == numbered(n, event) && *entry.signals == **signals, "{n}");
        assert_eq!(history.number_of_seq(entry.event.header.seq), Some(number));
        assert_eq!(history.time(number), Some(entry.event.header.time));
        assert_eq!(history.number_at(BootTime(n as u64 * 10 - 5)), number);
    }
    let expected: Vec<u64> = came().filter(|(n, (_, s))| *n >= 1_500 && !s.is_empty()).map(|(n, _)| n as u64).collect();
    assert_eq!(history.signals().map(|(n, _)| n).collect::<Vec<_>>(), expected);
}

#[test]
fn every_screen_shows_the_moment_that_is_looked_at() {
    let mut model = Model::new(engine, Source::Live, PLAIN, Keymap::default(), Size { width: 80, height: 24 });
    update(&mut model, Msg::Feed(FeedItem::Node(attack::node())));
    update(&mut model, Msg::Feed(FeedItem::Batch(attack::attack().0.batch())));
    let counts = |model: &Model| {
        let scene = model.scene();
        (scene.processes().count(), scene.flows.len(), scene.files.len(), scene.incidents().len())
    };
    let now = counts(&model);
    // Back from signal to signal, to before the first.
    let mut before = now;
    let mut steps = 0;
    while model.state.notice.is_none() {
        update(&mut model, key('['));
        let then = counts(&model);
        assert!(then.0 <= before.0 && then.1 <= before.1 && then.2 <= before.2, "{then:?} after {before:?}");
        before = then;
        steps += 1;
    }
    assert!(steps > 5 && before.0 < now.0 && before.3 == 0, "{steps} steps to {before:?}, from {now:?}");
    // And on to now again.
    update(&mut model, key('f'));
    assert_eq!(counts(&model), now);
}

#[test]
fn what_comes_while_the_past_is_looked_at_is_taken_in_and_not_shown() {
    let mut model = Model::new(engine, Source::Live, PLAIN, Keymap::default(), Size { width: 80, height: 24 });
    update(&mut model, Msg::Feed(FeedItem::Batch(attack::quiet().batch())));
    model.state.screen = Screen::Timeline;
    for c in "kkk".chars() {
        update(&mut model, key(c));
    }
    let then = model.scene().processes().count();
    update(&mut model, Msg::Feed(FeedItem::Batch(attack::attack().0.batch())));
    assert_eq!(model.scene().processes().count(), then);
    assert_eq!(model.state.screen, Screen::Timeline);
    update(&mut model, key('f'));
    assert!(model.scene().processes().count() > then);
}

#[test]
fn a_gap_leaves_what_was_known_and_tells_who_was_gone_after_it() {
    let mut model =
        Model::new(engine, Source::Remote("x".to_owned()), PLAIN, Keymap::default(), Size { width: 80, height: 24 });
    let script = attack::attack().0;
    update(&mut model, Msg::Feed(FeedItem::Node(attack::node())));
    update(&mut model, Msg::Feed(FeedItem::Batch(script.batch())));
    let scene = model.scene();
    let (incidents, living) = (scene.incidents().len(), scene.living());
    // The collector began anew: its snapshot counts from 1 again, and tells of all but one.
    let alive: Vec<_> = scene.processes().filter(|p| scene.is_alive(p)).cloned().collect();
    let (gone, others) = alive.split_first().unwrap();
    let later = script.now().after(Duration::from_secs(60));
    let event = |(i, process): (usize, &Process)| {
        let image = process.image().cloned().unwrap_or_default();
        let payload = Payload::Alive(Box::new(Exec { task: process.task.clone(), image }));
        let seq = i as u64 + 1;
        let header = Header {
            seq,
            time: later,
            cpu: 0,
            process: process.key,
            tid: process.key.pid,
            origin: Origin::Backfill,
            compat: false,
        };
        Event { header, payload }
    };
    let events = others.iter().enumerate().map(event).collect();
    let snapshot = Batch { snapshot: true, first_seq: 100, now: later, events, losses: Vec::new() };
    update(&mut model, Msg::Feed(FeedItem::Batch(snapshot)));
    update(&mut model, Msg::Feed(FeedItem::Batch(Batch { now: later, ..Batch::default() })));
    let scene = model.scene();
    assert_eq!((scene.incidents().len(), scene.living()), (incidents, living - 1));
    assert!(scene.is_gone(gone.key) && !others.iter().any(|p| scene.is_gone(p.key)));
    let evidence = scene.incidents()[0].stages[0].evidence[0];
    let number = scene.history.number_of_seq(evidence).unwrap();
    assert_eq!(scene.event(number).unwrap().event.header.origin, Origin::Live, "evidence is still found");
    assert_eq!(scene.health.gaps.len(), 1);
    let area = Rect { x: 0, y: 0, width: 100, height: 30 };
    let mut buffer = Buffer::empty(area);
    paint(&scene, &model.state, &mut ViewState::default(), area, &mut buffer);
    assert!(text(&buffer).lines().next().unwrap().contains("1m00s unseen"), "the gap is told");
}
