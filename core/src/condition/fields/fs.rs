//! `fs.path.*`: what a call that names a file names, and the arguments of such calls.

use std::borrow::Cow;

use super::{Field, Found, NAMED, OPEN, directory, flag, known, made, text, word};
use crate::condition::scratch::Put;
use crate::condition::view::View;
use crate::event::{AttributeChange, Family, FamilySet, MadeKind, Payload};

/// Calls that are about one path.
const PATH: FamilySet = FamilySet::of(&[Family::Open, Family::Unlink, Family::Make, Family::Attribute]);
const ATTRIBUTE: FamilySet = FamilySet::of(&[Family::Attribute]);
const MAKE: FamilySet = FamilySet::of(&[Family::Make]);
/// Calls that are about two.
const TWO_PATHS: FamilySet = FamilySet::of(&[Family::Rename, Family::Link]);

pub(super) const FIELDS: &[Field] = &[
    text("fs.path.name", PATH, "The path of the file that was opened, made, removed or changed.", name),
    text("fs.path.nameraw", OPEN, "The name as the caller of an open spelled it.", nameraw),
    text("fs.path.source", TWO_PATHS, "Of a rename the old path, of a link the new one.", source),
    text("fs.path.target", TWO_PATHS, "Of a rename the new path, of a link what it leads to.", target),
    text("lanner.file.path", NAMED, "The file's path; of one that got a name, that name.", |v| known(&v.named()?.path)),
    text("lanner.file.directory", NAMED, "The directory of that path.", |v| {
        Some(Cow::Borrowed(directory(v.named()?.path.as_bytes())))
    }),
    flag(
        "lanner.file.as_passed",
        NAMED,
        "The path is as the caller spelled it: the kernel's own answer could not be had.",
        |v| Some(v.named()?.as_passed),
    ),
    text("lanner.file.attribute", ATTRIBUTE, "The name of the extended attribute that was set or removed.", |v| {
        let Payload::Attribute(attribute) = &v.event.payload else { return None };
        match &attribute.change {
            AttributeChange::Extended { name, .. } => known(name),
            _ => None,
        }
    }),
    text(
        "lanner.file.made",
        MAKE,
        "What was made: directory, character-device, block-device, pipe, socket or regular.",
        |v| {
            let Payload::Make(make) = &v.event.payload else { return None };
            word(match make.kind {
                MadeKind::Unknown => return None,
                MadeKind::Directory => "directory",
                MadeKind::CharacterDevice => "character-device",
                MadeKind::BlockDevice => "block-device",
                MadeKind::Pipe => "pipe",
                MadeKind::Socket => "socket",
                MadeKind::Regular => "regular",
            })
        },
    ),
];

fn name(view: View<'_>) -> Found<'_> {
    if PATH.has(Family::of(&view.event.payload)) { known(&view.named()?.path) } else { None }
}

/// The name that was passed to an open.
pub(super) fn nameraw(view: View<'_>) -> Found<'_> {
    let Payload::Open(open) = &view.event.payload else { return None };
    known(open.passed.as_ref()?.name.as_ref().unwrap_or(&open.file.path))
}

fn source(view: View<'_>) -> Found<'_> {
    match &view.event.payload {
        Payload::Rename(rename) => known(&rename.from.path),
        Payload::Link(link) => known(&link.file.path),
        _ => None,
    }
}

fn target(view: View<'_>) -> Found<'_> {
    match &view.event.payload {
        Payload::Rename(rename) => known(&rename.file.path),
        Payload::Link(link) => known(&link.target.path),
        _ => None,
    }
}

/// An argument of a call that names a file.
pub(super) fn argument<'a>(view: View<'a>, name: &str) -> Found<'a> {
    match (name, &view.event.payload) {
        ("oldpath", Payload::Rename(_)) => source(view),
        ("newpath", Payload::Rename(_)) => target(view),
        ("oldpath", Payload::Link(link)) if !link.symbolic => target(view),
        ("newpath", Payload::Link(link)) if !link.symbolic => source(view),
        ("target", Payload::Link(link)) if link.symbolic => target(view),
        ("linkpath", Payload::Link(link)) if link.symbolic => source(view),
        ("name" | "path" | "filename" | "pathname", Payload::Unlink(_) | Payload::Make(_) | Payload::Attribute(_)) => {
            known(&view.named()?.path)
        }
        ("mode", Payload::Make(make)) => permissions(view, make.mode?),
        ("mode", Payload::Attribute(attribute)) => match attribute.change {
            AttributeChange::Mode { now, .. } => permissions(view, now?),
            _ => None,
        },
        ("uid", Payload::Attribute(attribute)) => match attribute.change {
            AttributeChange::Owner { now, .. } => made(now?.uid.to_string()),
            _ => None,
        },
        ("gid", Payload::Attribute(attribute)) => match attribute.change {
            AttributeChange::Owner { now, .. } => made(now?.gid.to_string()),
            _ => None,
        },
        _ => None,
    }
}

/// Permissions as Falco writes them: `S_IRUSR|S_ISUID`.
pub(super) fn permissions(view: View<'_>, mode: u16) -> Found<'_> {
    const BITS: [(u16, &str); 12] = [
        (0o0001, "S_IXOTH"),
        (0o0002, "S_IWOTH"),
        (0o0004, "S_IROTH"),
        (0o0010, "S_IXGRP"),
        (0o0020, "S_IWGRP"),
        (0o0040, "S_IRGRP"),
        (0o0100, "S_IXUSR"),
        (0o0200, "S_IWUSR"),
        (0o0400, "S_IRUSR"),
        (0o1000, "S_ISVTX"),
        (0o2000, "S_ISGID"),
        (0o4000, "S_ISUID"),
    ];
    if mode == 0 {
        return word("0");
    }
    Some(view.put(Put::Mode, |out| {
        for (_, name) in BITS.iter().filter(|(bit, _)| mode & bit != 0) {
            let between: &[u8] = if out.is_empty() { b"" } else { b"|" };
            out.extend_from_slice(between);
            out.extend_from_slice(name.as_bytes());
        }
    }))
}
