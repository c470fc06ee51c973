//! An incident holds its attack, all of it, and nothing else: on every recording of which it is known what belongs.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "attribution/mod.rs"]
mod attribution;

use std::path::Path;

const HEAD: &str = "# Attribution: how much of an attack its incident holds

Attacks that were performed for real, and what Lanner makes of their recordings: `cargo xtask bench attribution` prints this table,
and with a recording's name what is missing there and what is too much. A test holds the goals: all stages, recall of at least
0.98, purity of at least 0.95, one incident an attack, none on everyday business.

- **Truth.** Each step that `rules/tests/attacks/act.py` performs is a file of its own; whoever was started with an attack's step
  in the command line belongs to the attack, with all that descends from him, as the kernel told it. What of the attack is
  started by others (cron, a service, a web server, the kubelet) is named in the story's file by its command line. Nothing that
  Lanner concludes is asked.
- **Stages**: the techniques that the story names, and those of every signal that the attack's processes raised.
- **Recall**: of the attack's processes, files that they wrote, moved or linked (whatever their names by then), and peers that
  they called, those in its incident.
- **Purity**: of the processes, files and peers of the incident, those that are the attack's. Who lies on the way (a web server
  before it was misused, a runtime) is counted as neither. A file that an attack's process only read counts as the attack's.
- Containers are control groups with the names of containers', but in `reference` and `slow`, which a kubelet and containerd ran;
  `slow` is the same recording with nine more hours in each of its three longest gaps, as `web-slow` is `web-shell`. Each `web-`
  story goes in by a web shell, with honest requests of the same server between. Loopback is their only network.
  Their recordings hold what was performed, honest work included, and nothing of the machine round it.

This file is made by `LANNER_WRITE_DOCS=1 cargo test -p lanner-rules --test attribution`; a test holds one against the other.

";

const TAIL: &str = "
## What is not had

- **Where the way in is a service, its honest signals are the attack's too.** Requests of one server that raise signals by themselves
  are joined with the attack's, because a web shell's requests have nothing but the server in common.
- **What no rule speaks of begins nothing.** An attack that raises one signal of medium severity or a few of low is shown by its
  signals and is no incident, whoever else belongs to it: `late`, `cron` and `elsewhere` were performed first without a
  connection that a shell opens, weighed 5, 4 and 3 where 6 make an incident, and nothing of them was found (recall 0). Under other names and outside of temporary directories fewer rules
  speak; that its connection is its standard input gives `elsewhere` away. In `cron` the file that is sent out from the
  host without a terminal raises no signal: it is in the incident, and is no stage of it.
- **What happened before the collector started is unknown**, but for the processes that still ran then. In `late` the truth
  is what the recording could show.
- **At a terminal, what somebody typed before and between is in only when two of his commands show to be the attack's**, and
  then all that he typed is.
- **Who wrote what the attack runs** is in it when he is part of a case, or began where something of the attack did (another request
  of the same server, another child of the same container's first program). A writer from elsewhere of whom no rule speaks is
  found by `--explain`, not by the incident: it may as well be who installed the program.
- **A relay on the node** is in when nobody else was seen to call it. One that honest programs use too is what they have in common.
";

#[test]
fn every_attack_is_one_incident_that_holds_it_and_nothing_else() {
    let mut wrong = Vec::new();
    let scores = attribution::all();
    assert!(scores.iter().filter(|(_, score)| score.attacks > 0).count() >= 27, "recordings are missing");
    for (name, score) in &scores {
        let holds = score.incidents == score.attacks
            && score.false_incidents == 0
            && score.stages.found == score.stages.of
            && (score.recall.of > 0 || score.attacks == 0)
            && score.recall.value() >= 0.98
            && score.purity.value() >= 0.95;
        if !holds {
            wrong.push(format!("{name}, {}:\n    {}", score.title, score.wrong.join("\n    ")));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", attribution::table::of(&scores), wrong.join("\n"));

    let titles: String = scores
        .iter()
        .filter(|(_, score)| score.attacks > 0)
        .map(|(name, score)| format!("- `{name}`: {}\n", score.title))
        .collect();
    let page = format!("{HEAD}{titles}\n{}{TAIL}", attribution::table::of(&scores));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/attribution.md");
    if std::env::var_os("LANNER_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == page, "docs/attribution.md is not what the recordings say: LANNER_WRITE_DOCS=1 writes it anew");
}
