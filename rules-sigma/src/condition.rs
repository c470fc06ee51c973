//! A rule's condition: its named detections in their places.

use rsigma_parser::{ConditionExpr, Detection, Detections, Quantifier};

use crate::fields::Category;
use crate::item;

/// How many parts a rule may come to, each time a detection is named counted.
const MAX_PARTS: usize = 5_000;

/// The condition in Falco's language, in parentheses where it must be; or why it cannot be had.
pub(crate) fn of(detections: &Detections, category: Category) -> Result<String, String> {
    let mut writer = Writer { detections, category, parts: 0 };
    let conditions: Vec<String> =
        detections.conditions.iter().map(|condition| writer.expr(condition)).collect::<Result<_, _>>()?;
    match conditions.is_empty() {
        true => Err("it has no condition".to_owned()),
        false => Ok(joined(conditions, " or ")),
    }
}

struct Writer<'a> {
    detections: &'a Detections,
    category: Category,
    parts: usize,
}

impl Writer<'_> {
    fn expr(&mut self, expr: &ConditionExpr) -> Result<String, String> {
        Ok(match expr {
            ConditionExpr::And(parts) => {
                joined(parts.iter().map(|part| self.expr(part)).collect::<Result<_, _>>()?, " and ")
            }
            ConditionExpr::Or(parts) => {
                joined(parts.iter().map(|part| self.expr(part)).collect::<Result<_, _>>()?, " or ")
            }
            ConditionExpr::Not(inner) => format!("not ({})", self.expr(inner)?),
            ConditionExpr::Identifier(name) => match self.detections.named.get(name) {
                Some(detection) => self.detection(detection)?,
                None => return Err(format!("its condition names `{name}`, and no detection is called so")),
            },
            ConditionExpr::Selector { quantifier, pattern } => {
                let detections = self.detections;
                let mut found: Vec<(&String, &Detection)> =
                    detections.named.iter().filter(|(name, _)| pattern.matches_detection_name(name)).collect();
                if found.is_empty() {
                    return Err(format!(
                        "its condition says `{quantifier} of {pattern}`, and no detection is called so"
                    ));
                }
                // By name: a map has no order, and what is translated must not change from run to run.
                found.sort_by_key(|(name, _)| *name);
                let word = match quantifier {
                    Quantifier::Any | Quantifier::Count(1) => " or ",
                    Quantifier::All => " and ",
                    Quantifier::Count(n) if *n == found.len() as u64 => " and ",
                    Quantifier::Count(n) => return Err(format!("`{n} of ...` is not translated")),
                };
                joined(found.into_iter().map(|(_, d)| self.detection(d)).collect::<Result<_, _>>()?, word)
            }
        })
    }

    fn detection(&mut self, detection: &Detection) -> Result<String, String> {
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return Err(format!("it has more than {MAX_PARTS} parts"));
        }
        match detection {
            Detection::AllOf(items) => {
                self.parts += items.iter().map(|item| item.values.len()).sum::<usize>();
                let items = items.iter().map(|item| item::of(item, self.category));
                Ok(joined(items.collect::<Result<_, _>>()?, " and "))
            }
            Detection::AnyOf(parts) => {
                Ok(joined(parts.iter().map(|part| self.detection(part)).collect::<Result<_, _>>()?, " or "))
            }
            Detection::And(parts) => {
                Ok(joined(parts.iter().map(|part| self.detection(part)).collect::<Result<_, _>>()?, " and "))
            }
            Detection::Keywords(_) => Err("keywords that no field is named for are not translated".to_owned()),
            Detection::ArrayMatch { field, .. } => Err(format!("`{field}` is no list of ours")),
            Detection::Conditional { .. } => Err("conditions inside of detections are not translated".to_owned()),
        }
    }
}

/// Parts, in parentheses when there are several.
pub(crate) fn joined(parts: Vec<String>, word: &str) -> String {
    match parts.len() {
        1 => parts.concat(),
        _ => format!("({})", parts.join(word)),
    }
}
