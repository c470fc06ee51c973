//! Recordings: from a file, from standard input or from the program itself, at any speed.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufReader, IsTerminal, Read};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::mpsc::{self, SyncSender};
use std::time::Duration;

use lanner_core::event::{Batch, BootTime, LossCause};
use lanner_recording::{OpenError, Reader, Report};

use super::input::{Input, Progress};
use super::pace::Pace;
use super::{Options, QUEUE, SourceError, Stop, Stream};
use crate::ui::{ConnectionState, End, FeedItem};

/// Events closer to each other than this are shown at once.
const MOMENT: Duration = Duration::from_millis(20);
/// Orders that may wait for a replay.
const ORDERS: usize = 16;

pub(super) fn open_file(path: &Path, options: Options) -> Result<Stream, SourceError> {
    let file = File::open(path).map_err(|e| SourceError::Failed(format!("cannot open {}: {e}", path.display())))?;
    let input = Input::new(file, options.stop.clone());
    let progress = input.progress();
    open(BufReader::new(input), progress, options).map_err(|e| SourceError::Failed(format!("{}: {e}", path.display())))
}

pub(super) fn open_stdin(options: Options) -> Result<Stream, SourceError> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Err(SourceError::Usage(
            "standard input is a terminal: lead a recording into it, or name its file".to_owned(),
        ));
    }
    let said = |e: &dyn Display| SourceError::Failed(format!("standard input: {e}"));
    let file = stdin.as_fd().try_clone_to_owned().map_err(|e| said(&e))?.into();
    open(BufReader::new(Input::new(file, options.stop.clone())), Progress::default(), options).map_err(|e| said(&e))
}

pub(super) fn open_bytes(bytes: &'static [u8], options: Options) -> Result<Stream, SourceError> {
    open(bytes, Progress::default(), options).map_err(|e| SourceError::Failed(format!("the built-in recording: {e}")))
}

fn open(input: impl Read + Send + 'static, progress: Progress, options: Options) -> Result<Stream, OpenError> {
    let reader = Reader::new(input)?;
    let (send, items) = mpsc::sync_channel(QUEUE);
    let (control, orders) = mpsc::sync_channel(ORDERS);
    let stop = options.stop.clone();
    let pace = Pace::new(options.speed, options.skip_silence, orders, options.stop);
    let at = options.at;
    std::thread::Builder::new()
        .name("replay".to_owned())
        .spawn(move || {
            // When nobody listens any more there is nobody to tell.
            let _ = play(reader, &progress, &send, pace, &stop, at);
        })
        .map_err(OpenError::Io)?;
    Ok(Stream { items, control: Some(control) })
}

/// Nobody listens any more.
struct Gone;

fn play<R: Read>(
    mut reader: Reader<R>,
    progress: &Progress,
    send: &SyncSender<FeedItem>,
    mut pace: Pace,
    stop: &Stop,
    at: Duration,
) -> Result<(), Gone> {
    let say = |item| send.send(item).map_err(|_| Gone);
    let header = reader.header().clone();
    let mut node = header.node.clone();
    if node.name.is_empty() {
        "unknown".clone_into(&mut node.name);
    }
    say(FeedItem::Node(node))?;
    say(FeedItem::Recording(Box::new(header)))?;
    say(FeedItem::Status(ConnectionState::Connected))?;
    let mut begin: Option<BootTime> = None;
    let mut missing = 0;
    let mut told = 0;
    for batch in reader.by_ref() {
        if let Some(percent) = progress.percent().filter(|percent| *percent > told) {
            told = percent;
            say(FeedItem::Progress(percent))?;
        }
        missing += batch.losses.iter().filter(|l| l.cause == LossCause::Recording).map(|l| l.count).sum::<u64>();
        // Where the story begins: what lived before is told at once. A snapshot of nothing may know no time yet.
        if begin.is_none() && batch.events.is_empty() {
            say(FeedItem::Batch(batch))?;
            continue;
        }
        let begin = *begin.get_or_insert(batch.now);
        for part in by_time(batch, begin.after(at)) {
            let due = part.now;
            let hurry = part.snapshot || due <= begin.after(at);
            if !hurry {
                pace.begin(begin.after(at));
                if !pace.wait_for(due) {
                    return say(FeedItem::End(End::complete("stopped")));
                }
            }
            say(FeedItem::Batch(part))?;
        }
    }
    if stop.is_raised() {
        return say(FeedItem::End(End::complete("stopped")));
    }
    say(FeedItem::End(end(&reader.report(), missing)))
}

/// Cuts a batch where time passes in it, so that each event comes when it is due; `from` on.
fn by_time(batch: Batch, from: BootTime) -> Vec<Batch> {
    if batch.snapshot || batch.now <= from {
        return vec![batch];
    }
    let mut parts: Vec<Batch> = Vec::new();
    for event in batch.events {
        match parts.last_mut() {
            Some(part) if event.header.time.since(part.now) < MOMENT => part.events.push(event),
            _ => parts.push(Batch {
                now: event.header.time,
                first_seq: event.header.seq,
                events: vec![event],
                ..Batch::default()
            }),
        }
    }
    match parts.first_mut() {
        Some(first) => first.losses = batch.losses,
        None => {
            parts.push(Batch { now: batch.now, first_seq: batch.first_seq, losses: batch.losses, ..Batch::default() })
        }
    }
    parts
}

fn end(report: &Report, missing: u64) -> End {
    match &report.problem {
        None => End::complete("the recording ends here"),
        Some(problem) => {
            let lost = if missing > 0 { format!(" ({missing} events are known to be missing)") } else { String::new() };
            End::early(format!("the recording could not be read whole: {problem}{lost}; all the rest is shown"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_tells_how_much_of_it_has_been_read() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../demo-scenarios/container-escape/recording.lanner");
        let stream = open_file(Path::new(path), Options::default()).unwrap();
        let told: Vec<u8> = stream
            .items
            .iter()
            .filter_map(|item| match item {
                FeedItem::Progress(percent) => Some(percent),
                _ => None,
            })
            .collect();
        assert_eq!(told.last(), Some(&100));
        assert!(told.is_sorted());
    }
}
