//! How grave an incident is, and why, in words.

use super::detector::INCIDENT_SCORE;
use super::{Severity, Stage, Tactic};

/// Stages of this many tactics are an attack under way, whatever each is alone.
const MANY_TACTICS: usize = 5;

/// The gravest stage's severity; but stages of five tactics or more are critical.
pub(super) fn severity(stages: &[Stage]) -> Severity {
    let gravest = stages.iter().map(|s| s.severity).max().unwrap_or(Severity::Low);
    if tactics(stages) >= MANY_TACTICS { Severity::Critical } else { gravest }
}

fn tactics(stages: &[Stage]) -> usize {
    let mut tactics: Vec<Tactic> = stages.iter().map(|s| s.tactic).collect();
    tactics.sort_unstable();
    tactics.dedup();
    tactics.len()
}

/// Why it is that grave, and an incident at all: safe to show.
pub(super) fn words(stages: &[Stage]) -> String {
    let Some(gravest) = stages.iter().reduce(|best, next| if next.severity > best.severity { next } else { best })
    else {
        return String::new();
    };
    let score: u32 = stages.iter().map(|s| s.severity.weight()).sum();
    let all = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];
    let sums = all.into_iter().filter_map(|severity| {
        let n = stages.iter().filter(|s| s.severity == severity).count();
        (n > 0).then(|| format!("{n} {} x {}", severity.word(), severity.weight()))
    });
    let sum = sums.collect::<Vec<_>>().join(" + ");
    let rule = &gravest.signal;
    let grave = match (tactics(stages), gravest.severity) {
        (n, worst) if n >= MANY_TACTICS && worst < Severity::Critical => {
            format!(
                "critical, because stages of {n} tactics are an attack under way; the gravest alone, \"{rule}\", is {}",
                worst.word()
            )
        }
        (_, worst) => format!("{}, as its gravest stage is, \"{rule}\"", worst.word()),
    };
    format!("{grave}; its stages weigh {score} ({sum}), and {INCIDENT_SCORE} make an incident")
}
