//! A field compared with one value.

use rsigma_parser::{SigmaString, SigmaValue, SpecialChar, StringPart};

use crate::fields::Mapped;

/// How a field is compared.
#[derive(Debug, Clone, Copy)]
pub(crate) enum How {
    Equals { cased: bool },
    Differs { cased: bool },
    Contains { cased: bool },
    StartsWith { cased: bool },
    EndsWith { cased: bool },
    Regex { any_case: bool, lines: bool, dot_all: bool },
    Network,
    Order(&'static str),
    Field { cased: bool },
}

/// The value as text.
pub(crate) fn text(value: &SigmaValue) -> Option<String> {
    match value {
        SigmaValue::String(text) => Some(text.original.clone()),
        SigmaValue::Integer(n) => Some(n.to_string()),
        SigmaValue::Float(n) => Some(n.to_string()),
        SigmaValue::Bool(b) => Some(b.to_string()),
        SigmaValue::Null => None,
    }
}

pub(crate) fn of_text(field: &Mapped, how: How, value: &SigmaValue) -> Result<String, String> {
    let ours = field.ours;
    let string = match value {
        SigmaValue::String(string) => string.clone(),
        other => SigmaString::from_raw(&text(other).unwrap_or_default()),
    };
    let (before, behind, cased) = match how {
        How::Equals { cased } | How::Differs { cased } => ("", "", cased),
        How::Contains { cased } => ("*", "*", cased),
        How::StartsWith { cased } => ("", "*", cased),
        How::EndsWith { cased } => ("*", "", cased),
        How::Regex { any_case, lines, dot_all } => {
            let flags: String =
                [(any_case, 'i'), (lines, 'm'), (dot_all, 's')].iter().filter(|(on, _)| *on).map(|(_, c)| *c).collect();
            let flags = if flags.is_empty() { flags } else { format!("(?{flags})") };
            // Sigma's expressions match anywhere in a value, and ours the whole of it.
            return Ok(format!("{ours} regex {}", quoted(&format!("(?s:.*)(?:{flags}{})(?s:.*)", string.original))));
        }
        _ => return Err(format!("`{}` is a text, which cannot be compared so", field.sigma)),
    };
    let test = match (string.as_plain(), how, cased) {
        (Some(plain), How::Contains { .. }, cased) => {
            format!("{ours} {} {}", if cased { "contains" } else { "icontains" }, quoted(&plain))
        }
        (Some(plain), How::StartsWith { .. }, true) => format!("{ours} startswith {}", quoted(&plain)),
        (Some(plain), How::EndsWith { .. }, true) => format!("{ours} endswith {}", quoted(&plain)),
        (Some(plain), _, true) => format!("{ours} = {}", quoted(&plain)),
        _ => {
            let glob = if cased { "glob" } else { "iglob" };
            format!("{ours} {glob} {}", quoted(&format!("{before}{}{behind}", pattern(&string))))
        }
    };
    Ok(if let How::Differs { .. } = how { format!("not {test}") } else { test })
}

pub(crate) fn of_number(field: &Mapped, how: How, value: &SigmaValue) -> Result<String, String> {
    let wrong = || format!("`{}` is a number, and {:?} is none", field.sigma, text(value).unwrap_or_default());
    let number: i64 = text(value).and_then(|text| text.parse().ok()).ok_or_else(wrong)?;
    let operator = match how {
        How::Equals { .. } => "=",
        How::Differs { .. } => "!=",
        How::Order(operator) => operator,
        _ => return Err(format!("`{}` is a number, which cannot be compared so", field.sigma)),
    };
    Ok(format!("{} {operator} {number}", field.ours))
}

pub(crate) fn of_flag(field: &Mapped, how: How, value: &SigmaValue) -> Result<String, String> {
    let operator = match how {
        How::Equals { .. } => "=",
        How::Differs { .. } => "!=",
        _ => return Err(format!("`{}` is true or false, which cannot be compared so", field.sigma)),
    };
    match text(value).unwrap_or_default().to_ascii_lowercase().as_str() {
        flag @ ("true" | "false") => Ok(format!("{} {operator} {flag}", field.ours)),
        other => Err(format!("`{}` is true or false, and {other:?} is neither", field.sigma)),
    }
}

pub(crate) fn of_address(field: &Mapped, how: How, value: &SigmaValue) -> Result<String, String> {
    let text = text(value).unwrap_or_default();
    let network = match how {
        How::StartsWith { .. } => leading(&text),
        How::Equals { .. } if text.ends_with('*') => leading(text.trim_end_matches('*')),
        How::Equals { .. } | How::Differs { .. } | How::Network => Some(text.clone()),
        _ => None,
    };
    let network = network.filter(|n| n.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, '.' | ':' | '/')));
    let operator = if let How::Differs { .. } = how { "!=" } else { "=" };
    match network {
        Some(network) => Ok(format!("{} {operator} {}", field.ours, quoted(&network))),
        None => Err(format!("`{}` is an address, which cannot be compared with {text:?} so", field.sigma)),
    }
}

/// The network of the addresses that begin so: `10.1.` is 10.1.0.0/16.
fn leading(text: &str) -> Option<String> {
    let octets: Vec<u8> = text.strip_suffix('.')?.split('.').map(|o| o.parse().ok()).collect::<Option<_>>()?;
    let bits = 8 * octets.len();
    let octet = |n: usize| octets.get(n).copied().unwrap_or(0);
    (bits <= 24).then(|| format!("{}.{}.{}.{}/{bits}", octet(0), octet(1), octet(2), octet(3)))
}

/// The string as a glob.
fn pattern(string: &SigmaString) -> String {
    let mut out = String::new();
    for part in &string.parts {
        match part {
            StringPart::Special(SpecialChar::WildcardMulti) => out.push('*'),
            StringPart::Special(SpecialChar::WildcardSingle) => out.push('?'),
            StringPart::Plain(text) => {
                for c in text.chars() {
                    if matches!(c, '*' | '?' | '[' | ']' | '\\') {
                        out.push('\\');
                    }
                    out.push(c);
                }
            }
        }
    }
    out
}

/// A string of the condition language.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out + "\""
}
