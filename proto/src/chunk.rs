//! Batches in pieces: a message and a block of a recording have a largest size, a batch has none.

use lanner_core::event::{Batch, Event, Loss, LossCause};
use prost::Message;

use crate::convert::MAX_EVENTS;
use crate::v1;

/// The largest event on the wire, in bytes. One that is larger is not sent, but counted as [`LossCause::Undecodable`].
pub const MAX_EVENT_BYTES: usize = 512 * 1024;

/// The batch as wire messages, in order, of about `max` bytes each: none is longer than `max` + [`MAX_EVENT_BYTES`].
/// There is at least one. Its losses travel with the last.
pub fn chunks(batch: &Batch, max: usize) -> Vec<v1::Batch> {
    let mut chunks = Vec::new();
    let mut current = empty(batch, batch.first_seq);
    let mut size = 0;
    let mut too_large = 0;
    for event in &batch.events {
        let wire = v1::Event::from(event);
        let len = wire.encoded_len();
        if len > MAX_EVENT_BYTES {
            too_large += 1;
            continue;
        }
        if !current.events.is_empty() && (size + len > max || current.events.len() == MAX_EVENTS) {
            let next = empty(batch, continues(batch, event));
            chunks.push(std::mem::replace(&mut current, next));
            size = 0;
        }
        // The events that follow are not earlier than this one: an early piece may promise no more than that.
        current.now = if batch.snapshot { batch.now.0 } else { event.header.time.0.min(batch.now.0) };
        current.events.push(wire);
        size += len;
    }
    current.now = batch.now.0;
    current.losses = batch.losses.iter().map(Into::into).collect();
    if too_large > 0 {
        current.losses.push((&Loss { cause: LossCause::Undecodable, count: too_large }).into());
    }
    chunks.push(current);
    chunks
}

/// A snapshot's events have old numbers; all of its pieces name the first event after it.
fn continues(batch: &Batch, next: &Event) -> u64 {
    if batch.snapshot { batch.first_seq } else { next.header.seq }
}

fn empty(batch: &Batch, first_seq: u64) -> v1::Batch {
    v1::Batch { first_seq, now: 0, snapshot: batch.snapshot, events: Vec::new(), losses: Vec::new() }
}
