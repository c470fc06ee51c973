//! What `lanner watch` and `lanner events` print: a line for a person, or a JSON object. `docs/json.md` tells their
//! meaning and `docs/schema/lines.json` is their schema; [`SCHEMA`] counts its versions.

mod event;
mod explain;
mod incident;
mod time;
mod who;

pub use event::{EventLine, event, event_words};
pub use explain::{explanation, explanation_words, process, process_words};
pub use incident::{IncidentLine, incident, incident_words};
pub use time::{clock, timestamp};

use std::fmt::Write;

use lanner_core::detect::{Signal, duration};
use lanner_core::engine::LetGo;
use lanner_core::event::{HookLayer, HookState, Loss, LossCause, NodeInfo, is_deceptive};
use lanner_core::graph::Graph;
use lanner_recording::Header;
use serde::Serialize;

use self::who::Who;

/// Version of the lines' schema. Fields may be added under the same number; one that goes or changes raises it.
pub const SCHEMA: u32 = 1;

/// One JSON line, without its end. Characters that a terminal would obey, or that deceive the eye, are escaped: they can
/// only stand inside of strings.
pub fn json(line: &impl Serialize) -> String {
    let plain = serde_json::to_string(line).expect("lines are structs with string keys, which always serialize");
    if !plain.chars().any(is_deceptive) {
        return plain;
    }
    let mut safe = String::with_capacity(plain.len() + 16);
    for c in plain.chars() {
        if is_deceptive(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

/// The sensor is attached: what happens from now on is seen.
#[derive(Debug, Serialize)]
pub struct Ready<'a> {
    r#type: &'static str,
    schema: u32,
    node: &'a str,
    kernel: &'a str,
    attached: usize,
    degraded: Vec<Degraded<'a>>,
    waiting: Vec<Waiting<'a>>,
    blind: Vec<Blind<'a>>,
}

#[derive(Debug, Serialize)]
struct Degraded<'a> {
    hook: &'a str,
    layer: HookLayer,
    why: &'a str,
    without: &'a str,
}

#[derive(Debug, Serialize)]
struct Waiting<'a> {
    hook: &'a str,
    layer: HookLayer,
    waits_for: &'a str,
    without: &'a str,
}

#[derive(Debug, Serialize)]
struct Blind<'a> {
    event: &'a str,
    what: &'a str,
}

/// The line that says which node is watched, and with which eyes.
pub fn ready(node: &NodeInfo) -> Ready<'_> {
    let degraded = node.hooks.iter().filter_map(|hook| match &hook.state {
        HookState::Attached | HookState::Waiting(_) => None,
        HookState::Refused(why) => Some(Degraded { hook: &hook.name, layer: hook.layer, why, without: &hook.without }),
    });
    let waiting = node.hooks.iter().filter_map(|hook| match &hook.state {
        HookState::Attached | HookState::Refused(_) => None,
        HookState::Waiting(what) => {
            Some(Waiting { hook: &hook.name, layer: hook.layer, waits_for: what, without: &hook.without })
        }
    });
    Ready {
        r#type: "ready",
        schema: SCHEMA,
        node: &node.name,
        kernel: &node.kernel,
        attached: node.attached(),
        degraded: degraded.collect(),
        waiting: waiting.collect(),
        blind: node.blind.iter().map(|spot| Blind { event: &spot.family, what: &spot.what }).collect(),
    }
}

/// What a recording says of itself.
#[derive(Debug, Serialize)]
pub struct RecordingLine<'a> {
    r#type: &'static str,
    node: &'a str,
    recorded_by: &'a str,
    note: &'a str,
    stretched: Vec<Stretched>,
}

#[derive(Debug, Serialize)]
struct Stretched {
    at: String,
    by_ns: u64,
}

/// The line of a recording's header.
pub fn recording<'a>(header: &'a Header, node: &'a NodeInfo) -> RecordingLine<'a> {
    let stretched = header.stretched.iter().map(|s| Stretched {
        at: timestamp(node.wall(s.at)),
        by_ns: u64::try_from(s.by.as_nanos()).unwrap_or(u64::MAX),
    });
    RecordingLine {
        r#type: "recording",
        node: &node.name,
        recorded_by: &header.recorded_by,
        note: &header.note,
        stretched: stretched.collect(),
    }
}

/// What must be known of a recording to read its times right, for a person; `None`: nothing.
pub fn recording_words(header: &Header) -> Option<String> {
    let gaps = match header.stretched.len() {
        0 => return None,
        1 => "one quiet gap was".to_owned(),
        n => format!("{n} quiet gaps were"),
    };
    let by = duration(header.stretched.iter().map(|s| s.by).sum());
    Some(format!("the recording's times are not all as they were: {gaps} lengthened, by {by} in all"))
}

/// One event met one rule.
#[derive(Debug, Serialize)]
pub struct SignalLine<'a> {
    r#type: &'static str,
    time: String,
    node: &'a str,
    signal: &'a str,
    severity: &'static str,
    tactic: Option<&'static str>,
    technique: &'a str,
    sentence: &'a str,
    process: Who,
    evidence: [u64; 1],
}

/// The line of a signal.
pub fn signal<'a>(signal: &'a Signal, node: &'a NodeInfo, graph: &Graph) -> SignalLine<'a> {
    SignalLine {
        r#type: "signal",
        time: timestamp(node.wall(signal.time)),
        node: &node.name,
        signal: &signal.rule,
        severity: signal.severity.word(),
        tactic: signal.tactic.map(|t| t.id()),
        technique: &signal.technique,
        sentence: &signal.sentence,
        process: Who::of(signal.process, graph, node),
        evidence: [signal.seq],
    }
}

/// A signal for a person.
pub fn signal_words(signal: &Signal, node: &NodeInfo) -> String {
    let tactic = signal.tactic.map_or("-", |t| t.id());
    let (time, severity) = (clock(node.wall(signal.time)), signal.severity.word());
    format!("{time}  {severity:<8}  {tactic} {}  {}", signal.technique, signal.sentence)
}

/// Events were lost.
#[derive(Debug, Serialize)]
pub struct LossLine<'a> {
    r#type: &'static str,
    node: &'a str,
    cause: LossCause,
    count: u64,
}

/// The line of a loss.
pub fn loss<'a>(loss: Loss, node: &'a NodeInfo) -> LossLine<'a> {
    LossLine { r#type: "loss", node: &node.name, cause: loss.cause, count: loss.count }
}

/// What came of it all, as the last line.
#[derive(Debug, Default, Serialize)]
pub struct Summary {
    r#type: Tag,
    /// Events that were looked at.
    pub events: u64,
    /// Events that are known to be missing.
    pub lost: u64,
    /// Signals that were raised.
    pub signals: u64,
    /// Incidents that were found.
    pub incidents: usize,
    /// What had to be forgotten, or was not told, to bound the memory.
    pub let_go: LetGo,
    /// Why the source ended early, or could not be read whole.
    pub problem: Option<String>,
}

#[derive(Debug, Default, Serialize)]
enum Tag {
    #[default]
    #[serde(rename = "summary")]
    Summary,
}

#[cfg(test)]
mod tests {
    use super::*;
    use lanner_core::event::Text;

    #[test]
    fn json_carries_no_character_that_a_terminal_obeys() {
        let hostile = "\u{1b}[2J\u{9b}31m\u{202e}gpj.exe\u{e0041} caf\u{e9}";
        let line = json(&Text::from(hostile));
        assert_eq!(line, r#""\u001b[2J\u009b31m\u202egpj.exe\udb40\udc41 café""#);
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), hostile);
    }
}
