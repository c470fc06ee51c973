//! Puts events in order. Each processor's events come in order, but those of two may come the wrong way round by as
//! long as a program runs; so the youngest ones wait for the next time.

use lanner_core::event::{BootTime, Event};

/// Longer than a program takes from reading the clock to sending its record.
pub(super) const HOLD_BACK: u64 = 1_000_000;

/// Events that wait for their turn.
#[derive(Debug, Default)]
pub(super) struct Order {
    waiting: Vec<Event>,
    /// All events before this time have been handed out.
    until: BootTime,
}

impl Order {
    /// Takes in an event. One that comes later than it may is given the earliest time still free, for what was handed
    /// out cannot be changed.
    pub(super) fn push(&mut self, mut event: Event) {
        event.header.time = event.header.time.max(self.until);
        self.waiting.push(event);
    }

    /// Hands out what happened before `until`, in the order (time, cpu).
    pub(super) fn release(&mut self, until: BootTime, out: &mut Vec<Event>) {
        self.until = self.until.max(until);
        self.waiting.sort_by_key(|e| (e.header.time, e.header.cpu));
        let ready = self.waiting.partition_point(|e| e.header.time < self.until);
        out.extend(self.waiting.drain(..ready));
    }

    /// Before this time, nothing is still to come.
    pub(super) fn until(&self) -> BootTime {
        self.until
    }

    /// What waits.
    pub(super) fn waiting(&self) -> &[Event] {
        &self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lanner_core::event::{Exit, Header, Origin, Payload, ProcessKey};

    fn event(time: u64, cpu: u32) -> Event {
        let header = Header {
            seq: 0,
            time: BootTime(time),
            cpu,
            process: ProcessKey::UNKNOWN,
            tid: 0,
            origin: Origin::Live,
            compat: false,
        };
        Event { header, payload: Payload::Exit(Exit { code: 0, signal: 0 }) }
    }

    fn times(out: &[Event]) -> Vec<(u64, u32)> {
        out.iter().map(|e| (e.header.time.0, e.header.cpu)).collect()
    }

    #[test]
    fn events_of_two_processors_are_merged_and_the_youngest_wait() {
        let (mut order, mut out) = (Order::default(), Vec::new());
        for (time, cpu) in [(10, 0), (30, 0), (20, 1), (20, 0), (55, 1)] {
            order.push(event(time, cpu));
        }
        order.release(BootTime(50), &mut out);
        assert_eq!(times(&out), [(10, 0), (20, 0), (20, 1), (30, 0)]);
        order.push(event(51, 0));
        order.release(BootTime(60), &mut out);
        assert_eq!(times(&out[4..]), [(51, 0), (55, 1)]);
    }

    #[test]
    fn time_never_goes_back() {
        let (mut order, mut out) = (Order::default(), Vec::new());
        order.release(BootTime(50), &mut out);
        order.push(event(40, 0));
        order.release(BootTime(45), &mut out);
        assert!(out.is_empty());
        order.release(BootTime(60), &mut out);
        assert_eq!(times(&out), [(50, 0)]);
    }
}
