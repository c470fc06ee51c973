//! Each rule is met by what it describes, performed for real under the sensor, and not by the near miss beside it, performed too.
//! `performed/` tells what was done, `recordings/perform.py` did it, and `recordings/performed.lanner` is what the sensor saw; so
//! are `containers.txt`, `containers.sh` and `containers.lanner` there, of containers that a kubelet started, and `modules.txt` and
//! `modules.lanner`, of what is done to a kernel (`tests/modules` of the crate `lanner-tests` did it, in a guest).
#![allow(clippy::unwrap_used)]

mod case;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::Path;

use case::{Case, cases, counted};
use lanner_core::condition::View;
use lanner_core::detect::rules::RuleSet;
use lanner_core::event::{ContainerId, Event, Payload, ProcessKey};
use lanner_core::graph::Graph;
use lanner_recording::Reader;

/// The sum by which `perform.py` calls a case: FNV-1a, 64 bits.
fn sum_of(text: &str) -> String {
    let sum = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{sum:016x}")
}

/// Which case each process of the recording belongs to: the one whose file its shell was started with.
#[derive(Default)]
struct Belongs(HashMap<ProcessKey, String>);

impl Belongs {
    fn case_of(&mut self, event: &Event) -> Option<&str> {
        let process = event.header.process;
        match &event.payload {
            Payload::Fork(fork) => {
                if let Some(case) = self.0.get(&process).cloned() {
                    self.0.insert(fork.child, case);
                }
            }
            Payload::Exec(exec) => {
                let script =
                    exec.image.args.list.get(1).and_then(|script| script.as_bytes().strip_prefix(b"/srv/cases/"));
                if let Some(script) = script {
                    self.0.insert(process, String::from_utf8_lossy(script).into_owned());
                }
            }
            _ => {}
        }
        self.0.get(&process).map(String::as_str)
    }
}

fn events(recording: &str) -> Vec<Event> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(recording);
    let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    Reader::new(&bytes[..]).unwrap().flat_map(|batch| batch.events).collect()
}

/// What each case met, if `case_of` tells which case an event belongs to.
fn met(events: &[Event], mut case_of: impl FnMut(&Event) -> Option<String>) -> HashMap<String, BTreeSet<String>> {
    let rules = RuleSet::load(lanner_rules::RULES);
    let mut graph = Graph::default();
    let mut met: HashMap<String, BTreeSet<String>> = HashMap::new();
    for event in events {
        graph.apply(event);
        let Some(case) = case_of(event) else { continue };
        let case = met.entry(case).or_default();
        case.extend(rules.matching(&View::new(event, &graph)).map(|rule| rule.name.to_string()));
    }
    met
}

/// What is wrong with the cases, if `name_of` tells how [`met`] calls one.
fn wrong(cases: Vec<Case>, met: &HashMap<String, BTreeSet<String>>, name_of: impl Fn(&str) -> String) -> String {
    let rules = RuleSet::load(lanner_rules::RULES);
    let mut wrong = String::new();
    for Case { rule, meets, text, place } in cases {
        assert!(rules.explain(&rule).is_some(), "{place}: there is no rule {rule:?}");
        match met.get(&name_of(&text)) {
            None => writeln!(wrong, "{place}: {text} is not in the recording: it must be made anew").unwrap(),
            Some(met) if met.contains(&rule) != meets => {
                let what = if meets { "does not meet" } else { "meets" };
                writeln!(wrong, "{place}: {text} {what} {rule:?}, but {met:?}").unwrap();
            }
            Some(_) => {}
        }
    }
    wrong
}

/// Whether a rule has a case that meets it and one that does not.
fn whole(counted: &BTreeMap<&str, [usize; 2]>, rule: &str) -> bool {
    counted.get(rule).is_some_and(|[misses, hits]| *misses > 0 && *hits > 0)
}

/// All that was performed.
fn all_cases() -> Vec<Case> {
    let mut all = cases("performed");
    all.extend(cases("recordings/containers.txt"));
    all.extend(cases("recordings/modules.txt"));
    all
}

/// What is wrong with the cases of a place that were performed one by one, each as a script of its own.
fn wrong_of_scripts(place: &str, recording: &str) -> String {
    let mut belongs = Belongs::default();
    let met = met(&events(recording), |event| belongs.case_of(event).map(str::to_owned));
    wrong(cases(place), &met, sum_of)
}

#[test]
fn what_was_performed_meets_the_rule_that_describes_it_and_what_lies_beside_it_does_not() {
    let wrong = wrong_of_scripts("performed", "performed.lanner");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_was_done_to_a_kernel_meets_the_rule_that_describes_it() {
    let wrong = wrong_of_scripts("recordings/modules.txt", "modules.lanner");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn containers_that_were_started_meet_the_rules_that_describe_them() {
    let events = events("containers.lanner");
    // Pods are named some time after they start.
    let pods: HashMap<&ContainerId, String> = events
        .iter()
        .filter_map(|event| match &event.payload {
            Payload::Container(info) => Some((&info.id, info.pod.as_ref()?.name.to_str_lossy().into_owned())),
            _ => None,
        })
        .collect();
    let mut graph = Graph::default();
    let met = met(&events, |event| {
        graph.apply(event);
        let container = View::new(event, &graph).task()?.context.container.clone()?;
        Some(pods.get(&container)?.trim_end_matches("-node1").to_owned())
    });
    let wrong = wrong(cases("recordings/containers.txt"), &met, str::to_owned);
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_rule_was_performed_with_a_near_miss() {
    let performed = all_cases();
    let performed = counted(&performed);
    let set = RuleSet::load(lanner_rules::RULES);
    let lacking: Vec<&str> = set.rules.iter().map(|rule| &*rule.name).filter(|rule| !whole(&performed, rule)).collect();
    assert!(lacking.is_empty(), "not performed: {lacking:?}");
}

#[test]
fn at_least_eighty_signals_of_eleven_tactics_were_performed() {
    let performed = all_cases();
    let performed = counted(&performed);
    let set = RuleSet::load(lanner_rules::RULES);
    let performed: Vec<_> = set.rules.iter().filter(|rule| whole(&performed, &rule.name)).collect();
    let tactics: BTreeSet<_> = performed.iter().filter_map(|rule| rule.tactic).collect();
    assert!(performed.len() >= 80 && tactics.len() >= 11, "{} of {} tactics", performed.len(), tactics.len());
}
