//! One item of a detection: a field, its modifiers and the values it is compared with.

use rsigma_parser::{DetectionItem, Modifier, SigmaValue};

use crate::condition::joined;
use crate::encoded;
use crate::fields::{Category, Kind, Mapped};
use crate::value::{self, How};

/// The modifiers that are translated.
const UNDERSTOOD: &[Modifier] = &[
    Modifier::All,
    Modifier::Base64,
    Modifier::Base64Offset,
    Modifier::Cased,
    Modifier::Cidr,
    Modifier::Contains,
    Modifier::DotAll,
    Modifier::EndsWith,
    Modifier::Exists,
    Modifier::FieldRef,
    Modifier::Gt,
    Modifier::Gte,
    Modifier::IgnoreCase,
    Modifier::Lt,
    Modifier::Lte,
    Modifier::Multiline,
    Modifier::Neq,
    Modifier::Re,
    Modifier::StartsWith,
    Modifier::Utf16,
    Modifier::Utf16be,
    Modifier::Wide,
    Modifier::WindAsh,
];

/// The item in Falco's language, or why it cannot be had.
pub(crate) fn of(item: &DetectionItem, category: Category) -> Result<String, String> {
    let Some(name) = &item.field.name else {
        return Err("keywords that no field is named for are not translated".to_owned());
    };
    let field = category.field(name)?;
    let has = |modifier| item.field.has_modifier(modifier);
    if let Some(other) = item.field.modifiers.iter().find(|m| !UNDERSTOOD.contains(m)) {
        return Err(format!("the modifier `{}` of `{name}` is not translated", word(*other)));
    }
    if has(Modifier::Exists) {
        return match item.values.as_slice() {
            [SigmaValue::Bool(false)] => Ok(format!("not {} exists", field.ours)),
            _ => Ok(format!("{} exists", field.ours)),
        };
    }
    if item.values.is_empty() {
        return Err(format!("`{name}` is compared with nothing"));
    }
    let how = how(item)?;
    let test = |value| -> Result<String, String> {
        let forms = encoded::forms(item, value)?;
        Ok(joined(forms.iter().map(|form| one(field, how, form, category)).collect::<Result<_, _>>()?, " or "))
    };
    let tests: Vec<String> = item.values.iter().map(test).collect::<Result<_, _>>()?;
    Ok(joined(tests, if has(Modifier::All) { " and " } else { " or " }))
}

fn how(item: &DetectionItem) -> Result<How, String> {
    let has = |modifier| item.field.has_modifier(modifier);
    let orders = [(Modifier::Gt, ">"), (Modifier::Gte, ">="), (Modifier::Lt, "<"), (Modifier::Lte, "<=")];
    let cased = has(Modifier::Cased) || encoded::is_base64(item);
    let ways = [
        has(Modifier::Contains).then_some(How::Contains { cased }),
        has(Modifier::StartsWith).then_some(How::StartsWith { cased }),
        has(Modifier::EndsWith).then_some(How::EndsWith { cased }),
        has(Modifier::Cidr).then_some(How::Network),
        has(Modifier::FieldRef).then_some(How::Field { cased }),
        has(Modifier::Neq).then_some(How::Differs { cased }),
        has(Modifier::Re).then_some(How::Regex {
            any_case: has(Modifier::IgnoreCase),
            lines: has(Modifier::Multiline),
            dot_all: has(Modifier::DotAll),
        }),
        orders.iter().find(|(modifier, _)| has(*modifier)).map(|(_, operator)| How::Order(operator)),
    ];
    let mut ways = ways.into_iter().flatten();
    let first = ways.next().unwrap_or(How::Equals { cased });
    match ways.next() {
        None => Ok(first),
        Some(_) => Err(format!(
            "the modifiers of `{}` do not go together here",
            item.field.name.as_deref().unwrap_or_default()
        )),
    }
}

fn one(field: &Mapped, how: How, value: &SigmaValue, category: Category) -> Result<String, String> {
    if let SigmaValue::Null = value {
        // Sigma's null is what is not there, or is empty.
        return Ok(match field.kind {
            Kind::Text => format!("(not {0} exists or {0} = \"\")", field.ours),
            _ => format!("not {} exists", field.ours),
        });
    }
    if let How::Field { cased } = how {
        let other = value::text(value).unwrap_or_default();
        let other = category.field(&other)?;
        return match (field.kind, other.kind) {
            (Kind::Text, Kind::Text) if !cased => Ok(format!("tolower({}) = tolower({})", field.ours, other.ours)),
            (a, b) if a == b => Ok(format!("{} = val({})", field.ours, other.ours)),
            _ => Err(format!("`{}` and `{}` are not of one kind", field.sigma, other.sigma)),
        };
    }
    match field.kind {
        Kind::Text => value::of_text(field, how, value),
        Kind::Number => value::of_number(field, how, value),
        Kind::Flag => value::of_flag(field, how, value),
        Kind::Address => value::of_address(field, how, value),
    }
}

/// A modifier as rules write it.
fn word(modifier: Modifier) -> String {
    format!("{modifier:?}").to_ascii_lowercase()
}
