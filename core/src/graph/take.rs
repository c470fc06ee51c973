//! Files that someone wrote and someone else then took up: how a manifest becomes a container.

use std::collections::VecDeque;
use std::time::Duration;

use super::Cause;
use crate::event::{BootTime, FileId, ProcessKey, Text};

/// Takes that are remembered.
const MAX_TAKES: usize = 256;
/// How long after a file was taken up its container may start. The kubelet pulls images in between.
pub(super) const TAKE_TO_START: Duration = Duration::from_secs(300);

/// One process read a file that another wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Take {
    pub(super) file: FileId,
    pub(super) path: Text,
    pub(super) writer: ProcessKey,
    pub(super) written: u64,
    pub(super) reader: ProcessKey,
    pub(super) read: u64,
    pub(super) time: BootTime,
    /// A container is known to have been started because of it.
    pub(super) used: bool,
}

/// The latest takes of files that look like an orchestrator's manifests.
#[derive(Debug, Clone, Default)]
pub(super) struct Takes(VecDeque<Take>);

impl Takes {
    /// Notes a take. Other files than manifests are of no use here and left out.
    pub(super) fn push(&mut self, take: Take) {
        // A file that is read again is not taken up again, as long as nobody wrote it anew.
        let same = |t: &Take| (t.file, t.written, t.reader) == (take.file, take.written, take.reader);
        if !is_manifest(take.path.file_name()) || self.0.iter().any(same) {
            return;
        }
        if self.0.len() == MAX_TAKES {
            self.0.pop_front();
        }
        self.0.push_back(take);
    }

    /// A container was started because of what was read then.
    pub(super) fn explains(&mut self, cause: Option<&Cause>) {
        self.0.iter_mut().filter(|take| cause.is_some_and(|cause| take.read == cause.read)).for_each(|t| t.used = true);
    }

    /// The takes that may explain a start at `time` and have explained none, latest first.
    pub(super) fn before(&self, time: BootTime) -> impl Iterator<Item = &Take> {
        self.0.iter().rev().filter(move |t| !t.used && t.time <= time && time.since(t.time) <= TAKE_TO_START)
    }
}

/// Names that the kubelet, `kubectl` and the runtimes' own tools read definitions from.
fn is_manifest(name: &[u8]) -> bool {
    [b".yaml".as_slice(), b".yml", b".json", b".manifest"].iter().any(|suffix| name.ends_with(suffix))
}
