//! Stages in the making: what one rule found in a case.

use super::case::summary;
use super::occurrence::{self, Occurrence};
use super::{Link, Signal, Stage, Tactic};
use crate::event::{Event, ProcessKey};
use crate::graph::Graph;

/// Times of a stage of which each is looked into.
const FEW: u64 = 16;
/// Events that a stage rests on and that are listed.
const MAX_EVIDENCE: usize = 32;

/// A stage in the making.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) stage: Stage,
    /// Who, the last time.
    pub(super) last_process: ProcessKey,
    /// It is not what was told of it any more.
    pub(super) changed: bool,
}

/// What one more signal is to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Worth {
    /// A stage that was not there.
    Stage,
    /// A stage by one more process.
    Doer,
    /// A stage one more time.
    Time,
}

impl Step {
    /// What a signal tells for the first time.
    pub(super) fn new(graph: &Graph, event: &Event, signal: &Signal, tactic: Tactic, link: Option<Link>) -> Step {
        let mut evidence = vec![signal.seq];
        evidence.extend(link.iter().flat_map(|l| l.evidence.iter().copied()).filter(|seq| *seq != 0));
        evidence.sort_unstable();
        evidence.dedup();
        let stage = Stage {
            tactic,
            technique: signal.technique.to_string(),
            signal: signal.rule.to_string(),
            severity: signal.severity,
            time: signal.time,
            last_time: signal.time,
            count: 1,
            process: summary(graph, signal.process),
            sentence: signal.sentence.clone(),
            evidence,
            link,
            times: vec![Occurrence::of(event, None)],
        };
        Step { stage, last_process: signal.process, changed: true }
    }

    /// Takes in one more time.
    pub(super) fn more(&mut self, event: &Event, signal: &Signal, link: Option<Link>) -> Worth {
        let stage = &mut self.stage;
        stage.count += 1;
        stage.last_time = stage.last_time.max(signal.time);
        self.last_process = signal.process;
        self.changed = true;
        if stage.evidence.len() < MAX_EVIDENCE {
            stage.evidence.push(signal.seq);
        }
        if occurrence::note(&mut stage.times, event, link) { Worth::Doer } else { Worth::Time }
    }

    /// Takes in what the same rule found later in another case.
    pub(super) fn again(&mut self, later: Step) {
        let (stage, new) = (&mut self.stage, later.stage);
        stage.count += new.count;
        stage.time = stage.time.min(new.time);
        if new.last_time >= stage.last_time {
            stage.last_time = new.last_time;
            self.last_process = later.last_process;
        }
        let room = MAX_EVIDENCE.saturating_sub(stage.evidence.len());
        stage.evidence.extend(new.evidence.into_iter().take(room));
        occurrence::absorb(&mut stage.times, new.times, new.link);
    }

    /// The links to earlier stages that it has.
    pub(super) fn links_mut(&mut self) -> impl Iterator<Item = &mut Link> {
        let again = self.stage.times.iter_mut().filter_map(|time| time.link.as_mut());
        self.stage.link.iter_mut().chain(again)
    }
}

/// Whether the time of this number is worth a look: each of a few is, and of many ever fewer.
pub(super) fn is_worth_a_look(count: u64) -> bool {
    count <= FEW || count.is_power_of_two()
}
