//! The fields that conditions and outputs may name: one row each, in a table per class.
//!
//! **To add a field**, add a row to the table of its class. A row has the name, the families of events that can have it
//! ([`FamilySet::ALL`] when it is about the process), one line of meaning, and a function that gets its value from a
//! [`View`]; `None` is "absent", and every comparison with what is absent is false, `!=` too. The row's constructor says of
//! which type the values are: [`text`], [`number`], [`flag`], [`address`]; [`texts`] and [`numbers`] for lists; [`ends`] and
//! [`ports`] for either end of a connection; [`lineage`] and [`lineage_number`] for what any ancestor, or with an argument
//! the Nth, has; [`named`] for an argument that is a name, [`keyed`] for one that may be any. Type checks, hints, `exists`, outputs and the documentation
//! follow from the row. A field of Falco's that events do not carry stands in [`lacking`], with the reason, until it gets
//! its row; rules that need it are listed as unsupported.

pub(super) mod alike;
mod container;
mod differs;
mod dns;
mod evt;
mod fd;
mod fs;
mod lacking;
mod lanner;
mod privilege;
mod proc;
mod user;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use super::made::Made;
use super::value::{Kind, Value};
use super::view::View;
use crate::event::{Family, FamilySet, Text};
use crate::graph::Process;

pub(super) use lacking::why_lacking;

/// A text that a getter found.
pub(super) type Found<'a> = Option<Cow<'a, [u8]>>;
/// Is told the values of a list, and says whether it wants more.
type Each<'f, T> = &'f mut dyn FnMut(T) -> bool;

/// A field.
#[derive(Debug)]
pub struct Field {
    /// Its name, such as `proc.name`.
    pub name: &'static str,
    /// The families whose events can have it.
    pub on: FamilySet,
    /// In one line.
    pub meaning: &'static str,
    get: Get,
}

/// Fields that have few different values; what is looked up by them is found in every other event.
const NARROW: &[&str] = &[
    "evt.type",
    "syscall.type",
    "evt.arg",
    "evt.args",
    "evt.res",
    "evt.rawres",
    "fd.num",
    "fd.type",
    "fd.typechar",
    "fd.sockfamily",
    "fd.l4proto",
    "fd.dev.major",
    "proc.stdin.type",
    "proc.stdout.type",
    "proc.stderr.type",
    "proc.cmdnargs",
    "proc.vpid",
    "proc.tty",
    "user.uid",
    "user.name",
    "user.loginuid",
    "user.loginname",
    "group.gid",
    "group.name",
    "lanner.event",
    "lanner.stdin.kind",
    "lanner.stdout.kind",
    "lanner.stderr.kind",
    "lanner.file.made",
];

/// How a field's values are got, and so of which kind they are and how many there may be.
#[derive(Clone, Copy)]
enum Get {
    Text(for<'a> fn(View<'a>) -> Found<'a>),
    Number(fn(View<'_>) -> Option<i128>),
    Flag(fn(View<'_>) -> Option<bool>),
    Address(fn(View<'_>) -> Option<IpAddr>),
    Texts(for<'a> fn(View<'a>, Each<'_, Cow<'a, [u8]>>)),
    Numbers(for<'a> fn(View<'a>, Each<'_, i128>)),
    Ends(fn(View<'_>) -> [Option<IpAddr>; 2]),
    Ports(fn(View<'_>) -> [Option<u16>; 2]),
    Lineage(for<'a> fn(&'a Process) -> Found<'a>),
    /// The same, of what has to be put together: is told how many generations up the process is.
    LineageMade(for<'a> fn(View<'a>, u32, &'a Process) -> Found<'a>),
    LineageNumber(fn(&Process) -> Option<i128>),
    Named(&'static [&'static str], for<'a> fn(View<'a>, &str) -> Found<'a>),
    Keyed(for<'a> fn(View<'a>, &str) -> Found<'a>),
    /// All together, or one of them by its name.
    TextOrKeyed(for<'a> fn(View<'a>) -> Found<'a>, for<'a> fn(View<'a>, &str) -> Found<'a>),
    Made,
}

impl std::fmt::Debug for Get {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.shape())
    }
}

/// How many values a field has at once, and what a comparison with them means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One, or none.
    One,
    /// A list: `in` holds when all are among the values, `!=` when none is equal, and else one must hold.
    List,
    /// Either end of a connection: `!=` holds when neither is equal, and else one must hold.
    Ends,
    /// Any ancestor: one must hold, for `!=` too.
    Lineage,
}

/// What may stand in brackets behind a field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepts {
    /// Nothing.
    Nothing,
    /// How many generations up, or nothing for all of them.
    Generation,
    /// One of these names, in brackets or behind a dot; it must be there.
    Name(&'static [&'static str]),
    /// Any text, in brackets or behind a dot; it must be there.
    Key,
    /// Any text in brackets, or nothing.
    MaybeKey,
}

/// What stood in brackets behind a field's name.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Argument {
    None,
    Generation(u32),
    Name(&'static str),
    /// An argument of the call, by its position.
    Position(u32),
    Key(Box<str>),
    /// What stands in the place of a field.
    Made(Arc<Made>),
}

/// What conditions put together themselves.
pub(super) static MADE: Field =
    row("join", FamilySet::ALL, "A text that the condition puts together of others.", Get::Made);

impl Field {
    /// Of what kind its values are.
    pub fn kind(&self) -> Kind {
        match self.get {
            Get::Text(_)
            | Get::Texts(_)
            | Get::Lineage(_)
            | Get::LineageMade(_)
            | Get::Named(..)
            | Get::Keyed(_)
            | Get::TextOrKeyed(..)
            | Get::Made => Kind::Text,
            Get::Number(_) | Get::Numbers(_) | Get::Ports(_) | Get::LineageNumber(_) => Kind::Number,
            Get::Flag(_) => Kind::Flag,
            Get::Address(_) | Get::Ends(_) => Kind::Address,
        }
    }

    /// How many values it has at once, when nothing stands in brackets behind it.
    pub fn shape(&self) -> Shape {
        self.get.shape()
    }

    /// What may stand in brackets behind it.
    pub fn accepts(&self) -> Accepts {
        match self.get {
            Get::Lineage(_) | Get::LineageMade(_) | Get::LineageNumber(_) => Accepts::Generation,
            Get::Named(names, _) => Accepts::Name(names),
            Get::Keyed(_) => Accepts::Key,
            Get::TextOrKeyed(..) => Accepts::MaybeKey,
            _ => Accepts::Nothing,
        }
    }

    /// Whether it has few different values, so that knowing one tells little.
    pub(super) fn is_narrow(&self) -> bool {
        NARROW.contains(&self.name)
    }

    /// The field of this name.
    pub fn find(name: &str) -> Option<&'static Field> {
        Field::all().find(|field| field.name == name)
    }

    /// All fields, by class.
    pub fn all() -> impl Iterator<Item = &'static Field> {
        [
            evt::FIELDS,
            proc::FIELDS,
            user::FIELDS,
            fd::FIELDS,
            fs::FIELDS,
            container::FIELDS,
            lanner::FIELDS,
            privilege::FIELDS,
            dns::FIELDS,
        ]
        .into_iter()
        .flatten()
    }

    /// The fields of Falco's that events do not carry, by the reason. A name stands for those that begin with it and a
    /// dot, too.
    pub fn lacking() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
        lacking::all()
    }

    /// In what its meaning differs from that of Falco's field of the same name, if it does.
    pub fn differs(&self) -> Option<&'static str> {
        differs::from_falco(self.name)
    }

    /// The classes of fields: what stands before the first dot.
    pub fn is_class(class: &str) -> bool {
        Field::all().any(|f| f.name.split('.').next() == Some(class)) || lacking::is_class(class)
    }

    /// All its values for an event, for explanations. `generation` is what stands in brackets, when it may.
    pub fn values<'a>(&self, view: &View<'a>, generation: Option<u32>) -> Vec<Value<'a>> {
        let mut values = Vec::new();
        self.each(*view, &generation.map_or(Argument::None, Argument::Generation), &mut |value| {
            values.push(value);
            true
        });
        values
    }

    /// Its value, when it has one at a time.
    pub(super) fn one<'a>(&self, view: View<'a>, argument: &Argument) -> Option<Value<'a>> {
        match (self.get, argument) {
            (Get::Text(get), _) => get(view).map(Value::Text),
            (Get::Number(get), _) => get(view).map(Value::Number),
            (Get::Flag(get), _) => get(view).map(Value::Flag),
            (Get::Address(get), _) => get(view).map(Value::Address),
            (Get::Named(_, get), Argument::Name(name)) => get(view, name).map(Value::Text),
            (Get::Named(_, get), Argument::Position(n)) => get(view, evt::position(view, *n)?).map(Value::Text),
            (Get::Made, Argument::Made(made)) => made.text(view).map(Value::Text),
            (Get::TextOrKeyed(_, get), Argument::Key(key)) => get(view, key).map(Value::Text),
            (Get::TextOrKeyed(get, _), _) => get(view).map(Value::Text),
            (Get::Keyed(get), Argument::Key(key)) => get(view, key).map(Value::Text),
            (Get::Lineage(get), Argument::Generation(n)) => get(view.ancestor(*n)?).map(Value::Text),
            (Get::LineageMade(get), Argument::Generation(n)) => get(view, *n, view.ancestor(*n)?).map(Value::Text),
            (Get::LineageNumber(get), Argument::Generation(n)) => get(view.ancestor(*n)?).map(Value::Number),
            _ => None,
        }
    }

    /// Tells `each` its values, one or many, until it says that it has enough.
    pub(super) fn each<'a>(&self, view: View<'a>, argument: &Argument, each: Each<'_, Value<'a>>) {
        match (self.get, argument) {
            (Get::Texts(get), _) => get(view, &mut |text| each(Value::Text(text))),
            (Get::Numbers(get), _) => get(view, &mut |n| each(Value::Number(n))),
            (Get::Ends(get), _) => {
                let _ = get(view).into_iter().flatten().all(|a| each(Value::Address(a)));
            }
            (Get::Ports(get), _) => {
                let _ = get(view).into_iter().flatten().all(|p| each(Value::Number(p.into())));
            }
            (Get::Lineage(get), Argument::None) => {
                let _ = view.ancestors().filter_map(get).all(|text| each(Value::Text(text)));
            }
            (Get::LineageMade(get), Argument::None) => {
                let lines = (1..).zip(view.ancestors()).filter_map(|(n, process)| get(view, n, process));
                let _ = { lines }.all(|text| each(Value::Text(text)));
            }
            (Get::LineageNumber(get), Argument::None) => {
                let _ = view.ancestors().filter_map(get).all(|n| each(Value::Number(n)));
            }
            _ => {
                self.one(view, argument).map(each);
            }
        }
    }
}

impl Get {
    fn shape(&self) -> Shape {
        match self {
            Get::Texts(_) | Get::Numbers(_) => Shape::List,
            Get::Ends(_) | Get::Ports(_) => Shape::Ends,
            Get::Lineage(_) | Get::LineageMade(_) | Get::LineageNumber(_) => Shape::Lineage,
            _ => Shape::One,
        }
    }
}

const ALL: FamilySet = FamilySet::ALL;
const EXEC: FamilySet = FamilySet::of(&[Family::Exec, Family::Alive]);
const OPEN: FamilySet = FamilySet::of(&[Family::Open]);
const FILE: FamilySet = FamilySet::of(&[Family::Open, Family::MemFd]);
/// What is about a file, opened or called by name.
const NAMED: FamilySet =
    FILE.or(FamilySet::of(&[Family::Rename, Family::Link, Family::Unlink, Family::Make, Family::Attribute]));
const FLOW: FamilySet =
    FamilySet::of(&[Family::Connect, Family::Accept, Family::Close, Family::Traffic, Family::Udp, Family::Dns]);
const CLOSE: FamilySet = FamilySet::of(&[Family::Close]);
const CONTAINER: FamilySet = FamilySet::of(&[Family::Container]);
const CARRIED: FamilySet = FamilySet::of(&[Family::Close, Family::Traffic, Family::Udp]);
const DNS: FamilySet = FamilySet::of(&[Family::Dns]);
const SOCKET: FamilySet = FLOW.or(FamilySet::of(&[Family::Listen, Family::Bind]));
const UNIX: FamilySet = FamilySet::of(&[Family::Unix]);

const fn row(name: &'static str, on: FamilySet, meaning: &'static str, get: Get) -> Field {
    Field { name, on, meaning, get }
}

const fn text(
    name: &'static str,
    on: FamilySet,
    meaning: &'static str,
    get: for<'a> fn(View<'a>) -> Found<'a>,
) -> Field {
    row(name, on, meaning, Get::Text(get))
}

const fn number(name: &'static str, on: FamilySet, meaning: &'static str, get: fn(View<'_>) -> Option<i128>) -> Field {
    row(name, on, meaning, Get::Number(get))
}

const fn flag(name: &'static str, on: FamilySet, meaning: &'static str, get: fn(View<'_>) -> Option<bool>) -> Field {
    row(name, on, meaning, Get::Flag(get))
}

const fn address(
    name: &'static str,
    on: FamilySet,
    meaning: &'static str,
    get: fn(View<'_>) -> Option<IpAddr>,
) -> Field {
    row(name, on, meaning, Get::Address(get))
}

const fn texts(
    name: &'static str,
    on: FamilySet,
    meaning: &'static str,
    get: for<'a> fn(View<'a>, Each<'_, Cow<'a, [u8]>>),
) -> Field {
    row(name, on, meaning, Get::Texts(get))
}

const fn numbers(
    name: &'static str,
    on: FamilySet,
    meaning: &'static str,
    get: for<'a> fn(View<'a>, Each<'_, i128>),
) -> Field {
    row(name, on, meaning, Get::Numbers(get))
}

const fn ends(
    name: &'static str,
    on: FamilySet,
    meaning: &'static str,
    get: fn(View<'_>) -> [Option<IpAddr>; 2],
) -> Field {
    row(name, on, meaning, Get::Ends(get))
}

const fn ports(
    name: &'static str,
    on: FamilySet,
    meaning: &'static str,
    get: fn(View<'_>) -> [Option<u16>; 2],
) -> Field {
    row(name, on, meaning, Get::Ports(get))
}

const fn lineage(name: &'static str, meaning: &'static str, get: for<'a> fn(&'a Process) -> Found<'a>) -> Field {
    row(name, ALL, meaning, Get::Lineage(get))
}

const fn lineage_number(name: &'static str, meaning: &'static str, get: fn(&Process) -> Option<i128>) -> Field {
    row(name, ALL, meaning, Get::LineageNumber(get))
}

const fn named(
    name: &'static str,
    on: FamilySet,
    meaning: &'static str,
    names: &'static [&'static str],
    get: for<'a> fn(View<'a>, &str) -> Found<'a>,
) -> Field {
    row(name, on, meaning, Get::Named(names, get))
}

const fn keyed(
    name: &'static str,
    on: FamilySet,
    meaning: &'static str,
    get: for<'a> fn(View<'a>, &str) -> Found<'a>,
) -> Field {
    row(name, on, meaning, Get::Keyed(get))
}

/// A text of an event, absent when it is empty because the sensor could not read it.
fn known(text: &Text) -> Found<'_> {
    (!text.is_empty()).then(|| Cow::Borrowed(text.as_bytes()))
}

/// A word of ours.
fn word(word: &'static str) -> Found<'static> {
    Some(Cow::Borrowed(word.as_bytes()))
}

/// A text that had to be made.
fn made(text: String) -> Found<'static> {
    Some(Cow::Owned(text.into_bytes()))
}

/// What stands before the last `/` of a path.
fn directory(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|b| *b == b'/') {
        Some(0) => b"/",
        Some(at) => &path[..at],
        None => b"",
    }
}
