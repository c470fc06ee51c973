//! Small phrases of the story, safe to show.

use std::time::Duration;

use crate::event::{ProcessKey, Text};
use crate::graph::Graph;

/// A process as a person speaks of it: `cat (4321)`.
pub(super) fn process(graph: &Graph, key: ProcessKey) -> String {
    match graph.process(key) {
        Some(process) => format!("{} ({})", Text::from(process.name()), key.pid),
        None => format!("process {}", key.pid),
    }
}

/// A span of time in its two largest units: `1 h 13 min`, `63 s`, `0.6 s`.
pub fn duration(d: Duration) -> String {
    let seconds = d.as_secs();
    match seconds {
        0 if d.as_millis() == 0 => "under 1 ms".to_owned(),
        0 => format!("{} ms", d.as_millis()),
        1..10 => format!("{}.{} s", seconds, d.subsec_millis() / 100),
        10..120 => format!("{seconds} s"),
        120..7200 => format!("{} min {} s", seconds / 60, seconds % 60),
        7200..172_800 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        for (ms, words) in [
            (0, "under 1 ms"),
            (620, "620 ms"),
            (3_450, "3.4 s"),
            (63_000, "63 s"),
            (4_380_000, "73 min 0 s"),
            (9_000_000, "2 h 30 min"),
            (360_000_000, "4 d 4 h"),
        ] {
            assert_eq!(duration(Duration::from_millis(ms)), words);
        }
    }
}
