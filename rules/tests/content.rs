//! Every rule that ships loads, is supported and says what it means.

use lanner_core::detect::rules::RuleSet;
use lanner_core::detect::technique_name;

#[test]
fn all_rules_load_without_a_complaint() {
    let set = RuleSet::load(lanner_rules::RULES);
    let problems: Vec<String> = set.errors.iter().chain(&set.warnings).map(|p| p.render()).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert_eq!(set.unsupported, []);
    assert!(set.rules.len() >= 9);
}

#[test]
fn every_rule_has_its_place_in_attack() {
    for rule in &RuleSet::load(lanner_rules::RULES).rules {
        assert!(rule.tactic.is_some(), "{} has no tactic", rule.name);
        assert!(technique_name(&rule.technique).is_some(), "{} has no technique that has a name", rule.name);
        assert!(!rule.desc.is_empty(), "{} says nothing of itself", rule.name);
    }
}

/// The most is a file that is set: written, renamed or linked into its place.
#[test]
fn every_rule_is_asked_about_few_families_only() {
    for rule in &RuleSet::load(lanner_rules::RULES).rules {
        assert!(rule.condition.families().iter().count() <= 3, "{}: {:?}", rule.name, rule.condition.families());
    }
}

/// Known by name alone is what can be renamed: rules are for what an action is, of whomever.
#[test]
fn no_rule_knows_our_own_demonstrations() {
    let ours = [
        "attack.py",
        "c2.py",
        "drop.py",
        "implant.py",
        "hack.yaml",
        "pki.tgz",
        "198.51.100",
        "8443",
        "203.0.113",
        "node1",
    ];
    for (file, text) in lanner_rules::RULES {
        for name in ours {
            assert!(!text.contains(name), "{file} speaks of {name}");
        }
    }
}
