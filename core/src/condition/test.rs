//! What a value is compared with: everything that is the same for all events was worked out before.

use std::net::IpAddr;

use memchr::memmem::Finder;
use regex::bytes::Regex;

use super::ast::Operator;
use super::part;
use super::pattern::{self, Paths};
use super::texts::{Prefixes, Texts};
use super::value::{Kind, Value};

/// A comparison with values that are part of the condition.
#[derive(Debug, Clone)]
pub(super) enum Test {
    Equal(Box<[u8]>),
    Differs(Box<[u8]>),
    Order(Operator, Box<[u8]>),
    Contains(Box<Finder<'static>>),
    ContainsAnyCase(Box<[u8]>),
    StartsWith(Box<[u8]>),
    /// Only made of several of [`Test::StartsWith`].
    StartsWithAny(Prefixes),
    EndsWith(Box<[u8]>),
    Pattern(Box<Pattern>),
    OneOf(Texts),
    Under(Paths),
    Number(Operator, i128),
    /// Sorted.
    OneNumberOf(Box<[i128]>),
    Flag(bool),
    FlagOf(Box<[bool]>),
    Inside(Box<[Network]>),
    Outside(Box<[Network]>),
}

/// A pattern, and what is known of the texts that it matches.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Regex,
    /// One of these stands in each of them; empty: none is known.
    parts: Box<[Box<[u8]>]>,
    /// Each of them begins with one of these, where such are known.
    beginnings: Option<Prefixes>,
}

/// An address, or all that begin with the same bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Network {
    address: IpAddr,
    bits: u8,
}

/// What a value must be, or have in it, for a test to hold.
#[derive(Debug, Clone)]
pub(crate) enum Sought {
    /// It is one of these texts; `parts`: it contains one of them, in upper or lower case.
    Texts { texts: Vec<Box<[u8]>>, parts: bool },
    /// It is one of these numbers.
    Numbers(Vec<i128>),
}

impl Sought {
    /// Adds what else a value of the same field may be.
    pub(super) fn extend(&mut self, other: Sought) {
        match (self, other) {
            (Sought::Texts { texts, parts }, Sought::Texts { texts: more, parts: more_parts }) => {
                texts.extend(more);
                // What is the text, is contained in it too.
                *parts |= more_parts;
            }
            (Sought::Numbers(numbers), Sought::Numbers(more)) => numbers.extend(more),
            // A field is of one kind.
            _ => {}
        }
    }
}

/// Why there is no such test.
pub(super) enum Unfit {
    /// The operator does not go with the kind.
    Operator,
    /// The value at this index is of another kind.
    Value(usize, String),
}

impl Test {
    /// The test of a value of `kind` against `values`: one, unless the operator takes a list.
    pub(super) fn new(kind: Kind, operator: Operator, values: &[String]) -> Result<Test, Unfit> {
        match kind {
            Kind::Text => Test::text(operator, values),
            Kind::Number => Test::number(operator, values),
            Kind::Flag => Test::flag(operator, values),
            Kind::Address => Test::address(operator, values),
        }
    }

    fn text(operator: Operator, values: &[String]) -> Result<Test, Unfit> {
        let value = values.first().map_or("", String::as_str);
        let bytes = || Box::from(value.as_bytes());
        let unfit = |why| Unfit::Value(0, why);
        let found = |regex: Regex, any_case| {
            let parts = part::parts(regex.as_str(), any_case);
            let beginnings = part::beginnings(regex.as_str(), any_case);
            Test::Pattern(Box::new(Pattern { regex, parts, beginnings }))
        };
        let contains = |bytes: &[u8]| Test::Contains(Box::new(Finder::new(bytes).into_owned()));
        Ok(match operator {
            Operator::Eq => Test::Equal(bytes()),
            Operator::Ne => Test::Differs(bytes()),
            Operator::Lt | Operator::Le | Operator::Gt | Operator::Ge => Test::Order(operator, bytes()),
            Operator::Contains => contains(value.as_bytes()),
            Operator::IContains => Test::ContainsAnyCase(value.to_ascii_lowercase().into_bytes().into()),
            Operator::BContains => contains(&hex(value).map_err(unfit)?),
            Operator::StartsWith => Test::StartsWith(bytes()),
            Operator::BStartsWith => Test::StartsWith(hex(value).map_err(unfit)?.into()),
            Operator::EndsWith => Test::EndsWith(bytes()),
            Operator::Glob => found(pattern::glob(value, false).map_err(unfit)?, false),
            Operator::IGlob => found(pattern::glob(value, true).map_err(unfit)?, true),
            Operator::Regex => found(pattern::regex(value).map_err(unfit)?, false),
            Operator::In | Operator::Intersects => Test::OneOf(Texts::new(values.iter().map(|v| v.as_bytes().into()))),
            Operator::PMatch => Test::Under(Paths::new(values.iter().map(String::as_str)).map_err(unfit)?),
            Operator::Exists => return Err(Unfit::Operator),
        })
    }

    fn number(operator: Operator, values: &[String]) -> Result<Test, Unfit> {
        use Operator::{Eq, Ge, Gt, In, Intersects, Le, Lt, Ne};
        if !matches!(operator, Eq | Ne | Lt | Le | Gt | Ge | In | Intersects) {
            return Err(Unfit::Operator);
        }
        let mut numbers = each(values, parse_number)?;
        match operator {
            In | Intersects => {
                numbers.sort_unstable();
                Ok(Test::OneNumberOf(numbers.into()))
            }
            _ => Ok(Test::Number(operator, numbers.first().copied().unwrap_or_default())),
        }
    }

    fn flag(operator: Operator, values: &[String]) -> Result<Test, Unfit> {
        use Operator::{Eq, In, Intersects, Ne};
        if !matches!(operator, Eq | Ne | In | Intersects) {
            return Err(Unfit::Operator);
        }
        let flags = each(values, |v| match v {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("write `true` or `false`".to_owned()),
        })?;
        Ok(match operator {
            In | Intersects => Test::FlagOf(flags.into()),
            _ => Test::Flag(flags.first().copied().unwrap_or_default() == (operator == Eq)),
        })
    }

    fn address(operator: Operator, values: &[String]) -> Result<Test, Unfit> {
        let networks = |values| Ok(each(values, Network::parse)?.into());
        match operator {
            Operator::Eq | Operator::In | Operator::Intersects => networks(values).map(Test::Inside),
            Operator::Ne => networks(values).map(Test::Outside),
            _ => Err(Unfit::Operator),
        }
    }

    /// A test that holds where any of these does, if one can be made of them.
    pub(super) fn any(tests: &[&Test]) -> Option<Test> {
        let mut equal = Vec::new();
        let mut prefixes = Vec::new();
        for test in tests {
            match test {
                Test::Equal(text) => equal.push(text.clone()),
                Test::OneOf(texts) => equal.extend(texts.to_vec()),
                Test::StartsWith(text) => prefixes.push(text.clone()),
                _ => return None,
            }
        }
        match (equal.is_empty(), prefixes.is_empty()) {
            (false, true) => Some(Test::OneOf(Texts::new(equal.into_iter()))),
            (true, false) => Some(Test::StartsWithAny(Prefixes::new(prefixes))),
            _ => None,
        }
    }

    /// What a value must be or contain, if that can be said.
    pub(super) fn sought(&self) -> Option<Sought> {
        let texts = |texts: Vec<Box<[u8]>>, parts| Some(Sought::Texts { texts, parts });
        match self {
            Test::Equal(text) => texts(vec![text.clone()], false),
            Test::OneOf(all) => texts(all.to_vec(), false),
            Test::StartsWith(text) | Test::EndsWith(text) | Test::ContainsAnyCase(text) => {
                texts(vec![text.clone()], true)
            }
            Test::StartsWithAny(prefixes) => texts(prefixes.to_vec(), true),
            Test::Contains(finder) => texts(vec![finder.needle().into()], true),
            Test::Pattern(pattern) if !pattern.parts.is_empty() => texts(pattern.parts.to_vec(), true),
            Test::Number(Operator::Eq, number) => Some(Sought::Numbers(vec![*number])),
            Test::OneNumberOf(numbers) => Some(Sought::Numbers(numbers.to_vec())),
            _ => None,
        }
    }

    /// Whether it holds for a value.
    pub(super) fn holds(&self, value: &Value<'_>) -> bool {
        match value {
            Value::Text(bytes) => self.holds_for_text(bytes),
            Value::Number(n) => match self {
                Test::Number(operator, wanted) => ordered(*operator, n.cmp(wanted)),
                Test::OneNumberOf(wanted) => wanted.binary_search(n).is_ok(),
                _ => false,
            },
            Value::Flag(flag) => match self {
                Test::Flag(wanted) => flag == wanted,
                Test::FlagOf(wanted) => wanted.contains(flag),
                _ => false,
            },
            Value::Address(address) => match self {
                Test::Inside(networks) => networks.iter().any(|n| n.has(*address)),
                Test::Outside(networks) => !networks.iter().any(|n| n.has(*address)),
                _ => false,
            },
        }
    }

    fn holds_for_text(&self, bytes: &[u8]) -> bool {
        match self {
            Test::Equal(wanted) => **wanted == *bytes,
            Test::Differs(wanted) => **wanted != *bytes,
            Test::Order(operator, wanted) => ordered(*operator, bytes.cmp(wanted)),
            Test::Contains(wanted) => wanted.find(bytes).is_some(),
            Test::ContainsAnyCase(wanted) => contains_any_case(bytes, wanted),
            Test::StartsWith(wanted) => bytes.starts_with(wanted),
            Test::StartsWithAny(prefixes) => prefixes.begin(bytes),
            Test::EndsWith(wanted) => bytes.ends_with(wanted),
            Test::Pattern(pattern) => {
                pattern.beginnings.as_ref().is_none_or(|all| all.begin(bytes)) && pattern.regex.is_match(bytes)
            }
            Test::OneOf(wanted) => wanted.has(bytes),
            Test::Under(paths) => paths.has(bytes),
            _ => false,
        }
    }
}

/// Whether two values of the same kind compare so; for the operators that need no preparation.
pub(super) fn compare(operator: Operator, left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (Value::Text(l), Value::Text(r)) => match operator {
            Operator::Contains => memchr::memmem::find(l, r).is_some(),
            Operator::IContains => contains_any_case(l, &r.to_ascii_lowercase()),
            Operator::StartsWith => l.starts_with(r),
            Operator::EndsWith => l.ends_with(r),
            operator => ordered(operator, l.cmp(r)),
        },
        (Value::Number(l), Value::Number(r)) => ordered(operator, l.cmp(r)),
        (Value::Flag(l), Value::Flag(r)) => ordered(operator, l.cmp(r)),
        (Value::Address(l), Value::Address(r)) => ordered(operator, l.cmp(r)),
        _ => false,
    }
}

/// Whether a field of this kind can be compared with another by this operator.
pub(super) fn comparable(kind: Kind, operator: Operator) -> bool {
    use Operator::{Contains, EndsWith, Eq, Ge, Gt, IContains, In, Intersects, Le, Lt, Ne, StartsWith};
    match operator {
        Eq | Ne | In | Intersects => true,
        Lt | Le | Gt | Ge => matches!(kind, Kind::Text | Kind::Number),
        Contains | IContains | StartsWith | EndsWith => kind == Kind::Text,
        _ => false,
    }
}

fn ordered(operator: Operator, ordering: std::cmp::Ordering) -> bool {
    match operator {
        Operator::Eq | Operator::In | Operator::Intersects => ordering.is_eq(),
        Operator::Ne => ordering.is_ne(),
        Operator::Lt => ordering.is_lt(),
        Operator::Le => ordering.is_le(),
        Operator::Gt => ordering.is_gt(),
        Operator::Ge => ordering.is_ge(),
        _ => false,
    }
}

/// `needle` is in lower case.
pub(super) fn contains_any_case(bytes: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else { return true };
    let Some(last_start) = bytes.len().checked_sub(needle.len()) else { return false };
    let mut from = 0;
    while let Some(at) = memchr::memchr2(*first, first.to_ascii_uppercase(), &bytes[from..=last_start]) {
        from += at;
        if bytes[from..from + needle.len()].eq_ignore_ascii_case(needle) {
            return true;
        }
        from += 1;
        if from > last_start {
            break;
        }
    }
    false
}

fn each<T>(values: &[String], parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, Unfit> {
    values.iter().enumerate().map(|(i, v)| parse(v).map_err(|why| Unfit::Value(i, why))).collect()
}

fn parse_number(text: &str) -> Result<i128, String> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    match hex {
        Some(digits) => u64::from_str_radix(digits, 16).map(i128::from),
        None => text.parse(),
    }
    .map_err(|_| "write a whole number, as in `1024` or `0x400`".to_owned())
}

fn hex(text: &str) -> Result<Vec<u8>, String> {
    let digit = |b: u8| char::from(b).to_digit(16).map(|d| d as u8);
    let pairs = text.as_bytes().chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?));
    pairs
        .collect::<Option<_>>()
        .ok_or_else(|| "write bytes as pairs of hexadecimal digits, as in `7f454c46`".to_owned())
}

impl Network {
    fn parse(text: &str) -> Result<Network, String> {
        const RIGHT: &str = "write an address or a network, as in `10.1.2.3`, `10.0.0.0/8` or `fd00::/8`";
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| RIGHT.to_owned())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| RIGHT.to_owned())?;
        let address = if bits.is_none() { address.to_canonical() } else { address };
        let most = if address.is_ipv4() { 32 } else { 128 };
        match bits.unwrap_or(most) {
            bits if bits <= most => Ok(Network { address, bits }),
            _ => Err(format!("a network of this kind has at most {most} bits")),
        }
    }

    fn has(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                own.to_bits() & mask == other.to_bits() & mask
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                own.to_bits() & mask == other.to_bits() & mask
            }
            _ => false,
        }
    }
}
