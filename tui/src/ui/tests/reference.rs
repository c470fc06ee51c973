//! The recorded attack on every screen, in every size, at three moments, in every look.

use std::sync::OnceLock;

use insta::assert_snapshot;
use lanner_core::event::Batch;
use lanner_recording::Reader;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::{Color, Modifier};

use crate::detection::Content;

use super::super::feed::{End, FeedItem, Source, Speed};
use super::super::keymap::Keymap;
use super::super::look::{self, Colours, Look, Theme};
use super::super::model::Model;
use super::super::state::Screen;
use super::super::update::{Msg, update};
use super::super::view::{ViewState, paint};
use super::{PLAIN, key, text};

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (200, 60), (40, 10)];

/// Moments of the attack: how many signals before its end each is.
const MOMENTS: [(&str, usize); 3] = [("the escape", 10), ("the call of the hidden pod", 4), ("the end", 0)];

fn recorded() -> Model {
    static CONTENT: OnceLock<Content> = OnceLock::new();
    let content = CONTENT.get_or_init(|| Content::load(&[]).unwrap());
    let scenario = lanner_scenarios::SCENARIOS.iter().find(|s| s.name == "container-escape").unwrap();
    let reader = Reader::new(scenario.recording).unwrap();
    let header = reader.header().clone();
    let source = Source::Recording("container-escape".to_owned(), Speed::MAX);
    let engine = || content.engine();
    let mut model = Model::new(engine, source, PLAIN, Keymap::default(), Size { width: 80, height: 24 });
    let batches: Vec<Batch> = reader.collect();
    let items = [FeedItem::Node(header.node.clone()), FeedItem::Recording(Box::new(header))];
    for item in items.into_iter().chain(batches.into_iter().map(FeedItem::Batch)) {
        update(&mut model, Msg::Feed(item));
    }
    update(&mut model, Msg::Feed(FeedItem::End(End::complete("the recording ends here"))));
    model
}

/// Goes back so many signals from the end.
fn back(model: &mut Model, signals: usize) {
    for _ in 0..signals {
        update(model, key('['));
    }
    assert!(model.state.notice.is_none(), "there are not so many signals");
}

fn frame(model: &mut Model, screen: Screen, (width, height): (u16, u16), look: Look) -> Buffer {
    model.state.size = Size { width, height };
    model.state.screen = screen;
    model.state.look = look;
    update(model, Msg::Work);
    let area = Rect { x: 0, y: 0, width, height };
    let mut buffer = Buffer::empty(area);
    paint(&model.scene(), &model.state, &mut ViewState::default(), area, &mut buffer);
    buffer
}

/// All screens of some moments, one below the other.
fn sheet(size: (u16, u16), moments: &[(&str, usize)], look: Look) -> String {
    let mut sheet = String::new();
    for (name, signals) in moments {
        let mut model = recorded();
        back(&mut model, *signals);
        for screen in Screen::ALL {
            let frame = text(&frame(&mut model, screen, size, look));
            sheet.push_str(&format!("{} at {name}\n{frame}\n", screen.title()));
        }
    }
    sheet
}

#[test]
fn on_80_by_24() {
    assert_snapshot!(sheet((80, 24), &MOMENTS, PLAIN));
}

#[test]
fn on_120_by_40() {
    assert_snapshot!(sheet((120, 40), &MOMENTS, PLAIN));
}

#[test]
fn on_200_by_60() {
    assert_snapshot!(sheet((200, 60), &MOMENTS, PLAIN));
}

#[test]
fn on_40_by_10() {
    assert_snapshot!(sheet((40, 10), &MOMENTS, PLAIN));
}

#[test]
fn what_led_to_a_signal_and_what_came_of_it_are_seen_with_it() {
    let mut model = recorded();
    back(&mut model, 3);
    let frame = text(&frame(&mut model, Screen::Timeline, (80, 24), PLAIN));
    let at = frame.lines().position(|line| line.starts_with('▌')).unwrap();
    // The list has the rows 5 to 22.
    assert!((8..=19).contains(&at), "{at}\n{frame}");
}

/// Above its flows a group says how many they are in words: none of their columns tells it.
#[test]
fn flows_in_each_of_their_ways() {
    let mut model = recorded();
    let mut sheet = String::new();
    for way in ["one by one", "by peer", "by process", "who talks to whom"] {
        let frame = text(&frame(&mut model, Screen::Flows, (80, 14), PLAIN));
        assert!(frame.contains(way), "{frame}");
        sheet.push_str(&format!("{frame}\n"));
        update(&mut model, key('v'));
    }
    assert_snapshot!(sheet);
}

#[test]
fn in_ascii() {
    assert_snapshot!(sheet((80, 24), &MOMENTS[2..], Look { ascii: true, ..PLAIN }));
}

/// Only the picture is drawn otherwise: of all else each character has a stand-in (see below).
#[test]
fn the_picture_in_ascii() {
    let look = Look { ascii: true, ..PLAIN };
    let mut sheet = String::new();
    for (name, signals) in MOMENTS {
        let mut model = recorded();
        back(&mut model, signals);
        for (width, height) in SIZES {
            let frame = text(&frame(&mut model, Screen::Graph, (width, height), look));
            sheet.push_str(&format!("{width}x{height} at {name}\n{frame}\n"));
        }
    }
    assert_snapshot!(sheet);
}

#[test]
fn who_calls_in_is_one_peer_whatever_its_ports_are() {
    let mut model = recorded();
    model.state.screen = Screen::Flows;
    update(&mut model, key('v'));
    let frame = text(&frame(&mut model, Screen::Flows, SIZES[1], PLAIN));
    assert!(frame.contains("10.88.0.3 to :8080  12 flows"), "{frame}");
}

/// Below each line of a frame a letter for the style of each of its characters, and below all of it what they stand for.
fn styled(buffer: &Buffer, styles: &mut Vec<String>) -> String {
    let mut out = String::new();
    for (y, line) in text(buffer).lines().enumerate() {
        let y = u16::try_from(y).unwrap();
        let letters = (buffer.area.left()..buffer.area.right()).map(|x| {
            let cell = &buffer[(x, y)];
            let style = format!("{:?} on {:?} {:?}", cell.fg, cell.bg, cell.modifier);
            let plain = cell.symbol() == " " && cell.bg == Color::Reset && !cell.modifier.contains(Modifier::REVERSED);
            if plain || style == "Reset on Reset NONE" {
                return ' ';
            }
            let at = styles.iter().position(|known| *known == style).unwrap_or_else(|| {
                styles.push(style);
                styles.len() - 1
            });
            char::from(b'a' + u8::try_from(at).unwrap())
        });
        let letters: String = letters.collect();
        out.push_str(&format!("{line}\n{}\n", letters.trim_end()));
    }
    out
}

#[test]
fn in_colours() {
    let mut model = recorded();
    let mut sheet = String::new();
    for colours in [Colours::True, Colours::Base, Colours::None] {
        let mut styles = Vec::new();
        for screen in Screen::ALL {
            let frame = frame(&mut model, screen, SIZES[0], Look { colours, ascii: false, theme: Theme::Dark });
            sheet.push_str(&format!("{} in {colours:?}\n{}\n", screen.title(), styled(&frame, &mut styles)));
        }
        for (letter, style) in (b'a'..).zip(styles) {
            sheet.push_str(&format!("{} {style}\n", char::from(letter)));
        }
    }
    assert_snapshot!(sheet);
}

fn is_base(colour: Color) -> bool {
    !matches!(colour, Color::Rgb(..) | Color::Indexed(_))
}

/// What is said must not depend on how it looks.
#[test]
fn every_look_says_the_same_and_uses_what_it_may() {
    for (_, signals) in MOMENTS {
        let mut model = recorded();
        back(&mut model, signals);
        for size in SIZES {
            for screen in Screen::ALL {
                let mut drawn = frame(&mut model, screen, size, PLAIN);
                let plain = text(&drawn);
                look::to_ascii(&mut drawn);
                for theme in [Theme::Dark, Theme::Light, Theme::HighContrast] {
                    for colours in [Colours::None, Colours::Base, Colours::True] {
                        let shown = frame(&mut model, screen, size, Look { colours, ascii: false, theme });
                        assert_eq!(text(&shown), plain, "{theme:?} {colours:?} {screen:?}");
                        for cell in &shown.content {
                            let allowed = match colours {
                                Colours::None => cell.fg == Color::Reset && cell.bg == Color::Reset,
                                Colours::Base => is_base(cell.fg) && is_base(cell.bg),
                                Colours::True => true,
                            };
                            assert!(allowed, "{:?} on {:?} in {colours:?}", cell.fg, cell.bg);
                        }
                        let ascii = frame(&mut model, screen, size, Look { colours, ascii: true, theme });
                        assert!(ascii.content.iter().all(|cell| cell.symbol().is_ascii()));
                        assert!(screen == Screen::Graph || text(&ascii) == text(&drawn), "{screen:?}");
                    }
                }
            }
        }
    }
}
