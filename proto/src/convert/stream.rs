//! Batches and losses.

use std::collections::BTreeMap;
use std::time::Duration;

use lanner_core::event::{Batch, BootTime, Event, Load, Loss, LossCause};

use super::{MAX_EVENTS, Refused};
use crate::v1;

impl From<Load> for v1::Load {
    fn from(load: Load) -> Self {
        let Load { now, cpu, memory, waiting, room } = load;
        v1::Load { now: now.0, cpu: u64::try_from(cpu.as_nanos()).unwrap_or(u64::MAX), memory, waiting, room }
    }
}

impl From<v1::Load> for Load {
    fn from(load: v1::Load) -> Self {
        let v1::Load { now, cpu, memory, waiting, room } = load;
        Load { now: BootTime(now), cpu: Duration::from_nanos(cpu), memory, waiting, room }
    }
}

impl From<&Loss> for v1::Loss {
    fn from(loss: &Loss) -> Self {
        let cause = match loss.cause {
            LossCause::RingFull => v1::LossCause::RingFull,
            LossCause::MapFull => v1::LossCause::MapFull,
            LossCause::Skipped => v1::LossCause::Skipped,
            LossCause::Undecodable => v1::LossCause::Undecodable,
            LossCause::SlowClient => v1::LossCause::SlowClient,
            LossCause::Recording => v1::LossCause::Recording,
            LossCause::UnknownKind => v1::LossCause::UnknownKind,
        };
        v1::Loss { cause: cause.into(), count: loss.count }
    }
}

impl From<v1::Loss> for Loss {
    fn from(loss: v1::Loss) -> Self {
        let cause = match loss.cause() {
            v1::LossCause::RingFull => LossCause::RingFull,
            v1::LossCause::MapFull => LossCause::MapFull,
            v1::LossCause::Skipped => LossCause::Skipped,
            v1::LossCause::Undecodable => LossCause::Undecodable,
            v1::LossCause::SlowClient => LossCause::SlowClient,
            v1::LossCause::Recording => LossCause::Recording,
            v1::LossCause::UnknownKind | v1::LossCause::Unspecified => LossCause::UnknownKind,
        };
        Loss { cause, count: loss.count }
    }
}

/// Cannot fail: an event that is refused, or above [`MAX_EVENTS`], becomes a loss with its cause.
impl From<v1::Batch> for Batch {
    fn from(batch: v1::Batch) -> Self {
        let mut losses = BTreeMap::<LossCause, u64>::new();
        let mut lose = |loss: Loss| {
            let count = losses.entry(loss.cause).or_default();
            *count = count.saturating_add(loss.count);
        };
        batch.losses.into_iter().map(Loss::from).for_each(&mut lose);
        let beyond = batch.events.len().saturating_sub(MAX_EVENTS);
        lose(Loss { cause: LossCause::Undecodable, count: beyond as u64 });
        let mut events = Vec::with_capacity(batch.events.len() - beyond);
        for event in batch.events.into_iter().take(MAX_EVENTS) {
            match Event::try_from(event) {
                Ok(event) => events.push(event),
                Err(Refused::Unknown) => lose(Loss { cause: LossCause::UnknownKind, count: 1 }),
                Err(Refused::Malformed(_)) => lose(Loss { cause: LossCause::Undecodable, count: 1 }),
            }
        }
        Batch {
            first_seq: batch.first_seq,
            now: BootTime(batch.now),
            snapshot: batch.snapshot,
            events,
            losses: losses.into_iter().filter(|(_, n)| *n > 0).map(|(cause, count)| Loss { cause, count }).collect(),
        }
    }
}
