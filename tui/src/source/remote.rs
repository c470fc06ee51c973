//! A collector elsewhere, over gRPC. When the connection is lost it is tried again, with growing pauses, and the stream
//! goes on where it was as far as the collector still holds it.

use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::time::Duration;

use lanner_core::event::NodeInfo;
use lanner_proto::address::Address;
use lanner_proto::client::{Client, Cursor, Follow};
use tokio::time::{sleep, timeout};

use super::{Options, QUEUE, SourceError, Stop, Stream};
use crate::ui::{ConnectionState, End, FeedItem};

/// The first pause before a lost connection is tried again; each further one is twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long a collector may take to answer. One that is there and does not is worth no more waiting.
const PATIENCE: Duration = Duration::from_secs(10);
/// What is answered by then is answered at once.
const AT_ONCE: Duration = Duration::from_millis(400);
/// How often a waiting connection looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);

pub(super) fn open(address: &Address, options: Options) -> Result<Stream, SourceError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| SourceError::Failed(format!("no runtime for the connection: {e}")))?;
    let (send, items) = mpsc::sync_channel(QUEUE);
    // Without room: what is answered too late is not answered.
    let (answer, answered) = mpsc::sync_channel(0);
    let reconnect = options.reconnect;
    let remote = Remote { address: address.clone(), send, stop: options.stop, reconnect };
    std::thread::Builder::new()
        .name("remote".to_owned())
        .spawn(move || runtime.block_on(remote.begin(&answer)))
        .map_err(|e| SourceError::Failed(format!("no thread for the connection: {e}")))?;
    // A wrong address or a missing collector is an error at once. Who goes on trying need not wait for one that is slow.
    let first = match reconnect {
        true => answered.recv_timeout(AT_ONCE).or_else(|why| match why {
            RecvTimeoutError::Timeout => Ok(Ok(())),
            RecvTimeoutError::Disconnected => Err(why),
        }),
        false => answered.recv().map_err(RecvTimeoutError::from),
    };
    first.unwrap_or_else(|_| Err("the connection failed".to_owned())).map_err(SourceError::Failed)?;
    Ok(Stream { items, control: None })
}

/// One attempt; the error is for a person.
async fn reach(address: &Address, follow: Follow) -> Result<(NodeInfo, Client), String> {
    match timeout(PATIENCE, Client::follow(address.clone(), follow)).await {
        Ok(reached) => reached.map_err(|e| e.to_string()),
        Err(_) => Err(format!("the collector at {address} does not answer; is it stopped, or out of memory?")),
    }
}

struct Remote {
    address: Address,
    send: SyncSender<FeedItem>,
    stop: Stop,
    reconnect: bool,
}

/// Nobody listens any more.
struct Gone;

impl Remote {
    /// The first attempt, and all that follows from it.
    async fn begin(self, answer: &SyncSender<Result<(), String>>) {
        match reach(&self.address, Follow::default()).await {
            Ok(first) => {
                // Whether anybody still waits for it makes no difference.
                let _ = answer.send(Ok(()));
                self.run(first).await;
            }
            Err(why) => {
                // Nobody waits any more: it goes on like a connection that was lost.
                if answer.send(Err(why.clone())).is_err()
                    && let Ok(Some(connection)) = self.again(None, why).await
                {
                    self.run(connection).await;
                }
            }
        }
    }

    async fn run(self, first: (NodeInfo, Client)) {
        let mut connection = first;
        loop {
            let (node, client) = connection;
            let Ok((cursor, why)) = self.follow(node, client).await else { return };
            let Some(why) = why else {
                let _ = self.send.send(FeedItem::End(End::complete("the collector ended")));
                return;
            };
            if !self.reconnect {
                let _ = self.send.send(FeedItem::End(End::early(why)));
                return;
            }
            match self.again(cursor, why).await {
                Ok(Some(next)) => connection = next,
                Ok(None) => {
                    let _ = self.send.send(FeedItem::End(End::complete("stopped")));
                    return;
                }
                Err(Gone) => return,
            }
        }
    }

    /// Hands over what the client receives. Gives the place to resume from and why it ended; without a reason it ended
    /// in good order.
    async fn follow(&self, node: NodeInfo, mut client: Client) -> Result<(Option<Cursor>, Option<String>), Gone> {
        self.say(FeedItem::Node(node))?;
        self.say(FeedItem::Status(ConnectionState::Connected))?;
        loop {
            if self.stop.is_raised() {
                return Ok((None, None));
            }
            match timeout(LOOK, client.next()).await {
                Err(_) => {}
                Ok(Ok(Some(batch))) => {
                    self.say(FeedItem::Batch(batch))?;
                    if let Some(load) = client.load() {
                        self.say(FeedItem::Load(load))?;
                    }
                }
                // The collector may come back: for a user interface that is a lost connection like any other.
                Ok(Ok(None)) if self.reconnect => return Ok((client.cursor(), Some("the collector ended".to_owned()))),
                Ok(Ok(None)) => return Ok((client.cursor(), None)),
                Ok(Err(error)) => return Ok((client.cursor(), Some(error.to_string()))),
            }
        }
    }

    /// Tries to connect until it works, or until it is to stop.
    async fn again(&self, cursor: Option<Cursor>, mut why: String) -> Result<Option<(NodeInfo, Client)>, Gone> {
        let mut pause = FIRST_PAUSE;
        loop {
            self.say(FeedItem::Status(ConnectionState::Lost { why, retry_in: pause }))?;
            let mut left = pause;
            while !left.is_zero() {
                if self.stop.is_raised() {
                    return Ok(None);
                }
                sleep(left.min(LOOK)).await;
                left = left.saturating_sub(LOOK);
            }
            let follow = Follow { filter: String::new(), cursor };
            let mut attempt = std::pin::pin!(reach(&self.address, follow));
            let reached = match timeout(AT_ONCE, &mut attempt).await {
                Ok(reached) => reached,
                Err(_) => {
                    self.say(FeedItem::Status(ConnectionState::Connecting))?;
                    attempt.await
                }
            };
            match reached {
                Ok(connection) => return Ok(Some(connection)),
                Err(error) => why = error,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn say(&self, item: FeedItem) -> Result<(), Gone> {
        self.send.send(item).map_err(|_| Gone)
    }
}
