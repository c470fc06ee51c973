//! A folder for tests that do something to names and attributes of files, and what the sensor tells of that.

use std::ffi::CString;
use std::fs;
use std::path::{Path, PathBuf};

use lanner_core::event::{Attribute, AttributeChange, File, FileId, Link, Make, Payload, Rename, Text, Unlink};

use super::stage::{Stage, expect, file_id, stage};

/// A folder of one's own, its path as the kernel has it.
pub(crate) struct Place {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) stage: Stage,
}

impl Place {
    pub(crate) fn new() -> Option<Self> {
        let stage = stage()?;
        Some(Place { dir: tempfile::tempdir().expect("a folder"), stage })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Makes a file, and tells which one it is.
    pub(crate) fn file(&self, name: &str) -> FileId {
        fs::write(self.path(name), "x").expect("written");
        file_id(self.path(name))
    }

    pub(crate) fn named(&self, name: &str, id: FileId) -> File {
        named(&self.path(name), id)
    }

    /// What this process did, that is about `path`.
    fn expect<T: Clone>(&self, path: &Path, pick: impl Fn(&Payload) -> Option<(&File, &T)>) -> T {
        let wanted = text(path);
        expect(self.stage, &format!("something of {}", path.display()), |e| {
            let (file, found) = pick(&e.payload)?;
            (file.path == wanted).then(|| {
                assert_ne!(e.header.tid, 0);
                found.clone()
            })
        })
    }

    pub(crate) fn rename(&self, to: &Path) -> Rename {
        self.expect(to, |p| if let Payload::Rename(r) = p { Some((&r.file, r.as_ref())) } else { None })
    }

    pub(crate) fn link(&self, name: &Path) -> Link {
        self.expect(name, |p| if let Payload::Link(l) = p { Some((&l.file, l.as_ref())) } else { None })
    }

    pub(crate) fn unlink(&self, path: &Path) -> Unlink {
        self.expect(path, |p| if let Payload::Unlink(u) = p { Some((&u.file, u.as_ref())) } else { None })
    }

    pub(crate) fn make(&self, path: &Path) -> Make {
        self.expect(path, |p| if let Payload::Make(m) = p { Some((&m.file, m.as_ref())) } else { None })
    }

    pub(crate) fn attribute(&self, path: &Path, wanted: impl Fn(&AttributeChange) -> bool) -> Attribute {
        self.expect(path, |p| match p {
            Payload::Attribute(a) if wanted(&a.change) => Some((&a.file, a.as_ref())),
            _ => None,
        })
    }
}

pub(crate) fn text(path: &Path) -> Text {
    Text::from(path.as_os_str().as_encoded_bytes())
}

pub(crate) fn named(path: &Path, id: FileId) -> File {
    File { path: text(path), id, ..File::default() }
}

pub(crate) fn c(path: impl AsRef<Path>) -> CString {
    CString::new(path.as_ref().as_os_str().as_encoded_bytes()).expect("no NUL")
}

/// A system call's answer.
pub(crate) fn ok(result: impl Into<i64>) {
    let result: i64 = result.into();
    assert!(result >= 0, "{}", std::io::Error::last_os_error());
}
