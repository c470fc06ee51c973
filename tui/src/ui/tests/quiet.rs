//! Where nothing happens nothing is written: a quiet node's screen stands still, and says since when it has been quiet.

use std::time::Duration;

use insta::assert_snapshot;
use lanner_core::engine::Engine;
use lanner_core::event::{Batch, BootTime, Exit, Header, Loss, LossCause, Origin, Payload, ProcessKey};
use ratatui::layout::Size;

use super::super::feed::{ConnectionState, FeedItem, Source, Speed};
use super::super::keymap::Keymap;
use super::super::model::Model;
use super::super::state::Screen;
use super::super::update::{Msg, update};
use super::{PLAIN, Told, attack, key};

/// The node's time at which all that [`attack::quiet`] tells of is over.
fn over() -> BootTime {
    attack::quiet().now()
}

/// A node on which nothing is wrong, this long after anything happened there.
fn told_after(quiet: Duration) -> Told {
    let mut told = Told::quiet();
    pass(&mut told.model, over().after(quiet));
    told
}

/// It is heard that so much time has gone by.
fn wait(model: &mut Model, time: Duration) {
    let now = model.scene().now().after(time);
    pass(model, now);
}

/// It is heard what time it is.
fn pass(model: &mut Model, now: BootTime) {
    update(model, Msg::Feed(FeedItem::Batch(Batch { now, ..Batch::default() })));
}

fn header(told: &mut Told, columns: u16) -> String {
    told.frame(columns, 24).lines().next().unwrap_or_default().to_owned()
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_quiet_node_is_said_to_be_so_and_since_when() {
    let headers = [SECOND * 4, SECOND * 6, SECOND * 7_000].into_iter().flat_map(|after| {
        let mut told = told_after(after);
        [120, 80, 59, 40, 24].map(|columns| header(&mut told, columns))
    });
    assert_snapshot!(headers.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_lost_connection_and_one_on_which_nothing_is_said_are_no_quiet_nodes() {
    let mut told = told_after(SECOND * 600);
    let mut headers = Vec::new();
    let mut look = |told: &mut Told| headers.extend([80, 40].map(|columns| header(told, columns)));
    told.model.world.reception.mute = true;
    look(&mut told);
    assert!(!told.model.is_at_rest());
    told.model.world.reception.mute = false;
    let lost = ConnectionState::Lost { why: "the collector ended".to_owned(), retry_in: SECOND };
    update(&mut told.model, Msg::Feed(FeedItem::Status(lost)));
    look(&mut told);
    assert!(!told.model.is_at_rest());
    update(&mut told.model, Msg::Feed(FeedItem::Status(ConnectionState::Connected)));
    look(&mut told);
    assert!(told.model.is_at_rest());
    assert_snapshot!(headers.join("\n"));
}

#[test]
fn a_screen_at_rest_shows_the_same_until_something_happens() {
    let mut told = told_after(SECOND * 6);
    assert!(!told.model.is_at_rest(), "who ended lately is still to go");
    pass(&mut told.model, over().after(SECOND * 22));
    assert!(told.model.is_at_rest());
    let ages = |frame: &str| frame.split_whitespace().filter(|word| !is_age(word)).collect::<Vec<_>>().join(" ");
    for screen in Screen::ALL {
        told.model.state.screen = screen;
        assert_eq!(told.model.is_at_rest(), screen != Screen::Sensor, "{screen:?}");
        let before = told.frame(120, 40);
        wait(&mut told.model, SECOND * 100);
        assert_eq!(ages(&told.frame(120, 40)), ages(&before), "{screen:?}");
    }
    told.model.state.screen = Screen::Tree;
    let now = told.model.scene().now().after(SECOND);
    let mut stirs = |batch| {
        assert!(told.model.is_at_rest());
        update(&mut told.model, Msg::Feed(FeedItem::Batch(batch)));
        assert!(!told.model.is_at_rest());
        wait(&mut told.model, SECOND * 22);
    };
    let process = ProcessKey::new(100, 100);
    let header = Header { seq: 1 << 40, time: now, cpu: 0, process, tid: 100, origin: Origin::Live, compat: false };
    let exit = lanner_core::event::Event { header, payload: Payload::Exit(Exit { code: 0, signal: 0 }) };
    stirs(Batch { now, events: vec![exit], ..Batch::default() });
    stirs(Batch { now, losses: vec![Loss { cause: LossCause::RingFull, count: 1 }], ..Batch::default() });
}

/// How long ago something was.
fn is_age(word: &str) -> bool {
    word.strip_suffix(['s', 'm', 'h', 'd']).is_some_and(|n| n.parse::<u64>().is_ok())
}

#[test]
fn what_is_late_is_told_at_rest_too() {
    let mut told = told_after(SECOND * 60);
    assert!(told.model.is_at_rest());
    told.model.world.reception.behind = SECOND * 3;
    assert!(!told.model.is_at_rest());
}

#[test]
fn the_clock_of_a_replay_goes_on_and_that_of_a_view_that_is_held_stands() {
    let source = Source::Recording("quiet".to_owned(), Speed::REAL);
    let mut model = Model::new(Engine::default, source, PLAIN, Keymap::default(), Size { width: 80, height: 24 });
    update(&mut model, Msg::Feed(FeedItem::Node(attack::node())));
    update(&mut model, Msg::Feed(FeedItem::Batch(attack::quiet().batch())));
    pass(&mut model, over().after(SECOND * 600));
    assert!(!model.is_at_rest() && model.scene().quiet_since.is_none());

    let mut told = told_after(SECOND * 6);
    update(&mut told.model, key(' '));
    let held = header(&mut told, 80);
    assert!(held.contains("PAUSED") && !held.contains("quiet"), "{held}");
    pass(&mut told.model, over().after(SECOND * 60));
    assert_eq!(header(&mut told, 80), held);
}
