//! Records of what happens to names and attributes of files.

use crate::{FileFacts, Header, plain};

/// [`RenameRecord::flags`]: the two names changed places.
pub const RENAME_EXCHANGE: u32 = 2;

/// A file got another name. Tail: the new path, the old path.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RenameRecord {
    /// When and who.
    pub header: Header,
    /// What has the new name now.
    pub to: FileFacts,
    /// What has the old name now; only an exchange leaves something there.
    pub from: FileFacts,
    /// As `renameat2` takes them.
    pub flags: u32,
    /// Zero.
    pub zero: u32,
}

/// A file got one more name, or a symbolic link was made. Tail: the new path, then the path of the file or, for a symbolic
/// link, the text that it holds.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkRecord {
    /// When and who.
    pub header: Header,
    /// What has the new name: the file, or the symbolic link itself.
    pub file: FileFacts,
    /// The file under the name that it had; of a symbolic link's target only `path_len` is filled in.
    pub target: FileFacts,
    /// 1 for a symbolic link.
    pub symbolic: u32,
    /// Zero.
    pub zero: u32,
}

/// A name was removed. Tail: its path.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnlinkRecord {
    /// When and who.
    pub header: Header,
    /// What had the name.
    pub file: FileFacts,
    /// Its names before; 0 when unknown.
    pub links: u32,
    /// Zero.
    pub zero: u32,
}

/// A directory, device, pipe or socket was made. Tail: its path.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MakeRecord {
    /// When and who.
    pub header: Header,
    /// What was made.
    pub file: FileFacts,
    /// Of a device: which, as the kernel numbers devices (20 bits of minor).
    pub rdev: u32,
    /// Zero.
    pub zero: u32,
}

/// An attribute of a file was set; the header's kind tells which. Tail: the file's path, the extended attribute's name.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttributeRecord {
    /// When and who.
    pub header: Header,
    /// The file, as it is now.
    pub file: FileFacts,
    /// Length in bytes, now.
    pub size: u64,
    /// Owner, now; as the initial user namespace numbers users. So the next three.
    pub uid: u32,
    /// Group, now.
    pub gid: u32,
    /// Owner before.
    pub uid_before: u32,
    /// Group before.
    pub gid_before: u32,
    /// Type and permissions before.
    pub mode_before: u16,
    /// 1 when what was before is known.
    pub before_known: u16,
    /// Bytes of the extended attribute's name in the tail.
    pub name_len: u16,
    /// Zero.
    pub zero: u16,
}

plain!(RenameRecord = 96, LinkRecord = 96, UnlinkRecord = 72, MakeRecord = 72, AttributeRecord = 96);
