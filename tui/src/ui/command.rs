//! The one table of commands: what there is to do, by which keys at first, when, and in what words. Key handling, the
//! footer, the help, the palette and the settings are all read from it, so that none of them can disagree with another.

use std::fmt;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::prompt::PromptKind;
use super::sort;
use super::state::Screen;

/// What a key can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Command {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Left,
    Right,
    UnfoldAll,
    Open,
    Details,
    Back,
    Show(Screen),
    NextScreen,
    PreviousScreen,
    PreviousSignal,
    NextSignal,
    Earlier,
    Later,
    Follow,
    Zoom,
    Clock,
    Group,
    NextWay,
    Sort,
    ReverseSort,
    Filter,
    FilterSelection,
    NextMatch,
    PreviousMatch,
    SetMark,
    GoToMark,
    Palette,
    Pause,
    Slower,
    Faster,
    SkipSilence,
    Help,
    Export,
    Copy,
    Record,
    Dump,
    Suspend,
    Redraw,
    Quit,
    Accept,
    Cancel,
    NextOffer,
    PreviousOffer,
    Erase,
    EraseAll,
    CursorLeft,
    CursorRight,
}

/// A key as the terminal reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// The key.
    pub code: KeyCode,
    /// Control was held.
    pub ctrl: bool,
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        Key { code: event.code, ctrl: event.modifiers.contains(KeyModifiers::CONTROL) }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("^")?;
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(c) if self.ctrl => write!(f, "{}", c.to_ascii_uppercase()),
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::Up => f.write_str("↑"),
            KeyCode::Down => f.write_str("↓"),
            KeyCode::Left => f.write_str("←"),
            KeyCode::Right => f.write_str("→"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            KeyCode::BackTab => f.write_str("S-Tab"),
            KeyCode::Backspace => f.write_str("Bksp"),
            KeyCode::F(n) => write!(f, "F{n}"),
            other => write!(f, "{other:?}"),
        }
    }
}

/// What decides which commands there are just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// The screen.
    pub screen: Screen,
    /// A details pane lies over it.
    pub details: bool,
    /// That pane stands beside the screen, where there is room for both, or would if it had not the whole of it.
    pub beside: bool,
    /// The keys go to an incident's story.
    pub story: bool,
    /// Something is being typed.
    pub prompt: Option<PromptKind>,
    /// The next letter names a mark.
    pub pending: bool,
    /// The help is shown.
    pub help: bool,
    /// Esc has something to go back from.
    pub can_go_back: bool,
    /// There is something to look into.
    pub can_open: bool,
    /// A filter is applied.
    pub filtered: bool,
    /// A recording is played.
    pub replay: bool,
    /// The past is looked at.
    pub past: bool,
    /// The view stands still.
    pub paused: bool,
    /// What happens is being recorded.
    pub recording: bool,
}

/// A line of the table.
#[derive(Clone)]
pub struct Binding {
    /// What is done.
    pub command: Command,
    /// What settings and palette call it. Lines of one name have the same keys.
    pub name: &'static str,
    /// By which keys; the footer shows the first.
    pub keys: Vec<Key>,
    /// In a word or two, for the footer; empty for what goes without saying.
    pub short: &'static str,
    /// In a sentence, for the help.
    pub long: &'static str,
    /// When it works.
    pub when: fn(&Context) -> bool,
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding").field("name", &self.name).field("keys", &self.keys).finish_non_exhaustive()
    }
}

const fn key(code: KeyCode) -> Key {
    Key { code, ctrl: false }
}

const fn ch(c: char) -> Key {
    key(KeyCode::Char(c))
}

const fn ctrl(c: char) -> Key {
    Key { code: KeyCode::Char(c), ctrl: true }
}

fn reading(c: &Context) -> bool {
    c.prompt.is_none() && !c.pending
}

fn choosing(c: &Context) -> bool {
    reading(c) && !c.help
}

fn on_screen(c: &Context) -> bool {
    choosing(c) && !c.details
}

fn on(c: &Context, screen: Screen) -> bool {
    on_screen(c) && c.screen == screen && c.can_open
}

fn with_selection(c: &Context) -> bool {
    choosing(c) && c.can_open
}

fn sortable(c: &Context) -> bool {
    on_screen(c) && !c.story && !sort::orders(c.screen).is_empty()
}

fn typing(c: &Context) -> bool {
    c.prompt.is_some()
}

macro_rules! bind {
    ($command:expr, $name:literal, [$($key:expr),+], $short:literal, $long:literal, $when:expr) => {
        Binding { command: $command, name: $name, keys: vec![$($key),+], short: $short, long: $long, when: $when }
    };
}

use Command as C;

/// The table as it is without settings, in the order of the help. The footer takes from it in the same order what fits.
#[allow(clippy::too_many_lines)]
pub(super) fn table() -> Vec<Binding> {
    vec![
        bind!(
            C::Accept,
            "accept",
            [key(KeyCode::Enter)],
            "apply",
            "apply the filter, or carry out the command",
            typing
        ),
        bind!(C::Cancel, "cancel", [key(KeyCode::Esc)], "cancel", "type no more; the filter before comes back", |c| {
            typing(c) || c.pending
        }),
        bind!(
            C::NextOffer,
            "next-offer",
            [key(KeyCode::Tab)],
            "complete",
            "complete the word, or take the next offer",
            typing
        ),
        bind!(C::PreviousOffer, "previous-offer", [key(KeyCode::BackTab)], "", "take the offer before", typing),
        bind!(C::EraseAll, "erase-all", [ctrl('u')], "clear", "erase all that was typed", typing),
        bind!(C::Erase, "erase", [key(KeyCode::Backspace), ctrl('h')], "", "erase a character", typing),
        bind!(C::CursorLeft, "cursor-left", [key(KeyCode::Left)], "", "one character to the left", typing),
        bind!(C::CursorRight, "cursor-right", [key(KeyCode::Right)], "", "one character to the right", typing),
        bind!(C::Follow, "follow", [ch('f')], "now", "back to now, and follow what happens", |c| choosing(c) && c.past),
        bind!(
            C::Open,
            "open",
            [key(KeyCode::Enter)],
            "open",
            "look into the selection; all screens then show what has to do with it",
            with_selection
        ),
        bind!(C::Back, "back", [key(KeyCode::Esc), key(KeyCode::Backspace)], "back", "go back one step", |c| {
            reading(c) && c.can_go_back
        }),
        bind!(C::Left, "left", [key(KeyCode::Left), ch('h')], "fold", "fold, or go to the parent", |c| on(
            c,
            Screen::Tree
        )),
        bind!(C::Right, "right", [key(KeyCode::Right), ch('l')], "unfold", "unfold, or go to the first child", |c| {
            on(c, Screen::Tree)
        }),
        bind!(C::UnfoldAll, "unfold-all", [ch('*')], "", "unfold all that lies below", |c| on(c, Screen::Tree)),
        bind!(C::Left, "left", [key(KeyCode::Left), ch('h')], "list", "to the list of incidents", |c| {
            on_screen(c) && c.story
        }),
        bind!(C::Right, "right", [key(KeyCode::Right), ch('l')], "story", "into the story of the incident", |c| {
            on(c, Screen::Incidents) && !c.story
        }),
        bind!(C::Group, "group", [ch('v')], "view", "flows: by time, by peer, by process, who talks to whom", |c| {
            on_screen(c) && c.screen == Screen::Flows
        }),
        bind!(C::Group, "group", [ch('v')], "view", "files: changed, executed, written then executed, all", |c| {
            on_screen(c) && c.screen == Screen::Files
        }),
        bind!(C::Left, "left", [key(KeyCode::Left), ch('h')], "back", "against the edge, to what led here", |c| {
            on(c, Screen::Graph)
        }),
        bind!(C::Right, "right", [key(KeyCode::Right), ch('l')], "on", "along the edge that is marked", |c| {
            on(c, Screen::Graph)
        }),
        bind!(C::NextWay, "next-way", [ch('o')], "way", "graph: mark the next edge that leads on from here", |c| {
            on(c, Screen::Graph)
        }),
        bind!(C::Group, "group", [ch('v')], "view", "graph: as much as fits, all that is known, names alone", |c| {
            on_screen(c) && c.screen == Screen::Graph
        }),
        bind!(C::Clock, "clock", [ch('t')], "clock", "times of day, since the start, or since the line before", |c| {
            on(c, Screen::Timeline)
        }),
        bind!(C::NextSignal, "next-signal", [ch(']')], "", "look at the moment of the next signal", choosing),
        bind!(
            C::PreviousSignal,
            "previous-signal",
            [ch('[')],
            "signal",
            "look at the moment of the signal before",
            choosing
        ),
        bind!(C::Later, "later", [ch('.')], "", "one event later", |c| choosing(c) && c.past),
        bind!(C::Earlier, "earlier", [ch(',')], "", "one event earlier", choosing),
        bind!(
            C::Filter,
            "filter",
            [ch('/')],
            "filter",
            "show less: plain words, or a condition such as proc.name=curl",
            choosing
        ),
        bind!(C::Pause, "pause", [ch(' ')], "pause", "hold the view still; what happens is still taken in", |c| {
            choosing(c) && !c.paused
        }),
        bind!(C::Pause, "pause", [ch(' ')], "go on", "let the view go on", |c| choosing(c) && c.paused),
        bind!(
            C::FilterSelection,
            "filter-selection",
            [ch('F')],
            "",
            "a filter made from the selection",
            with_selection
        ),
        bind!(C::NextMatch, "next-match", [ch('n')], "", "to the next that the filter lets through", |c| choosing(c)
            && c.filtered),
        bind!(
            C::PreviousMatch,
            "previous-match",
            [ch('N')],
            "",
            "to the one before that the filter lets through",
            |c| { choosing(c) && c.filtered }
        ),
        bind!(C::Details, "details", [ch('d')], "", "show or hide the details", |c| choosing(c) && c.can_open),
        bind!(C::Zoom, "zoom", [ch('\\')], "zoom", "give the details the whole screen, and back", |c| choosing(c)
            && c.beside),
        bind!(C::Sort, "sort", [ch('s')], "", "order by something else", sortable),
        bind!(C::ReverseSort, "reverse-sort", [ch('S')], "", "the other way round", sortable),
        bind!(C::Export, "export", [ch('e')], "export", "write a report of the incident into a file", choosing),
        bind!(C::Copy, "copy", [ch('y')], "", "copy the selection, to paste it elsewhere", with_selection),
        bind!(C::Record, "record", [ch('r')], "", "record into a file, from what is known on", |c| {
            choosing(c) && !c.recording
        }),
        bind!(C::Record, "record", [ch('r')], "stop recording", "end the recording", |c| choosing(c) && c.recording),
        bind!(C::Dump, "dump", [ch('D')], "", "write the screen into a file, as text", reading),
        bind!(C::SetMark, "set-mark", [ch('m')], "", "mark this place with a letter", choosing),
        bind!(C::GoToMark, "go-to-mark", [ch('\'')], "", "go to a marked place", choosing),
        bind!(C::Faster, "faster", [ch('+'), ch('=')], "faster", "play the recording twice as fast", |c| choosing(c)
            && c.replay),
        bind!(C::Slower, "slower", [ch('-')], "", "play the recording half as fast", |c| choosing(c) && c.replay),
        bind!(
            C::SkipSilence,
            "skip-silence",
            [ch('w')],
            "",
            "pass over stretches in which nothing happens, or play them too",
            |c| { choosing(c) && c.replay }
        ),
        bind!(C::NextScreen, "next-screen", [key(KeyCode::Tab)], "screen", "the next screen", choosing),
        bind!(C::PreviousScreen, "previous-screen", [key(KeyCode::BackTab)], "", "the screen before", choosing),
        bind!(C::Show(Screen::Incidents), "incidents", [ch('1')], "", "incidents, and the story of each", choosing),
        bind!(C::Show(Screen::Tree), "tree", [ch('2')], "", "the tree of processes", choosing),
        bind!(
            C::Show(Screen::Graph),
            "graph",
            [ch('3')],
            "graph",
            "the picture of the incident, or of what lies around the process",
            choosing
        ),
        bind!(C::Show(Screen::Flows), "flows", [ch('4')], "", "connections, datagrams and names", choosing),
        bind!(
            C::Show(Screen::Files),
            "files",
            [ch('5')],
            "",
            "files that were written, executed, renamed, deleted",
            choosing
        ),
        bind!(C::Show(Screen::Timeline), "timeline", [ch('6')], "", "events, one a line", choosing),
        bind!(C::Show(Screen::Sensor), "sensor", [ch('7')], "", "the sensor: its hooks, and what was lost", choosing),
        bind!(C::Palette, "palette", [ch(':')], "", "any command by its name", choosing),
        bind!(C::Up, "up", [key(KeyCode::Up), ch('k')], "", "up", reading),
        bind!(C::Down, "down", [key(KeyCode::Down), ch('j')], "", "down", reading),
        bind!(C::PageUp, "page-up", [key(KeyCode::PageUp), ctrl('b')], "", "a page up", reading),
        bind!(C::PageDown, "page-down", [key(KeyCode::PageDown), ctrl('f')], "", "a page down", reading),
        bind!(C::First, "first", [key(KeyCode::Home), ch('g')], "", "to the first", reading),
        bind!(
            C::Last,
            "last",
            [key(KeyCode::End), ch('G')],
            "",
            "to the last; in the timeline: follow what happens",
            reading
        ),
        bind!(C::Redraw, "redraw", [ctrl('l')], "", "draw the screen anew", |_| true),
        bind!(C::Suspend, "suspend", [ctrl('z')], "", "to the shell; `fg` comes back", |_| true),
        bind!(C::Quit, "quit-always", [ctrl('c')], "", "leave, whatever is on the screen", |_| true),
        bind!(C::Help, "help", [ch('?'), key(KeyCode::F(1))], "help", "all keys", choosing),
        bind!(C::Help, "help", [ch('?'), key(KeyCode::F(1))], "close", "close the help", |c| reading(c) && c.help),
        bind!(C::Quit, "quit", [ch('q')], "quit", "leave", reading),
    ]
}
