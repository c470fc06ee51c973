//! docs/evasions.md.

use std::fmt::Write as _;
use std::fs;

use crate::tricks;

const HEAD: &str = "\
# Evasions

Ways to hide from a sensor, and what Lanner sees of each. Every row is performed for real by a test, against a kernel that
allows tracepoints only (base) and against one that allows fentry too (full); what a layer is said to miss is tested to be
missed. `tests/evasions/tricks` has a file for each.

| trick | idea | what is seen | base | full |
|---|---|---|---|---|
";

fn table() -> String {
    let mut table = HEAD.to_owned();
    for t in tricks::ALL {
        let layer = |misses: &str| if misses.is_empty() { "seen".to_owned() } else { format!("**missed**: {misses}") };
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "| `{}` | {} | {} | {} | {} |",
            t.name,
            t.idea,
            t.shows,
            layer(t.base_misses),
            layer(t.full_misses)
        );
    }
    table
}

/// Compares the page with the tricks, or writes it anew.
pub(crate) fn check() -> Result<(), String> {
    let page = lanner_tests::root().join("docs/evasions.md");
    let table = table();
    if std::env::var_os("LANNER_WRITE_DOCS").is_some() {
        return fs::write(&page, table).map_err(|e| format!("{}: {e}", page.display()));
    }
    match fs::read_to_string(&page) {
        Ok(text) if text == table => Ok(()),
        // In a guest that has the tests and nothing else.
        Err(_) if !lanner_tests::root().exists() => Ok(()),
        _ => {
            Err("docs/evasions.md is out of date: LANNER_WRITE_DOCS=1 cargo test --test evasions writes it".to_owned())
        }
    }
}
