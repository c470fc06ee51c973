//! An expression as text again: macros and lists in their places, long ones over several lines.

use super::ast::{Check, Expr, ExprKind, Joined, JoinedPart, Literal, Operand, Right, Transform};
use super::error::shown;
use super::names::Names;
use super::parse::is_bare;

/// How long a line may get before it is broken, in bytes.
const LINE: usize = 100;
/// How many parts are shown; the rest is left out.
const MAX_PARTS: usize = 2_000;
/// How deep macros are put in their places.
const MAX_DEPTH: usize = 64;
/// How many values of a list are shown.
const MAX_VALUES: usize = 40;

/// The text; safe to print.
pub(crate) fn spread(expr: &Expr, names: &Names) -> String {
    let mut reader = Reader { names, left: MAX_PARTS };
    let tree = reader.tree(expr, MAX_DEPTH);
    let mut out = String::new();
    match &tree {
        Tree::All(parts) => parts.iter().enumerate().for_each(|(n, p)| lines(&mut out, p, 0, ["", "and "][n.min(1)])),
        Tree::Any(parts) => parts.iter().enumerate().for_each(|(n, p)| lines(&mut out, p, 0, ["", "or "][n.min(1)])),
        tree => lines(&mut out, tree, 0, ""),
    }
    out
}

/// An expression without macros.
enum Tree {
    Leaf(String),
    Not(Box<Tree>),
    All(Vec<Tree>),
    Any(Vec<Tree>),
}

struct Reader<'a> {
    names: &'a Names,
    /// How many parts may still be shown: macros that double each other come to an end.
    left: usize,
}

impl Reader<'_> {
    fn tree(&mut self, expr: &Expr, depth: usize) -> Tree {
        let Some(left) = self.left.checked_sub(1) else { return Tree::Leaf("...".to_owned()) };
        self.left = left;
        match &expr.kind {
            ExprKind::And(parts) => {
                let parts = parts.iter().map(|part| self.tree(part, depth));
                let flat = parts.flat_map(|part| if let Tree::All(inner) = part { inner } else { vec![part] });
                Tree::All(flat.collect())
            }
            ExprKind::Or(parts) => {
                let parts = parts.iter().map(|part| self.tree(part, depth));
                let flat = parts.flat_map(|part| if let Tree::Any(inner) = part { inner } else { vec![part] });
                Tree::Any(flat.collect())
            }
            ExprKind::Not(inner) => Tree::Not(Box::new(self.tree(inner, depth))),
            ExprKind::Check(check) => Tree::Leaf(self.check(check)),
            ExprKind::Macro(name) => {
                let names = self.names;
                match names.get_macro(name) {
                    Some(expr) if depth > 0 => self.tree(expr, depth - 1),
                    _ => Tree::Leaf(shown(name)),
                }
            }
        }
    }

    fn check(&self, check: &Check) -> String {
        let left = operand(&check.left);
        let word = check.operator.word();
        match &check.right {
            Right::Nothing => format!("{left} {word}"),
            Right::Value(value) => format!("{left} {word} {}", literal(&value.text)),
            Right::Field(field) if field.transforms.is_empty() => format!("{left} {word} val({})", operand(field)),
            Right::Field(field) => format!("{left} {word} {}", operand(field)),
            Right::List(list) => format!("{left} {word} ({})", self.values(std::slice::from_ref(list))),
            Right::Values(values) => format!("{left} {word} ({})", self.values(values)),
        }
    }

    fn values(&self, values: &[Literal]) -> String {
        let mut all = Vec::new();
        for value in values {
            match self.names.has_list(&value.text) && !value.quoted {
                true => all.extend(self.names.items(&value.text, 10_000).unwrap_or_default()),
                false => all.push(value.text.clone()),
            }
        }
        let mut text = all.iter().take(MAX_VALUES).map(|v| literal(v)).collect::<Vec<_>>().join(", ");
        if all.len() > MAX_VALUES {
            text += &format!(", and {} more", all.len() - MAX_VALUES);
        }
        text
    }
}

/// Writes a tree: on one line where it fits. `lead` stands before it.
fn lines(out: &mut String, tree: &Tree, indent: usize, lead: &str) {
    if !out.is_empty() {
        out.push('\n');
    }
    *out += &" ".repeat(indent);
    *out += lead;
    if let Some(line) = one_line(tree, LINE.saturating_sub(indent + lead.len())) {
        *out += &line;
        return;
    }
    let (tree, open) = match tree {
        Tree::Not(inner) => (&**inner, "not ("),
        tree => (tree, "("),
    };
    let (parts, word) = match tree {
        // Too long for a line, and not to be broken.
        Tree::Leaf(text) => {
            *out += open.trim_end_matches('(');
            *out += text;
            return;
        }
        Tree::All(parts) => (parts.as_slice(), "and "),
        Tree::Any(parts) => (parts.as_slice(), "or "),
        tree => (std::slice::from_ref(tree), ""),
    };
    *out += open;
    for (n, part) in parts.iter().enumerate() {
        lines(out, part, indent + 2, if n == 0 { "" } else { word });
    }
    out.push(')');
}

/// A tree on one line, if it has at most `room` bytes there.
fn one_line(tree: &Tree, room: usize) -> Option<String> {
    let text = match tree {
        Tree::Leaf(text) => text.clone(),
        Tree::Not(inner) => format!("not {}", one_line(inner, room)?),
        Tree::All(parts) | Tree::Any(parts) => {
            let word = if matches!(tree, Tree::All(_)) { " and " } else { " or " };
            let mut text = String::from("(");
            for (n, part) in parts.iter().enumerate() {
                if n > 0 {
                    text += word;
                }
                text += &one_line(part, room.checked_sub(text.len())?)?;
            }
            text + ")"
        }
    };
    (text.len() <= room).then_some(text)
}

fn operand(operand: &Operand) -> String {
    let argument = operand.argument.as_ref().map_or_else(String::new, |a| format!("[{}]", shown(&a.text)));
    let field = match &operand.made {
        Some(joined) => made(joined),
        None => format!("{}{argument}", shown(&operand.field)),
    };
    operand.transforms.iter().fold(field, |field, transform| {
        let word = Transform::ALL.iter().find(|(_, t)| t == transform).map_or("", |(word, _)| word);
        format!("{word}({field})")
    })
}

fn literal(text: &str) -> String {
    if !text.is_empty() && text.chars().all(is_bare) {
        return shown(text);
    }
    in_quotes(text)
}

fn in_quotes(text: &str) -> String {
    format!("\"{}\"", shown(text).replace('"', "\\\""))
}

fn made(joined: &Joined) -> String {
    let part = |part: &JoinedPart| match part {
        JoinedPart::Literal(literal) => in_quotes(&literal.text),
        JoinedPart::Operand(inner) => operand(inner),
    };
    match joined.parts.as_slice() {
        [JoinedPart::Literal(only)] if joined.separator.is_empty() => in_quotes(&only.text),
        parts => {
            let parts: Vec<String> = parts.iter().map(part).collect();
            format!("join({}, ({}))", in_quotes(&joined.separator), parts.join(", "))
        }
    }
}
