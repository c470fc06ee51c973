//! Where events come from. Every source runs in a thread of its own and fills a bounded channel with [`FeedItem`]s: the
//! user interface and the verbs without one take from it alike.
//!
//! - `recording`: files, standard input, built-in scenarios; at any speed.
//! - `remote`: a collector elsewhere, over gRPC.
//! - `live` (feature `live`, Linux): the collector in this process.

mod input;
#[cfg(feature = "live")]
mod live;
mod pace;
mod recording;
mod remote;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Duration;

use lanner_proto::address::{Address, BadAddress};
use lanner_scenarios::{SCENARIOS, Scenario};

use crate::ui::{FeedItem, ReplayCommand, Speed};

/// Items that may wait between a source and who follows it. A batch is at most a few thousand events, of some hundred bytes
/// each; a collector has a queue of its own.
const QUEUE: usize = 16;

/// What a source argument names.
#[derive(Debug, Clone)]
pub enum Spec {
    /// This node.
    Live,
    /// A collector's address.
    Remote(Address),
    /// A recording's path.
    File(PathBuf),
    /// A recording on standard input.
    Stdin,
    /// A built-in scenario.
    Scenario(&'static Scenario),
}

/// Why there is nothing to follow.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// What was asked for does not exist, or cannot be.
    #[error("{0}")]
    Usage(String),
    /// This user or this kernel does not allow it.
    #[error("{0}")]
    NotAllowed(String),
    /// It failed.
    #[error("{0}")]
    Failed(String),
}

/// How a source is to be followed.
#[derive(Debug, Clone)]
pub struct Options {
    /// How fast a recording is played.
    pub speed: Speed,
    /// How far into a recording the playing begins; all before is read at once.
    pub at: Duration,
    /// Pass over stretches of a recording in which nothing happens.
    pub skip_silence: bool,
    /// The node's name, instead of its host name (this node only).
    pub node_name: Option<String>,
    /// Try again when the connection is lost; else that is the end.
    pub reconnect: bool,
    /// Raised when the source is to end.
    pub stop: Stop,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            speed: Speed::MAX,
            at: Duration::ZERO,
            skip_silence: false,
            node_name: None,
            reconnect: false,
            stop: Stop::default(),
        }
    }
}

/// A flag that ends a source: it hands over all that it has and says [`FeedItem::End`].
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Raises the flag.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is raised.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// The flag itself, for signal handlers.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

/// A source at work.
#[derive(Debug)]
pub struct Stream {
    /// What it says.
    pub items: Receiver<FeedItem>,
    /// For a recording: how it takes orders.
    pub control: Option<SyncSender<ReplayCommand>>,
}

impl Spec {
    /// Reads a source argument.
    ///
    /// # Errors
    /// When it names nothing.
    pub fn parse(text: Option<&str>) -> Result<Spec, SourceError> {
        let Some(text) = text else { return Ok(Spec::Live) };
        if text == "-" {
            return Ok(Spec::Stdin);
        }
        if text.contains("://") {
            return text.parse().map(Spec::Remote).map_err(|e: BadAddress| SourceError::Usage(e.to_string()));
        }
        if Path::new(text).exists() {
            return Ok(Spec::File(PathBuf::from(text)));
        }
        if let Some(scenario) = SCENARIOS.iter().find(|s| s.name == text) {
            return Ok(Spec::Scenario(scenario));
        }
        let known: Vec<&str> = SCENARIOS.iter().map(|s| s.name).collect();
        Err(SourceError::Usage(format!(
            "{text:?} is no file here, no address (unix:///run/lanner/lanner.sock) and no built-in scenario ({})",
            known.join(", ")
        )))
    }

    /// A short name for a header line.
    pub fn name(&self) -> String {
        match self {
            Spec::Live => "this node".to_owned(),
            Spec::Remote(address) => address.to_string(),
            Spec::File(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
            Spec::Stdin => "standard input".to_owned(),
            Spec::Scenario(scenario) => scenario.name.to_owned(),
        }
    }

    /// What is done while it is opened, in words.
    pub fn opening(&self) -> String {
        match self {
            Spec::Live => "starting the sensor of this node".to_owned(),
            Spec::Remote(address) => format!("connecting to {address}"),
            Spec::File(_) | Spec::Stdin | Spec::Scenario(_) => format!("opening {}", self.name()),
        }
    }

    /// Whether the source has no end of its own.
    pub fn is_endless(&self) -> bool {
        matches!(self, Spec::Live | Spec::Remote(_))
    }
}

/// Begins to follow a source. What can be known to be wrong at once is an error here; what goes wrong later is told in
/// the last [`FeedItem::End`].
///
/// # Errors
/// When the source cannot be opened.
pub fn open(spec: &Spec, options: Options) -> Result<Stream, SourceError> {
    match spec {
        #[cfg(feature = "live")]
        Spec::Live => live::open(options),
        #[cfg(not(feature = "live"))]
        Spec::Live => Err(SourceError::NotAllowed(
            "this build has no sensor in it (feature `live`): connect to a collector, or replay a recording".to_owned(),
        )),
        Spec::Remote(address) => remote::open(address, options),
        Spec::File(path) => recording::open_file(path, options),
        Spec::Stdin => recording::open_stdin(options),
        Spec::Scenario(scenario) => recording::open_bytes(scenario.recording, options),
    }
}
