//! Which keys do what: the table, with the keys that the user's settings give to its commands.

use std::collections::BTreeMap;

use ratatui::crossterm::event::KeyCode;

use super::command::{Binding, Command, Context, Key, table};
use super::prompt::PromptKind;
use super::state::Screen;

/// The keys of every command.
#[derive(Debug, Clone)]
pub struct Keymap {
    bindings: Vec<Binding>,
}

/// Why keys cannot be as the settings want them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no such command.
    #[error("there is no command {0:?}: `lanner --print-config` lists them")]
    NoCommand(String),
    /// There is no such key.
    #[error("{key:?} for {command} is no key: give a character such as x, a name such as Enter, PgDn or F2, or ctrl-x")]
    NoKey {
        /// The command.
        command: String,
        /// What stands there.
        key: String,
    },
    /// A command would have no key.
    #[error("{0} has no key: give it one, or leave it out")]
    NoKeys(String),
    /// Two commands would have one key at the same time.
    #[error("the key {key} would mean both {first} and {second}: give one of them another key")]
    Clash {
        /// The key.
        key: String,
        /// A command.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// Nothing but Ctrl-C may leave always.
    #[error("quit-always is {key}, and stays so: it must work whatever is on the screen")]
    Fixed {
        /// Its key.
        key: String,
    },
}

impl Default for Keymap {
    fn default() -> Self {
        Keymap { bindings: table() }
    }
}

impl Keymap {
    /// The table, with these keys for the commands that are named.
    ///
    /// # Errors
    /// A command or key that does not exist, or a key that would mean two things at once.
    pub fn with(keys: &BTreeMap<String, Vec<String>>) -> Result<Keymap, KeyError> {
        let mut keymap = Keymap::default();
        for (name, wanted) in keys {
            if name == "quit-always" {
                return Err(KeyError::Fixed { key: "ctrl-c".to_owned() });
            }
            let parsed: Vec<Key> = wanted
                .iter()
                .map(|key| parse(key).ok_or_else(|| KeyError::NoKey { command: name.clone(), key: key.clone() }))
                .collect::<Result<_, _>>()?;
            if parsed.is_empty() {
                return Err(KeyError::NoKeys(name.clone()));
            }
            let mut found = false;
            for binding in keymap.bindings.iter_mut().filter(|b| b.name == name) {
                binding.keys.clone_from(&parsed);
                found = true;
            }
            if !found {
                return Err(KeyError::NoCommand(name.clone()));
            }
        }
        if !keys.is_empty() {
            keymap.refuse_clashes()?;
        }
        Ok(keymap)
    }

    /// The whole table.
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// The keys of a binding, as settings spell them.
    pub fn spelled(&self, binding: &Binding) -> Vec<String> {
        binding.keys.iter().map(|key| spelled(*key)).collect()
    }

    /// What a key does just now.
    pub fn command_for(&self, key: Key, context: &Context) -> Option<Command> {
        self.bindings.iter().find(|b| b.keys.contains(&key) && (b.when)(context)).map(|b| b.command)
    }

    /// The first key of a command, to be shown.
    pub(crate) fn key_of(&self, command: Command) -> String {
        self.bindings.iter().find(|b| b.command == command).map_or_else(String::new, |b| b.keys[0].to_string())
    }

    /// The commands of the palette, by name: those that work now.
    pub(crate) fn named<'a>(&'a self, context: &'a Context) -> impl Iterator<Item = &'a Binding> {
        self.bindings.iter().filter(move |b| (b.when)(context) && !is_motion(b.command))
    }

    fn refuse_clashes(&self) -> Result<(), KeyError> {
        for context in contexts() {
            let mut taken: Vec<(Key, &'static str)> = Vec::new();
            for binding in self.bindings.iter().filter(|b| (b.when)(&context)) {
                for key in &binding.keys {
                    if let Some((_, first)) = taken.iter().find(|(k, _)| k == key) {
                        return Err(KeyError::Clash { key: spelled(*key), first, second: binding.name });
                    }
                    taken.push((*key, binding.name));
                }
            }
        }
        Ok(())
    }
}

/// What nobody asks for by its name.
fn is_motion(command: Command) -> bool {
    use Command as C;
    matches!(command, C::Up | C::Down | C::PageUp | C::PageDown | C::Left | C::Right | C::Palette)
}

/// All contexts that there can be.
pub(crate) fn contexts() -> impl Iterator<Item = Context> {
    let prompts = [None, Some(PromptKind::Filter), Some(PromptKind::Palette)];
    let all = Screen::ALL.into_iter().flat_map(move |screen| prompts.into_iter().map(move |prompt| (screen, prompt)));
    all.flat_map(|(screen, prompt)| {
        (0u16..1 << 11).map(move |bits| {
            let on = |i: u16| bits >> i & 1 == 1;
            Context {
                screen,
                prompt,
                details: on(0),
                beside: on(1) && on(0),
                story: on(1) && screen == Screen::Incidents && !on(0),
                pending: on(2) && prompt.is_none(),
                help: on(3) && prompt.is_none() && !on(2),
                can_go_back: on(4),
                replay: on(5),
                paused: on(6),
                can_open: on(7),
                past: on(8),
                filtered: on(9),
                recording: on(10),
            }
        })
    })
}

/// The keys that have names.
const NAMED: [(&str, KeyCode); 15] = [
    ("Space", KeyCode::Char(' ')),
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("S-Tab", KeyCode::BackTab),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
];

/// A key as settings spell it.
pub(crate) fn parse(text: &str) -> Option<Key> {
    let lower = text.to_ascii_lowercase();
    if let Some(rest) = lower.strip_prefix("ctrl-") {
        let mut chars = rest.chars();
        let c = chars.next().filter(|c| c.is_ascii_graphic())?;
        return chars.next().is_none().then_some(Key { code: KeyCode::Char(c), ctrl: true });
    }
    let plain = |code| Some(Key { code, ctrl: false });
    if let Some((_, code)) = NAMED.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        return plain(*code);
    }
    if let Some(n) = lower.strip_prefix('f').and_then(|n| n.parse().ok()).filter(|n| (1..=12).contains(n)) {
        return plain(KeyCode::F(n));
    }
    let mut chars = text.chars();
    let c = chars.next().filter(|c| !c.is_control())?;
    if chars.next().is_some() { None } else { plain(KeyCode::Char(c)) }
}

/// A key as [`parse`] takes it.
pub(crate) fn spelled(key: Key) -> String {
    match key.code {
        KeyCode::Char(c) if key.ctrl => format!("ctrl-{c}"),
        code => match NAMED.iter().find(|(_, named)| *named == code) {
            Some((name, _)) => (*name).to_owned(),
            None => key.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(of: &[(&str, &[&str])]) -> Result<Keymap, KeyError> {
        let keys = of.iter().map(|(name, keys)| ((*name).to_owned(), keys.iter().map(|k| (*k).to_owned()).collect()));
        Keymap::with(&keys.collect())
    }

    #[test]
    fn no_key_means_two_things_at_once() {
        Keymap::default().refuse_clashes().unwrap();
    }

    #[test]
    fn control_c_always_leaves_and_escape_never_does() {
        let keymap = Keymap::default();
        for context in contexts() {
            let ctrl_c = Key { code: KeyCode::Char('c'), ctrl: true };
            assert_eq!(keymap.command_for(ctrl_c, &context), Some(Command::Quit));
            assert_ne!(keymap.command_for(Key { code: KeyCode::Esc, ctrl: false }, &context), Some(Command::Quit));
        }
    }

    #[test]
    fn keys_can_be_given_to_other_commands() {
        let keymap = keys(&[("pause", &["p", "F5"]), ("quit", &["ctrl-q"])]).unwrap();
        let context = contexts().find(|c| c.prompt.is_none() && !c.pending && !c.help).unwrap();
        let command = |key: &str| keymap.command_for(parse(key).unwrap(), &context);
        assert_eq!(command("p"), Some(Command::Pause));
        assert_eq!(command("f5"), Some(Command::Pause));
        assert_eq!(command("Space"), None);
        assert_eq!(command("ctrl-q"), Some(Command::Quit));
    }

    #[test]
    fn what_cannot_be_is_refused_with_a_reason() {
        let said = |of: &[(&str, &[&str])]| keys(of).unwrap_err().to_string();
        assert_eq!(
            said(&[("filter", &["q"])]),
            "the key q would mean both filter and quit: give one of them another key"
        );
        assert!(said(&[("fliter", &["x"])]).contains("no command \"fliter\""));
        assert!(said(&[("filter", &["ctrl-"])]).contains("\"ctrl-\" for filter is no key"));
        assert!(said(&[("filter", &[])]).contains("has no key"));
        assert!(said(&[("quit-always", &["x"])]).contains("ctrl-c"));
    }

    #[test]
    fn every_key_of_the_table_can_be_spelled() {
        for binding in Keymap::default().bindings() {
            for key in &binding.keys {
                assert_eq!(parse(&spelled(*key)), Some(*key), "{key}");
            }
        }
    }
}
