//! The cases, and what belongs to each.

use std::collections::HashMap;

use lanner_core::event::{Event, Payload, ProcessKey};

/// The file, in the format of `rules/tests/performed`.
const CASES: &str = include_str!("../../rules/tests/recordings/modules.txt");
/// Where the commands of a case are written to, under the name of its script.
pub(crate) const SCRIPTS: &str = "/srv/cases";

pub(crate) struct Case {
    pub(crate) rule: String,
    /// Whether it meets the rule.
    pub(crate) meets: bool,
    /// `PLACE: COMMAND`
    pub(crate) text: String,
}

impl Case {
    /// Where it is performed, and by what.
    pub(crate) fn place_and_command(&self) -> (&str, &str) {
        self.text.split_once(": ").expect("a place and a command")
    }

    /// Its script's name, by which it is found again: FNV-1a of its text, 64 bits, as `perform.py` calls its own.
    pub(crate) fn script(&self) -> String {
        let step = |sum: u64, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        format!("{:016x}", self.text.bytes().fold(0xcbf2_9ce4_8422_2325, step))
    }
}

/// All of the file.
pub(crate) fn all() -> Vec<Case> {
    let mut rule = "";
    let mut all = Vec::new();
    for line in CASES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match (line.strip_prefix("  + "), line.strip_prefix("  - ")) {
            (None, None) => rule = line,
            (meets, misses) => {
                let text = meets.or(misses).unwrap_or_default().to_owned();
                all.push(Case { rule: rule.to_owned(), meets: meets.is_some(), text });
            }
        }
    }
    all
}

/// Which case each process belongs to: the one whose script it was started with, or its parent was.
#[derive(Default)]
pub(crate) struct Belongs(HashMap<ProcessKey, String>);

impl Belongs {
    /// The script of the case that an event belongs to. Takes events in their order.
    pub(crate) fn script_of(&mut self, event: &Event) -> Option<String> {
        let process = event.header.process;
        if let Payload::Fork(fork) = &event.payload
            && let Some(script) = self.0.get(&process).cloned()
        {
            self.0.insert(fork.child, script);
        }
        if let Payload::Exec(exec) = &event.payload
            && let Some(argument) = exec.image.args.list.get(1)
            && let Some(script) = argument.to_str_lossy().strip_prefix(SCRIPTS)
        {
            self.0.insert(process, script.trim_start_matches('/').to_owned());
        }
        self.0.get(&process).cloned()
    }
}
