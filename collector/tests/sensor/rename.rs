//! Files that get another name, by each call that gives one.

use std::fs;

use lanner_core::event::{FileId, Payload, Rename};

use super::place::{Place, c, ok, text};

#[test]
fn a_rename_tells_both_names_and_which_file() {
    let Some(at) = Place::new() else { return };
    let id = at.file("old");
    fs::rename(at.path("old"), at.path("new")).expect("renamed");
    let expected = Rename { file: at.named("new", id), from: at.named("old", FileId::default()), exchanged: false };
    assert_eq!(at.rename(&at.path("new")), expected);
    // renameat, over a file that is there.
    at.file("newest");
    let (old, new) = (c(at.path("new")), c(at.path("newest")));
    // SAFETY: two NUL-terminated names.
    ok(unsafe { libc::renameat(libc::AT_FDCWD, old.as_ptr(), libc::AT_FDCWD, new.as_ptr()) });
    let expected = Rename { file: at.named("newest", id), from: at.named("new", FileId::default()), exchanged: false };
    assert_eq!(at.rename(&at.path("newest")), expected);
}

#[test]
fn an_exchange_tells_who_is_where_now() {
    let Some(at) = Place::new() else { return };
    let (a, b) = (at.file("a"), at.file("b"));
    let (old, new) = (c(at.path("a")), c(at.path("b")));
    // SAFETY: two NUL-terminated names.
    ok(unsafe { libc::renameat2(libc::AT_FDCWD, old.as_ptr(), libc::AT_FDCWD, new.as_ptr(), libc::RENAME_EXCHANGE) });
    let expected = Rename { file: at.named("b", a), from: at.named("a", b), exchanged: true };
    assert_eq!(at.rename(&at.path("b")), expected);
}

#[test]
fn a_rename_that_fails_or_changes_nothing_is_not_told() {
    let Some(at) = Place::new() else { return };
    let id = at.file("a");
    fs::hard_link(at.path("a"), at.path("b")).expect("linked");
    fs::rename(at.path("a"), at.path("b")).expect("two names of one file: nothing is done");
    fs::rename(at.path("missing"), at.path("b")).expect_err("there is no such file");
    fs::rename(at.path("a"), at.path("last")).expect("renamed");
    assert_eq!(at.rename(&at.path("last")).file, at.named("last", id));
    let b = at.path("b");
    assert!(!at.stage.seen().iter().any(|e| matches!(&e.payload, Payload::Rename(r) if r.file.path == text(&b))));
}
