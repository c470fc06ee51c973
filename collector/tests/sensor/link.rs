//! Files that get one more name, and symbolic links.

use std::fs;
use std::os::unix::fs::symlink;

use lanner_core::event::{File, FileId, Link, Text};

use super::place::{Place, c, ok};
use super::stage::file_id;

#[test]
fn a_link_tells_both_ends() {
    let Some(at) = Place::new() else { return };
    let id = at.file("file");
    fs::hard_link(at.path("file"), at.path("hard")).expect("linked");
    let hard = Link { file: at.named("hard", id), target: at.named("file", id), symbolic: false };
    assert_eq!(at.link(&at.path("hard")), hard);

    symlink("../no/such", at.path("soft")).expect("linked");
    let link = fs::symlink_metadata(at.path("soft")).expect("it is there");
    let said = File { path: Text::from("../no/such"), as_passed: true, ..File::default() };
    let own = FileId { dev: file_id(at.dir.path()).dev, ino: std::os::unix::fs::MetadataExt::ino(&link) };
    let soft = Link { file: at.named("soft", own), target: said, symbolic: true };
    assert_eq!(at.link(&at.path("soft")), soft);

    // A link to a link, and to what it leads to.
    symlink("file", at.path("way")).expect("linked");
    let (way, to) = (c(at.path("way")), c(at.path("through")));
    // SAFETY: two NUL-terminated names.
    ok(unsafe { libc::linkat(libc::AT_FDCWD, way.as_ptr(), libc::AT_FDCWD, to.as_ptr(), libc::AT_SYMLINK_FOLLOW) });
    let through = Link { file: at.named("through", id), target: at.named("file", id), symbolic: false };
    assert_eq!(at.link(&at.path("through")), through);
}
