//! Files.

use lanner_core::event::{Access, File, FileId, MemFd, Open, OpenFlags, Passed, Seal, Seals, Through};

use super::{MAX_TEXT, Refused, bytes, text};
use crate::v1;

impl From<&File> for v1::File {
    fn from(file: &File) -> Self {
        v1::File {
            path: bytes(&file.path),
            dev: file.id.dev,
            ino: file.id.ino,
            truncated: file.truncated || file.path.as_bytes().len() > MAX_TEXT,
            deleted: file.deleted,
            as_passed: file.as_passed,
        }
    }
}

impl TryFrom<v1::File> for File {
    type Error = Refused;

    fn try_from(file: v1::File) -> Result<Self, Refused> {
        Ok(File {
            path: text(file.path, "path")?,
            id: FileId { dev: file.dev, ino: file.ino },
            truncated: file.truncated,
            deleted: file.deleted,
            as_passed: file.as_passed,
        })
    }
}

impl From<&Open> for v1::Open {
    fn from(open: &Open) -> Self {
        v1::Open {
            file: Some((&open.file).into()),
            fd: open.fd,
            read: open.access.read,
            write: open.access.write,
            created: open.created,
            written_before: open.written_before,
            directory: open.directory,
            through: v1::Through::from(open.through).into(),
            passed: open.passed.as_ref().map(Into::into),
        }
    }
}

impl From<&Passed> for v1::Passed {
    fn from(passed: &Passed) -> Self {
        v1::Passed { name: passed.name.as_ref().map(bytes), flags: passed.flags.0, mode: passed.mode.into() }
    }
}

impl TryFrom<v1::Passed> for Passed {
    type Error = Refused;

    fn try_from(passed: v1::Passed) -> Result<Self, Refused> {
        let name = passed.name.map(|name| text(name, "name")).transpose()?;
        let mode = u16::try_from(passed.mode).map_err(|_| Refused::Malformed("mode"))?;
        Ok(Passed { name, flags: OpenFlags(passed.flags), mode })
    }
}

impl From<Through> for v1::Through {
    fn from(through: Through) -> Self {
        match through {
            Through::Call => v1::Through::Call,
            Through::IoUring => v1::Through::IoUring,
            Through::Kernel => v1::Through::Kernel,
        }
    }
}

impl From<v1::Through> for Through {
    fn from(through: v1::Through) -> Self {
        match through {
            v1::Through::Call | v1::Through::Unspecified => Through::Call,
            v1::Through::IoUring => Through::IoUring,
            v1::Through::Kernel => Through::Kernel,
        }
    }
}

impl TryFrom<v1::Open> for Open {
    type Error = Refused;

    fn try_from(open: v1::Open) -> Result<Self, Refused> {
        Ok(Open {
            through: open.through().into(),
            file: open.file.ok_or(Refused::Malformed("file"))?.try_into()?,
            fd: open.fd,
            access: Access { read: open.read, write: open.write },
            created: open.created,
            written_before: open.written_before,
            directory: open.directory,
            passed: open.passed.map(TryInto::try_into).transpose()?,
        })
    }
}

impl From<&MemFd> for v1::MemFd {
    fn from(memfd: &MemFd) -> Self {
        v1::MemFd { file: Some((&memfd.file).into()), fd: memfd.fd }
    }
}

impl TryFrom<v1::MemFd> for MemFd {
    type Error = Refused;

    fn try_from(memfd: v1::MemFd) -> Result<Self, Refused> {
        Ok(MemFd { file: memfd.file.ok_or(Refused::Malformed("file"))?.try_into()?, fd: memfd.fd })
    }
}

impl From<&Seal> for v1::Seal {
    fn from(seal: &Seal) -> Self {
        v1::Seal { file: Some((&seal.file).into()), fd: seal.fd, added: seal.added.0, before: seal.before.0 }
    }
}

impl TryFrom<v1::Seal> for Seal {
    type Error = Refused;

    fn try_from(seal: v1::Seal) -> Result<Self, Refused> {
        Ok(Seal {
            file: seal.file.ok_or(Refused::Malformed("file"))?.try_into()?,
            fd: seal.fd,
            added: Seals(seal.added),
            before: Seals(seal.before),
        })
    }
}
