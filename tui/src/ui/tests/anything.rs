//! Whatever happens, whatever is done with it and however large the terminal is: it gets what is in the frame and nothing
//! else, and each character of that is as wide as the frame takes it to be.

#[path = "../../../../proto/tests/generator/mod.rs"]
#[allow(clippy::cast_possible_truncation, clippy::unwrap_used, clippy::wildcard_imports)]
mod generator;
#[path = "../../../../core/tests/hostile/mod.rs"]
mod history;

use std::sync::OnceLock;

use generator::Rng;
use lanner_core::event::{Batch, is_deceptive};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyEvent, KeyModifiers};
use ratatui::layout::{Rect, Size};

use crate::detection::Content;

use super::super::command::Key;
use super::super::feed::{FeedItem, Source, Speed};
use super::super::keymap::Keymap;
use super::super::look::Look;
use super::super::model::Model;
use super::super::text::width;
use super::super::update::{Msg, update};
use super::super::view::{ViewState, paint};
use super::PLAIN;

/// What terminals and filters have been broken with.
const TYPED: [&str; 8] = ["\u{1b}", "\u{202e}", "容", "\u{200b}", "é\u{301}", "proc.name=", "and ", "x"];

/// Every key of the table.
fn keys() -> Vec<Key> {
    Keymap::default().bindings().iter().flat_map(|binding| binding.keys.clone()).collect()
}

fn pick<'a, T>(numbers: &mut Rng, from: &'a [T]) -> &'a T {
    &from[usize::try_from(numbers.below(from.len() as u64)).unwrap()]
}

/// What a terminal is sent for a frame, without the sequences that move, colour and style.
fn sent(buffer: &Buffer) -> (String, String) {
    let blank = Buffer::empty(buffer.area);
    let cells = blank.diff(buffer);
    let held = cells.iter().map(|(_, _, cell)| cell.symbol()).collect();
    let mut bytes = Vec::new();
    CrosstermBackend::new(&mut bytes).draw(cells.into_iter()).unwrap();
    let all = String::from_utf8(bytes).unwrap();
    let mut plain = String::new();
    let mut rest = all.as_str();
    while let Some((before, sequence)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        let end = sequence.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap();
        assert!(matches!(sequence.as_bytes()[end], b'H' | b'm'), "{sequence:?}");
        rest = &sequence[end + 1..];
    }
    (plain + rest, held)
}

fn check(buffer: &Buffer, why: &str) {
    let area = buffer.area;
    for y in area.top()..area.bottom() {
        let mut x = area.left();
        while x < area.right() {
            let symbol = buffer[(x, y)].symbol();
            let deceptive = symbol.chars().find(|c| is_deceptive(*c));
            assert_eq!(deceptive, None, "{why}: {symbol:?} at {x}, {y}");
            let columns = u16::try_from(width(symbol)).unwrap();
            assert!((1..=area.right() - x).contains(&columns), "{why}: {symbol:?} at {x}, {y} of {area:?}");
            x += columns;
        }
    }
    let (sent, held) = sent(buffer);
    assert_eq!(sent, held, "{why}");
}

#[test]
fn a_terminal_gets_what_is_in_the_frame_and_nothing_else() {
    static CONTENT: OnceLock<Content> = OnceLock::new();
    let content = CONTENT.get_or_init(|| Content::load(&[]).unwrap());
    let keys = keys();
    for seed in 0..6 {
        let mut numbers = Rng(seed);
        let source = if seed % 2 == 0 { Source::Live } else { Source::Recording("x\u{1b}".to_owned(), Speed::MAX) };
        let size = Size { width: 80, height: 24 };
        let mut model = Model::new(|| content.engine(), source, PLAIN, Keymap::default(), size);
        let mut view = ViewState::default();
        let mut events = history::history(seed, 400);
        events.extend(numbers.batch(1_000, 300).events);
        let mut parts = events.chunks(50);
        for step in 0..150 {
            if step % 10 == 0
                && let Some(part) = parts.next()
            {
                let batch = Batch { events: part.to_vec(), ..Batch::default() };
                update(&mut model, Msg::Feed(FeedItem::Batch(batch)));
            }
            let (did, effects) = match numbers.below(12) {
                0 => {
                    let size = [(80, 24), (200, 60), (40, 10), (20, 5), (33, 9), (120, 40)];
                    let (width, height) = *pick(&mut numbers, &size);
                    (format!("{width}x{height}"), update(&mut model, Msg::Resize(width, height)))
                }
                1 => {
                    let text = *pick(&mut numbers, &TYPED);
                    (format!("{text:?} pasted"), update(&mut model, Msg::Paste(text.to_owned())))
                }
                _ => {
                    let key = *pick(&mut numbers, &keys);
                    let modifiers = if key.ctrl { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
                    (format!("{key}"), update(&mut model, Msg::Key(KeyEvent::new(key.code, modifiers))))
                }
            };
            update(&mut model, Msg::Work);
            let Size { width, height } = model.state.size;
            let area = Rect { x: 0, y: 0, width, height };
            for ascii in [false, true] {
                model.state.look = Look { ascii, ..PLAIN };
                let mut buffer = Buffer::empty(area);
                paint(&model.scene(), &model.state, &mut view, area, &mut buffer);
                check(&buffer, &format!("seed {seed}, step {step}, {did}, {:?} {effects:?}", model.state.screen));
            }
        }
    }
}
