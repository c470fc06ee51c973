//! Each rule is met by what it describes, and not by the near miss beside it. `cases/` has a file for each tactic:
//!
//! ```text
//! Name of a rule
//!   + a story that meets it
//!   - one that does not
//! ```
#![allow(clippy::unwrap_used)]

mod case;
mod story;
#[path = "../../core/tests/world/mod.rs"]
mod world;

use std::fmt::Write as _;

use case::cases;
use lanner_core::detect::rules::RuleSet;

#[test]
fn every_rule_is_met_by_what_it_describes_and_not_by_what_lies_beside_it() {
    let rules = RuleSet::load(lanner_rules::RULES);
    let mut wrong = String::new();
    for case in cases("cases") {
        assert!(rules.explain(&case.rule).is_some(), "{}: there is no rule {:?}", case.place, case.rule);
        let met = story::met(&rules, &case.text).contains(&case.rule);
        if met != case.meets {
            let what = if case.meets { "does not meet" } else { "meets" };
            writeln!(wrong, "{}: {} {what} {:?}", case.place, case.text, case.rule).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
