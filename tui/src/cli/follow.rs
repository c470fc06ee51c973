//! What the verbs without a user interface share: following a source to its end, and ending well when interrupted.

use std::io;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use lanner_core::event::{Batch, Loss, LossCause, NodeInfo};
use lanner_recording::Header;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::args::SourceArgs;
use super::patience::Waiting;
use super::{Status, one_line, say};
use crate::source::{self, Options, Spec, Stop};
use crate::ui::FeedItem;

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
    /// Whether it prints, so that nothing is left to do when nobody reads that any more.
    fn prints(&self) -> bool {
        true
    }
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
        if self.problem.is_some() { Status::Partial } else { Status::Fine }
    }
}

/// Follows a source until its end, the end of the time that was asked for, or SIGINT, SIGTERM or SIGHUP; a second signal
/// ends the program where it stands.
pub(super) fn follow(args: &SourceArgs, options: Options, follower: &mut impl Follower) -> anyhow::Result<Ending> {
    let spec = Spec::parse(args.source.as_deref())?;
    let stop = options.stop.clone();
    on_signals(&stop)?;
    let opening = Waiting::on(spec.opening());
    let stream = source::open(&spec, options)?;
    drop(opening);
    let mut until = None;
    let mut looked = Instant::now();
    let mut ending = Ending::default();
    loop {
        if until.is_some_and(|end| Instant::now() >= end) {
            stop.raise();
        }
        if looked.elapsed() >= LOOK {
            looked = Instant::now();
            // The next line, which would show that nobody takes it, may be hours away.
            if follower.prints() && nobody_reads() {
                return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
            }
        }
        let item = match stream.items.recv_timeout(LOOK) {
            Ok(item) => item,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => {
                ending.problem = Some("a part of the program failed; all that came before is told".to_owned());
                break;
            }
        };
        match item {
            FeedItem::Node(node) => {
                if spec.is_endless() && until.is_none() {
                    tell_blindness(&node);
                }
                // The time counts from when there is something to see.
                until = until.or_else(|| args.duration.and_then(|d| Instant::now().checked_add(d)));
                follower.node(&node)?;
            }
            FeedItem::Recording(header) => follower.recording(&header)?,
            FeedItem::Batch(batch) => {
                ending.lost += batch.losses.iter().map(|l| l.count).sum::<u64>();
                follower.batch(&batch)?;
            }
            // Without a second attempt, a lost connection is the end.
            FeedItem::Status(_) | FeedItem::Progress(_) | FeedItem::Load(_) => {}
            FeedItem::End(end) => {
                // Who watches wants to know that nobody does any more.
                if spec.is_endless() && end.complete && !stop.is_raised() {
                    say(&end.words);
                }
                ending.problem = end.problem();
                break;
            }
        }
    }
    if let Some(problem) = &ending.problem {
        say(problem);
    }
    Ok(ending)
}

/// Names what this node's sensor cannot see.
fn tell_blindness(node: &NodeInfo) {
    for refusal in node.refusals() {
        let names = refusal.names.join(", ");
        say(&one_line(&format!("not seen here: {} ({names}: {})", refusal.without, refusal.why)));
    }
}

/// Whether the reader of standard output has gone.
fn nobody_reads() -> bool {
    let stdout = io::stdout();
    let mut files = [PollFd::new(&stdout, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut files, Some(&now)).is_ok_and(|n| n > 0)
        && files[0].revents().intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL)
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
        // In this order, so that the first one finds the flag as it was.
        signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, stop.flag())?;
        signal_hook::flag::register(signal, stop.flag())?;
    }
    Ok(())
}
