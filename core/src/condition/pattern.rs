//! Patterns: globs, regular expressions and sets of paths, made once and bounded in size.

use regex::bytes::{Regex, RegexBuilder};

/// How much memory one compiled pattern may take, in bytes.
const MAX_SIZE: usize = 128 << 10;
/// How long a pattern may be, in bytes.
const MAX_LENGTH: usize = 4096;

/// A regular expression that must match the whole value, as Falco's does.
pub(super) fn regex(pattern: &str) -> Result<Regex, String> {
    // Without Unicode the classes match bytes, so that invalid UTF-8 is matched too; a pattern that needs Unicode gets it.
    let whole = format!(r"\A(?:{pattern})\z");
    build(&whole, false, false).or_else(|_| build(&whole, false, true))
}

/// A glob that must match the whole value: `*` and `?` match slashes and leading dots too, as `fnmatch` without flags.
pub(super) fn glob(pattern: &str, any_case: bool) -> Result<Regex, String> {
    let mut out = String::from(r"(?s)\A");
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '*' => out += ".*",
            '?' => out += ".",
            '[' => match class(rest) {
                Some((class, len)) => {
                    out += &class;
                    rest = &rest[len..];
                }
                None => out += r"\[",
            },
            '\\' => {
                let escaped = rest.chars().next().unwrap_or('\\');
                out += &escape(escaped);
                rest = rest.get(escaped.len_utf8()..).unwrap_or("");
            }
            c => out += &escape(c),
        }
    }
    out += r"\z";
    build(&out, any_case, false).or_else(|_| build(&out, any_case, true))
}

/// A bracket expression, from behind its `[`, as a class of a regular expression; and its length, with the `]`.
fn class(rest: &str) -> Option<(String, usize)> {
    let negated = rest.starts_with(['!', '^']);
    let from = usize::from(negated);
    // A `]` that comes first is meant as a character.
    let end = rest[from..].char_indices().skip(1).find(|(_, c)| *c == ']').map(|(i, _)| from + i)?;
    let mut out = String::from(if negated { "[^" } else { "[" });
    for c in rest[from..end].chars() {
        match c {
            '-' => out.push('-'),
            c => out += &escape(c),
        }
    }
    Some((out + "]", end + 1))
}

fn escape(c: char) -> String {
    regex::escape(c.encode_utf8(&mut [0; 4]))
}

/// Paths, of which one must be the value or a directory above it: `pmatch`. A component of a path may be a glob.
#[derive(Debug, Clone)]
pub(super) struct Paths(Vec<Vec<Component>>);

#[derive(Debug, Clone)]
enum Component {
    Name(Box<[u8]>),
    Glob(Regex),
}

impl Paths {
    pub(super) fn new<'a>(paths: impl Iterator<Item = &'a str>) -> Result<Paths, String> {
        let component = |name: &str| {
            Ok(match name.contains(['*', '?', '[']) {
                true => Component::Glob(glob(name, false)?),
                false => Component::Name(name.as_bytes().into()),
            })
        };
        let path = |path: &str| path.split('/').filter(|c| !c.is_empty()).map(component).collect();
        Ok(Paths(paths.map(path).collect::<Result<_, String>>()?))
    }

    pub(super) fn has(&self, path: &[u8]) -> bool {
        self.0.iter().any(|components| {
            let mut names = path.split(|b| *b == b'/').filter(|n| !n.is_empty());
            components.iter().all(|component| {
                names.next().is_some_and(|name| match component {
                    Component::Name(wanted) => **wanted == *name,
                    Component::Glob(glob) => glob.is_match(name),
                })
            })
        })
    }
}

fn build(pattern: &str, any_case: bool, unicode: bool) -> Result<Regex, String> {
    if pattern.len() > MAX_LENGTH {
        return Err(format!("the pattern is longer than {MAX_LENGTH} bytes"));
    }
    RegexBuilder::new(pattern)
        .case_insensitive(any_case)
        .unicode(unicode)
        .size_limit(MAX_SIZE)
        .dfa_size_limit(MAX_SIZE)
        .nest_limit(64)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
            error => error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
        })
}
