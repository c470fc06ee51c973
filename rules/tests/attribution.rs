//! An incident holds its attack, all of it, and nothing else: on every recording of which it is known what belongs.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "attribution/mod.rs"]
mod attribution;

#[test]
fn every_attack_is_one_incident_that_holds_it_and_nothing_else() {
    let mut wrong = Vec::new();
    for (name, score) in attribution::all() {
        let holds = score.incidents == score.attacks
            && score.false_incidents == 0
            && score.stages.found == score.stages.of
            && score.recall.value() >= 0.98
            && score.purity.value() >= 0.95;
        if !holds {
            wrong.push(format!("{name}: {score:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
