//! How much of a recording could be read.

/// What a [`crate::Reader`] made of its recording, so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Batches that were delivered.
    pub batches: u64,
    /// Events that were delivered.
    pub events: u64,
    /// Bytes of the file of which nothing could be made.
    pub unreadable_bytes: u64,
    /// What was wrong, in words; `None`: nothing.
    pub problem: Option<String>,
}

/// What went wrong, from which the words are made.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    /// Places inside the recording where bytes were skipped, and how many.
    pub(crate) places: u64,
    pub(crate) skipped: u64,
    /// Bytes at the end that are no whole block.
    pub(crate) tail: u64,
    /// Bytes after the recording's end.
    pub(crate) beyond: u64,
    pub(crate) no_header: bool,
    pub(crate) no_end: bool,
    pub(crate) gave_up: bool,
    /// Entries that are newer than this version.
    pub(crate) unknown: u64,
    /// Events that the recording's end knows of and that were not read.
    pub(crate) missing: u64,
    pub(crate) io: Option<String>,
}

impl Trouble {
    pub(crate) fn unreadable(&self) -> u64 {
        self.skipped + self.tail + self.beyond
    }

    pub(crate) fn words(&self) -> Option<String> {
        let mut said = Vec::new();
        if self.no_header {
            said.push("its header is missing or damaged, so that its node is not known".to_owned());
        }
        if self.skipped > 0 {
            said.push(format!("damaged and left out: {} in {}", bytes(self.skipped), places(self.places)));
        }
        if let Some(error) = &self.io {
            said.push(format!("reading stopped: {error}"));
        } else if self.gave_up {
            said.push(format!("too damaged to go on: {} at its end not read", bytes(self.tail)));
        } else if self.tail > 0 {
            said.push(format!("cut short: {} of an unfinished block at its end", bytes(self.tail)));
        } else if self.no_end {
            said.push("not finished: it stops without an end mark, perhaps a second early".to_owned());
        }
        if self.missing > 0 {
            said.push(format!("missing: {} of its events", self.missing));
        }
        if self.beyond > 0 {
            said.push(format!("left out: {} after its end", bytes(self.beyond)));
        }
        if self.unknown > 0 {
            said.push(format!("left out: {} of its entries, newer than this version", self.unknown));
        }
        (!said.is_empty()).then(|| said.join("; "))
    }
}

fn bytes(n: u64) -> String {
    if n == 1 { "1 byte".to_owned() } else { format!("{n} bytes") }
}

fn places(n: u64) -> String {
    if n == 1 { "one place".to_owned() } else { format!("{n} places") }
}
