//! The one table of commands: which key does what, when, and in what words. Key handling, the footer and the help are all
//! read from it, so that none of them can disagree with another.

use std::fmt;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

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
    Back,
    Show(Screen),
    NextScreen,
    PreviousScreen,
    PreviousSignal,
    NextSignal,
    Zoom,
    Clock,
    Filter,
    Pause,
    Slower,
    Faster,
    Help,
    Suspend,
    Redraw,
    Quit,
    Accept,
    Cancel,
    Erase,
    EraseAll,
    CursorLeft,
    CursorRight,
}

/// A key as the terminal reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// The keys go to an incident's story.
    pub story: bool,
    /// A filter is being typed.
    pub prompt: bool,
    /// The help is shown.
    pub help: bool,
    /// Esc has something to go back from.
    pub can_go_back: bool,
    /// There is something to look into.
    pub can_open: bool,
    /// A recording is played.
    pub replay: bool,
    /// The view stands still.
    pub paused: bool,
}

/// A line of the table.
#[derive(Clone, Copy)]
pub struct Binding {
    /// What is done.
    pub command: Command,
    /// By which keys; the footer shows the first.
    pub keys: &'static [Key],
    /// In a word or two, for the footer; empty for what goes without saying.
    pub short: &'static str,
    /// In a sentence, for the help.
    pub long: &'static str,
    /// When it works.
    pub when: fn(&Context) -> bool,
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding").field("command", &self.command).field("keys", &self.keys).finish_non_exhaustive()
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
    !c.prompt
}

fn choosing(c: &Context) -> bool {
    !c.prompt && !c.help
}

fn on_screen(c: &Context) -> bool {
    choosing(c) && !c.details
}

fn with_selection(c: &Context) -> bool {
    choosing(c) && c.can_open
}

fn typing(c: &Context) -> bool {
    c.prompt
}

macro_rules! bind {
    ($command:expr, [$($key:expr),+], $short:literal, $long:literal, $when:expr) => {
        Binding { command: $command, keys: &[$($key),+], short: $short, long: $long, when: $when }
    };
}

use Command as C;

/// The table, in the order of the help. The footer takes from it in the same order what fits.
static BINDINGS: &[Binding] = &[
    bind!(C::Accept, [key(KeyCode::Enter)], "apply", "apply the filter", typing),
    bind!(C::Cancel, [key(KeyCode::Esc)], "cancel", "go back to the filter before", typing),
    bind!(C::EraseAll, [ctrl('u')], "clear", "erase all that was typed", typing),
    bind!(C::Erase, [key(KeyCode::Backspace), ctrl('h')], "", "erase a character", typing),
    bind!(C::CursorLeft, [key(KeyCode::Left)], "", "one character to the left", typing),
    bind!(C::CursorRight, [key(KeyCode::Right)], "", "one character to the right", typing),
    bind!(C::Open, [key(KeyCode::Enter)], "open", "look into the selection", with_selection),
    bind!(C::Back, [key(KeyCode::Esc), key(KeyCode::Backspace)], "back", "go back one step", |c| {
        reading(c) && c.can_go_back
    }),
    bind!(C::Left, [key(KeyCode::Left), ch('h')], "fold", "fold, or go to the parent", |c| {
        on_screen(c) && c.screen == Screen::Tree && c.can_open
    }),
    bind!(C::Right, [key(KeyCode::Right), ch('l')], "unfold", "unfold, or go to the first child", |c| {
        on_screen(c) && c.screen == Screen::Tree && c.can_open
    }),
    bind!(C::UnfoldAll, [ch('*')], "", "unfold all that lies below", |c| on_screen(c)
        && c.screen == Screen::Tree
        && c.can_open),
    bind!(C::Left, [key(KeyCode::Left), ch('h')], "list", "to the list of incidents", |c| on_screen(c) && c.story),
    bind!(C::Right, [key(KeyCode::Right), ch('l')], "story", "into the story of the incident", |c| {
        on_screen(c) && c.screen == Screen::Incidents && !c.story && c.can_open
    }),
    bind!(C::Clock, [ch('t')], "clock", "times of day, since the start, or since the line before", |c| {
        on_screen(c) && c.screen == Screen::Timeline && c.can_open
    }),
    bind!(C::NextSignal, [ch(']')], "", "to the next signal", with_selection),
    bind!(C::PreviousSignal, [ch('[')], "", "to the signal before", with_selection),
    bind!(C::Zoom, [ch('\\')], "zoom", "give the details the whole screen, and back", |c| choosing(c) && c.details),
    bind!(C::Filter, [ch('/')], "filter", "show less: plain words, or a condition such as proc.name=curl", choosing),
    bind!(C::Pause, [ch(' ')], "pause", "hold the view still; what happens is still taken in", |c| {
        choosing(c) && !c.paused
    }),
    bind!(C::Pause, [ch(' ')], "go on", "let the view go on", |c| choosing(c) && c.paused),
    bind!(C::Faster, [ch('+'), ch('=')], "faster", "play the recording twice as fast", |c| choosing(c) && c.replay),
    bind!(C::Slower, [ch('-')], "", "play the recording half as fast", |c| choosing(c) && c.replay),
    bind!(C::NextScreen, [key(KeyCode::Tab)], "screen", "the next screen", choosing),
    bind!(C::PreviousScreen, [key(KeyCode::BackTab)], "", "the screen before", choosing),
    bind!(C::Show(Screen::Incidents), [ch('1')], "", "incidents, and the story of each", choosing),
    bind!(C::Show(Screen::Tree), [ch('2')], "", "the tree of processes", choosing),
    bind!(C::Show(Screen::Timeline), [ch('3')], "", "events, one a line", choosing),
    bind!(C::Show(Screen::Sensor), [ch('4')], "", "the sensor: its hooks, and what was lost", choosing),
    bind!(C::Up, [key(KeyCode::Up), ch('k')], "", "up", reading),
    bind!(C::Down, [key(KeyCode::Down), ch('j')], "", "down", reading),
    bind!(C::PageUp, [key(KeyCode::PageUp), ctrl('b')], "", "a page up", reading),
    bind!(C::PageDown, [key(KeyCode::PageDown), ctrl('f')], "", "a page down", reading),
    bind!(C::First, [key(KeyCode::Home), ch('g')], "", "to the first", reading),
    bind!(C::Last, [key(KeyCode::End), ch('G')], "", "to the last; in the timeline: follow what happens", reading),
    bind!(C::Redraw, [ctrl('l')], "", "draw the screen anew", |_| true),
    bind!(C::Suspend, [ctrl('z')], "", "to the shell; `fg` comes back", |_| true),
    bind!(C::Quit, [ctrl('c')], "", "leave, whatever is on the screen", |_| true),
    bind!(C::Help, [ch('?'), key(KeyCode::F(1))], "help", "all keys", choosing),
    bind!(C::Help, [ch('?'), key(KeyCode::F(1))], "close", "close the help", |c| c.help),
    bind!(C::Quit, [ch('q')], "quit", "leave", reading),
];

/// The whole table.
pub fn bindings() -> &'static [Binding] {
    BINDINGS
}

/// What a key does just now.
pub fn command_for(key: Key, context: &Context) -> Option<Command> {
    BINDINGS.iter().find(|b| b.keys.contains(&key) && (b.when)(context)).map(|b| b.command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contexts() -> Vec<Context> {
        let mut all = Vec::new();
        for screen in Screen::ALL {
            for bits in 0u8..=255 {
                let on = |i: u8| bits >> i & 1 == 1;
                all.push(Context {
                    screen,
                    details: on(0),
                    story: on(1) && screen == Screen::Incidents,
                    prompt: on(2),
                    help: on(3) && !on(2),
                    can_go_back: on(4),
                    replay: on(5),
                    paused: on(6),
                    can_open: on(7),
                });
            }
        }
        all
    }

    #[test]
    fn no_key_means_two_things_at_once() {
        for context in contexts() {
            let mut taken: Vec<Key> = Vec::new();
            for binding in bindings().iter().filter(|b| (b.when)(&context)) {
                for key in binding.keys {
                    assert!(!taken.contains(key), "{key} is bound twice in {context:?}");
                    taken.push(*key);
                }
            }
        }
    }

    #[test]
    fn control_c_always_leaves_and_escape_never_does() {
        for context in contexts() {
            assert_eq!(command_for(ctrl('c'), &context), Some(Command::Quit));
            assert_ne!(command_for(key(KeyCode::Esc), &context), Some(Command::Quit));
        }
    }
}
