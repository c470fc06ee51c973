//! Exceptions of a rule: tuples of values for which it does not hold.

use super::place::{Problem, Source};
use super::yaml::{Place, Yaml, YamlKind};
use crate::condition::ast::{Check, Expr, ExprKind, Literal, Operator, Right};
use crate::condition::{nearest, parse_operand, quoted, unquoted};

/// An exception, as the files define it together.
#[derive(Debug, Clone)]
pub(super) struct Exception {
    pub(super) name: String,
    pub(super) place: Place,
    fields: Vec<String>,
    operators: Vec<Operator>,
    /// `fields` is one name and no list: the values are all compared with it.
    single: bool,
    /// Each has a value, or values, for every field.
    values: Vec<Vec<Vec<String>>>,
}

/// Reads an exception. `earlier` is the one of this name, when values are appended to it.
pub(super) fn read(source: &Source, yaml: &Yaml, earlier: Option<Exception>) -> Result<Exception, Problem> {
    let wrong = |place: Place, what: &str| Problem::new(source, place, what);
    let YamlKind::Mapping(entries) = &yaml.kind else {
        return Err(wrong(yaml.place, "an exception is a mapping with name, fields, comps and values"));
    };
    let get = |key: &str| entries.iter().find(|(k, ..)| k == key).map(|(_, _, value)| value);
    if let Some((key, place, _)) =
        entries.iter().find(|(k, ..)| !matches!(&**k, "name" | "fields" | "comps" | "values"))
    {
        return Err(wrong(*place, &format!("an exception has no {}", quoted(key)))
            .hint("it has name, fields, comps and values"));
    }
    let name = get("name").and_then(scalar).ok_or_else(|| wrong(yaml.place, "this exception has no name"))?;
    let mut exception = match (get("fields"), earlier) {
        (None, Some(earlier)) => earlier,
        (None, None) => return Err(wrong(yaml.place, &format!("the exception {} has no fields", quoted(name)))),
        (Some(fields), _) => {
            let single = scalar(fields).is_some();
            let names = texts(fields).ok_or_else(|| wrong(fields.place, "fields are names of fields"))?;
            let default = if single { Operator::In } else { Operator::Eq };
            let mut operators = vec![default; names.len()];
            if let Some(comps) = get("comps") {
                let words = texts(comps).ok_or_else(|| wrong(comps.place, "comps are operators"))?;
                if words.len() != names.len() {
                    let counts = format!("there are {} fields and {} comps", names.len(), words.len());
                    return Err(wrong(comps.place, &counts).hint("each field has its operator"));
                }
                for (operator, word) in operators.iter_mut().zip(&words) {
                    *operator = Operator::from_word(word).ok_or_else(|| {
                        let problem = wrong(comps.place, &format!("{} is no operator", quoted(word)));
                        match nearest(word, Operator::ALL.iter().map(|(w, _)| *w)) {
                            Some(near) => problem.hint(format!("did you mean `{near}`?")),
                            None => problem.hint("write one of = != in startswith endswith contains glob pmatch ..."),
                        }
                    })?;
                }
            }
            Exception { name: name.to_owned(), place: yaml.place, fields: names, operators, single, values: Vec::new() }
        }
    };
    let Some(values) = get("values") else { return Ok(exception) };
    let YamlKind::Sequence(tuples) = &values.kind else {
        return Err(wrong(values.place, "values are a list"));
    };
    if exception.single {
        let all = texts(values).or_else(|| Some(tuples.iter().map(texts).collect::<Option<Vec<_>>>()?.concat()));
        let all = all.ok_or_else(|| wrong(values.place, "values are a list of texts"))?;
        // One comparison with all of them, or one with each.
        match exception.operators.first().is_some_and(|o| o.takes_list()) {
            true if all.is_empty() => {}
            true => exception.values.push(vec![all]),
            false => exception.values.extend(all.into_iter().map(|value| vec![vec![value]])),
        }
        return Ok(exception);
    }
    for tuple in tuples {
        let items = match &tuple.kind {
            YamlKind::Sequence(items) => items.iter().map(texts).collect::<Option<Vec<_>>>(),
            _ => scalar(tuple).map(|text| vec![vec![text.to_owned()]]),
        };
        match items {
            Some(items) if items.len() == exception.fields.len() => exception.values.push(items),
            _ => {
                let message = format!("each of the values needs {} items, one a field", exception.fields.len());
                return Err(wrong(tuple.place, &message));
            }
        }
    }
    Ok(exception)
}

impl Exception {
    /// What the exception means, as an expression; `None` when it has no values.
    pub(super) fn expr(&self) -> Result<Option<Expr>, String> {
        let mut tuples = Vec::new();
        for tuple in &self.values {
            let mut checks = Vec::new();
            for ((field, operator), values) in self.fields.iter().zip(&self.operators).zip(tuple) {
                checks.push(check(field, *operator, values)?);
            }
            tuples.push(join(checks, ExprKind::And));
        }
        Ok((!tuples.is_empty()).then(|| join(tuples, ExprKind::Or)))
    }
}

fn check(field: &str, operator: Operator, values: &[String]) -> Result<Expr, String> {
    let (left, length) = parse_operand(field).map_err(|e| e.to_string())?;
    if length != field.len() {
        return Err(format!("{} is no field", quoted(field)));
    }
    let literal = |value: &String| {
        let bare = unquoted(value);
        Literal { quoted: bare.len() != value.len(), text: bare.into_owned(), span: 0..0 }
    };
    let right = match (operator, values) {
        (Operator::Exists, _) => Right::Nothing,
        (operator, values) if operator.takes_list() => Right::Values(values.iter().map(literal).collect()),
        (_, [value]) => Right::Value(literal(value)),
        _ => return Err(format!("`{}` compares with one value", operator.word())),
    };
    Ok(Expr { kind: ExprKind::Check(Box::new(Check { left, operator, operator_span: 0..0, right })), span: 0..0 })
}

fn join(mut parts: Vec<Expr>, kind: fn(Vec<Expr>) -> ExprKind) -> Expr {
    match parts.len() {
        1 => parts.remove(0),
        _ => Expr { kind: kind(parts), span: 0..0 },
    }
}

pub(super) fn scalar(yaml: &Yaml) -> Option<&str> {
    match &yaml.kind {
        YamlKind::Scalar(text) => Some(text.trim()),
        _ => None,
    }
}

/// A text, or a list of texts.
pub(super) fn texts(yaml: &Yaml) -> Option<Vec<String>> {
    match &yaml.kind {
        YamlKind::Scalar(text) => Some(vec![text.trim().to_owned()]),
        YamlKind::Sequence(items) => items.iter().map(|item| scalar(item).map(str::to_owned)).collect(),
        YamlKind::Mapping(_) => None,
    }
}
