//! Compiled conditions against an interpreter that walks the expression and knows no shortcuts, on random conditions and
//! the events of a story.
#![allow(clippy::unwrap_used)]

mod world;

use lanner_core::condition::ast::{Check, Expr, ExprKind, Operator, Right, Transform};
use lanner_core::condition::{Condition, Field, Names, Scratch, Shape, Value, View, parse};
use lanner_core::detect::rules::{Rule, RuleSet};
use lanner_core::event::{Family, Origin};
use lanner_core::graph::Graph;
use world::World;

/// A small generator of numbers (splitmix64), so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn condition(&mut self, depth: usize) -> String {
        match if depth == 0 { 9 } else { self.below(10) } {
            0 | 1 => format!("({} and {})", self.condition(depth - 1), self.condition(depth - 1)),
            2 | 3 => format!("({} or {})", self.condition(depth - 1), self.condition(depth - 1)),
            4 => format!("not {}", self.condition(depth - 1)),
            5 => format!("{} or {} and {}", self.condition(0), self.condition(0), self.condition(0)),
            6 => self.pick(&["spawned", "in_container"]).to_owned(),
            _ => self.check(),
        }
    }

    fn check(&mut self) -> String {
        let texts = [
            "evt.type",
            "lanner.event",
            "proc.name",
            "proc.pname",
            "proc.cmdline",
            "fd.name",
            "proc.aname",
            "proc.aname[1]",
            "lanner.images",
            "container.id",
            "proc.exepath",
        ];
        let words = [
            "execve",
            "openat",
            "sh",
            "bash",
            "/bin/sh",
            "close",
            "exec",
            "e",
            "host",
            "/etc/x.yaml",
            "systemd",
            "s",
            "\"\"",
        ];
        let numbers = ["evt.num", "proc.pid", "fd.sport", "fd.port", "lanner.net.sent", "user.uid", "proc.apid"];
        match self.below(12) {
            0..6 => {
                let operator =
                    self.pick(&["=", "!=", "contains", "icontains", "startswith", "endswith", "<", ">=", "glob"]);
                let field = self.pick(&texts);
                let transform = self.pick(&["", "", "", "toupper", "basename", "tolower"]);
                let left = if transform.is_empty() { field.to_owned() } else { format!("{transform}({field})") };
                let right = match self.below(6) {
                    0 if operator != "glob" => format!("val({})", self.pick(&texts)),
                    _ => self.pick(&words).to_owned(),
                };
                format!("{left} {operator} {right}")
            }
            6 | 7 => {
                let (field, operator) = (self.pick(&texts), self.pick(&["in", "intersects", "pmatch"]));
                format!("{field} {operator} ({}, {}, shells)", self.pick(&words), self.pick(&words))
            }
            8 | 9 => {
                let operator = self.pick(&["=", "!=", "<", "<=", ">", ">="]);
                format!(
                    "{} {operator} {}",
                    self.pick(&numbers),
                    self.pick(&["0", "1", "5", "443", "103", "0x68", "70000"])
                )
            }
            10 => format!("fd.ip {} 10.2.3.0/24", self.pick(&["=", "!="])),
            _ => format!("{} exists", self.pick(&texts)),
        }
    }
}

const SHELLS: [&str; 2] = ["sh", "bash"];
const MACROS: [(&str, &str); 2] = [("spawned", "evt.type in (execve)"), ("in_container", "not container.id = host")];

fn naive(expr: &Expr, view: &View<'_>) -> bool {
    match &expr.kind {
        ExprKind::And(parts) => parts.iter().all(|part| naive(part, view)),
        ExprKind::Or(parts) => parts.iter().any(|part| naive(part, view)),
        ExprKind::Not(inner) => !naive(inner, view),
        ExprKind::Macro(name) => {
            let text = MACROS.iter().find(|(n, _)| n == name).unwrap().1;
            naive(&parse(text).unwrap(), view)
        }
        ExprKind::Check(check) => naive_check(check, view),
    }
}

fn values<'a>(operand: &lanner_core::condition::ast::Operand, view: &View<'a>) -> (Vec<Value<'a>>, Shape) {
    let field = Field::find(&operand.field).unwrap();
    let generation = operand.argument.as_ref().map(|a| a.text.parse().unwrap());
    let mut values = field.values(view, generation);
    for transform in &operand.transforms {
        for value in &mut values {
            let text = String::from_utf8(value.bytes().unwrap().to_vec()).unwrap();
            let changed = match transform {
                Transform::Lower => text.to_ascii_lowercase(),
                Transform::Upper => text.to_ascii_uppercase(),
                Transform::Basename => text.rsplit('/').next().unwrap().to_owned(),
                other => panic!("{other:?} is not among the dice"),
            };
            *value = Value::Text(changed.into_bytes().into());
        }
    }
    let shape = if generation.is_some() { Shape::One } else { field.shape() };
    (values, shape)
}

fn naive_check(check: &Check, view: &View<'_>) -> bool {
    let (left, shape) = values(&check.left, view);
    let constants: Vec<String> = match &check.right {
        Right::Nothing => return !left.is_empty(),
        Right::Value(literal) => vec![literal.text.clone()],
        Right::Values(literals) => literals
            .iter()
            .flat_map(|l| if l.text == "shells" { SHELLS.map(str::to_owned).to_vec() } else { vec![l.text.clone()] })
            .collect(),
        Right::Field(operand) => {
            let (right, right_shape) = values(operand, view);
            let all_right =
                right_shape != Shape::Lineage && right_shape != Shape::One && check.operator == Operator::Ne;
            let one = |l: &Value<'_>| {
                let holds = |r: &Value<'_>| text_holds(check.operator, l.bytes().unwrap(), r.bytes().unwrap());
                if all_right { !right.is_empty() && right.iter().all(holds) } else { right.iter().any(holds) }
            };
            return over(&left, shape, check.operator, one);
        }
        Right::List(_) => panic!("not among the dice"),
    };
    over(&left, shape, check.operator, |value| match value {
        Value::Text(bytes) => constants.iter().any(|c| text_holds(check.operator, bytes, c.as_bytes())),
        Value::Number(n) => {
            let c = &constants[0];
            let c =
                c.strip_prefix("0x").map_or_else(|| c.parse().unwrap(), |hex| i128::from_str_radix(hex, 16).unwrap());
            compare(check.operator, n.cmp(&c))
        }
        Value::Address(a) => a.to_string().starts_with("10.2.3.") == (check.operator == Operator::Eq),
        Value::Flag(_) => panic!("not among the dice"),
    })
}

fn over(values: &[Value<'_>], shape: Shape, operator: Operator, holds: impl Fn(&Value<'_>) -> bool) -> bool {
    let all = match shape {
        Shape::List => matches!(operator, Operator::In | Operator::Ne),
        Shape::Ends => operator == Operator::Ne,
        Shape::One | Shape::Lineage => false,
    };
    if all { !values.is_empty() && values.iter().all(holds) } else { values.iter().any(holds) }
}

fn text_holds(operator: Operator, l: &[u8], r: &[u8]) -> bool {
    let (text, other) = (String::from_utf8_lossy(l), String::from_utf8_lossy(r));
    match operator {
        Operator::Contains => text.contains(&*other),
        Operator::IContains => text.to_lowercase().contains(&other.to_lowercase()),
        Operator::StartsWith => text.starts_with(&*other),
        Operator::EndsWith => text.ends_with(&*other),
        // None of the words is a pattern.
        Operator::Glob | Operator::In | Operator::Intersects => text == other,
        Operator::PMatch => {
            let parts = |t: &str| t.split('/').filter(|p| !p.is_empty()).map(str::to_owned).collect::<Vec<_>>();
            parts(&text).starts_with(&parts(&other))
        }
        operator => compare(operator, l.cmp(r)),
    }
}

fn compare(operator: Operator, ordering: std::cmp::Ordering) -> bool {
    match operator {
        Operator::Eq => ordering.is_eq(),
        Operator::Ne => ordering.is_ne(),
        Operator::Lt => ordering.is_lt(),
        Operator::Le => ordering.is_le(),
        Operator::Gt => ordering.is_gt(),
        Operator::Ge => ordering.is_ge(),
        other => panic!("{other:?}"),
    }
}

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
        let conditions: Vec<String> = (0..60).map(|_| dice.condition(3)).collect();
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
