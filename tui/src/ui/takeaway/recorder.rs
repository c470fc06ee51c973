//! A recording of what is watched, begun and ended by a key. It begins with all that is known, if that is kept whole; else
//! with what lives.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use lanner_core::event::{Batch, NodeInfo};
use lanner_core::graph::snapshot;
use lanner_recording::{Header, LiveWriter, WriteError};

use super::super::scene::Scene;
use super::files;

/// Events that a batch is filled with.
const BATCH: usize = 512;
/// As many events from before are written at once, without anybody having to wait for it.
const AT_ONCE: u64 = 200_000;

/// A recording that grows.
#[derive(Debug)]
pub(crate) struct Recorder {
    writer: LiveWriter<File>,
    path: PathBuf,
}

impl Recorder {
    /// Begins one; says whether all from before is in it.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn begin(scene: &Scene<'_>) -> io::Result<(Recorder, bool)> {
        let (file, path) = files::create(&stem(scene.node), "lanner")?;
        let mut recorder =
            Recorder { writer: LiveWriter::new(file, &Header::new(scene.node.clone())).map_err(unwritten)?, path };
        let history = scene.history;
        let whole = history.start() == 0 && history.end() <= AT_ONCE;
        if whole {
            let mut batch = Batch { now: scene.latest.time, ..Batch::default() };
            for entry in (0..history.end()).filter_map(|number| history.get(number)) {
                batch.events.push(entry.event.clone());
                if batch.events.len() == BATCH {
                    batch.now = entry.event.header.time;
                    recorder.take(&batch)?;
                    batch.events.clear();
                }
            }
            batch.now = scene.latest.time;
            recorder.take(&batch)?;
        } else {
            let graph = scene.latest_picture.engine.graph();
            for batch in snapshot(graph, scene.latest.time, history.highest_seq() + 1) {
                recorder.take(&batch)?;
            }
        }
        Ok((recorder, whole))
    }

    /// Adds what came.
    ///
    /// # Errors
    /// It cannot be written; what was is safe.
    pub(crate) fn take(&mut self, batch: &Batch) -> io::Result<()> {
        self.writer.write(batch).map_err(unwritten)
    }

    /// Hands over what has waited; call it now and then while nothing comes.
    ///
    /// # Errors
    /// As [`Recorder::take`].
    pub(crate) fn look(&mut self) -> io::Result<()> {
        self.writer.look().map_err(unwritten)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Ends it; says how many events are in it.
    ///
    /// # Errors
    /// As [`Recorder::take`].
    pub(crate) fn end(self) -> io::Result<u64> {
        self.writer.finish().map_err(unwritten)
    }
}

/// A file name that says of which node it is; of the node's name only what is harmless in one.
fn stem(node: &NodeInfo) -> String {
    let name: String =
        node.name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).take(64).collect();
    format!("lanner-{}", if name.is_empty() { "node" } else { &name })
}

fn unwritten(error: WriteError) -> io::Error {
    io::Error::other(error.to_string())
}
