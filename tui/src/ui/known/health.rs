//! How the stream itself is doing: how much comes, and how much was lost on the way.

use std::collections::BTreeMap;

use lanner_core::event::{Batch, BootTime, Event, Load, LossCause, Payload};

use crate::report::is_truncated;

/// The rate is that of the last this many seconds.
const RATE_SECONDS: u64 = 5;

/// Gaps that are kept.
const MAX_GAPS: usize = 64;

/// Counts since the stream began.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// Events by family.
    pub(crate) families: BTreeMap<&'static str, u64>,
    /// Events that were lost, by cause.
    pub(crate) losses: BTreeMap<LossCause, u64>,
    /// Events of which the sensor read only a part of some text.
    pub(crate) truncated: u64,
    /// Programs, running or started, of which nobody saw who started them.
    pub(crate) orphans: u64,
    /// Times of which nothing is known, for the connection was lost and what happened meanwhile could not be had.
    pub(crate) gaps: Vec<(BootTime, BootTime)>,
    /// What it costs to watch, as far as the collector tells.
    pub(crate) load: Option<Told>,
    /// Events in each second of the node's time, oldest first.
    seconds: std::collections::VecDeque<(u64, u64)>,
}

/// What a collector told of itself last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Told {
    pub(crate) load: Load,
    /// Of one processor, since it told of itself before.
    pub(crate) share: Option<f64>,
}

impl Health {
    pub(crate) fn take_load(&mut self, load: Load) {
        let before = self.load.map(|told| told.load).filter(|before| before.now < load.now && before.cpu <= load.cpu);
        let share = before.map(|b| (load.cpu - b.cpu).as_secs_f64() / load.now.since(b.now).as_secs_f64());
        self.load = Some(Told { load, share });
    }

    pub(crate) fn apply(&mut self, batch: &Batch) {
        for event in &batch.events {
            *self.families.entry(event.payload.family()).or_default() += 1;
            self.truncated += u64::from(is_truncated(event));
            self.orphans += u64::from(is_orphan(event));
            let second = event.header.time.0 / 1_000_000_000;
            match self.seconds.back_mut() {
                Some((last, count)) if *last >= second => *count += 1,
                _ => self.seconds.push_back((second, 1)),
            }
            if self.seconds.len() > RATE_SECONDS as usize * 2 {
                self.seconds.pop_front();
            }
        }
        for loss in &batch.losses {
            *self.losses.entry(loss.cause).or_default() += loss.count;
        }
    }

    /// Nothing is known of what happened between these times. The first and the last such times are kept.
    pub(crate) fn gap(&mut self, from: BootTime, to: BootTime) {
        if self.gaps.len() == MAX_GAPS {
            self.gaps.remove(MAX_GAPS / 2);
        }
        self.gaps.push((from, to.max(from)));
    }

    /// Events so far.
    pub(crate) fn events(&self) -> u64 {
        self.families.values().sum()
    }

    /// Events lost so far, whatever the cause.
    pub(crate) fn lost(&self) -> u64 {
        self.losses.values().sum()
    }

    /// Events per second of the node's time, over the last seconds before `now`.
    pub(crate) fn rate(&self, now: BootTime) -> u64 {
        let second = now.0 / 1_000_000_000;
        let recent = self.seconds.iter().filter(|(s, _)| s + RATE_SECONDS > second && *s <= second);
        let count: u64 = recent.map(|(_, count)| count).sum();
        count.div_ceil(RATE_SECONDS)
    }
}

/// Whether an event tells of a process without its parent. The kernel's own first two have none.
fn is_orphan(event: &Event) -> bool {
    let (Payload::Exec(exec) | Payload::Alive(exec)) = &event.payload else { return false };
    exec.task.parent.is_none() && event.header.process.pid > 2
}
