//! What happens to the names and attributes of files.

use super::{File, Text};

/// A file got another name.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Rename {
    /// The file, under its new name.
    pub file: File,
    /// The name that it had. Its identity is that of what has this name now: only an exchange leaves something there.
    pub from: File,
    /// What had the new name before got the old one.
    pub exchanged: bool,
}

/// A file got one more name, or a symbolic link was made.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Link {
    /// What has the new name: the file itself, or the symbolic link.
    pub file: File,
    /// The file under the name that it had; of a symbolic link the text that it holds, as passed.
    pub target: File,
    /// Whether it is a symbolic link.
    pub symbolic: bool,
}

/// A name was removed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Unlink {
    /// What had the name. It is deleted when this was its last one.
    pub file: File,
    /// How many names it has left; `None` when unknown, and for directories.
    pub links: Option<u32>,
    /// It is a directory; `None` when unknown.
    pub directory: Option<bool>,
}

/// A directory, device, pipe or socket was made.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Make {
    /// What was made.
    pub file: File,
    /// Of which kind.
    pub kind: MadeKind,
    /// Permissions, as `chmod` takes them; `None` when unknown.
    pub mode: Option<u16>,
    /// Of a device: major and minor number.
    pub device: Option<(u32, u32)>,
}

/// What can be made that is no regular file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum MadeKind {
    #[default]
    Unknown,
    Directory,
    CharacterDevice,
    BlockDevice,
    Pipe,
    Socket,
    Regular,
}

/// An attribute of a file was set.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Attribute {
    /// The file.
    pub file: File,
    /// Which attribute, and to what.
    #[serde(flatten)]
    pub change: AttributeChange,
}

/// What was set. `None` where the sensor could not tell: before, when the kernel first met the name in this very call; after,
/// when the file was not found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "attribute", rename_all = "kebab-case")]
pub enum AttributeChange {
    /// Permissions, as `chmod` takes them (12 bits).
    Mode {
        /// Before.
        before: Option<u16>,
        /// Since.
        now: Option<u16>,
    },
    /// User and group, as the initial user namespace numbers them.
    Owner {
        /// Before.
        before: Option<Owner>,
        /// Since.
        now: Option<Owner>,
    },
    /// An extended attribute, such as `security.capability`.
    Extended {
        /// Its name.
        name: Text,
        /// It was removed.
        removed: bool,
    },
    /// The length in bytes: a part was cut off, or zeros were appended.
    Size {
        /// Since.
        now: Option<u64>,
    },
}

/// Whose a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}
