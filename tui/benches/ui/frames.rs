//! What a frame takes: from the events that have come since the one before to the bytes for the terminal. Time is the
//! processor's: the machine has other things to do too.

use std::cell::Cell;
use std::io::{self, BufWriter, Write};
use std::rc::Rc;
use std::time::Duration;

use lanner::ui::{ConnectionState, FeedItem, Keymap, Look, Model, Msg, Source, ViewState, update, view};
use ratatui::Terminal;
use ratatui::TerminalOptions;
use ratatui::Viewport;
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Rect, Size};

use crate::figures::{Spread, milliseconds};
use crate::load::{BUSY, Load, Much};
use crate::{COLUMNS, ROWS};

/// So far apart are frames on a terminal that is near.
const GAP: Duration = Duration::from_millis(33);
/// Frames of each screen that count.
const FRAMES: usize = 300;
/// Before them, while caches are cold: the tree has as many that have just ended as it will have then.
const BEFORE: usize = 30;

/// The screens, by the keys that lead there; of some of them, how else they can be shown.
const SCREENS: [(&str, &str); 12] = [
    ("incidents", "1"),
    ("tree", "2"),
    ("tree, all that runs /usr/bin", "2/usr/bin\r"),
    ("graph of the incident", "3"),
    ("flows", "4"),
    ("flows by process", "4v"),
    ("files", "5"),
    ("timeline", "6"),
    ("sensor", "7"),
    ("help", "?"),
    ("details of a process", "2gjd"),
    ("details of a container", "2gd"),
];

pub(crate) fn run() -> io::Result<()> {
    let (mut load, mut model) = loaded(BUSY, Source::Live);
    // Whoever ended lately is shown too: let there be as many of them as there will be all along.
    for _ in 0..250 {
        update(&mut model, Msg::Feed(FeedItem::Batch(load.next(Duration::from_millis(100)))));
    }
    println!(
        "| a frame at {COLUMNS} x {ROWS}, goal 4 ms | events | drawing | both: half within | 99 % | slowest | bytes |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (name, keys) in SCREENS {
        screen(&mut model, &mut load, name, keys)?;
    }
    Ok(())
}

/// The load, and a model that knows what was before it.
pub(crate) fn loaded(much: Much, source: Source) -> (Load, Model) {
    let (load, before) = Load::new(much);
    let size = Size { width: COLUMNS, height: ROWS };
    let look = Look::from_env(|name| match name {
        "COLORTERM" => Some("truecolor".to_owned()),
        "LANG" => Some("C.UTF-8".to_owned()),
        _ => None,
    });
    let engine = || lanner::detection::engine().unwrap();
    let mut model = Model::new(engine, source, look, Keymap::default(), size);
    update(&mut model, Msg::Feed(FeedItem::Node(load.node().clone())));
    update(&mut model, Msg::Feed(FeedItem::Status(ConnectionState::Connected)));
    for batch in before {
        update(&mut model, Msg::Feed(FeedItem::Batch(batch)));
    }
    (load, model)
}

fn screen(model: &mut Model, load: &mut Load, name: &str, keys: &str) -> io::Result<()> {
    let viewport = Viewport::Fixed(Rect::new(0, 0, COLUMNS, ROWS));
    let written = Rc::new(Cell::new(0));
    let backend = CrosstermBackend::new(BufWriter::with_capacity(64 * 1024, Counted(Rc::clone(&written))));
    let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport })?;
    let mut shown = ViewState::default();
    press(model, keys);
    let (mut events, mut drawing, mut both) = (Spread::new(), Spread::new(), Spread::new());
    for n in 0..BEFORE + FRAMES {
        let batch = load.next(GAP);
        let begun = processor_time();
        update(model, Msg::Feed(FeedItem::Batch(batch)));
        let taken = processor_time() - begun;
        update(model, Msg::Resize(COLUMNS, ROWS));
        view(model, &mut shown, &mut terminal.get_frame());
        terminal.flush()?;
        terminal.swap_buffers();
        Backend::flush(terminal.backend_mut())?;
        let all = processor_time() - begun;
        if n >= BEFORE {
            events.add(taken);
            drawing.add(all - taken);
            both.add(all);
        } else {
            written.set(0);
        }
    }
    println!(
        "| {name} | {} | {} | {} | {} | {} | {} |",
        milliseconds(events.within(50)),
        milliseconds(drawing.within(50)),
        milliseconds(both.within(50)),
        milliseconds(both.within(99)),
        milliseconds(both.within(100)),
        written.get() / FRAMES,
    );
    press(model, "\x1b");
    Ok(())
}

/// What this thread has had of a processor.
fn processor_time() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(spent.tv_sec as u64, spent.tv_nsec as u32)
}

/// Takes bytes and counts them.
struct Counted(Rc<Cell<usize>>);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn press(model: &mut Model, keys: &str) {
    for key in keys.chars() {
        let code = match key {
            '\x1b' => KeyCode::Esc,
            '\r' => KeyCode::Enter,
            key => KeyCode::Char(key),
        };
        update(model, Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }
}
