//! What happens to the names and attributes of files.

use lanner_core::event::{Attribute, AttributeChange, File, Link, MadeKind, Make, Owner, Rename, Unlink};

use super::{Refused, bytes, text};
use crate::v1;

/// A file that the message cannot be without.
fn needed(file: Option<v1::File>, field: &'static str) -> Result<File, Refused> {
    file.ok_or(Refused::Malformed(field))?.try_into()
}

/// Permissions fit into 16 bits.
fn permissions(mode: Option<u32>) -> Result<Option<u16>, Refused> {
    mode.map(|mode| u16::try_from(mode).map_err(|_| Refused::Malformed("mode"))).transpose()
}

impl From<&Rename> for v1::Rename {
    fn from(rename: &Rename) -> Self {
        v1::Rename { file: Some((&rename.file).into()), from: Some((&rename.from).into()), exchanged: rename.exchanged }
    }
}

impl TryFrom<v1::Rename> for Rename {
    type Error = Refused;

    fn try_from(rename: v1::Rename) -> Result<Self, Refused> {
        Ok(Rename {
            file: needed(rename.file, "file")?,
            from: needed(rename.from, "from")?,
            exchanged: rename.exchanged,
        })
    }
}

impl From<&Link> for v1::Link {
    fn from(link: &Link) -> Self {
        v1::Link { file: Some((&link.file).into()), target: Some((&link.target).into()), symbolic: link.symbolic }
    }
}

impl TryFrom<v1::Link> for Link {
    type Error = Refused;

    fn try_from(link: v1::Link) -> Result<Self, Refused> {
        Ok(Link { file: needed(link.file, "file")?, target: needed(link.target, "target")?, symbolic: link.symbolic })
    }
}

impl From<&Unlink> for v1::Unlink {
    fn from(unlink: &Unlink) -> Self {
        v1::Unlink { file: Some((&unlink.file).into()), links: unlink.links, directory: unlink.directory }
    }
}

impl TryFrom<v1::Unlink> for Unlink {
    type Error = Refused;

    fn try_from(unlink: v1::Unlink) -> Result<Self, Refused> {
        Ok(Unlink { file: needed(unlink.file, "file")?, links: unlink.links, directory: unlink.directory })
    }
}

impl From<&Make> for v1::Make {
    fn from(make: &Make) -> Self {
        let kind = match make.kind {
            MadeKind::Unknown => v1::MadeKind::Unspecified,
            MadeKind::Directory => v1::MadeKind::Directory,
            MadeKind::CharacterDevice => v1::MadeKind::CharacterDevice,
            MadeKind::BlockDevice => v1::MadeKind::BlockDevice,
            MadeKind::Pipe => v1::MadeKind::Pipe,
            MadeKind::Socket => v1::MadeKind::Socket,
            MadeKind::Regular => v1::MadeKind::Regular,
        };
        v1::Make {
            file: Some((&make.file).into()),
            kind: kind.into(),
            mode: make.mode.map(Into::into),
            device: make.device.map(|(major, minor)| v1::Device { major, minor }),
        }
    }
}

impl TryFrom<v1::Make> for Make {
    type Error = Refused;

    fn try_from(make: v1::Make) -> Result<Self, Refused> {
        let kind = match make.kind() {
            v1::MadeKind::Unspecified => MadeKind::Unknown,
            v1::MadeKind::Directory => MadeKind::Directory,
            v1::MadeKind::CharacterDevice => MadeKind::CharacterDevice,
            v1::MadeKind::BlockDevice => MadeKind::BlockDevice,
            v1::MadeKind::Pipe => MadeKind::Pipe,
            v1::MadeKind::Socket => MadeKind::Socket,
            v1::MadeKind::Regular => MadeKind::Regular,
        };
        Ok(Make {
            file: needed(make.file, "file")?,
            kind,
            mode: permissions(make.mode)?,
            device: make.device.map(|device| (device.major, device.minor)),
        })
    }
}

impl From<Owner> for v1::Owner {
    fn from(owner: Owner) -> Self {
        v1::Owner { uid: owner.uid, gid: owner.gid }
    }
}

impl From<v1::Owner> for Owner {
    fn from(owner: v1::Owner) -> Self {
        Owner { uid: owner.uid, gid: owner.gid }
    }
}

impl From<&Attribute> for v1::Attribute {
    fn from(attribute: &Attribute) -> Self {
        use v1::attribute::Change;
        let change = match &attribute.change {
            AttributeChange::Mode { before, now } => {
                Change::Mode(v1::ModeChange { before: before.map(Into::into), now: now.map(Into::into) })
            }
            AttributeChange::Owner { before, now } => {
                Change::Owner(v1::OwnerChange { before: before.map(Into::into), now: now.map(Into::into) })
            }
            AttributeChange::Extended { name, removed } => {
                Change::Extended(v1::ExtendedChange { name: bytes(name), removed: *removed })
            }
            AttributeChange::Size { now } => Change::Size(v1::SizeChange { now: *now }),
        };
        v1::Attribute { file: Some((&attribute.file).into()), change: Some(change) }
    }
}

impl TryFrom<v1::Attribute> for Attribute {
    type Error = Refused;

    fn try_from(attribute: v1::Attribute) -> Result<Self, Refused> {
        use v1::attribute::Change;
        let change = match attribute.change.ok_or(Refused::Unknown)? {
            Change::Mode(change) => {
                AttributeChange::Mode { before: permissions(change.before)?, now: permissions(change.now)? }
            }
            Change::Owner(change) => {
                AttributeChange::Owner { before: change.before.map(Into::into), now: change.now.map(Into::into) }
            }
            Change::Extended(change) => {
                AttributeChange::Extended { name: text(change.name, "name")?, removed: change.removed }
            }
            Change::Size(change) => AttributeChange::Size { now: change.now },
        };
        Ok(Attribute { file: needed(attribute.file, "file")?, change })
    }
}
