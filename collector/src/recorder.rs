//! Writing a subscription to a recording.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lanner_recording::{WriteError, Writer};

use crate::hub::{Next, Subscription};

/// How much of the latest may be lost when the recorder is killed.
const FLUSH: Duration = Duration::from_secs(1);

/// How a recording ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Events in it, those of its snapshot included.
    pub events: u64,
    /// Why the hub's source failed, if it did.
    pub failure: Option<Arc<str>>,
}

/// Makes the file of a recording, readable by its owner only: arguments and paths may hold secrets.
///
/// # Errors
/// It cannot be made, or exists: a recording is never overwritten.
pub fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Writes everything that the subscription gives until it ends; what came is on its way to the disk a second later.
///
/// # Errors
/// The recording could not be written. What was written before stays readable.
pub fn record<W: Write>(subscription: &mut Subscription, mut writer: Writer<W>) -> Result<Recorded, WriteError> {
    let mut flushed = Instant::now();
    loop {
        match subscription.wait(FLUSH.saturating_sub(flushed.elapsed())) {
            Next::Batch(batch) => writer.write(&batch)?,
            Next::Waiting => {}
            Next::Ended(failure) => {
                let events = writer.events();
                writer.finish()?;
                return Ok(Recorded { events, failure });
            }
        }
        if flushed.elapsed() >= FLUSH {
            writer.flush()?;
            flushed = Instant::now();
        }
    }
}
