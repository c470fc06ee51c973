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

#[test]
fn every_rule_is_asked_about_few_families_only() {
    for rule in &RuleSet::load(lanner_rules::RULES).rules {
        assert!(rule.condition.families().iter().count() <= 2, "{}: {:?}", rule.name, rule.condition.families());
    }
}
