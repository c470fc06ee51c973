//! Signals to other processes.

use lanner_collector_abi::SignalRecord;
use lanner_core::event::{Payload, SignalOutcome, SignalSent};

use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{Reader, key};

pub(super) const HOOKS: &[Spec] = &[Spec {
    name: "signal_generate",
    program: "signal",
    attach: Attach::Typed("signal_generate"),
    without: "signals that processes send to others",
    unless: "",
}];

pub(super) fn signal(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<SignalRecord>()?;
    Some(Payload::Signal(SignalSent {
        signal: record.signal,
        target: key(record.target),
        target_tid: record.target_tid,
        thread_only: record.thread != 0,
        // `include/trace/events/signal.h`.
        outcome: match record.result {
            0 => SignalOutcome::Delivered,
            1 => SignalOutcome::Ignored,
            2 => SignalOutcome::Pending,
            _ => SignalOutcome::Lost,
        },
        count: record.count,
    }))
}
