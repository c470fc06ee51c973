//! What is not seen on this node. The page that people read, docs/events.md, is the one place that says so: its table is read
//! here, and tests hold it against the hooks.

use lanner_core::event::{BlindSpot, Hook, HookState};

static PAGE: &str = include_str!("../../../docs/events.md");
/// Family, hook of the base layer, hook of the full layer, what it tells, what each layer misses.
const COLUMNS: usize = 6;

struct Row {
    family: &'static str,
    full: &'static str,
    missed_on_base: &'static str,
    missed_on_full: &'static str,
}

/// What cannot be seen here for all that these hooks tell, by a kernel of this release. What a refused hook would have told
/// is not among it, but for hooks of the full layer.
pub(super) fn spots(hooks: &[Hook], release: &str) -> Vec<BlindSpot> {
    let kernel = version(release);
    let is_attached = |name: &str| hooks.iter().any(|h| h.name == name && h.state == HookState::Attached);
    let spot = |row: Row| {
        let mut full = quoted(row.full).peekable();
        let sees_more = full.peek().is_some() && full.all(is_attached);
        let what = if sees_more { row.missed_on_full } else { row.missed_on_base };
        let family = quoted(row.family).next()?.to_owned();
        let of_this_kernel = |item: &&str| before(item).is_none_or(|(first, _)| kernel < first);
        let items = what.split("; ").filter(of_this_kernel).map(|item| before(item).map_or(item, |(_, what)| what));
        let what = items.collect::<Vec<_>>().join("; ").replace('`', "");
        (what != "nothing" && !what.is_empty()).then_some(BlindSpot { family, what })
    };
    rows(PAGE).flatten().filter_map(spot).collect()
}

/// The table's rows; one that has not its cells is an error.
fn rows(page: &'static str) -> impl Iterator<Item = Result<Row, &'static str>> {
    page.lines().filter(|line| line.starts_with("| `")).map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let Ok([family, _, full, _, missed_on_base, missed_on_full]) = <[&str; COLUMNS]>::try_from(cells) else {
            return Err(line);
        };
        Ok(Row { family, full, missed_on_base, missed_on_full })
    })
}

/// What only kernels before a version miss, `before Linux 6.0: ...`: that version, and what it is.
fn before(item: &str) -> Option<((u32, u32), &str)> {
    let (first, what) = item.strip_prefix("before Linux ")?.split_once(": ")?;
    Some((version(first), what))
}

/// The first two numbers of a kernel's release; zeros when it has none.
fn version(release: &str) -> (u32, u32) {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// What stands in backquotes.
fn quoted(cell: &'static str) -> impl Iterator<Item = &'static str> {
    cell.split('`').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use lanner_core::event::{Family, HookLayer};

    use super::*;
    use crate::sensor::family::{COMPAT, HOOKS};

    #[test]
    fn every_row_has_its_cells_and_says_what_each_layer_misses() {
        for row in rows(PAGE) {
            let row = row.unwrap_or_else(|line| panic!("not {COLUMNS} cells: {line}"));
            assert!(!row.missed_on_base.is_empty(), "{}: what is missed on the base layer?", row.family);
            let has_full = quoted(row.full).next().is_some();
            assert_eq!(has_full, !row.missed_on_full.is_empty(), "{}: what is missed on the full layer?", row.family);
        }
    }

    #[test]
    fn every_family_has_a_row() {
        let told: Vec<&str> = rows(PAGE).flatten().flat_map(|row| quoted(row.family)).collect();
        let known: Vec<&str> = Family::ALL.iter().map(|f| f.name()).collect();
        assert!(known.iter().all(|family| told.contains(family)), "docs/events.md has rows for {told:?} only");
        assert!(told.iter().all(|family| known.contains(family)), "{told:?}");
    }

    #[test]
    fn the_table_names_the_hooks_in_the_column_of_their_layer() {
        let mut named: [BTreeSet<&str>; 2] = [BTreeSet::new(), BTreeSet::new()];
        for line in PAGE.lines().filter(|line| line.starts_with("| `")) {
            for (cell, named) in line.trim_matches('|').split('|').skip(1).zip(&mut named) {
                named.extend(quoted(cell));
            }
        }
        let mut known: [BTreeSet<&str>; 2] = [BTreeSet::new(), BTreeSet::new()];
        for spec in HOOKS.iter().copied().flatten().chain([&COMPAT]) {
            known[usize::from(spec.attach.layer() == HookLayer::Full)].insert(spec.name);
        }
        assert_eq!(named, known, "docs/events.md (left) names other hooks than there are");
    }

    #[test]
    fn what_the_full_layer_sees_is_a_blind_spot_only_without_it() {
        let hook = |state| Hook {
            name: "security_file_open".to_owned(),
            layer: HookLayer::Full,
            state,
            without: String::new(),
        };
        let of_opens = |hooks: &[Hook]| {
            spots(hooks, "6.12.1").into_iter().filter(|s| s.family == "open").map(|s| s.what).collect()
        };
        let without: Vec<String> = of_opens(&[hook(HookState::Refused("no".to_owned()))]);
        let with: Vec<String> = of_opens(&[hook(HookState::Attached)]);
        assert!(without[0].contains("io_uring") && !with[0].contains("io_uring"), "{without:?} {with:?}");
        assert_eq!(of_opens(&[]), without);
        assert!(spots(&[], "6.12.1").iter().all(|spot| spot.family != "memfd"), "nothing is missed of those");
    }

    #[test]
    fn what_older_kernels_miss_is_told_on_those_alone() {
        let of = |release: &str, family: &str| {
            let found = spots(&[], release).into_iter().find(|spot| spot.family == family);
            found.map(|spot| spot.what).unwrap_or_default()
        };
        let (silent, all) = ("operations that ask for no word of their success", "all sockets made through io_uring");
        let newer = format!("sockets made through io_uring by {silent}");
        assert_eq!(of("6.0.0-1-amd64", "socket"), newer);
        assert_eq!(of("5.19.17", "socket"), format!("{newer}; {all}"));
        assert_eq!(of("6.18.44-fc-v669", "socket"), newer);
        // Whatever depends on the version can be told apart.
        assert!(spots(&[], "99.0").iter().all(|spot| !spot.what.contains("before Linux")));
        for row in rows(PAGE).flatten() {
            let items = [row.missed_on_base, row.missed_on_full].into_iter().flat_map(|cell| cell.split("; "));
            for item in items.filter(|item| item.contains("before Linux")) {
                assert!(before(item).is_some_and(|(first, what)| first > (5, 10) && !what.is_empty()), "{item}");
            }
        }
    }
}
