//! Times and durations in words. All clock times are UTC: a responder compares them with logs from elsewhere.

use std::time::Duration;

use lanner_core::event::{BootTime, NodeInfo};
use time::OffsetDateTime;

/// The time of day on the node's clock, such as `11:04:12`.
pub(crate) fn clock(node: &NodeInfo, time: BootTime) -> String {
    let t = wall(node, time);
    format!("{:02}:{:02}:{:02}", t.hour(), t.minute(), t.second())
}

/// The time of day with milliseconds.
pub(crate) fn clock_millis(node: &NodeInfo, time: BootTime) -> String {
    format!("{}.{:03}", clock(node, time), wall(node, time).millisecond())
}

/// Day and time of day with microseconds, `2026-03-01 11:04:12.000123 UTC`.
pub(crate) fn stamp(node: &NodeInfo, time: BootTime) -> String {
    let t = wall(node, time);
    format!("{} {}.{:06} UTC", t.date(), clock(node, time), t.microsecond())
}

fn wall(node: &NodeInfo, time: BootTime) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(node.wall(time).into()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// A duration in at most six columns: `12ms`, `4.2s`, `59s`, `12m`, `1h13m`, `3d4h`.
pub(crate) fn short(d: Duration) -> String {
    let (seconds, millis) = (d.as_secs(), d.subsec_millis());
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0 => format!("{millis}ms"),
        1..10 => format!("{seconds}.{}s", millis / 100),
        10..60 => format!("{seconds}s"),
        60..3600 if minutes < 10 => format!("{minutes}m{:02}s", seconds % 60),
        60..3600 => format!("{minutes}m"),
        3600..86_400 => format!("{hours}h{:02}m", minutes % 60),
        _ => format!("{days}d{}h", hours % 24),
    }
}

/// How long something on the network took, in at most six columns: as [`short`], but below a millisecond `<1ms`.
pub(crate) fn latency(d: Duration) -> String {
    if d < Duration::from_millis(1) { "<1ms".to_owned() } else { short(d) }
}

/// An age in at most four columns: `0s`, `59s`, `12m`, `7h`, `3d`.
pub(crate) fn age(d: Duration) -> String {
    let seconds = d.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Hours, minutes and seconds as far as there are such, with milliseconds, right-aligned in 12 columns: `      +0.003`,
/// `+1:12:50.731`.
pub(crate) fn precise(d: Duration) -> String {
    let (seconds, millis) = (d.as_secs(), d.subsec_millis());
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let words = match seconds {
        0..60 => format!("+{rest}.{millis:03}"),
        60..3600 => format!("+{minutes}:{rest:02}.{millis:03}"),
        _ => format!("+{hours}:{minutes:02}:{rest:02}.{millis:03}"),
    };
    format!("{words:>12}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        let s = |ms: u64| short(Duration::from_millis(ms));
        assert_eq!([s(12), s(4_230), s(59_000), s(61_000)], ["12ms", "4.2s", "59s", "1m01s"]);
        assert_eq!([s(720_000), s(4_380_000), s(273_600_000)], ["12m", "1h13m", "3d4h"]);
        assert_eq!(age(Duration::from_secs(7_300)), "2h");
        assert_eq!([80, 80_000].map(|us| latency(Duration::from_micros(us))), ["<1ms", "80ms"]);
        let p = |ms: u64| precise(Duration::from_millis(ms));
        assert_eq!(
            [p(3), p(75_020), p(4_370_731)],
            ["      +0.003", "    +1:15.020", "+1:12:50.731"].map(|s| format!("{:>12}", s.trim()))
        );
    }

    #[test]
    fn a_clock_outside_the_calendar_does_not_panic() {
        let node = NodeInfo { wall_offset: i64::MAX, ..NodeInfo::default() };
        assert!(stamp(&node, BootTime(u64::MAX)).ends_with("UTC"));
    }
}
