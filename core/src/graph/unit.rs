//! Services of systemd, by the files that define them: whoever wrote such a file is why its service runs.

use indexmap::IndexMap;

use super::Graph;
use crate::event::{File, FileId, ProcessKey, Text};

/// Definitions of services that are kept, the latest.
const MAX_UNITS: usize = 1_024;

/// The latest file of each service's name.
#[derive(Debug, Clone, Default)]
pub(super) struct Units(IndexMap<Text, FileId>);

impl Units {
    /// Notes a file, if it is one that systemd reads a service from.
    pub(super) fn note(&mut self, file: &File) {
        let path = file.path.as_bytes();
        if !path.ends_with(b".service") || !path.windows(9).any(|w| w == b"/systemd/") {
            return;
        }
        let name = Text::from(file.path.file_name());
        if self.0.len() >= MAX_UNITS && !self.0.contains_key(&name) {
            self.0.drain(..MAX_UNITS / 16);
        }
        self.0.insert(name, file.id);
    }
}

impl Graph {
    /// The file that defines the service which a process belongs to, if that came up: its control group bears the service's
    /// name, which an instance (`a@b.service`) shares with its template.
    pub fn unit_of(&self, key: ProcessKey) -> Option<FileId> {
        if self.units.0.is_empty() {
            return None;
        }
        let cgroup = &self.process(key)?.task.context.cgroup;
        let name = cgroup.as_bytes().split(|b| *b == b'/').rev().find(|part| part.ends_with(b".service"))?;
        let template = || {
            let at = name.iter().position(|b| *b == b'@')?;
            self.units.0.get(&Text::from([&name[..=at], b".service"].concat()))
        };
        self.units.0.get(&Text::from(name)).or_else(template).copied()
    }
}
