//! A root for the kernel to unpack: a cpio archive of the kind `newc` (Documentation/driver-api/early-userspace). Not
//! compressed: an emulated processor takes longer to unpack it than this machine to read it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path};

const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const LINK: u32 = 0o120_000;

/// Writes an archive. Everything in it is root's; directories are made as they are needed.
pub(super) struct Archive<W> {
    out: W,
    written: usize,
    inode: u32,
    known: BTreeSet<String>,
}

impl<W: Write> Archive<W> {
    pub(super) fn new(out: W) -> Self {
        Archive { out, written: 0, inode: 0, known: BTreeSet::new() }
    }

    /// Adds a directory and those above it. Whatever is there already stays.
    pub(super) fn directory(&mut self, path: &str) -> io::Result<()> {
        let mut above = String::new();
        for part in Path::new(path).components().filter(|c| matches!(c, Component::Normal(_))) {
            above.push('/');
            above.push_str(&part.as_os_str().to_string_lossy());
            if self.known.insert(above.clone()) {
                self.entry(&above, DIRECTORY | 0o755, &[])?;
            }
        }
        Ok(())
    }

    /// Adds a file.
    pub(super) fn file(&mut self, path: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
        self.below(path, REGULAR | mode, bytes)
    }

    /// Adds a file of this machine, under the path it has here.
    pub(super) fn copy(&mut self, path: &Path, to: &str) -> io::Result<()> {
        let mode = fs::metadata(path)?.permissions().mode() & 0o7777;
        self.file(to, mode, &fs::read(path)?)
    }

    /// Adds a symbolic link.
    pub(super) fn link(&mut self, path: &str, target: &str) -> io::Result<()> {
        self.below(path, LINK | 0o777, target.as_bytes())
    }

    /// Ends the archive.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.entry("/TRAILER!!!", 0, &[])?;
        Ok(self.out)
    }

    fn below(&mut self, path: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
        if let Some((above, _)) = path.rsplit_once('/') {
            self.directory(above)?;
        }
        if self.known.insert(path.to_owned()) {
            self.entry(path, mode, bytes)?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
        let name = path.trim_start_matches('/');
        let size = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.inode += 1;
        let links = if mode & DIRECTORY != 0 { 2 } else { 1 };
        let name_size = name.len() as u32 + 1;
        // inode, mode, uid, gid, links, mtime, size, device, device named (two numbers each), name's size, check
        let fields = [self.inode, mode, 0, 0, links, 0, size, 0, 0, 0, 0, name_size, 0];
        let mut head = "070701".to_owned();
        fields.iter().for_each(|field| head.push_str(&format!("{field:08x}")));
        self.padded(&[head.as_bytes(), name.as_bytes(), b"\0"])?;
        self.padded(&[bytes])
    }

    /// Every name and every file ends at a multiple of four bytes.
    fn padded(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        for part in parts {
            self.out.write_all(part)?;
            self.written += part.len();
        }
        let padding = self.written.next_multiple_of(4) - self.written;
        self.written += padding;
        self.out.write_all(&[0; 4][..padding])
    }
}

#[cfg(test)]
mod tests {
    use super::Archive;

    #[test]
    fn directories_are_made_once_and_all_is_padded() {
        let mut archive = Archive::new(Vec::new());
        archive.file("/a/b/c", 0o755, b"hello").expect("written");
        archive.link("/a/d", "b/c").expect("written");
        let bytes = archive.finish().expect("written");
        assert_eq!(bytes.len() % 4, 0);
        let text = String::from_utf8_lossy(&bytes);
        let names: Vec<&str> = text.split("070701").skip(1).map(|entry| &entry[104..]).collect();
        let name = |entry: &&str| entry.split('\0').next().unwrap_or_default().to_owned();
        assert_eq!(names.iter().map(name).collect::<Vec<_>>(), ["a", "a/b", "a/b/c", "a/d", "TRAILER!!!"]);
        assert!(names[2].contains("hello") && names[3].contains("b/c"));
        // Of the file: its kind and permissions, and its size.
        let file = text.split("070701").nth(3).expect("the third entry");
        assert_eq!((&file[8..16], &file[48..56]), ("000081ed", "00000005"));
    }
}
