//! What the content of a file is called.

use std::fmt;

use super::{BootTime, File};

/// What a file holds that was run, by its SHA-256. `header.process` ran it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Digest {
    /// The file.
    pub file: File,
    /// The image of the process that began then was made of this content: nobody opened the file for writing between that
    /// and the reading.
    #[serde(skip)]
    pub since: BootTime,
    /// The sum.
    pub sha256: Sha256,
}

/// A SHA-256 sum; in text 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha256(pub [u8; 32]);

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl serde::Serialize for Sha256 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
