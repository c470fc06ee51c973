//! A subscription as a stream of messages.

use std::time::Instant;

use lanner_proto::{chunk, v1};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::hub::{LOAD_EACH, Next, Subscription};

/// What a client of `Subscribe` is sent.
pub(super) type Responses = ReceiverStream<Result<v1::SubscribeResponse, Status>>;

/// The size of a message, in bytes, about: clients accept 4 MiB.
const MESSAGE: usize = 256 << 10;

/// The subscription's batches as messages. Only one waits here: the queue that is bounded and counted is the hub's.
pub(super) fn responses(stream: u64, mut subscription: Subscription) -> Responses {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut told: Option<Instant> = None;
        loop {
            let next = tokio::select! {
                next = subscription.next() => next,
                () = sender.closed() => return,
            };
            let batch = match next {
                Next::Batch(batch) => batch,
                Next::Waiting => continue,
                Next::Ended(None) => return,
                Next::Ended(Some(why)) => {
                    let _ = sender.send(Err(Status::unavailable(why.to_string()))).await;
                    return;
                }
            };
            let mut load = None;
            if told.is_none_or(|at| at.elapsed() >= LOAD_EACH) {
                told = Some(Instant::now());
                load = Some(subscription.load().into());
            }
            for batch in chunk::chunks(&batch, MESSAGE) {
                let response = v1::SubscribeResponse { stream, batch: Some(batch), load: load.take() };
                if sender.send(Ok(response)).await.is_err() {
                    return;
                }
            }
        }
    });
    ReceiverStream::new(receiver)
}
