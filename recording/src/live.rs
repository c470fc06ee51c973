//! A recording of what happens now.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use lanner_core::event::Batch;

use crate::{Header, Options, WriteError, Writer};

/// How much of the latest may be lost when the recorder is killed or the machine goes down.
const FLUSH: Duration = Duration::from_secs(1);

/// Makes the file of a recording, readable by its owner only: arguments and paths may hold secrets. A device or a pipe
/// is taken as it is.
///
/// # Errors
/// It cannot be made, or exists: a recording is never overwritten.
pub fn create(path: &Path) -> io::Result<File> {
    let is_there = path.metadata().is_ok_and(|found| !found.is_file());
    let said = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            io::Error::new(error.kind(), "it exists, and a recording is never overwritten; choose another name")
        }
        _ => error,
    };
    OpenOptions::new().write(true).create_new(!is_there).mode(0o600).open(path).map_err(said)
}

/// A [`Writer`] whose recording grows as things happen: what it was given is on its way to the disk a second later.
#[derive(Debug)]
pub struct LiveWriter<W: Write> {
    writer: Writer<W>,
    flushed: Instant,
}

impl<W: Write> LiveWriter<W> {
    /// Begins a recording. `out` should not be buffered: what a [`WriteError`] calls safe is what `out` took.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn new(out: W, header: &Header) -> Result<Self, WriteError> {
        Ok(LiveWriter { writer: Writer::new(out, header, Options::LIVE)?, flushed: Instant::now() })
    }

    /// Adds a batch, unless it tells nothing but the time.
    ///
    /// # Errors
    /// The recording could not be written. What was written before stays readable.
    pub fn write(&mut self, batch: &Batch) -> Result<(), WriteError> {
        if batch.snapshot || !batch.events.is_empty() || !batch.losses.is_empty() {
            self.writer.write(batch)?;
        }
        self.look()
    }

    /// Hands over what has waited for long enough; call it about once a second while there is nothing to write.
    ///
    /// # Errors
    /// As [`LiveWriter::write`].
    pub fn look(&mut self) -> Result<(), WriteError> {
        if self.flushed.elapsed() >= FLUSH {
            self.writer.flush()?;
            self.flushed = Instant::now();
        }
        Ok(())
    }

    /// Ends the recording, and says how many events are in it.
    ///
    /// # Errors
    /// As [`LiveWriter::write`].
    pub fn finish(self) -> Result<u64, WriteError> {
        let events = self.writer.events();
        self.writer.finish()?;
        Ok(events)
    }
}
