//! Values that a rule wants looked for in another form: in base64, in UTF-16 below that, with other dashes.

use rsigma_parser::{DetectionItem, Modifier, SigmaString, SigmaValue};

use crate::value;

/// The dashes and the slash that programs of Windows take for one another.
const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];
/// Fewer bytes leave too little, or nothing, where their digits are shared with what stands beside them.
const LEAST: usize = 3;
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Whether base64 is looked for, in which upper and lower case are not the same.
pub(crate) fn is_base64(item: &DetectionItem) -> bool {
    item.field.has_modifier(Modifier::Base64) || item.field.has_modifier(Modifier::Base64Offset)
}

/// The forms of a value, of which one must be there.
pub(crate) fn forms(item: &DetectionItem, value: &SigmaValue) -> Result<Vec<SigmaValue>, String> {
    let has = |modifier| item.field.has_modifier(modifier);
    let name = item.field.name.as_deref().unwrap_or_default();
    let wide = [Modifier::Wide, Modifier::Utf16, Modifier::Utf16be].into_iter().find(|modifier| has(*modifier));
    if !is_base64(item) {
        return match (wide, value) {
            (Some(_), _) => Err(format!("`{name}` is no UTF-16, which is looked for below base64 alone")),
            (None, SigmaValue::String(text)) if has(Modifier::WindAsh) => Ok(with_dashes(text)),
            _ => Ok(vec![value.clone()]),
        };
    }
    let plain = match value {
        SigmaValue::String(text) => text.as_plain(),
        other => value::text(other),
    };
    let plain = plain.ok_or_else(|| format!("what is looked for in base64 in `{name}` has wildcards"))?;
    let units = plain.encode_utf16();
    let bytes: Vec<u8> = match wide {
        None => plain.into_bytes(),
        Some(Modifier::Utf16be) => units.flat_map(u16::to_be_bytes).collect(),
        Some(Modifier::Utf16) => std::iter::once(0xfeff).chain(units).flat_map(u16::to_le_bytes).collect(),
        Some(_) => units.flat_map(u16::to_le_bytes).collect(),
    };
    if has(Modifier::Base64Offset) && bytes.len() < LEAST {
        return Err(format!("what is looked for in base64 in `{name}` is too short to be found wherever it begins"));
    }
    let texts = if has(Modifier::Base64Offset) { at_offsets(&bytes) } else { vec![base64(&bytes)] };
    Ok(texts.into_iter().map(|text| SigmaValue::String(SigmaString::from_raw(&text))).collect())
}

/// RFC 4648, with its padding.
fn base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let at = |n: usize| u32::from(three.get(n).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for n in 0..4 {
            let digit = char::from(DIGITS[(bits >> (18 - 6 * n) & 63) as usize]);
            out.push(if n <= three.len() { digit } else { '=' });
        }
    }
    out
}

/// What bytes look like inside of a longer text in base64, wherever they begin: without the digits that others share.
fn at_offsets(bytes: &[u8]) -> Vec<String> {
    let at = |offset: usize| {
        let shifted = [&[b' '; 2][..offset], bytes].concat();
        let text = base64(&shifted);
        // A digit that holds bits of what stands before or behind is not theirs.
        let first = [0, 2, 3][offset];
        let last = text.len() - [0, 3, 2][shifted.len() % 3];
        text.get(first..last).unwrap_or_default().to_owned()
    };
    (0..3).map(at).collect()
}

/// The text with each kind of dash in the place of those that begin a word.
fn with_dashes(text: &SigmaString) -> Vec<SigmaValue> {
    let chars: Vec<char> = text.original.chars().collect();
    let is_word = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric() || *c == '_');
    let begins = |i: usize| {
        matches!(chars[i], '-' | '/')
            && !is_word(i.checked_sub(1).and_then(|i| chars.get(i)))
            && is_word(chars.get(i + 1))
    };
    if !(0..chars.len()).any(begins) {
        return vec![SigmaValue::String(text.clone())];
    }
    let with = |dash: char| -> String { (0..chars.len()).map(|i| if begins(i) { dash } else { chars[i] }).collect() };
    DASHES.into_iter().map(|dash| SigmaValue::String(SigmaString::new(&with(dash)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 4648, section 10.
    #[test]
    fn base64_is_that_of_the_standard() {
        for (plain, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), text, "{plain}");
        }
    }

    #[test]
    fn wherever_it_begins_it_is_found() {
        for sought in ["abc", "curl", "/bin/bash", "http://"] {
            let forms = at_offsets(sought.as_bytes());
            for before in 0..7 {
                for behind in 0..4 {
                    let text = base64(format!("{}{sought}{}", "#".repeat(before), "~".repeat(behind)).as_bytes());
                    assert!(forms.iter().any(|form| text.contains(form)), "{sought} in {text}: {forms:?}");
                }
            }
        }
    }
}
