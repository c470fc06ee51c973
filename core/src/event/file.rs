//! Files.

use super::{Passed, Text};

/// Which file it is, whatever it is called: device and inode number. Zero device and inode: unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
pub struct FileId {
    /// The kernel's `dev_t` of the file system (`s_dev`).
    pub dev: u64,
    /// The inode number there.
    pub ino: u64,
}

impl FileId {
    /// Whether the sensor could tell.
    pub fn is_known(self) -> bool {
        self.ino != 0
    }
}

/// A file as the kernel resolved it, not as the caller spelled it, unless [`File::as_passed`] says so.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct File {
    /// The path in the mount namespace of the process that used it.
    pub path: Text,
    /// Its identity.
    #[serde(flatten)]
    pub id: FileId,
    /// The path is only its tail: it had more components or bytes than the sensor walks.
    pub truncated: bool,
    /// It has no name any more, or never had one.
    pub deleted: bool,
    /// The kernel's own answer could not be had: the path is the name that the caller passed, behind the directory that it
    /// starts from. Symbolic links and `..` in it are not resolved, and another thread may have changed it under the call.
    pub as_passed: bool,
}

impl File {
    /// A file known by its path and identity alone.
    pub fn new(path: impl Into<Text>, dev: u64, ino: u64) -> Self {
        File { path: path.into(), id: FileId { dev, ino }, truncated: false, deleted: false, as_passed: false }
    }

    /// Whether it lives in memory only (`memfd_create`, or any file of the kernel's own shmem mount).
    pub fn is_memfd(&self) -> bool {
        self.path.as_bytes().starts_with(b"memfd:") || self.path.as_bytes().starts_with(b"/memfd:")
    }
}

/// A file was opened.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Open {
    /// The file.
    pub file: File,
    /// The descriptor it got; -1: it has none, or the hook that told of it could not know.
    pub fd: i32,
    /// For what it was opened.
    #[serde(flatten)]
    pub access: Access,
    /// This open created it.
    pub created: bool,
    /// The sensor saw it being opened for writing before, by another process: writing it and reading it are linked.
    pub written_before: bool,
    /// It is a directory.
    pub directory: bool,
    /// By which way.
    pub through: Through,
    /// What the call was passed, where it was one of the process's own and the sensor could see.
    pub passed: Option<Passed>,
}

/// How something was asked of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Through {
    /// By a system call for it.
    #[default]
    Call,
    /// Through a ring of io_uring, where no system call tells of it.
    IoUring,
    /// By nobody: the kernel did it itself, in a thread of its own.
    Kernel,
}

/// What an open file may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Access {
    /// Reading.
    pub read: bool,
    /// Writing.
    pub write: bool,
}

/// A process asked for seals on a file in memory; whoever maps or runs it can then be sure that nobody changes it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Seal {
    /// The file.
    pub file: File,
    /// The descriptor by which it was asked.
    pub fd: i32,
    /// The seals asked for.
    pub added: Seals,
    /// Those it had.
    pub before: Seals,
}

/// A set of seals (`F_SEAL_*` of `linux/fcntl.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seals(pub u32);

impl Seals {
    const NAMES: [&str; 6] = ["seal", "shrink", "grow", "write", "future_write", "exec"];

    /// Their names: `write`, `grow`, ...
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().enumerate().filter(move |(bit, _)| self.0 >> bit & 1 != 0).map(|(_, name)| *name)
    }
}

impl serde::Serialize for Seals {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}
