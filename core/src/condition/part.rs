//! What every text that a regular expression matches has in it, so that most others need not be tried.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::texts::Prefixes;

/// More parts than these are not looked for.
const MAX_PARTS: usize = 64;

/// Parts of which one stands in every text that the pattern matches, in upper or lower case; empty: none is known.
pub(super) fn parts(pattern: &str, any_case: bool) -> Box<[Box<[u8]>]> {
    read(pattern, any_case).as_ref().and_then(required).unwrap_or_default().into()
}

/// With one of these begins every text that the pattern, which matches whole texts, matches; `None`: not known.
pub(super) fn beginnings(pattern: &str, any_case: bool) -> Option<Prefixes> {
    let found = Extractor::new().extract(&read(pattern, any_case)?);
    let all: Vec<Box<[u8]>> = found.literals()?.iter().map(|literal| literal.as_bytes().into()).collect();
    (!all.is_empty() && all.iter().all(|text| !text.is_empty())).then(|| Prefixes::new(all))
}

fn read(pattern: &str, any_case: bool) -> Option<Hir> {
    let parser = ParserBuilder::new().case_insensitive(any_case).unicode(false).utf8(false).nest_limit(64).build();
    { parser }.parse(pattern).ok()
}

fn required(hir: &Hir) -> Option<Vec<Box<[u8]>>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![literal.0.to_ascii_lowercase().into()]),
        HirKind::Capture(group) => required(&group.sub),
        HirKind::Repetition(repeated) if repeated.min > 0 => required(&repeated.sub),
        HirKind::Alternation(ways) => {
            let each = ways.iter().map(required).collect::<Option<Vec<_>>>()?;
            let all: Vec<_> = each.into_iter().flatten().collect();
            (all.len() <= MAX_PARTS).then_some(all)
        }
        HirKind::Concat(row) => {
            let mut best: Option<Vec<Box<[u8]>>> = None;
            let mut consider = |parts: Vec<Box<[u8]>>| {
                let worth = |parts: &Vec<Box<[u8]>>| parts.iter().map(|part| part.len()).min().unwrap_or(0);
                if best.as_ref().is_none_or(|best| worth(&parts) > worth(best)) {
                    best = Some(parts);
                }
            };
            let mut run: Vec<u8> = Vec::new();
            for one in row {
                match (one.kind(), letter(one)) {
                    (HirKind::Literal(literal), _) => run.extend(literal.0.to_ascii_lowercase()),
                    (_, Some(letter)) => run.push(letter),
                    _ => {
                        if !run.is_empty() {
                            consider(vec![std::mem::take(&mut run).into()]);
                        }
                        required(one).map(&mut consider);
                    }
                }
            }
            if !run.is_empty() {
                consider(vec![run.into()]);
            }
            best
        }
        _ => letter(hir).map(|letter| vec![[letter].into()]),
    }
}

/// The one letter, in lower case, that this matches in either case.
fn letter(hir: &Hir) -> Option<u8> {
    let HirKind::Class(Class::Bytes(class)) = hir.kind() else { return None };
    let [upper, lower] = class.ranges() else { return None };
    let single = upper.start() == upper.end() && lower.start() == lower.end();
    let pair = upper.start().is_ascii_uppercase() && upper.start().to_ascii_lowercase() == lower.start();
    (single && pair).then(|| lower.start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_matches_begin_with_is_found() {
        for (pattern, any_case, begins, not) in [
            (r"\A(?:-[a-z]+|--create)\z", false, "-x", "x-"),
            (r"\A(?:(/tmp|/run)(/.*)?/x)\z", false, "/run/x", "/usr/x"),
            (r"(?s)\A/opt/.*\z", true, "/OPT/x", "/usr"),
            (r"\A(?:[ab]c+)\z", false, "bc", "cc"),
        ] {
            let found = beginnings(pattern, any_case).unwrap();
            assert!(found.begin(begins.as_bytes()) && !found.begin(not.as_bytes()), "{pattern}");
        }
        for unknown in [r"\A(?:.*x)\z", r"\A(?:(a|b)?.)\z", r"\A(?:)\z", r"(", r"\A(?:[^x].*)\z"] {
            assert!(beginnings(unknown, false).is_none(), "{unknown}");
        }
    }

    #[test]
    fn the_longest_parts_that_must_be_there_are_found() {
        let found = |pattern: &str, any_case| {
            let parts = parts(pattern, any_case);
            parts.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect::<Vec<_>>().join("|")
        };
        for (pattern, any_case, expected) in [
            (r"\A(?:.*abc.*defg)\z", false, "defg"),
            (r"(?i).*PasteBin\.com", false, "pastebin.com"),
            (r".*pastebin\.com", true, "pastebin.com"),
            (r"(.* )?(install|add) .*", false, "install|add"),
            (r"(get|describe|x*) .*", false, " "),
            (r"a*(bc)+d", false, "bc"),
            (r"[a-z]+", false, ""),
            (r"(abc)?x?", false, ""),
            (r"(?s)\A.*/secret\.key\z", false, "/secret.key"),
            (r"(", false, ""),
        ] {
            assert_eq!(found(pattern, any_case), expected, "{pattern}");
        }
    }
}
