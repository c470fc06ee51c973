//! The tree that follows what changes is the one that is made anew.

use std::time::Duration;

use lanner_core::engine::Engine;
use lanner_core::event::{Batch, Event, ProcessKey};
use ratatui::layout::Size;

use super::super::feed::{FeedItem, Source};
use super::super::filter::Filter;
use super::super::forest::{Forest, Row, TreeCache};
use super::super::keymap::Keymap;
use super::super::model::Model;
use super::super::state::Screen;
use super::super::update::{Msg, update};
use super::script::{Place, Script};
use super::{PLAIN, attack, key};

fn engine() -> Engine {
    crate::detection::engine().unwrap()
}

pub(super) fn model() -> Model {
    model_with(engine)
}

pub(super) fn model_with(engine: fn() -> Engine) -> Model {
    let size = Size { width: 120, height: 40 };
    let mut model = Model::new(engine, Source::Live, PLAIN, Keymap::default(), size);
    update(&mut model, Msg::Feed(FeedItem::Node(attack::node())));
    model.state.screen = Screen::Tree;
    model
}

pub(super) fn feed(model: &mut Model, events: Vec<Event>) {
    update(model, Msg::Feed(FeedItem::Batch(Batch { events, ..Batch::default() })));
}

fn rows(model: &Model) -> Vec<Row> {
    TreeCache::get(&model.scene(), &model.state).rows_from(0).collect()
}

/// The rows of a tree that knew nothing before.
fn rows_anew(model: &Model) -> Vec<Row> {
    Forest::anew(&model.scene(), &model.state).rows_from(0).collect()
}

/// xorshift64.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap()
    }
}

/// Processes that start, write, connect, move to other places, end, and are told of in any order within a few events.
pub(super) fn history(seed: u64) -> Vec<Event> {
    let mut random = Random(seed | 1);
    let mut script = Script::starting_at(Duration::from_secs(1_000));
    let places: Vec<Place> = (0..4)
        .map(|n| Place::service(&format!("unit-{n}.service")))
        .chain((0..3).map(|n| Place::container(&format!("pod{n}"), &format!("{n:064x}"), 5_000 + 10 * n)))
        .chain([Place::default().tty("pts0")])
        .collect();
    let init = script.alive(1, None, &Place::default(), &["/sbin/init"]);
    let mut living: Vec<ProcessKey> = vec![init];
    for n in 0..150 {
        let at = random.below(living.len());
        let place = &places[random.below(places.len())];
        match random.below(10) {
            8 => drop(script.connect(living[at], "203.0.113.66:8080", 77)),
            9 => drop(script.open(living[at], &format!("/var/log/{}", n % 9), 100 + n % 9, true, n % 2 == 0)),
            0..4 => {
                let (process, _) = script.spawn(living[at], place, &["worker", "--now"]);
                living.push(process);
            }
            4 => drop(script.open(living[at], "/var/lib/x", 77, true, true)),
            5 if at > 0 => {
                script.exit(living.swap_remove(at), 0);
            }
            6 => script.wait(Duration::from_secs(random.below(9) as u64)),
            // Known by what it does alone.
            _ => {
                let stranger = ProcessKey::new(60_000 + u32::try_from(random.below(50)).unwrap(), 1_000_000_000_000);
                script.open(stranger, "/etc/passwd", 78, false, false);
            }
        }
    }
    let mut events = script.events;
    for n in 1..events.len() {
        if random.below(6) == 0 {
            let (to, before) = (n - 1 - random.below(n.min(3)), n);
            events.swap(to, before);
        }
    }
    events
}

#[test]
fn a_tree_that_follows_is_the_one_that_is_made_anew() {
    for seed in 1..12 {
        let mut model = model();
        let mut random = Random(seed * 7_919);
        let mut events = history(seed * 104_729).into_iter().peekable();
        while events.peek().is_some() {
            let some = events.by_ref().take(1 + random.below(9)).collect();
            feed(&mut model, some);
            match random.below(12) {
                0 => drop(update(&mut model, key('s'))),
                1 => drop(update(&mut model, key('S'))),
                2 => drop(update(&mut model, key('l'))),
                3 => drop(update(&mut model, key('j'))),
                4 => {
                    for c in ['/', 'w', 'o', 'r', 'k', 'e', 'r'] {
                        update(&mut model, key(c));
                    }
                }
                5 => model = without_filter(model),
                _ => {}
            }
            assert_eq!(rows(&model), rows_anew(&model), "seed {seed}");
        }
    }
}

fn without_filter(mut model: Model) -> Model {
    model.state.prompt = None;
    model.state.filter = Filter::everything();
    model
}

#[test]
fn an_attack_unfolds_the_tree_as_it_goes() {
    let mut model = model();
    for event in attack::attack().0.events {
        feed(&mut model, vec![event]);
        assert_eq!(rows(&model), rows_anew(&model));
    }
    assert!(rows(&model).iter().any(|row| row.worst.is_some() && row.open == Some(true)));
    // Back and forth in time, too.
    for keys in ["[", "[", "]", "[", "f"] {
        keys.chars().for_each(|c| drop(update(&mut model, key(c))));
        assert_eq!(rows(&model), rows_anew(&model), "{keys}");
    }
}
