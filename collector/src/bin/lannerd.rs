//! `lannerd`: the collector as a service. Messages go to stderr; there is no other output.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use clap::Parser;
use lanner_collector::hub::{Hub, Limits, Subscribe};
use lanner_collector::live::{self, LiveError};
use lanner_collector::recorder::{self, Recorded};
use lanner_collector::service::{self, Listener};
use lanner_core::event::Text;
use lanner_proto::address::Address;
use lanner_recording::{Header, LiveWriter, WriteError, create};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// Lanner's collector: watches this node from its kernel and lets `lanner connect` follow.
///
/// Needs root, or the capabilities that `lanner doctor` names. Ends in good order on SIGINT, SIGTERM and SIGHUP: what was
/// seen is handed out and recorded first.
#[derive(Debug, Parser)]
#[command(name = "lannerd", version, after_help = EXIT_CODES)]
struct Options {
    /// Where clients connect: unix:///PATH, for its owner only, or http://127.0.0.1:PORT, which every user of this machine
    /// can read.
    #[arg(long, value_name = "ADDR", default_value_t)]
    listen: Address,

    /// Also write everything to this recording, which must not exist yet.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,

    /// The node's name, instead of its host name.
    #[arg(long, value_name = "NAME")]
    node_name: Option<String>,
}

const EXIT_CODES: &str = "Exit status: 0 after one of these signals, 1 on failure, 2 on wrong usage, 3 when a privilege or a \
                          feature of the kernel is missing.";

/// Why the collector ends early; the text is for the person who started it.
#[derive(Debug)]
enum Failure {
    Failed(String),
    NotAllowed(String),
}

impl Failure {
    fn of(error: impl Display) -> Self {
        Failure::Failed(error.to_string())
    }
}

impl From<LiveError> for Failure {
    fn from(error: LiveError) -> Self {
        let text = error.to_string();
        if error.is_refusal() { Failure::NotAllowed(text) } else { Failure::Failed(text) }
    }
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Failed(why)) => {
            say(why);
            ExitCode::from(1)
        }
        Err(Failure::NotAllowed(why)) => {
            say(why);
            ExitCode::from(3)
        }
    }
}

fn say(what: impl Display) {
    // One line whatever is quoted in it. A service whose stderr is closed goes on.
    let _ = writeln!(io::stderr(), "lannerd: {}", Text::from(what.to_string()));
}

fn run(options: &Options) -> Result<(), Failure> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(Failure::of)?;
    runtime.block_on(serve(options))
}

async fn serve(options: &Options) -> Result<(), Failure> {
    // From here on these signals end the collector in good order.
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::of)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::of)?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(Failure::of)?;
    let hub = Arc::new(live::start(options.node_name.clone(), Limits::default())?);
    let listener = Listener::bind(&options.listen).await.map_err(Failure::of)?;
    let recording = options.record.as_ref().map(|path| record(path.clone(), &hub)).transpose()?;
    say(ready(&hub, &listener, options));

    let (end, ended) = oneshot::channel::<()>();
    let serving = tokio::spawn(service::serve(Arc::clone(&hub), listener, async {
        // Dropping the other half is a signal as well.
        let _ = ended.await;
    }));
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
        () = hub.over() => {}
    }
    // The hub first, so that clients and the recording get what the kernel still holds.
    let stopped = tokio::task::block_in_place(|| hub.stop());
    drop(end);
    serving.await.map_err(Failure::of)?.map_err(Failure::of)?;
    if let Some(recording) = recording {
        finish(recording)?;
    }
    stopped.map_err(|why| Failure::Failed(format!("the sensor failed: {why}")))
}

fn ready(hub: &Hub, listener: &Listener, options: &Options) -> String {
    let node = hub.node();
    let refused = node.degraded().count();
    let attached = node.attached();
    let blind = match refused {
        0 => String::new(),
        _ => format!(" ({refused} refused: see `lanner doctor`)"),
    };
    let recording = options.record.as_ref().map(|path| format!(", recording to {}", path.display()));
    format!(
        "ready: watching {} with {attached} hooks{blind}, listening at {}{}",
        node.name,
        listener.address(),
        recording.unwrap_or_default()
    )
}

type Recording = JoinHandle<Result<Recorded, WriteError>>;

fn record(path: PathBuf, hub: &Hub) -> Result<Recording, Failure> {
    let named = |what: &dyn Display| Failure::Failed(format!("{}: {what}", path.display()));
    let file = create(&path).map_err(|error| named(&format!("cannot write the recording: {error}")))?;
    let writer = LiveWriter::new(file, &Header::new(hub.node().clone())).map_err(|error| named(&error))?;
    let mut subscription = hub.subscribe(Subscribe::default()).map_err(Failure::of)?;
    let recording = move || {
        let recorded = recorder::record(&mut subscription, writer);
        if let Err(error) = &recorded {
            // At once, and not only at the end: the collector goes on without it.
            say(format!("{}: {error}; the recording ends here", path.display()));
        }
        recorded
    };
    thread::Builder::new().name("lanner-record".into()).spawn(recording).map_err(Failure::of)
}

fn finish(recording: Recording) -> Result<(), Failure> {
    match recording.join() {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) => Err(Failure::Failed("the recording is not complete".to_owned())),
        Err(_) => Err(Failure::Failed("the recorder panicked, and the recording is not complete".to_owned())),
    }
}
