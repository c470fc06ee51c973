//! Fields that say what another says, or a part of it, of events of some families: what rules are looked up by need not be
//! looked up under each name.

use super::{FILE, NAMED};
use crate::condition::ast::Transform;
use crate::event::Family;

/// The field that has the whole path of which a field has a part.
pub(crate) fn whole(name: &str, family: Family) -> Option<&'static str> {
    let of_path =
        matches!(name, "fd.name" | "fd.directory" | "fd.filename" | "lanner.file.path" | "lanner.file.directory");
    (of_path && NAMED.has(family)).then(|| path(family))
}

/// Another field that has the same value, or none where this has none; the transformer makes it of that one.
pub(crate) fn same(name: &str, family: Family) -> Option<(&'static str, Option<Transform>)> {
    match name {
        "lanner.file.path" if FILE.has(family) => Some(("fd.name", None)),
        "lanner.file.directory" if FILE.has(family) => Some(("fd.directory", None)),
        "fd.filename" if FILE.has(family) => Some(("fd.name", Some(Transform::Basename))),
        _ => None,
    }
}

fn path(family: Family) -> &'static str {
    if FILE.has(family) { "fd.name" } else { "lanner.file.path" }
}
