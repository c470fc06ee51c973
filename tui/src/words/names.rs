//! What happens to the names and attributes of files, in words.

use lanner_core::event::{Attribute, AttributeChange, Link, MadeKind, Make, Owner, Rename, Unlink};

use super::text::{bytes, shown};
use super::{LINE, file, user};

pub(super) fn renamed(rename: &Rename) -> String {
    let (from, to) = (file(&rename.from), file(&rename.file));
    if rename.exchanged { format!("exchanged {from} and {to}") } else { format!("renamed {from} to {to}") }
}

pub(super) fn linked(link: &Link) -> String {
    let name = file(&link.file);
    if link.symbolic {
        format!("made {name} a symbolic link to {}", shown(&link.target.path, LINE))
    } else {
        format!("gave {} the name {name} too", file(&link.target))
    }
}

pub(super) fn removed(unlink: &Unlink) -> String {
    let path = shown(&unlink.file.path, LINE);
    match (unlink.directory, unlink.links) {
        (Some(true), _) => format!("removed the directory {path}"),
        (_, Some(links)) if links > 0 => format!("removed {path}, which has {links} more names"),
        _ => format!("removed {path}"),
    }
}

pub(super) fn made(make: &Make) -> String {
    let what = match make.kind {
        MadeKind::Unknown => "something",
        MadeKind::Directory => "the directory",
        MadeKind::CharacterDevice => "the character device",
        MadeKind::BlockDevice => "the block device",
        MadeKind::Pipe => "the pipe",
        MadeKind::Socket => "the socket",
        MadeKind::Regular => "the file",
    };
    let device = make.device.map(|(major, minor)| format!(", {major}:{minor}")).unwrap_or_default();
    format!("made {what} {}{device}", file(&make.file))
}

pub(super) fn attribute(attribute: &Attribute) -> String {
    let of = file(&attribute.file);
    let octal = |mode: &Option<u16>| mode.map_or_else(|| "unknown".to_owned(), |mode| format!("{mode:04o}"));
    let owner = |owner: &Option<Owner>| {
        owner.map_or_else(|| "unknown".to_owned(), |o| format!("{}:{}", user(o.uid), user(o.gid)))
    };
    match &attribute.change {
        AttributeChange::Mode { before: None, now } => format!("set the permissions of {of} to {}", octal(now)),
        AttributeChange::Mode { before, now } => {
            format!("changed the permissions of {of} from {} to {}", octal(before), octal(now))
        }
        AttributeChange::Owner { before: None, now } => format!("gave {of} to {}", owner(now)),
        AttributeChange::Owner { before, now } => format!("gave {of} from {} to {}", owner(before), owner(now)),
        AttributeChange::Extended { name, removed: false } => format!("set {} of {of}", shown(name, LINE)),
        AttributeChange::Extended { name, removed: true } => format!("removed {} of {of}", shown(name, LINE)),
        AttributeChange::Size { now: Some(now) } => format!("cut {of} to {}", bytes(*now)),
        AttributeChange::Size { now: None } => format!("cut {of}"),
    }
}
