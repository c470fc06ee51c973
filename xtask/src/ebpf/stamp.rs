//! What the committed object was made of.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context;
use sha2::{Digest, Sha256};

/// What goes into the object. The lock file does too; tests and the object itself do not.
const SOURCES: [&str; 4] =
    ["collector-abi/src", "collector-ebpf/src", "collector-ebpf/Cargo.toml", "collector-ebpf/Cargo.lock"];

/// The record beside the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    /// `rustc --version`, with its LLVM's.
    pub(super) compiler: String,
    /// `bpf-linker --version`.
    pub(super) linker: String,
    /// A hash of the sources, in hexadecimal digits.
    pub(super) sources: String,
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# What lanner.bpf.o was made of; `cargo xtask ebpf` writes both.")?;
        writeln!(f, "compiler: {}", self.compiler)?;
        writeln!(f, "linker: {}", self.linker)?;
        writeln!(f, "sources: {}", self.sources)
    }
}

impl FromStr for Stamp {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let line = |name: &str| {
            let value = text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": "));
            value.map(str::to_owned).with_context(|| format!("the object's record has no line `{name}`"))
        };
        Ok(Stamp { compiler: line("compiler")?, linker: line("linker")?, sources: line("sources")? })
    }
}

/// Hashes all sources: names and contents, in the order of their names.
pub(super) fn sources(root: &Path) -> anyhow::Result<String> {
    let mut files = Vec::new();
    for source in SOURCES {
        list(&root.join(source), &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let name = file.strip_prefix(root)?.to_string_lossy().into_owned();
        let bytes = std::fs::read(&file).with_context(|| name.clone())?;
        for part in [name.as_bytes(), &bytes] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect())
}

fn list(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if path.is_file() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).with_context(|| path.display().to_string())? {
        list(&entry?.path(), files)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_object_is_as_new_as_its_sources() {
        let root = super::super::root();
        let record = root.join("collector-ebpf/prebuilt/lanner.bpf.txt");
        let stamp: Stamp = std::fs::read_to_string(record).expect("the record").parse().expect("a stamp");
        assert_eq!(stamp.sources, sources(&root).expect("the sources"), "run `cargo xtask ebpf` and commit the object");
    }

    #[test]
    fn the_committed_object_tells_nothing_of_the_machine_it_was_built_on() {
        let object =
            std::fs::read(super::super::root().join("collector-ebpf/prebuilt/lanner.bpf.o")).expect("the object");
        for word in ["/root/", "/home/", "/tmp/", ".cargo", ".rustup", "registry/src"] {
            assert!(!object.windows(word.len()).any(|w| w == word.as_bytes()), "the object has {word:?} in it");
        }
    }

    #[test]
    fn a_stamp_is_read_as_it_is_written() {
        let stamp = Stamp { compiler: "rustc 1".into(), linker: "bpf-linker 2".into(), sources: "ab".into() };
        assert_eq!(stamp.to_string().parse::<Stamp>().expect("parses"), stamp);
        assert!("compiler: x".parse::<Stamp>().is_err());
    }
}
