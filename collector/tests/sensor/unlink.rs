//! Names that are removed.

use std::fs;

use lanner_core::event::{File, MadeKind, Make, Unlink};

use super::place::Place;
use super::stage::file_id;

#[test]
fn a_removal_tells_what_is_gone_and_what_is_left() {
    let Some(at) = Place::new() else { return };
    let id = at.file("a");
    fs::hard_link(at.path("a"), at.path("b")).expect("linked");
    fs::remove_file(at.path("a")).expect("removed");
    let first = Unlink { file: at.named("a", id), links: Some(1), directory: Some(false) };
    assert_eq!(at.unlink(&at.path("a")), first);
    fs::remove_file(at.path("b")).expect("removed");
    let gone = File { deleted: true, ..at.named("b", id) };
    assert_eq!(at.unlink(&at.path("b")), Unlink { file: gone, links: Some(0), directory: Some(false) });

    fs::create_dir(at.path("d")).expect("made");
    let d = file_id(at.path("d"));
    let made = Make { file: at.named("d", d), kind: MadeKind::Directory, mode: Some(0o755), device: None };
    assert_eq!(at.make(&at.path("d")), made);
    fs::remove_dir(at.path("d")).expect("removed");
    let gone = File { deleted: true, ..at.named("d", d) };
    assert_eq!(at.unlink(&at.path("d")), Unlink { file: gone, links: None, directory: Some(true) });
}
