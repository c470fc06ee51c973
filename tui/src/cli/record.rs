//! `lanner record`: events into a recording.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use anyhow::Context;
use lanner_core::condition::{Filter, View};
use lanner_core::event::{Batch, NodeInfo};
use lanner_core::graph::Graph;
use lanner_recording::{Header, LiveWriter, WriteError, create};

use super::args::RecordArgs;
use super::follow::{Follower, follow};
use super::{Status, one_line, say};
use crate::detection;
use crate::source::{Options, SourceError};

pub(super) fn run(args: RecordArgs) -> anyhow::Result<Status> {
    let to_stdout = args.output == Path::new("-");
    if to_stdout && io::stdout().is_terminal() {
        return Err(SourceError::Usage(
            "a recording is not for a terminal: name a file with -o FILE, or lead standard output elsewhere".to_owned(),
        )
        .into());
    }
    let shown = if to_stdout { "standard output".to_owned() } else { args.output.display().to_string() };
    let mut recorder = Recorder {
        path: (!to_stdout).then_some(args.output),
        header: Header { note: args.note.unwrap_or_default(), ..Header::new(NodeInfo::default()) },
        writer: None,
        filter: detection::filter(args.filter.as_deref())?,
        graph: Graph::default(),
    };
    let options = Options { node_name: args.node_name, ..Options::default() };
    let ending = follow(&args.source, options, &mut recorder).with_context(|| format!("recording to {shown}"))?;
    let events = recorder.finish().with_context(|| format!("recording to {shown}"))?;
    say(&format!("recorded {events} events to {shown}, {} lost", ending.lost));
    Ok(ending.status())
}

struct Recorder {
    /// Where to; `None`: standard output.
    path: Option<PathBuf>,
    header: Header,
    /// Made when there is something to write, so that a source that does not open leaves no empty file behind.
    writer: Option<LiveWriter<File>>,
    filter: Option<Filter>,
    graph: Graph,
}

impl Follower for Recorder {
    fn node(&mut self, node: &NodeInfo) -> io::Result<()> {
        self.header.node = node.clone();
        Ok(())
    }

    fn recording(&mut self, header: &Header) -> io::Result<()> {
        // What is told of the first recording is true of its copy: stretched times stay marked as such.
        self.header.stretched.clone_from(&header.stretched);
        if self.header.note.is_empty() {
            self.header.note.clone_from(&header.note);
        }
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) -> io::Result<()> {
        let kept = self.keep(batch);
        self.writer()?.write(&kept).map_err(unwritten)
    }

    fn prints(&self) -> bool {
        // A recording that its reader no longer takes fails as it is written.
        false
    }
}

impl Recorder {
    fn writer(&mut self) -> io::Result<&mut LiveWriter<File>> {
        if self.writer.is_none() {
            // Unbuffered: what the writer calls safe is in the file.
            let out = match &self.path {
                Some(path) => create(path)?,
                None => io::stdout().as_fd().try_clone_to_owned()?.into(),
            };
            self.writer = Some(LiveWriter::new(out, &self.header).map_err(unwritten)?);
            say(&format!("recording {}; stop with Ctrl-C", one_line(&self.header.node.name)));
        }
        Ok(self.writer.as_mut().expect("it was made above"))
    }

    fn keep(&mut self, batch: &Batch) -> Batch {
        let Some(filter) = &self.filter else { return batch.clone() };
        let mut kept = Batch { events: Vec::new(), losses: batch.losses.clone(), ..*batch };
        for event in &batch.events {
            self.graph.apply(event);
            if filter.matches(&View::new(event, &self.graph)) {
                kept.events.push(event.clone());
            }
        }
        kept
    }

    fn finish(mut self) -> io::Result<u64> {
        self.writer()?;
        self.writer.take().map_or(Ok(0), |writer| writer.finish().map_err(unwritten))
    }
}

/// The words only: they hold the system's, and a reader of the recording that has gone is no success here.
fn unwritten(error: WriteError) -> io::Error {
    io::Error::other(error.to_string())
}
