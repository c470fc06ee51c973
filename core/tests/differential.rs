//! Compiled conditions against an interpreter that walks the expression and knows no shortcuts, on random conditions and
//! the events of a story.
#![allow(clippy::unwrap_used)]

mod naive;
mod world;

use lanner_core::condition::{Condition, Names, Scratch, View, parse};
use lanner_core::detect::rules::{Rule, RuleSet};
use lanner_core::event::{Family, Origin};
use lanner_core::graph::Graph;
use naive::{Dice, MACROS, SHELLS, naive};
use world::World;

fn story() -> World {
    let mut world = World::new();
    let init = world.found(None, "/usr/lib/systemd/systemd");
    let shell = world.spawn(&init, "/bin/sh", "sh -c bash");
    let container = world.start_container(&shell, "/docker/aaaa", "aaaa", "/bin/bash");
    let inner = world.spawn(&container, "/bin/sh", "sh");
    world.exec(&inner, "/usr/bin/Tool", "tool /etc/x.yaml");
    world.write(&inner, "/etc/x.yaml", 9);
    world.read(&shell, "/etc/x.yaml", 9);
    let flow = world.connect(&inner, "10.2.3.4:443");
    world.close(&inner, flow, 70_000, 5);
    let mut moved = container.clone();
    world.setns(&mut moved, world::HOST);
    world.exit(&inner);
    world
}

#[test]
fn compiled_conditions_mean_what_they_say() {
    let mut names = Names::default();
    names.define_list("shells", SHELLS.map(str::to_owned).to_vec());
    for (name, text) in MACROS {
        names.define_macro(name, parse(text).unwrap());
    }
    let world = story();
    let (mut dice, mut met, mut asked) = (Dice(7), 0, 0);
    for _ in 0..4_000 {
        let text = dice.condition(4);
        let expr = parse(&text).unwrap_or_else(|e| panic!("{}", e.render("condition")));
        let compiled = Condition::parse(&text, &names).unwrap_or_else(|e| panic!("{}", e.render("condition")));
        let mut graph = Graph::default();
        for event in &world.events {
            graph.apply(event);
            let view = View::new(event, &graph);
            let matches = compiled.matches(&view);
            assert_eq!(matches, naive(&expr, &view), "{text}\nfor {event:?}");
            let family = Family::of(&event.payload);
            assert!(!matches || compiled.families().has(family), "{text} cannot be met by {family:?}, but was");
            met += usize::from(matches);
            asked += 1;
        }
    }
    assert!(met * 10 > asked && met * 10 < asked * 9, "the dice are no good: {met} of {asked}");
}

#[test]
fn the_index_leads_to_every_rule_that_is_met() {
    let mut dice = Dice(11);
    let world = story();
    let mut found = 0;
    for round in 0..40 {
        let mut file = String::from("- list: shells\n  items: [sh, bash]\n");
        for (name, condition) in MACROS {
            file += &format!("- macro: {name}\n  condition: {condition}\n");
        }
        let mut conditions: Vec<String> = (0..60).map(|_| dice.condition(3)).collect();
        // Many alternatives, and many exceptions, are asked in another way.
        for between in [" or ", " and not ", " or not "] {
            let many: Vec<String> = (0..16).map(|_| format!("({})", dice.condition(2))).collect();
            conditions.push(many.join(between));
            let shells: Vec<String> = many.iter().map(|other| format!("(proc.name in (shells) and {other})")).collect();
            conditions.push(shells.join(between));
        }
        for (n, condition) in conditions.iter().enumerate() {
            let quoted = condition.replace('\'', "''");
            file += &format!("- rule: r{n}\n  desc: d\n  condition: '{quoted}'\n  output: o\n  priority: INFO\n");
        }
        let set = RuleSet::load(&[("random.yaml", file)]);
        assert_eq!(set.errors, []);
        // What a rule is explained by means the same as the rule.
        let explained = |rule: &Rule| Condition::parse(&set.explain(&rule.name).unwrap().condition, &Names::default());
        let explained: Vec<Condition> = set.rules.iter().map(|rule| explained(rule).unwrap()).collect();
        let mut graph = Graph::default();
        let mut scratch = Scratch::default();
        for event in &world.events {
            graph.apply(event);
            scratch.clear();
            let plain = View::new(event, &graph);
            let indexed: Vec<&str> = set.matching(&plain.with(&scratch)).map(|r| &*r.name).collect();
            let asked = set.rules.iter().filter(|r| event.header.origin == Origin::Live && r.condition.matches(&plain));
            assert_eq!(indexed, asked.map(|r| &*r.name).collect::<Vec<_>>(), "round {round}: {event:?}");
            for (rule, explained) in set.rules.iter().zip(&explained) {
                assert_eq!(rule.condition.matches(&plain), explained.matches(&plain), "{}", rule.name);
            }
            found += indexed.len();
        }
    }
    assert!(found > 1_000, "the dice are no good: {found} found");
}
