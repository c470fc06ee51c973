//! This node, with the collector in this process.

use std::sync::mpsc::{self, SyncSender};
use std::time::{Duration, Instant};

use lanner_collector::hub::{Hub, LOAD_EACH, Limits, Next, Subscribe, Subscription};
use lanner_collector::live::{LiveError, start};

use super::{Options, QUEUE, SourceError, Stop, Stream};
use crate::ui::{ConnectionState, End, FeedItem};

/// How often a quiet node looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);

pub(super) fn open(options: Options) -> Result<Stream, SourceError> {
    let hub = start(options.node_name, Limits::default()).map_err(why)?;
    let subscription =
        hub.subscribe(Subscribe::default()).map_err(|e| SourceError::Failed(format!("this node: {e}")))?;
    let (send, items) = mpsc::sync_channel(QUEUE);
    std::thread::Builder::new()
        .name("live".to_owned())
        .spawn(move || {
            // When nobody listens any more there is nobody to tell.
            let _ = follow(&hub, subscription, &send, &options.stop);
        })
        .map_err(|e| SourceError::Failed(format!("no thread for this node: {e}")))?;
    Ok(Stream { items, control: None })
}

fn why(error: LiveError) -> SourceError {
    let said = format!("cannot watch this node: {error}");
    if error.is_refusal() { SourceError::NotAllowed(said) } else { SourceError::Failed(said) }
}

/// Nobody listens any more.
struct Gone;

fn follow(hub: &Hub, mut from: Subscription, send: &SyncSender<FeedItem>, stop: &Stop) -> Result<(), Gone> {
    let say = |item| send.send(item).map_err(|_| Gone);
    say(FeedItem::Node(hub.node().clone()))?;
    say(FeedItem::Status(ConnectionState::Connected))?;
    let mut stopping = false;
    let mut told: Option<Instant> = None;
    loop {
        match from.wait(LOOK) {
            Next::Batch(batch) => say(FeedItem::Batch(std::sync::Arc::unwrap_or_clone(batch)))?,
            Next::Waiting => {}
            Next::Ended(None) => return say(FeedItem::End(End::complete("stopped"))),
            Next::Ended(Some(why)) => return say(FeedItem::End(End::early(format!("the sensor failed: {why}")))),
        }
        if told.is_none_or(|at| at.elapsed() >= LOAD_EACH) {
            told = Some(Instant::now());
            say(FeedItem::Load(from.load()))?;
        }
        if stop.is_raised() && !stopping {
            stopping = true;
            // What the kernel still holds is handed out before the subscription ends; a failure is told there.
            let _ = hub.stop();
        }
    }
}
