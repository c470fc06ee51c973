//! What the verbs without a user interface share: following a source to its end, and ending well when interrupted.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use lanner_core::event::{Batch, Loss, LossCause, NodeInfo};

use lanner_recording::Header;

use super::Status;
use super::args::SourceArgs;
use crate::source::{self, Options, SourceError, Spec, Stop};
use crate::ui::{ConnectionState, FeedItem};

/// How often a follower looks at the clock.
const LOOK: Duration = Duration::from_millis(50);

/// Someone who follows a source.
pub(super) trait Follower {
    /// Events will come from this node, or go on to.
    fn node(&mut self, node: &NodeInfo) -> io::Result<()>;
    /// They come from a recording, which says this of itself.
    fn recording(&mut self, header: &Header) -> io::Result<()>;
    /// Events.
    fn batch(&mut self, batch: &Batch) -> io::Result<()>;
}

/// How it ended.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// Events that are known to be missing.
    pub(super) lost: u64,
    /// Why the source ended early, or could not be read whole.
    pub(super) problem: Option<String>,
}

impl Ending {
    /// The exit status, for a verb that has nothing else to say with it.
    pub(super) fn status(&self) -> Status {
        if self.problem.is_some() { Status::Damaged } else { Status::Fine }
    }
}

/// Follows a source until its end, the end of the time that was asked for, or SIGINT, SIGTERM or SIGHUP.
pub(super) fn follow(args: &SourceArgs, options: Options, follower: &mut impl Follower) -> anyhow::Result<Ending> {
    let spec = Spec::parse(args.source.as_deref())?;
    let stop = options.stop.clone();
    on_signals(&stop)?;
    let stream = source::open(&spec, options)?;
    let mut until = None;
    let mut ending = Ending::default();
    loop {
        if until.is_some_and(|end| Instant::now() >= end) {
            stop.raise();
        }
        match stream.items.recv_timeout(LOOK) {
            Ok(FeedItem::Node(node)) => {
                // The time counts from when there is something to see.
                until = until.or_else(|| args.duration.and_then(|d| Instant::now().checked_add(d)));
                follower.node(&node)?;
            }
            Ok(FeedItem::Recording(header)) => follower.recording(&header)?,
            Ok(FeedItem::Batch(batch)) => {
                ending.lost += batch.losses.iter().map(|l| l.count).sum::<u64>();
                follower.batch(&batch)?;
            }
            Ok(FeedItem::Status(ConnectionState::Lost { why, .. })) => say(&format!("connection lost: {why}")),
            Ok(FeedItem::Status(_)) => {}
            Ok(FeedItem::End(end)) => {
                ending.problem = end.problem();
                break;
            }
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => {
                return Err(SourceError::Failed("the source broke off without a word".to_owned()).into());
            }
        }
    }
    if let Some(problem) = &ending.problem {
        say(problem);
    }
    Ok(ending)
}

/// A message for a person.
pub(super) fn say(message: &str) {
    // Nothing can be done when stderr is gone.
    let _ = writeln!(io::stderr(), "lanner: {message}");
}

/// A loss in words.
pub(super) fn loss_words(loss: Loss) -> String {
    let Loss { cause, count } = loss;
    let events = if count == 1 { "event" } else { "events" };
    match cause {
        LossCause::UnknownKind => format!("{count} {events} left out: {}", cause.words()),
        _ => format!("{count} {events} lost: {}", cause.words()),
    }
}

fn on_signals(stop: &Stop) -> io::Result<()> {
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register(signal, stop.flag())?;
    }
    Ok(())
}
