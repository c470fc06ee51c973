//! Writing a subscription to a recording.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use lanner_recording::{LiveWriter, WriteError};

use crate::hub::{Next, Subscription};

/// How long to wait for a batch before looking after what was written.
const LOOK: Duration = Duration::from_secs(1);

/// How a recording ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Events in it, those of its snapshot included.
    pub events: u64,
    /// Why the hub's source failed, if it did.
    pub failure: Option<Arc<str>>,
}

/// Writes everything that the subscription gives until it ends; what came is on its way to the disk a second later.
///
/// # Errors
/// The recording could not be written. What was written before stays readable.
pub fn record<W: Write>(subscription: &mut Subscription, mut writer: LiveWriter<W>) -> Result<Recorded, WriteError> {
    loop {
        match subscription.wait(LOOK) {
            Next::Batch(batch) => writer.write(&batch)?,
            Next::Waiting => writer.look()?,
            Next::Ended(failure) => return Ok(Recorded { events: writer.finish()?, failure }),
        }
    }
}
