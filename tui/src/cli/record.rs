//! `lanner record`: events into a recording.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use lanner_core::condition::{Filter, View};
use lanner_core::event::{Batch, NodeInfo};
use lanner_core::graph::Graph;
use lanner_recording::{Header, Options as WriteOptions, Writer};

use super::Status;
use super::args::RecordArgs;
use super::follow::{Follower, follow, say};
use crate::detection;
use crate::source::Options;

/// What is lost at most when the machine goes down.
const FLUSH: Duration = Duration::from_secs(1);

pub(super) fn run(args: RecordArgs) -> anyhow::Result<Status> {
    let shown = args.output.display();
    let out = create(&args.output).with_context(|| format!("cannot write {shown}"))?;
    let mut recorder = Recorder {
        out: Some(out),
        writer: None,
        note: args.note.clone().unwrap_or_default(),
        filter: detection::filter(args.filter.as_deref())?,
        graph: Graph::default(),
        flushed: Instant::now(),
    };
    let options = Options { node_name: args.node_name.clone(), ..Options::default() };
    let ending = follow(&args.source, options, &mut recorder).with_context(|| format!("recording to {shown}"))?;
    let events = recorder.finish().with_context(|| format!("cannot finish {shown}"))?;
    say(&format!("recorded {events} events to {shown}, {} lost", ending.lost));
    Ok(ending.status())
}

/// Opens the file of a recording. It shows what a whole machine does: it is for its owner's eyes.
fn create(path: &Path) -> io::Result<Box<dyn Write + Send>> {
    use std::os::unix::fs::OpenOptionsExt;
    if path == Path::new("-") {
        return Ok(Box::new(io::stdout()));
    }
    let exists = |e: io::Error| match e.kind() {
        io::ErrorKind::AlreadyExists => io::Error::other("it exists, and a recording is never overwritten"),
        _ => e,
    };
    let is_device = path.metadata().is_ok_and(|m| !m.is_file());
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(!is_device).mode(0o600).open(path).map_err(exists)?;
    Ok(Box::new(BufWriter::new(file)))
}

struct Recorder {
    /// Where to, until the node is known and the header can be written.
    out: Option<Box<dyn Write + Send>>,
    writer: Option<Writer<Box<dyn Write + Send>>>,
    note: String,
    filter: Option<Filter>,
    graph: Graph,
    flushed: Instant,
}

impl Follower for Recorder {
    fn node(&mut self, node: &NodeInfo) -> io::Result<()> {
        if let Some(out) = self.out.take() {
            let header = Header { note: self.note.clone(), ..Header::new(node.clone()) };
            let mut writer = Writer::new(out, &header, WriteOptions::LIVE).map_err(io::Error::other)?;
            writer.flush().map_err(io::Error::other)?;
            self.writer = Some(writer);
            say(&format!("recording {}; stop with Ctrl-C", node.name));
        }
        Ok(())
    }

    fn recording(&mut self, _: &Header) -> io::Result<()> {
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) -> io::Result<()> {
        let kept = self.keep(batch);
        let Some(writer) = &mut self.writer else { return Ok(()) };
        if !(kept.events.is_empty() && kept.losses.is_empty()) {
            writer.write(&kept).map_err(io::Error::other)?;
        }
        if self.flushed.elapsed() >= FLUSH {
            writer.flush().map_err(io::Error::other)?;
            self.flushed = Instant::now();
        }
        Ok(())
    }
}

impl Recorder {
    fn keep(&mut self, batch: &Batch) -> Batch {
        let Some(filter) = &self.filter else { return batch.clone() };
        let mut kept = Batch { events: Vec::new(), ..batch.clone() };
        for event in &batch.events {
            self.graph.apply(event);
            if filter.matches(&View::new(event, &self.graph)) {
                kept.events.push(event.clone());
            }
        }
        kept
    }

    fn finish(self) -> anyhow::Result<u64> {
        let Some(writer) = self.writer else { return Ok(0) };
        let events = writer.events();
        let mut out = writer.finish()?;
        out.flush()?;
        Ok(events)
    }
}
