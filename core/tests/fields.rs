//! `docs/fields.md` is made from the table of fields.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use lanner_core::condition::{Accepts, Field, Kind, Shape};
use lanner_core::event::FamilySet;

const HEAD: &str = "\
# Fields

What conditions and outputs may name, in rules, `--filter` and the UI's `/`. The names are Falco's, and so is their meaning
unless the last column says otherwise; `lanner.*` is what Falco has no field for. A comparison with a field that an event
does not have is false, `!=` too.

This file is made from the table in `core/src/condition/fields` by
`LANNER_WRITE_DOCS=1 cargo test -p lanner-core --test fields`; a test holds one against the other.

";

fn page() -> String {
    let mut page = HEAD.to_owned();
    let class_of = |field: &Field| field.name.split('.').next().unwrap();
    let mut classes: Vec<&str> = Vec::new();
    for field in Field::all() {
        if !classes.contains(&class_of(field)) {
            classes.push(class_of(field));
        }
    }
    let mut fields: Vec<&Field> = Field::all().collect();
    fields.sort_by_key(|field| classes.iter().position(|class| *class == class_of(field)));
    let mut class = "";
    for field in fields {
        if class_of(field) != class {
            class = class_of(field);
            writeln!(page, "\n## {class}.*\n\n| field | type | events | meaning | in what it differs from Falco's |")
                .unwrap();
            page += "|---|---|---|---|---|\n";
        }
        let name = match field.accepts() {
            Accepts::Nothing => format!("`{}`", field.name),
            Accepts::MaybeKey => format!("`{0}`, `{0}[name]`", field.name),
            Accepts::Key => format!("`{}[key]`", field.name),
            Accepts::Generation => format!("`{0}`, `{0}[n]`", field.name),
            Accepts::Name(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("`{}.{name}`", field.name)).collect();
                format!("{}, `{}[n]`", names.join(", "), field.name)
            }
        };
        let kind = match field.kind() {
            Kind::Text => "text",
            Kind::Number => "number",
            Kind::Flag => "true or false",
            Kind::Address => "address",
        };
        let kind = match field.shape() {
            Shape::One => kind.to_owned(),
            Shape::List => format!("list of {kind}s"),
            Shape::Ends => format!("{kind}, of either end"),
            Shape::Lineage => format!("{kind}, of any ancestor"),
        };
        let names = |set: FamilySet| set.iter().map(|family| family.name()).collect::<Vec<_>>().join(", ");
        let events = match (field.on, field.on.not()) {
            (FamilySet::ALL, _) => "all".to_owned(),
            (_, rest) if rest.iter().count() <= 2 => format!("all but {}", names(rest)),
            (on, _) => names(on),
        };
        writeln!(page, "| {name} | {kind} | {events} | {} | {} |", field.meaning, field.differs().unwrap_or(""))
            .unwrap();
    }
    page += "\n## Fields of Falco's that events do not carry\n\nA rule that needs one is listed as unsupported, with this reason; a name stands for\nthose that begin with it and a dot, too.\n\n| why | fields |\n|---|---|\n";
    for (why, names) in Field::lacking() {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        writeln!(page, "| {why} | {} |", names.join(", ")).unwrap();
    }
    page
}

#[test]
fn the_page_of_fields_tells_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/fields.md");
    if std::env::var_os("LANNER_WRITE_DOCS").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == page(), "docs/fields.md is not what the table says: LANNER_WRITE_DOCS=1 writes it anew");
}

#[test]
fn a_field_is_known_or_lacking_and_not_both() {
    let mut names: Vec<&str> = Field::all().map(|field| field.name).collect();
    names.extend(Field::lacking().flat_map(|(_, names)| names.iter().copied()));
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "a field stands twice, or among those that are lacking too");
}

#[test]
fn no_name_stands_for_two_fields() {
    let mut names: Vec<&str> = Field::all().map(|field| field.name).collect();
    names.extend(Field::lacking().flat_map(|(_, names)| names));
    names.sort_unstable();
    for pair in names.windows(2) {
        assert_ne!(pair[0], pair[1], "two rows of the tables have this name");
    }
}
