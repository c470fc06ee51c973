//! The sensor of this machine as a hub's source: what `lannerd` and `lanner live` run.

use lanner_core::event::{BootTime, Event};

use crate::containers::Names;
use crate::hub::{Hub, Limits, Polled, Source, SourceError};
use crate::sensor::{Sensor, SensorConfig, SensorError, node_info, now};

/// Why this machine cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The sensor does not load.
    #[error(transparent)]
    Sensor(#[from] SensorError),
    /// No thread could be made.
    #[error("no thread for the sensor: {0}")]
    Thread(#[from] std::io::Error),
}

impl LiveError {
    /// Whether this user or this kernel does not allow it; else it failed for another reason.
    pub fn is_refusal(&self) -> bool {
        !matches!(self, LiveError::Sensor(SensorError::RingSize(_)) | LiveError::Thread(_))
    }
}

/// Loads the sensor and sets it to work. Every hook that this kernel allows is attached when this returns; what lives
/// already comes first in the stream. `name` is the node's, instead of its host name.
///
/// # Errors
/// This user or this kernel does not allow any of it.
pub fn start(name: Option<String>, limits: Limits) -> Result<Hub, LiveError> {
    let mut sensor = Sensor::load(&SensorConfig::default())?;
    // Before the node is described: a hook that fails here is refused like any other.
    let mut already = sensor.backfill();
    let mut names = Names::start()?;
    names.look(&mut already, BootTime::default());
    let hooks = sensor.hooks().iter().cloned().chain([names.hook()]).collect();
    let mut node = node_info(hooks);
    if let Some(name) = name {
        node.name = name;
    }
    Ok(Hub::start(Watched { sensor, already, names }, node, limits)?)
}

struct Watched {
    sensor: Sensor,
    /// What lived before, until it is handed out.
    already: Vec<Event>,
    names: Names,
}

impl Source for Watched {
    fn poll(&mut self, events: &mut Vec<Event>) -> Result<Polled, SourceError> {
        let losses = self.sensor.drain(events);
        let now = self.sensor.watermark();
        self.names.look(events, BootTime(now.0.saturating_sub(1)));
        events.splice(0..0, self.already.drain(..));
        Ok(Polled { now, losses })
    }

    fn finish(&mut self, events: &mut Vec<Event>) -> Result<Polled, SourceError> {
        let losses = self.sensor.flush(events);
        // With nothing held back, the sensor's own mark is the end of time.
        let now = now();
        self.names.look(events, BootTime(now.0.saturating_sub(1)));
        events.splice(0..0, self.already.drain(..));
        Ok(Polled { now, losses })
    }
}
