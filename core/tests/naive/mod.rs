//! An interpreter of conditions that walks the expression and knows no shortcuts, and dice that write conditions for it.
#![allow(dead_code, clippy::unwrap_used, unreachable_pub)]

use lanner_core::condition::ast::{Check, Expr, ExprKind, Joined, JoinedPart, Operand, Operator, Right, Transform};
use lanner_core::condition::{Field, Shape, Value, View, parse};

/// A small generator of numbers (splitmix64), so that a failure can be repeated.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    pub fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    pub fn condition(&mut self, depth: usize) -> String {
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
            "user.name",
            "proc.env",
            "fd.nameraw",
            "join(\"/\", (proc.name, \"x\", proc.pid))",
            "join(\",\", proc.aname)",
            "join(\"\", (tolower(fd.name), join(\" \", lanner.images)))",
            "tolower(\"SH\")",
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
        // An event's type is compared with what events are called.
        let calls = ["execve", "openat", "close", "connect", "setns", "rmdir", "read"];
        let numbers = ["evt.num", "proc.pid", "fd.sport", "fd.port", "lanner.net.sent", "user.uid", "proc.apid"];
        match self.below(12) {
            0..6 => {
                let operator =
                    self.pick(&["=", "!=", "contains", "icontains", "startswith", "endswith", "<", ">=", "glob"]);
                let field = self.pick(&texts);
                let transform = self.pick(&["", "", "", "toupper", "basename", "tolower"]);
                let left = if transform.is_empty() { field.to_owned() } else { format!("{transform}({field})") };
                let right = match self.below(6) {
                    0 if operator != "glob" => match self.pick(&texts) {
                        literal if literal.starts_with("tolower") => literal.to_owned(),
                        field => format!("val({field})"),
                    },
                    1 if operator != "glob" => "toupper(\"Sh\")".to_owned(),
                    _ if left == "evt.type" => self.pick(&calls).to_owned(),
                    _ => self.pick(&words).to_owned(),
                };
                let right =
                    if left == "evt.type" && right.starts_with("toupper") { "execve".to_owned() } else { right };
                format!("{left} {operator} {right}")
            }
            6 | 7 => {
                let (field, operator) = (self.pick(&texts), self.pick(&["in", "intersects", "pmatch"]));
                match field {
                    "evt.type" => format!("{field} {operator} ({}, {})", self.pick(&calls), self.pick(&calls)),
                    _ => format!("{field} {operator} ({}, {}, shells)", self.pick(&words), self.pick(&words)),
                }
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

pub const SHELLS: [&str; 2] = ["sh", "bash"];
pub const MACROS: [(&str, &str); 2] =
    [("spawned", "evt.type in (execve)"), ("in_container", "not container.id = host")];

pub fn naive(expr: &Expr, view: &View<'_>) -> bool {
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

fn values<'a>(operand: &Operand, view: &View<'a>) -> (Vec<Value<'a>>, Shape) {
    let (mut values, shape) = match &operand.made {
        Some(joined) => (made(joined, view).into_iter().collect(), Shape::One),
        None => {
            let field = Field::find(&operand.field).unwrap();
            let generation: Option<u32> = operand.argument.as_ref().map(|a| a.text.parse().unwrap());
            let shape = if generation.is_some() { Shape::One } else { field.shape() };
            (field.values(view, generation), shape)
        }
    };
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
    (values, shape)
}

/// A text of several parts, when there are all of them.
fn made<'a>(joined: &Joined, view: &View<'a>) -> Option<Value<'a>> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for part in &joined.parts {
        match part {
            JoinedPart::Literal(literal) => parts.push(literal.text.clone().into_bytes()),
            JoinedPart::Operand(operand) => {
                let (values, _) = values(operand, view);
                if values.is_empty() {
                    return None;
                }
                parts.extend(values.into_iter().map(|value| match value {
                    Value::Text(bytes) => bytes.into_owned(),
                    Value::Number(n) => n.to_string().into_bytes(),
                    Value::Flag(flag) => flag.to_string().into_bytes(),
                    Value::Address(address) => address.to_string().into_bytes(),
                }));
            }
        }
    }
    Some(Value::Text(parts.join(joined.separator.as_bytes()).into()))
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
        Value::Number(n) => constants.iter().any(|c| {
            let hex = c.strip_prefix("0x").map(|hex| i128::from_str_radix(hex, 16).unwrap());
            let operator = if check.operator.takes_list() { Operator::Eq } else { check.operator };
            compare(operator, n.cmp(&hex.unwrap_or_else(|| c.parse().unwrap())))
        }),
        Value::Flag(flag) => constants.iter().any(|c| (flag.to_string() == *c) == (check.operator != Operator::Ne)),
        Value::Address(a) => a.to_string().starts_with("10.2.3.") == (check.operator == Operator::Eq),
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
