//! The figures as a table.

use std::fmt::Write;

use super::{Score, Share};

/// A line for each recording, and one for all.
pub(crate) fn of(scores: &[(String, Score)]) -> String {
    let mut out = String::from(
        "| recording | events | attacks | incidents | false | stages | recall | purity |\n|---|---|---|---|---|---|---|---|\n",
    );
    let mut total = Score::default();
    for (name, score) in scores {
        line(&mut out, name, score);
        total.events += score.events;
        total.attacks += score.attacks;
        total.incidents += score.incidents;
        total.false_incidents += score.false_incidents;
        total.stages.add(score.stages);
        total.recall.add(score.recall);
        total.purity.add(score.purity);
    }
    line(&mut out, "all", &total);
    out
}

fn line(out: &mut String, name: &str, score: &Score) {
    let share = |share: Share| match share.of {
        0 => "-".to_owned(),
        of => format!("{}/{of} = {:.3}", share.found, share.value()),
    };
    let Score { events, attacks, incidents, false_incidents, stages, recall, purity, .. } = score;
    let [stages, recall, purity] = [stages, recall, purity].map(|s| share(*s));
    let _ = writeln!(
        out,
        "| {name} | {events} | {attacks} | {incidents} | {false_incidents} | {stages} | {recall} | {purity} |"
    );
}
